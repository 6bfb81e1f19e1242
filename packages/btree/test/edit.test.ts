import { MemoryStore } from "@x/store-memory";
import { CountingStore, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Change, NodePool } from "../src/index.ts";
import { del, keyOf, put, puts } from "./bytes.ts";

async function opened(options = {}): Promise<NodePool> {
  return NodePool.open(new MemoryStore(), options);
}

describe("an edit", () => {
  test("leaves the old root as it was", async () => {
    const pool = await opened();
    const root = await pool.edit(0, puts(0, 1000));
    const next = await pool.edit(root, [del(500), put(2000)]);
    expect(pool.snapshot(root).hasSync(keyOf(500))).toBe(true);
    expect(pool.snapshot(root).sizeSync()).toBe(1000);
    expect(pool.snapshot(next).sizeSync()).toBe(1000);
  });

  test("that changes nothing gives the same root", async () => {
    const pool = await opened({ inlineByteCountMax: 2 });
    const root = await pool.edit(0, puts(0, 1000));
    expect(await pool.edit(root, [put(5), put(700), del(5000)])).toBe(root);
    expect(await pool.edit(root, [])).toBe(root);
    expect(await pool.edit(0, [del(1)])).toBe(0);
  });

  test("in compatible form makes nodes for a value that is there, and none for a key that is not", async () => {
    const pool = await opened({ compatible: true });
    const root = await pool.edit(0, puts(0, 10));
    expect(await pool.edit(root, [put(5)])).not.toBe(root);
    expect(await pool.edit(root, [del(50)])).toBe(root);
    expect(await pool.edit(root, [])).toBe(root);
  });

  test("of one key several times does what comes last", async () => {
    const pool = await opened();
    const root = await pool.edit(0, [put(2), put(1, 5), del(1), put(1, 7), put(2), del(2)]);
    expect([...pool.snapshot(root).entriesSync()]).toEqual([[keyOf(1), keyOf(7)]]);
  });

  test("that consumes its root edits unsaved nodes in place, unless somebody else sees them", async () => {
    const pool = await opened();
    const root = await pool.edit(0, puts(0, 1000));
    const { nextId } = pool.statistics();
    expect(await pool.edit(root, [put(500, 1)], { consume: true })).toBe(root);
    expect(pool.statistics().nextId).toBe(nextId);
    const snapshot = pool.snapshot(root);
    const next = await pool.edit(root, [put(500, 2)], { consume: true });
    expect(next).not.toBe(root);
    expect(snapshot.getSync(keyOf(500))).toEqual(keyOf(1));
  });

  test("does not touch what is shared, though a root further up was given up", async () => {
    // A tree of two leaves that shrinks to one: the leaf left over must not be edited under a snapshot.
    const pool = await opened();
    const root = await pool.edit(0, puts(0, 33));
    const snapshot = pool.snapshot(root);
    await pool.edit(
      root,
      puts(10, 23).map(({ key }): Change => ({ type: "del", key })),
      { consume: true },
    );
    expect([...snapshot.keysSync()]).toHaveLength(33);
  });

  test("needs a pinned root to consume it", async () => {
    const pool = await opened();
    const root = await pool.edit(0, [put(1)]);
    await pool.write({ hold: [root] });
    pool.unpin(root);
    expect(() => pool.editSync(root, [put(2)], { consume: true })).toThrow(TypeError);
    expect(() => pool.unpin(root)).toThrow(TypeError);
  });

  test("refuses malformed changes and roots, and keeps no argument", async () => {
    const pool = await opened();
    const bad: unknown[] = [
      undefined,
      {},
      { type: "set", key: keyOf(1) },
      { type: "put", key: keyOf(1) },
      { type: "del", key: "a" },
    ];
    for (const change of bad)
      await expect(pool.edit(0, [change as Change])).rejects.toThrow(TypeError);
    for (const root of [-1, 0.5, Number.NaN])
      await expect(pool.edit(root, [])).rejects.toThrow(RangeError);
    const change = { type: "put", key: keyOf(1), value: keyOf(1) } as const;
    const editing = pool.edit(0, [change]);
    change.key.fill(7);
    change.value.fill(7);
    expect([...pool.snapshot(await editing).entriesSync()]).toEqual([[keyOf(1), keyOf(1)]]);
  });
});

describe("a batch", () => {
  test("reads each node it touches once, and all of a level at once", async () => {
    const store = new CountingStore(new MemoryStore());
    const first = await NodePool.open(store);
    const root = await first.edit(0, puts(0, 40_000));
    await first.write({ hold: [root] });
    const pool = await NodePool.open(store);
    store.take();
    await pool.edit(
      root,
      Array.from({ length: 50 }, (_, i) => put(i * 800, 1)),
    );
    const { keys, getMany } = store.take();
    expect(getMany).toBe(4);
    // One root, two inner nodes below, at most 38 below those, and 50 leaves.
    expect(keys).toBeLessThanOrEqual(1 + 2 + 38 + 50);
  });

  test("makes the same content as its changes one by one", async () => {
    const change = fc.tuple(fc.nat(200), fc.boolean(), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 150 }),
        fc.array(change, { maxLength: 150 }),
        async (a, b) => {
          const [before, changes] = [a, b].map((list) =>
            list.map(([key, isRemoved, value]) => (isRemoved ? del(key) : put(key, value))),
          );
          const pool = await opened();
          const from = pool.editSync(0, before ?? []);
          const whole = pool.editSync(from, changes ?? []);
          let root = from;
          for (const one of changes ?? []) root = pool.editSync(root, [one]);
          expect([...pool.snapshot(whole).entriesSync()]).toEqual([
            ...pool.snapshot(root).entriesSync(),
          ]);
          await pool.write({ hold: [whole, root] });
          expect((await pool.verify({ roots: [whole, root] })).firstBad).toBeUndefined();
        },
      ),
      { numRuns: scaled(60) },
    );
  });

  test("may remove everything, or nearly", async () => {
    const pool = await opened();
    const root = await pool.edit(0, puts(0, 20_000));
    const roots: number[] = [];
    for (const kept of [0, 1, 15, 33, 600]) {
      const removals = puts(kept, 20_000).map(({ key }): Change => ({ type: "del", key }));
      const next = await pool.edit(root, removals);
      expect(next === 0).toBe(kept === 0);
      await pool.write({ hold: [next] });
      roots.push(next);
      expect((await pool.verify({ roots })).firstBad).toBeUndefined();
      expect(pool.snapshot(next).sizeSync()).toBe(kept);
    }
  });
});

describe("ascending insertions", () => {
  test("one by one fill the leaves behind them", async () => {
    const pool = await opened();
    let root = 0;
    for (let i = 0; i < 20_000; i++) root = pool.editSync(root, [put(i)], { consume: true });
    const { nodesWritten } = await pool.write({ hold: [root] });
    // A bulk load makes 625 leaves and 20 nodes above them.
    expect(nodesWritten).toBeLessThan(660);
    expect((await pool.verify({ roots: [root] })).firstBad).toBeUndefined();
  });

  test("in batches as well", async () => {
    const pool = await opened();
    let root = 0;
    for (let i = 0; i < 20_000; i += 100)
      root = pool.editSync(root, puts(i, 100), { consume: true });
    expect((await pool.write({ hold: [root] })).nodesWritten).toBeLessThan(660);
  });

  test("in compatible form split leaves in the middle", async () => {
    const pool = await opened({ compatible: true });
    const root = await pool.edit(0, puts(0, 10_000));
    expect((await pool.write({ hold: [root] })).nodesWritten).toBeGreaterThan(620);
  });
});
