import assert from "node:assert/strict";

import { bytes, collect, put, type StoreLaw, withStore } from "./subject.ts";
import { readsSync, type StoreLike } from "./types.ts";

/** What calls that overlap see of each other. */
export const concurrencyLaws: readonly StoreLaw[] = [
  {
    name: "batches called without waiting happen in the order of the calls",
    run: (subject) =>
      withStore(subject, async (store) => {
        const key = bytes(1);
        await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            store.batch([put(key, bytes(i + 1))], {
              sync: i % 10 === 0,
              expect: [{ key, value: i === 0 ? undefined : bytes(i) }],
            }),
          ),
        );
        assert.deepEqual(await store.get(key), bytes(50));
      }),
  },
  {
    name: "of writers that expect the same value exactly one wins, and the others do not spoil it",
    run: (subject) => withStore(subject, oneWriterWins),
  },
  {
    name: "no read sees half of a batch",
    run: (subject) => withStore(subject, readsSeeWholeBatches),
  },
  {
    name: "a read sees what was acknowledged before it",
    run: (subject) =>
      withStore(subject, async (store) => {
        for (let i = 0; i < 20; i++) {
          await store.batch([put(bytes(1), bytes(i))], { sync: false });
          assert.deepEqual(await store.get(bytes(1)), bytes(i));
          if (readsSync(store)) assert.deepEqual(store.getSync(bytes(1)), bytes(i));
          assert.deepEqual(await collect(store.iterator()), [[bytes(1), bytes(i)]]);
        }
      }),
  },
];

async function oneWriterWins(store: StoreLike): Promise<void> {
  const head = bytes(1);
  let value: Uint8Array | undefined;
  for (let round = 1; round <= 10; round++) {
    const before = value;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, writer) =>
        store.batch([put(head, bytes(round, writer)), put(bytes(2, round, writer), bytes())], {
          sync: false,
          expect: [{ key: head, value: before }],
        }),
      ),
    );
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === "fulfilled" || outcome.reason.code),
      [true, ...Array.from({ length: 7 }, () => "STORE_CONFLICT")],
    );
    value = await store.get(head);
    assert.deepEqual(value, bytes(round, 0));
  }
  assert.equal((await collect(store.iterator({ gte: bytes(2) }))).length, 10);
}

async function readsSeeWholeBatches(store: StoreLike): Promise<void> {
  // Far apart in order and in the batch.
  const keys = [bytes(0, 1), bytes(0xff, 1)];
  const filler = Array.from({ length: 200 }, (_, i) => put(bytes(5, i), bytes(i)));
  const writing = (async () => {
    for (let i = 0; i < 30; i++)
      await store.batch([put(bytes(0, 1), bytes(i)), ...filler, put(bytes(0xff, 1), bytes(i))], {
        sync: false,
      });
  })();
  const progress = { done: false };
  void writing.finally(() => {
    progress.done = true;
  });
  while (!progress.done) {
    const [low, high] = await store.getMany(keys);
    assert.deepEqual(low, high);
    if (readsSync(store)) {
      const [lowSync, highSync] = store.getManySync(keys);
      assert.deepEqual(lowSync, highSync);
    }
    const entries = await collect(store.iterator());
    assert.deepEqual(entries.at(0)?.[1], entries.at(-1)?.[1]);
    assert.ok(entries.length === 0 || entries.length === 202);
  }
  await writing;
}
