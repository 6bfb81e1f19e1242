import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";

import { NodePool } from "../src/index.ts";
import { collect, del, entriesFrom, keyOf, put, puts } from "./bytes.ts";

/** Both shapes: the original's one, change by change, and ours. */
const SHAPES = [{ compatible: true }, { compatible: false }];

async function held(pool: NodePool, root: number): Promise<number> {
  await pool.write({ hold: [root] });
  pool.unpin(root);
  return root;
}

async function nodeCount(store: MemoryStore): Promise<number> {
  return (await collect(store.iterator({ gte: Uint8Array.of(1), lt: Uint8Array.of(2) }))).length;
}

async function faultOf(pool: NodePool, roots: number[]): Promise<unknown> {
  return (await pool.verify({ roots })).firstBad;
}

describe.each(SHAPES)("what went wrong elsewhere does not here, %o", (shape) => {
  test("a bulk load of 1057 entries has all leaves at one depth, and entries go from anywhere in it", async () => {
    const pool = await NodePool.open(new MemoryStore(), shape);
    let root = await held(pool, await pool.load(entriesFrom(0, 1057)));
    expect(await faultOf(pool, [root])).toBeUndefined();
    for (const key of [1056, 0, 528, 1055, 1]) {
      const next = await pool.edit(root, [del(key)]);
      await pool.write({ hold: [next], drop: [root] });
      pool.unpin(next);
      root = next;
      expect(await faultOf(pool, [root])).toBeUndefined();
    }
    expect(pool.snapshot(root).sizeSync()).toBe(1052);
  });

  test("bulk loads about the sizes of full nodes leave no node underfull", async () => {
    for (const size of [32, 32 * 33, 32 * 33 * 33])
      for (const count of [size - 2, size - 1, size, size + 1, size + 2]) {
        const pool = await NodePool.open(new MemoryStore(), shape);
        const root = await held(pool, await pool.load(entriesFrom(0, count)));
        expect(await faultOf(pool, [root])).toBeUndefined();
        expect(pool.snapshot(root).sizeSync()).toBe(count);
      }
  });

  test("after reopening no id is given out again, though the last nodes were never held", async () => {
    const store = new MemoryStore();
    const first = await NodePool.open(store, shape);
    const root = await held(first, await first.edit(0, puts(0, 100)));
    await first.edit(root, puts(100, 100));
    await first.spill();
    const { nextId } = first.statistics();
    const second = await NodePool.open(store, shape);
    expect(second.statistics().nextId).toBe(nextId);
    const other = await held(second, await second.edit(root, [put(7, 1)]));
    expect(other).toBeGreaterThanOrEqual(nextId);
    expect(await collect(second.snapshot(root).keys())).toHaveLength(100);
    expect(await faultOf(second, [root, other])).toBeUndefined();
  });

  test("merging nodes of one version takes nothing from another", async () => {
    const pool = await NodePool.open(new MemoryStore(), shape);
    const old = await held(pool, await pool.load(entriesFrom(0, 1000)));
    let root = old;
    for (let key = 0; key < 1000; key += 3) {
      const next = await pool.edit(root, [del(key), del(key + 1)]);
      await pool.write({ hold: [next], drop: root === old ? [] : [root] });
      pool.unpin(next);
      root = next;
    }
    expect(await collect(pool.snapshot(old).keys())).toHaveLength(1000);
    expect(await collect(pool.snapshot(root).keys())).toHaveLength(333);
    expect(await faultOf(pool, [old, root])).toBeUndefined();
  });

  test("a reopened pool leaves nothing behind when its only key goes", async () => {
    const store = new MemoryStore();
    const first = await NodePool.open(store, shape);
    const root = await held(first, await first.edit(0, [put(1)]));
    const second = await NodePool.open(store, shape);
    expect(await second.edit(root, [del(1)])).toBe(0);
    await second.write({ drop: [root] });
    expect(await nodeCount(store)).toBe(0);
  });

  test("of two handles on one pool the second to write is told, and gives no id twice", async () => {
    const store = new MemoryStore();
    const [a, b] = [await NodePool.open(store, shape), await NodePool.open(store, shape)];
    const root = await held(a, await a.edit(0, [put(1)]));
    await expect(b.write({ hold: [await b.edit(0, [put(2)])] })).rejects.toMatchObject({
      code: "BTREE_CONFLICT",
    });
    expect(b.status).toBe("poisoned");
    await expect(b.write({})).rejects.toMatchObject({ code: "BTREE_POISONED" });
    expect(a.snapshot(root).getSync(keyOf(1))).toEqual(keyOf(1));
    expect(await faultOf(a, [root])).toBeUndefined();
  });

  test("a walk outlives its root", async () => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store, { ...shape, cacheByteCountMax: 0 });
    const root = await held(pool, await pool.load(entriesFrom(0, 5000)));
    const snapshot = pool.snapshot(root);
    const walk = snapshot.keys();
    await walk.next();
    snapshot.release();
    await pool.write({ drop: [root] });
    expect(await collect(walk)).toHaveLength(4999);
    await pool.write({});
    expect(await nodeCount(store)).toBe(0);
  });

  test("every separator of 544 and of 561 ascending keys is found", async () => {
    for (const count of [544, 561]) {
      const pool = await NodePool.open(new MemoryStore(), shape);
      let root = 0;
      for (let key = 0; key < count; key++)
        root = pool.editSync(root, [put(key)], { consume: true });
      const snapshot = pool.snapshot(root);
      for (let key = 0; key < count; key++)
        expect(snapshot.getSync(keyOf(key))).toEqual(keyOf(key));
      await held(pool, root);
      expect(await faultOf(pool, [root])).toBeUndefined();
    }
  });

  test("releasing a tree of a hundred thousand entries is no recursion", async () => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store, shape);
    const root = await held(pool, await pool.load(entriesFrom(0, 100_000)));
    const { nodesDeleted } = await pool.write({ drop: [root] });
    expect(nodesDeleted).toBeGreaterThan(3000);
    expect(await nodeCount(store)).toBe(0);
    const unsaved = pool.editSync(0, puts(0, 20_000).slice(0, shape.compatible ? 500 : 20_000));
    pool.unpin(unsaved);
    expect(pool.statistics()).toMatchObject({ unsavedNodeCount: 0, unsavedByteCount: 0 });
  });
});

describe("a read that begins while its tree is being deleted", () => {
  test("ends well, and the tree lives on in memory until it is released", async () => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store, { cacheByteCountMax: 0 });
    const root = await held(pool, await pool.load(entriesFrom(0, 3000)));
    const staged = await pool.stage({ drop: [root] });
    const early = pool.snapshot(root);
    await store.batch(staged.operations, { expect: staged.expect });
    const late = pool.snapshot(root);
    staged.accept();
    expect(await nodeCount(store)).toBe(0);
    expect(await collect(early.keys())).toHaveLength(3000);
    early.release();
    expect(late.getSync(keyOf(77))).toEqual(keyOf(77));
    const next = await pool.edit(root, [put(1, 9)]);
    late.release();
    await held(pool, next);
    expect(await faultOf(pool, [next])).toBeUndefined();
    expect(pool.statistics()).toMatchObject({ unsavedNodeCount: 0 });
  });

  test("a decided write cannot be decided again, nor staged twice at once", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const staged = await pool.stage({});
    await expect(pool.stage({})).rejects.toThrow(TypeError);
    staged.reject();
    expect(() => staged.accept()).toThrow(TypeError);
    await expect(pool.write({ drop: [await pool.edit(0, [put(1)])] })).rejects.toThrow(TypeError);
    expect((await pool.write({})).nodesWritten).toBe(0);
  });
});

describe("a load", () => {
  test("keeps the last of equal neighbours, and refuses keys that go back", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const root = await pool.load([
      [keyOf(1), keyOf(1)],
      [keyOf(1), keyOf(2)],
      [keyOf(3), keyOf(3)],
    ]);
    const snapshot = pool.snapshot(root);
    expect([...snapshot.entriesSync()]).toEqual([
      [keyOf(1), keyOf(2)],
      [keyOf(3), keyOf(3)],
    ]);
    snapshot.release();
    const back = [...entriesFrom(10, 50_000), [keyOf(1), keyOf(1)] as [Uint8Array, Uint8Array]];
    await expect(pool.load(back)).rejects.toMatchObject({ code: "BTREE_UNSORTED" });
    await held(pool, root);
    await pool.write({});
    expect(await faultOf(pool, [root])).toBeUndefined();
    expect(pool.statistics()).toMatchObject({ unsavedNodeCount: 0, limboCount: 0 });
  });

  test("holds a thousand nodes at a time, and begins with nothing after a crash", async () => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store);
    let most = 0;
    const root = await pool.load(watched(entriesFrom(0, 200_000)), {
      onProgress: () => {
        most = Math.max(most, pool.statistics().unsavedNodeCount, pool.statistics().limboCount);
      },
    });
    expect(most).toBeLessThan(200);
    expect(pool.snapshot(root).sizeSync()).toBe(200_000);
    const reopened = await NodePool.open(store);
    expect((await reopened.write({})).nodesDeleted).toBeGreaterThan(6000);
    expect(await nodeCount(store)).toBe(0);
  });

  test("stops when it is told to, and takes asynchronous entries", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const reason = new Error("enough");
    const signal = { aborted: true, reason };
    await expect(pool.load(entriesFrom(0, 100_000), { signal })).rejects.toBe(reason);
    const root = await pool.load(slowly(entriesFrom(0, 100)));
    expect(pool.snapshot(root).sizeSync()).toBe(100);
    await expect(pool.load([["a", "b"] as never])).rejects.toThrow(TypeError);
  });
});

function* watched<T>(entries: Iterable<T>): Generator<T> {
  yield* entries;
}

async function* slowly<T>(entries: Iterable<T>): AsyncGenerator<T> {
  for (const entry of entries) yield await Promise.resolve(entry);
}
