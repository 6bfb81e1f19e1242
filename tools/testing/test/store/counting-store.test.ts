import { expect, test } from "vitest";

import {
  CountingStore,
  FailingStore,
  type OpenedStore,
  storeLaws,
  type StoreSubject,
} from "../../src/index.ts";

const subject: StoreSubject = {
  canFail: false,
  isBounded: false,
  runCount: 30,
  largeBatchCount: 2000,
  async open(): Promise<OpenedStore> {
    const inner = new FailingStore();
    return {
      store: new CountingStore(inner),
      iteratorCount: () => inner.walkCount,
      dispose: () => inner.close(),
    };
  },
};

for (const law of storeLaws(subject))
  test(`a counted store is the store: ${law.name}`, async () => {
    await expect(law.run(subject)).resolves.toBeUndefined();
  });

test("every call is counted once, and taking starts again", async () => {
  const store = new CountingStore(new FailingStore());
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
  await store.batch([
    { type: "put", key: a, value: new Uint8Array(5) },
    { type: "del", key: b },
  ]);
  await store.batch([], { sync: false });
  await store.get(a);
  store.getSync(a);
  await store.getMany([a, b]);
  store.getManySync([a]);
  store.viewManySync([]);
  store.iterator();
  expect(store.take()).toEqual({
    get: 2,
    getMany: 3,
    keys: 5,
    batch: 2,
    syncedBatch: 1,
    operations: 2,
    valueBytes: 5,
    iterator: 1,
  });
  expect(store.take().get).toBe(0);
});
