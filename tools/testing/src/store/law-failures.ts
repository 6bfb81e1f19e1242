import assert from "node:assert/strict";

import {
  bytes,
  collect,
  type OpenedStore,
  put,
  readEveryWay,
  rejectsWith,
  type StoreLaw,
  withStore,
} from "./subject.ts";
import { type StoreLike } from "./types.ts";

/** What a store does when its medium fails. */
export const failureLaws: readonly StoreLaw[] = [
  {
    name: "a write that fails leaves nothing half done, poisons the store, and reads go on",
    run: (subject) => withStore(subject, failurePoisons),
  },
  {
    name: "every batch that waits behind a failed write is refused",
    run: (subject) =>
      withStore(subject, async (store, opened) => {
        await store.batch([put(bytes(1), bytes(1))]);
        failNextWrite(opened);
        const outcomes = await Promise.allSettled(
          Array.from({ length: 5 }, (_, i) => store.batch([put(bytes(2, i), bytes(i))])),
        );
        const codes = outcomes.map((one) => (one.status === "rejected" ? one.reason.code : "ok"));
        assert.equal(codes[0], "STORE_DURABILITY_UNKNOWN");
        // Some may have been written together with the first; none is acknowledged.
        for (const code of codes)
          assert.ok(code === "STORE_DURABILITY_UNKNOWN" || code === "STORE_POISONED");
        assert.deepEqual(await collect(store.iterator()), [[bytes(1), bytes(1)]]);
      }),
  },
  {
    name: "what was acknowledged before a failure is there after reopening",
    run: (subject) =>
      withStore(subject, async (store, opened) => {
        for (let i = 0; i < 10; i++) await store.batch([put(bytes(i), bytes(i))]);
        failNextWrite(opened);
        await rejectsWith(store.batch([put(bytes(99), bytes())]), "STORE_DURABILITY_UNKNOWN");
        if (opened.reopen === undefined) return;
        const reopened = await opened.reopen();
        assert.equal(reopened.state, "open");
        const entries = await collect(reopened.iterator({ lt: bytes(99) }));
        assert.equal(entries.length, 10);
        await reopened.batch([put(bytes(100), bytes())]);
      }),
  },
];

async function failurePoisons(store: StoreLike, opened: OpenedStore): Promise<void> {
  await store.batch([put(bytes(1), bytes(1))]);
  const held = store.iterator();
  failNextWrite(opened);
  const failed = store.batch([put(bytes(1), bytes(2)), put(bytes(2), bytes(2))]);
  const first = await rejectsWith(failed, "STORE_DURABILITY_UNKNOWN");
  assert.ok(first.cause instanceof Error);
  assert.equal(store.state, "poisoned");
  for (const operations of [[put(bytes(3), bytes(3))], []]) {
    const refused = await rejectsWith(store.batch(operations), "STORE_POISONED");
    assert.equal(refused.cause, first);
  }
  assert.deepEqual(await readEveryWay(store, [bytes(1), bytes(2)]), [bytes(1), undefined]);
  assert.deepEqual(await collect(held), [[bytes(1), bytes(1)]]);
  assert.deepEqual(await collect(store.iterator()), [[bytes(1), bytes(1)]]);
  await store.close();
  assert.equal(store.state, "closed");
  await rejectsWith(store.get(bytes(1)), "STORE_CLOSED");
}

function failNextWrite(opened: OpenedStore): void {
  assert.ok(opened.failNextWrite !== undefined, "the subject says it can fail, and cannot");
  opened.failNextWrite();
}
