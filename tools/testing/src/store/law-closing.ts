import assert from "node:assert/strict";

import { bytes, collect, put, rejectsWith, type StoreLaw, withStore } from "./subject.ts";
import { readsSync, type StoreLike } from "./types.ts";

/** What closing means. */
export const closingLaws: readonly StoreLaw[] = [
  {
    name: "closing waits for the batches called before it and is the same end for everybody",
    run: (subject) =>
      withStore(subject, async (store, opened) => {
        assert.equal(store.state, "open");
        const batches = Array.from({ length: 20 }, (_, i) =>
          store.batch([put(bytes(i), bytes(i))], { sync: false }),
        );
        await Promise.all([store.close(), store.close(), ...batches]);
        await store.close();
        assert.equal(store.state, "closed");
        if (opened.reopen === undefined) return;
        const reopened = await opened.reopen();
        assert.equal((await collect(reopened.iterator())).length, 20);
      }),
  },
  {
    name: "after closing every call fails with STORE_CLOSED",
    run: (subject) =>
      withStore(subject, async (store) => {
        await store.batch([put(bytes(1), bytes(1))]);
        const walk = store.iterator();
        await walk.next();
        const unused = store.iterator();
        const closing = store.close();
        await everyCallIsClosed(store);
        await closing;
        await everyCallIsClosed(store);
        await rejectsWith(walk.next(), "STORE_CLOSED");
        await rejectsWith(walk.next(), "STORE_CLOSED");
        await rejectsWith(unused.next(), "STORE_CLOSED");
        await unused.return();
      }),
  },
  {
    name: "reads and walks in flight when a store closes end with their answer or STORE_CLOSED",
    run: (subject) =>
      withStore(subject, async (store) => {
        await store.batch(Array.from({ length: 100 }, (_, i) => put(bytes(i), bytes(i))));
        const walk = store.iterator();
        const calls = [
          store.get(bytes(1)),
          store.getMany([bytes(1), bytes(2)]),
          walk.next(),
          walk.next(),
        ];
        await store.close();
        for (const outcome of await Promise.allSettled(calls))
          assert.ok(outcome.status === "fulfilled" || outcome.reason.code === "STORE_CLOSED");
      }),
  },
];

async function everyCallIsClosed(store: StoreLike): Promise<void> {
  await rejectsWith(store.get(bytes(1)), "STORE_CLOSED");
  await rejectsWith(store.getMany([bytes(1)]), "STORE_CLOSED");
  await rejectsWith(store.getMany([]), "STORE_CLOSED");
  await rejectsWith(store.batch([put(bytes(1), bytes(2))]), "STORE_CLOSED");
  await rejectsWith(store.batch([]), "STORE_CLOSED");
  assert.throws(() => store.iterator(), { code: "STORE_CLOSED" });
  if (!readsSync(store)) return;
  assert.throws(() => store.getSync(bytes(1)), { code: "STORE_CLOSED" });
  assert.throws(() => store.getManySync([bytes(1)]), { code: "STORE_CLOSED" });
  assert.throws(() => store.viewManySync([]), { code: "STORE_CLOSED" });
}
