import assert from "node:assert/strict";

import {
  bytes,
  collect,
  put,
  readEveryWay,
  rejectsWith,
  type StoreLaw,
  withStore,
} from "./subject.ts";
import { readsSync, type StoreLike } from "./types.ts";

/** Who owns which bytes. */
export const bufferLaws: readonly StoreLaw[] = [
  {
    name: "the caller may change its buffers as soon as a call has returned",
    run: (subject) => withStore(subject, argumentsAreCopied),
  },
  {
    name: "bytes that were read belong to the caller: changing them changes nothing else",
    run: (subject) => withStore(subject, resultsAreFresh),
  },
  {
    name: "keys and values may be views into larger buffers",
    run: (subject) =>
      withStore(subject, async (store) => {
        const large = Uint8Array.from({ length: 64 }, (_, i) => i);
        await store.batch([put(large.subarray(10, 12), Buffer.from(large.buffer, 20, 5))]);
        const [value] = await readEveryWay(store, [Buffer.from([10, 11])]);
        assert.deepEqual(value, bytes(20, 21, 22, 23, 24));
        assert.deepEqual(await collect(store.iterator({ gte: large.subarray(10, 11) })), [
          [bytes(10, 11), bytes(20, 21, 22, 23, 24)],
        ]);
      }),
  },
];

async function argumentsAreCopied(store: StoreLike): Promise<void> {
  // Larger than what an engine keeps inside its own heap.
  for (const size of [1, 100]) {
    const key = new Uint8Array(size).fill(1);
    const value = new Uint8Array(size).fill(2);
    const expected = new Uint8Array(size).fill(2);
    await spoiling([key, value], () => store.batch([put(key, value)]));
    key.fill(1);
    const reads = [store.get(key), store.getMany([key])];
    key.fill(7);
    assert.deepEqual(await Promise.all(reads), [expected, [expected]]);
    key.fill(1);
    const walk = store.iterator({ gte: key });
    key.fill(7);
    assert.deepEqual(await walk.next(), {
      done: false,
      value: [new Uint8Array(size).fill(1), expected],
    });
    await walk.return();
    key.fill(1);
    value.fill(2);
    await spoiling([key, value], () => store.batch([], { expect: [{ key, value }] }));
    await store.batch([{ type: "del", key: new Uint8Array(size).fill(1) }]);
  }
}

/** Makes a call behind others, so that it waits for its turn, and changes its buffers meanwhile. */
async function spoiling(buffers: readonly Uint8Array[], call: () => Promise<void>): Promise<void> {
  const made = call();
  for (const buffer of buffers) buffer.fill(0xee);
  await made;
}

async function resultsAreFresh(store: StoreLike): Promise<void> {
  for (const size of [1, 100]) {
    const key = new Uint8Array(size).fill(1);
    const value = new Uint8Array(size).fill(2);
    await store.batch([put(key, value)]);
    const read = [await store.get(key), (await store.getMany([key, key])).at(0)];
    if (readsSync(store)) read.push(store.getSync(key), store.getManySync([key, key]).at(0));
    const [entry] = await collect(store.iterator());
    for (const one of [...read, ...(entry ?? [])]) {
      assert.ok(one instanceof Uint8Array);
      // A Buffer is a Uint8Array whose slice shares memory.
      assert.equal(one.constructor, Uint8Array);
      one.fill(0xee);
    }
    assert.deepEqual(await readEveryWay(store, [key, key]), [value, value]);
    assert.deepEqual(await collect(store.iterator()), [[key, value]]);
    await rejectsWith(
      store.batch([], { expect: [{ key, value: new Uint8Array(size).fill(0xee) }] }),
      "STORE_CONFLICT",
    );
    await store.batch([{ type: "del", key }]);
  }
}
