import assert from "node:assert/strict";

import { collectGarbage } from "./garbage.ts";
import { bytes, collect, put, rejectsWith, type StoreLaw, withStore } from "./subject.ts";
import { type StoreLike, type StoreRange } from "./types.ts";

/** What a walk is. */
export const iteratorLaws: readonly StoreLaw[] = [
  {
    name: "keys are ordered as unsigned bytes, a shorter one before its extensions",
    run: (subject) => withStore(subject, keysAreOrdered),
  },
  {
    name: "an iterator shows the state of its call, whatever is written while it is read",
    run: (subject) => withStore(subject, iteratorsAreSnapshots),
  },
  {
    name: "an iterator gives its snapshot back at the end, on return, on break and on throw",
    run: (subject) =>
      withStore(subject, async (store, { iteratorCount }) => {
        await fill(store, 20);
        await collect(store.iterator());
        assert.equal(iteratorCount(), 0);
        const returned = store.iterator();
        await returned.next();
        assert.equal(iteratorCount(), 1);
        assert.deepEqual(await returned.return(), { done: true, value: undefined });
        assert.deepEqual(await returned.return(), { done: true, value: undefined });
        assert.deepEqual(await returned.next(), { done: true, value: undefined });
        assert.equal(iteratorCount(), 0);
        for await (const _ of store.iterator()) break;
        assert.equal(iteratorCount(), 0);
        await assert.rejects(async () => {
          for await (const _ of store.iterator()) throw new Error("the caller's own");
        }, /the caller's own/);
        assert.equal(iteratorCount(), 0);
      }),
  },
  {
    name: "overlapping calls of next are answered in order",
    run: (subject) =>
      withStore(subject, async (store) => {
        await fill(store, 30);
        const walk = store.iterator();
        const steps = await Promise.all(Array.from({ length: 32 }, () => walk.next()));
        assert.deepEqual(
          steps.map((step) => step.value?.[0]?.[1]),
          [...Array.from({ length: 30 }, (_, i) => i), undefined, undefined],
        );
      }),
  },
];

/** How many walks there may be. */
export const boundLaws: readonly StoreLaw[] = [
  {
    name: "only so many iterators are open at once, and those that nobody holds are given back",
    run: (subject) =>
      withStore(
        subject,
        async (store, { iteratorCount }) => {
          await fill(store, 5);
          abandon(store, 50);
          assert.throws(() => store.iterator(), { code: "STORE_ITERATOR_LIMIT" });
          assert.equal(iteratorCount(), 50);
          await collectGarbage(() => iteratorCount() === 0);
          assert.equal((await collect(store.iterator())).length, 5);
        },
        { iteratorCountMax: 50 },
      ),
  },
  {
    name: "10,000 walks that were begun and left do not keep a store from closing within a second",
    run: (subject) =>
      withStore(subject, async (store) => {
        await fill(store, 200);
        const walks = Array.from({ length: 10_000 }, () => store.iterator());
        await walks[0]?.next();
        const started = performance.now();
        await store.close();
        assert.ok(performance.now() - started < 1000);
        for (const walk of [walks[0], walks[9999]])
          await rejectsWith(walk?.next() ?? Promise.resolve(), "STORE_CLOSED");
      }),
  },
];

async function keysAreOrdered(store: StoreLike): Promise<void> {
  const keys = [
    [0],
    [0, 0],
    [0, 0xff],
    [1],
    [0x7f],
    [0x7f, 0xff, 0xff],
    [0x80],
    [0x80, 0],
    [0xff],
    [0xff, 0xff],
  ].map((key) => Uint8Array.from(key));
  await store.batch(keys.toReversed().map((key) => put(key, key)));
  const walked = async (range?: StoreRange): Promise<Uint8Array[]> =>
    (await collect(store.iterator(range))).map(([key]) => key);
  assert.deepEqual(await walked(), keys);
  assert.deepEqual(await walked({ reverse: true }), keys.toReversed());
  for (const [index, key] of keys.entries()) {
    assert.deepEqual(await walked({ gte: key }), keys.slice(index));
    assert.deepEqual(await walked({ gt: key }), keys.slice(index + 1));
    assert.deepEqual(await walked({ lte: key }), keys.slice(0, index + 1));
    assert.deepEqual(await walked({ lt: key, reverse: true }), keys.slice(0, index).toReversed());
    assert.deepEqual(await walked({ gte: key, lte: key }), [key]);
    assert.deepEqual(await walked({ gt: key, lt: key }), []);
  }
  assert.deepEqual(await walked({ gte: bytes(1), lt: bytes(0) }), []);
  assert.deepEqual(await walked({ gte: bytes() }), keys);
  assert.deepEqual(await walked({ gt: bytes() }), keys);
  assert.deepEqual(await walked({ lte: bytes() }), []);
  assert.deepEqual(await walked({ limit: 0 }), []);
  for (const limit of [10, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, Infinity])
    assert.deepEqual(await walked({ limit }), keys);
  assert.deepEqual(await walked({ limit: 2, reverse: true }), keys.slice(-2).toReversed());
}

async function iteratorsAreSnapshots(store: StoreLike): Promise<void> {
  await fill(store, 300);
  const before = await collect(store.iterator());
  const [forward, backward] = [store.iterator(), store.iterator({ reverse: true })];
  await forward.next();
  for (let i = 0; i < 300; i += 3)
    await store.batch([
      { type: "del", key: numbered(i) },
      put(numbered(i + 1), bytes(0xee)),
      put(bytes(0, i >> 8, i, 1), bytes(0xee)),
    ]);
  await store.batch([put(numbered(1000), bytes()), put(bytes(0xff, 0xff), bytes())]);
  assert.deepEqual(await collect(forward), before.slice(1));
  assert.deepEqual(await collect(backward), before.toReversed());
  assert.equal((await collect(store.iterator())).length, 302);
}

/** In a function of its own, so that nothing on the stack holds them. */
function abandon(store: StoreLike, count: number): void {
  for (let i = 0; i < count; i++) void store.iterator().next();
}

async function fill(store: StoreLike, count: number): Promise<void> {
  await store.batch(Array.from({ length: count }, (_, i) => put(numbered(i), bytes(i))));
}

function numbered(number: number): Uint8Array {
  return bytes(number >> 8, number);
}
