import { MemoryStore } from "@x/store-memory";
import { CountingStore, Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { type Bytes, type Change, NodePool, type Snapshot, type TreeRange } from "../src/index.ts";
import { collect, del, entriesFrom, hexOf, keyOf, put, puts } from "./bytes.ts";
import { TreeModel } from "./model/tree-model.ts";

/** Keys over a tiny alphabet: many begin with others, the empty one is among them. */
function smallKey(random: Random): Bytes {
  return Uint8Array.from({ length: random.below(5) }, () => random.pick([0, 1, 0xff]));
}

async function randomTree(
  seed: number,
  format: 1 | 2,
): Promise<{ model: TreeModel; snapshot: Snapshot; random: Random }> {
  const random = new Random(seed);
  const changes = Array.from({ length: random.below(120) }, (): Change => ({
    type: "put",
    key: smallKey(random),
    value: random.bytes(random.below(20)),
  }));
  const pool = await NodePool.open(new MemoryStore(), {
    format,
    inlineByteCountMax: 10,
    cacheByteCountMax: 3000,
  });
  const root = await pool.edit(0, changes);
  await pool.write({ hold: [root] });
  return { model: new TreeModel().edited(changes), snapshot: pool.snapshot(root), random };
}

function randomRange(random: Random): TreeRange {
  return {
    ...(random.chance(0.5)
      ? random.chance(0.5)
        ? { gte: smallKey(random) }
        : { gt: smallKey(random) }
      : {}),
    ...(random.chance(0.5)
      ? random.chance(0.5)
        ? { lte: smallKey(random) }
        : { lt: smallKey(random) }
      : {}),
    ...(random.chance(0.3) ? { prefix: smallKey(random) } : {}),
    ...(random.chance(0.3) ? { limit: random.below(6) } : {}),
    reverse: random.chance(0.5),
  };
}

describe("every read answers as a sorted list would", () => {
  for (const format of [1, 2] as const)
    test(`format ${format}`, async () => {
      for (let seed = 1; seed <= scaled(60); seed++) {
        const { model, snapshot, random } = await randomTree(seed, format);
        for (let i = 0; i < 15; i++) {
          const range = randomRange(random);
          const expected = model.range(range);
          expect(await collect(snapshot.entries(range))).toEqual(expected);
          expect([...snapshot.entriesSync(range)]).toEqual(expected);
          expect(await collect(snapshot.keys(range))).toEqual(expected.map(([key]) => key));
          expect([...snapshot.keysSync(range)]).toEqual(expected.map(([key]) => key));
          expect(await collect(snapshot.values(range))).toEqual(expected.map(([, value]) => value));
          expect([...snapshot.valuesSync(range)]).toEqual(expected.map(([, value]) => value));
          const { reverse: _reverse, limit: _limit, ...bounds } = range;
          const [first, last] = [model.range(bounds)[0], model.range(bounds).at(-1)];
          expect(await snapshot.first(bounds)).toEqual(first);
          expect(snapshot.firstSync(bounds)).toEqual(first);
          expect(await snapshot.last(bounds)).toEqual(last);
          expect(snapshot.lastSync(bounds)).toEqual(last);
        }
        const keys = Array.from({ length: 12 }, () => smallKey(random));
        const values = keys.map((key) => model.get(key));
        expect(await snapshot.getMany(keys)).toEqual(values);
        expect(snapshot.getManySync(keys)).toEqual(values);
        for (const [i, key] of keys.entries()) {
          expect(await snapshot.get(key)).toEqual(values[i]);
          expect(snapshot.getSync(key)).toEqual(values[i]);
          expect(await snapshot.has(key)).toBe(values[i] !== undefined);
          expect(snapshot.hasSync(key)).toBe(values[i] !== undefined);
          const [floor] = model.range({ lte: key, reverse: true });
          const [ceiling] = model.range({ gte: key });
          expect(await snapshot.floor(key)).toEqual(floor);
          expect(snapshot.floorSync(key)).toEqual(floor);
          expect(await snapshot.ceiling(key)).toEqual(ceiling);
          expect(snapshot.ceilingSync(key)).toEqual(ceiling);
        }
      }
    });
});

describe("order statistics", () => {
  test("size, rank, at and count agree with a sorted list", async () => {
    for (let seed = 1; seed <= scaled(60); seed++) {
      const { model, snapshot, random } = await randomTree(seed, 2);
      expect(await snapshot.size()).toBe(model.entries.length);
      expect(snapshot.sizeSync()).toBe(model.entries.length);
      for (let i = 0; i < 15; i++) {
        const key = smallKey(random);
        expect(await snapshot.rank(key)).toBe(model.rank(key));
        expect(snapshot.rankSync(key)).toBe(model.rank(key));
        const index = random.below(130);
        expect(await snapshot.at(index)).toEqual(model.entries[index]);
        expect(snapshot.atSync(index)).toEqual(model.entries[index]);
        const { reverse: _reverse, limit: _limit, ...bounds } = randomRange(random);
        expect(await snapshot.count(bounds)).toBe(model.range(bounds).length);
        expect(snapshot.countSync(bounds)).toBe(model.range(bounds).length);
      }
    }
  });

  test("format 1 does not count, and says so", async () => {
    const { snapshot } = await randomTree(1, 1);
    for (const call of [snapshot.size(), snapshot.rank(keyOf(1)), snapshot.at(0), snapshot.count()])
      await expect(call).rejects.toMatchObject({ code: "BTREE_UNCOUNTED" });
  });

  test("an index that is none is a RangeError", async () => {
    const { snapshot } = await randomTree(1, 2);
    for (const index of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => snapshot.atSync(index)).toThrow(RangeError);
  });
});

async function stored(count: number): Promise<{ store: CountingStore<MemoryStore>; root: number }> {
  const store = new CountingStore(new MemoryStore());
  const pool = await NodePool.open(store);
  const root = await pool.load(entriesFrom(0, count));
  await pool.write({ hold: [root] });
  await pool.close();
  store.take();
  return { store, root };
}

describe("what reads cost", () => {
  test("a key costs one node for each level, and nothing the second time", async () => {
    const { store, root } = await stored(40_000);
    const snapshot = (await NodePool.open(store)).snapshot(root);
    expect(store.take()).toMatchObject({ get: 1, getMany: 0 });
    expect(await snapshot.get(keyOf(7))).toEqual(keyOf(7));
    expect(store.take()).toMatchObject({ getMany: 4, keys: 4 });
    expect(snapshot.getSync(keyOf(8))).toEqual(keyOf(8));
    expect(store.take()).toMatchObject({ getMany: 0 });
  });

  test("many keys cost one read for each level", async () => {
    const { store, root } = await stored(40_000);
    const snapshot = (await NodePool.open(store)).snapshot(root);
    store.take();
    const keys = Array.from({ length: 100 }, (_, i) => keyOf(i * 400));
    expect(await snapshot.getMany(keys)).toEqual(keys);
    expect(store.take()).toMatchObject({ getMany: 4 });
  });

  test("size is one node, rank and count are one or two paths", async () => {
    const { store, root } = await stored(40_000);
    const snapshot = (await NodePool.open(store)).snapshot(root);
    store.take();
    expect(await snapshot.size()).toBe(40_000);
    expect(store.take()).toMatchObject({ keys: 1 });
    expect(await snapshot.count({ gte: keyOf(100), lt: keyOf(39_000) })).toBe(38_900);
    expect(store.take().keys).toBe(6);
  });

  test("a long walk reads ahead, a short one does not", async () => {
    const { store, root } = await stored(40_000);
    const snapshot = (await NodePool.open(store)).snapshot(root);
    store.take();
    expect(await collect(snapshot.keys({ limit: 5 }))).toHaveLength(5);
    expect(store.take()).toMatchObject({ getMany: 4, keys: 4 });
    expect(await collect(snapshot.keys())).toHaveLength(40_000);
    const { getMany, keys } = store.take();
    expect(keys).toBe(1250 + 38 + 2 + 1 - 4);
    expect(getMany).toBeLessThan(170);
  });

  test("a range begins and ends where it must", async () => {
    const { store, root } = await stored(40_000);
    const snapshot = (await NodePool.open(store)).snapshot(root);
    store.take();
    // 32 entries that fill one leaf, seen from both sides.
    expect(await collect(snapshot.keys({ gte: keyOf(64), lt: keyOf(96) }))).toHaveLength(32);
    expect(store.take().keys).toBe(4);
    expect(
      await collect(snapshot.keys({ gte: keyOf(64), lt: keyOf(96), reverse: true })),
    ).toHaveLength(32);
    expect(store.take().keys).toBe(0);
  });
});

async function leaveByError(walk: AsyncIterable<Bytes>): Promise<void> {
  for await (const key of walk) throw new RangeError(`left at a key of ${key.length} bytes`);
}

describe("walks", () => {
  test("see the tree as it was when they began, whatever is edited, written and dropped", async () => {
    const pool = await NodePool.open(new MemoryStore(), { cacheByteCountMax: 0 });
    let root = await pool.edit(0, puts(0, 500));
    await pool.write({ hold: [root] });
    const snapshot = pool.snapshot(root);
    const walks = [snapshot.keys(), snapshot.keys({ reverse: true })];
    for (const walk of walks) await walk.next();
    snapshot.release();
    const next = await pool.edit(
      root,
      Array.from({ length: 499 }, (_, i) => del(i)),
      { consume: true },
    );
    await pool.write({ hold: [next], drop: [root] });
    root = next;
    for (const walk of walks) expect(await collect(walk)).toHaveLength(499);
    await pool.write({});
    expect(pool.statistics()).toMatchObject({ limboCount: 0 });
  });

  test("release their root at the end, by break, by an exception and by an error", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const root = await pool.edit(0, puts(0, 100));
    await pool.write({ hold: [root] });
    pool.unpin(root);
    const snapshot = pool.snapshot(root);
    const pinned = (): number => pool.statistics().pinnedRootCount;
    const [broken, thrown, whole] = [snapshot.keys(), snapshot.keys(), snapshot.keys()];
    const [brokenSync, wholeSync] = [snapshot.keysSync(), snapshot.keysSync()];
    snapshot.release();
    expect(pinned()).toBe(1);
    for await (const key of broken) if (key.length > 0) break;
    await expect(leaveByError(thrown)).rejects.toThrow(RangeError);
    expect(await collect(whole)).toHaveLength(100);
    for (const key of brokenSync) if (key.length > 0) break;
    expect([...wholeSync]).toHaveLength(100);
    expect(pinned()).toBe(0);
  });

  test("calls that overlap are answered in order", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const snapshot = pool.snapshot(await pool.edit(0, puts(0, 50)));
    const walk = snapshot.keys();
    const steps = await Promise.all(Array.from({ length: 52 }, () => walk.next()));
    expect(steps.slice(0, 50).map(({ value }) => value)).toEqual(puts(0, 50).map(({ key }) => key));
    expect(steps.slice(50).map(({ done }) => done)).toEqual([true, true]);
  });
});

describe("snapshots", () => {
  test("a released snapshot says so, and releasing again does nothing", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const snapshot = pool.snapshot(await pool.edit(0, [put(1)]));
    snapshot.release();
    snapshot.release();
    expect(() => snapshot.getSync(keyOf(1))).toThrow(
      expect.objectContaining({ code: "BTREE_RELEASED" }),
    );
    expect(() => snapshot.entries()).toThrow(expect.objectContaining({ code: "BTREE_RELEASED" }));
  });

  test("what they give out is the caller's", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const snapshot = pool.snapshot(await pool.edit(0, [put(1)]));
    for (const bytes of [
      snapshot.getSync(keyOf(1)),
      ...(snapshot.firstSync() ?? []),
      ...snapshot.getManySync([keyOf(1)]),
    ])
      bytes?.fill(9);
    expect(hexOf(snapshot.getSync(keyOf(1)) ?? new Uint8Array())).toBe(hexOf(keyOf(1)));
  });

  test("malformed ranges and keys are the caller's mistake", async () => {
    const snapshot = (await NodePool.open(new MemoryStore())).snapshot(0);
    expect(() => snapshot.entriesSync({ gt: keyOf(1), gte: keyOf(1) })).toThrow(TypeError);
    expect(() => snapshot.entriesSync({ lt: keyOf(1), lte: keyOf(1) })).toThrow(TypeError);
    expect(() => snapshot.entriesSync({ gt: "a" as never })).toThrow(TypeError);
    expect(() => snapshot.entriesSync({ prefix: 1 as never })).toThrow(TypeError);
    expect(() => snapshot.entriesSync({ reverse: 1 as never })).toThrow(TypeError);
    expect(() => snapshot.entriesSync({ limit: -1 })).toThrow(RangeError);
    expect(() => snapshot.diffSync(0, { reverse: true } as never)).toThrow(TypeError);
    await expect(snapshot.get("a" as never)).rejects.toThrow(TypeError);
  });
});
