import assert from "node:assert/strict";

import {
  bytes,
  collect,
  del,
  put,
  readEveryWay,
  refuses,
  rejectsWith,
  type StoreLaw,
  withStore,
} from "./subject.ts";
import { type StoreLike, type StoreOperation } from "./types.ts";

/** What a batch is. */
export const batchLaws: readonly StoreLaw[] = [
  {
    name: "operations of a batch apply in order: the last one on a key wins",
    run: (subject) =>
      withStore(subject, async (store) => {
        const [a, b, c] = [bytes(1), bytes(2), bytes(3)];
        await store.batch([put(a, b), put(a, c), put(b, a), del(b), del(c), put(c, c)]);
        assert.deepEqual(await readEveryWay(store, [a, b, c]), [c, undefined, c]);
      }),
  },
  {
    name: "an empty value is a value, and removing what is not there is no error",
    run: (subject) =>
      withStore(subject, async (store) => {
        await store.batch([put(bytes(1), bytes()), del(bytes(2))]);
        assert.deepEqual(await readEveryWay(store, [bytes(1), bytes(2)]), [bytes(), undefined]);
        assert.deepEqual(await collect(store.iterator()), [[bytes(1), bytes()]]);
      }),
  },
  {
    name: "an empty batch writes nothing, checks its expectations, and is the barrier when synced",
    run: (subject) =>
      withStore(subject, async (store) => {
        await store.batch([put(bytes(1), bytes(1))], { sync: false });
        await store.batch([]);
        await store.batch([], { sync: true });
        await store.batch([], { expect: [{ key: bytes(1), value: bytes(1) }] });
        await rejectsWith(
          store.batch([], { expect: [{ key: bytes(1), value: bytes(2) }] }),
          "STORE_CONFLICT",
        );
        assert.deepEqual(await collect(store.iterator()), [[bytes(1), bytes(1)]]);
      }),
  },
  {
    name: "a batch whose expectation does not hold changes nothing",
    run: (subject) => withStore(subject, conflictsChangeNothing),
  },
  {
    name: "a malformed batch or read is a TypeError and changes nothing",
    run: (subject) => withStore(subject, malformedIsRefused),
  },
  {
    name: "all operations of a large batch are there, in order",
    run: (subject) =>
      withStore(subject, (store) => largeBatchIsWhole(store, subject.largeBatchCount ?? 20_000)),
  },
];

async function conflictsChangeNothing(store: StoreLike): Promise<void> {
  const [key, other] = [bytes(1), bytes(2)];
  const change = [put(key, bytes(9)), put(other, bytes(9))];
  await rejectsWith(store.batch(change, { expect: [{ key, value: bytes() }] }), "STORE_CONFLICT");
  await store.batch([put(key, bytes(1))], { expect: [{ key, value: undefined }] });
  for (const value of [undefined, bytes(), bytes(2), bytes(1, 0), bytes(0)])
    await rejectsWith(store.batch(change, { expect: [{ key, value }] }), "STORE_CONFLICT");
  // One of several is enough, wherever it stands.
  const [holds, fails] = [
    { key, value: bytes(1) },
    { key: other, value: bytes(1) },
  ];
  await rejectsWith(store.batch(change, { expect: [holds, fails] }), "STORE_CONFLICT");
  await rejectsWith(store.batch(change, { expect: [fails, holds] }), "STORE_CONFLICT");
  assert.deepEqual(await readEveryWay(store, [key, other]), [bytes(1), undefined]);
  await store.batch(change, { expect: [holds, { key: other, value: undefined }] });
  assert.deepEqual(await readEveryWay(store, [key, other]), [bytes(9), bytes(9)]);
}

async function malformedIsRefused(store: StoreLike): Promise<void> {
  const good = put(bytes(1), bytes(1));
  const bad: unknown[] = [
    { type: "put", key: bytes(), value: bytes(1) },
    { type: "put", key: "a", value: bytes(1) },
    { type: "put", key: bytes(1), value: "a" },
    { type: "put", key: bytes(1) },
    { type: "del", key: bytes() },
    { type: "del" },
    { type: "set", key: bytes(1), value: bytes(1) },
    { key: bytes(1), value: bytes(1) },
  ];
  for (const one of bad) await refuses(() => store.batch([good, one as StoreOperation]));
  await refuses(() => store.batch(good as never));
  await refuses(() => store.batch([good], { sync: 1 as never }));
  await refuses(() => store.batch([good], { expect: [{ key: bytes(), value: undefined }] }));
  await refuses(() => store.batch([good], { expect: [{ key: bytes(1), value: "a" as never }] }));
  await refuses(() => store.batch([good], { expect: {} as never }));
  for (const key of [bytes(), "a" as never, undefined as never]) {
    await refuses(() => store.get(key));
    await refuses(() => store.getMany([bytes(1), key]));
    await refuses(() => readEveryWay(store, [bytes(1), key]));
  }
  await refuses(() => store.iterator({ gt: bytes(1), gte: bytes(1) }));
  await refuses(() => store.iterator({ lt: bytes(1), lte: bytes(1) }));
  await refuses(() => store.iterator({ gt: "a" as never }));
  await refuses(() => store.iterator({ lt: 1 as never }));
  await refuses(() => store.iterator({ reverse: 1 as never }));
  for (const limit of [-1, 0.5, Number.NaN, 2 ** 53])
    await refuses(() => store.iterator({ limit }), "RangeError");
  assert.deepEqual(await collect(store.iterator()), []);
}

async function largeBatchIsWhole(store: StoreLike, operationCount: number): Promise<void> {
  const operations: StoreOperation[] = [];
  for (let i = 0; i < operationCount; i++)
    operations.push(put(numbered(Math.imul(i, 0x9e3779b1) >>> 0), numbered(i)));
  await store.batch(operations, { sync: false });
  let count = 0;
  let last = -1;
  for await (const [key, value] of store.iterator()) {
    const number = numberOf(key);
    assert.ok(last < number);
    assert.equal(Math.imul(numberOf(value), 0x9e3779b1) >>> 0, number);
    last = number;
    count++;
  }
  assert.equal(count, operationCount);
}

function numbered(number: number): Uint8Array {
  return bytes(number >>> 24, number >>> 16, number >>> 8, number);
}

function numberOf(four: Uint8Array): number {
  return new DataView(four.buffer, four.byteOffset, four.length).getUint32(0);
}
