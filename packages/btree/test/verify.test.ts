import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";

import { encodeCountPage } from "../src/count-page.ts";
import { BTree, NodePool } from "../src/index.ts";
import { encodeNode } from "../src/node-codec.ts";
import { NodeKeys } from "../src/node-keys.ts";
import { innerOf, leafOf, type Node } from "../src/node.ts";
import { bytesOf, collect, entriesFrom, keyOf, put } from "./bytes.ts";

const KEYS = new NodeKeys(new Uint8Array());

/** Two trees that share most of their nodes, with values outside. */
async function filled(): Promise<{ store: MemoryStore; roots: number[] }> {
  const store = new MemoryStore();
  const pool = await NodePool.open(store, { inlineByteCountMax: 3 });
  const first = await pool.load(entriesFrom(0, 200));
  const second = await pool.edit(first, [put(70, 1)]);
  await pool.write({ hold: [first, second] });
  return { store, roots: [first, second] };
}

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  const entries = await collect(store.iterator());
  await copy.batch(entries.map(([key, value]) => ({ type: "put", key, value })));
  return copy;
}

/** A tree of two leaves, one of them replaced by what is to be found. */
async function withChild(
  child: Node,
  change: Partial<Parameters<typeof innerOf>[0]> = {},
): Promise<NodePool> {
  const keys = Array.from({ length: 16 }, (_, i) => keyOf(i));
  const left = leafOf(keys, keys);
  const root = innerOf({
    level: 1,
    keys: [keyOf(16)],
    children: [1, 2],
    counts: [16, 16],
    ...change,
  });
  const store = new MemoryStore();
  await store.batch([
    { type: "put", key: KEYS.pool(), value: Uint8Array.of(1, 2, 9, 0) },
    ...[left, child, root].map(
      (node, i) => ({ type: "put", key: KEYS.node(i + 1), value: encodeNode(node, 2) }) as const,
    ),
  ]);
  return NodePool.open(store);
}

/** A leaf of ascending numbers. */
function leafFrom(from: number, count: number): Node {
  const keys = Array.from({ length: count }, (_, i) => keyOf(from + i));
  return leafOf(keys, keys);
}

describe("verify", () => {
  test("names exactly the node whose record is damaged or cut short", async () => {
    const { store, roots } = await filled();
    const nodes = await collect(store.iterator({ gte: KEYS.node(0), lt: KEYS.countPage(0) }));
    for (const [key, value] of nodes) {
      const sizes = Array.from({ length: Math.min(value.length, 20) }, (_, i) =>
        Math.floor((i * value.length) / 20),
      );
      const tag = new Uint8Array(value);
      tag[0] = 0x42;
      for (const bytes of [tag, ...sizes.map((size) => value.subarray(0, size))]) {
        const damaged = await copyOf(store);
        await damaged.batch([{ type: "put", key, value: bytes }]);
        const { firstBad } = await (await NodePool.open(damaged)).verify({ roots });
        expect(firstBad).toMatchObject({ id: KEYS.numberOf(key) });
        expect(["corrupt", "entry-count"]).toContain(firstBad?.kind);
      }
    }
  });

  test("names the page of counts that is damaged", async () => {
    const { store, roots } = await filled();
    const pages = await collect(
      store.iterator({ gte: KEYS.countPage(0), lt: KEYS.name(new Uint8Array()) }),
    );
    for (const [key] of pages) {
      const damaged = await copyOf(store);
      await damaged.batch([{ type: "put", key, value: Uint8Array.of(200, 0) }]);
      const pool = await NodePool.open(damaged);
      const { firstBad } = await pool.verify({ roots });
      expect(firstBad).toMatchObject({ kind: "count-page", id: KEYS.numberOf(key) });
      await expect(pool.write({ drop: roots })).rejects.toMatchObject({ code: "BTREE_CORRUPT" });
      await pool.repair({ roots });
      expect((await pool.verify({ roots })).ok).toBe(true);
    }
  });

  test("names exactly the node that is missing, with its path", async () => {
    const { store, roots } = await filled();
    for (const [key] of await collect(
      store.iterator({ gte: KEYS.node(0), lt: KEYS.countPage(0) }),
    )) {
      const damaged = await copyOf(store);
      await damaged.batch([{ type: "del", key }]);
      const pool = await NodePool.open(damaged);
      const report = await pool.verify({ roots });
      const id = KEYS.numberOf(key) ?? 0;
      expect(report.firstBad).toMatchObject({ kind: "missing", id });
      expect(report.firstBad?.path.at(-1)).toBe(id);
      expect(roots).toContain(report.firstBad?.path[0]);
      await expect(pool.repair({ roots })).rejects.toMatchObject({ code: "BTREE_MISSING", id });
    }
  });

  test("finds whatever breaks the tree's rules", async () => {
    const inner = innerOf({ level: 1, keys: [keyOf(16)], children: [1, 3], counts: [16, 16] });
    const cases: [string, NodePool][] = [
      ["fill", await withChild(leafFrom(16, 15), { counts: [16, 15] })],
      ["bounds", await withChild(leafFrom(15, 16))],
      ["entry-count", await withChild(leafFrom(16, 17))],
      ["kind", await withChild({ kind: "value", bytes: bytesOf("v") })],
      ["level", await withChild(leafFrom(16, 16), { level: 2 })],
      ["cycle", await withChild(inner)],
    ];
    for (const [kind, pool] of cases)
      expect((await pool.verify({ roots: [3] })).firstBad?.kind).toBe(kind);
    const sound = await withChild(leafFrom(16, 16));
    expect(await sound.verify({ roots: [3] })).toMatchObject({ ok: true, nodes: 3, entries: 32 });
    expect((await sound.verify({ roots: [3, 3] })).firstBad).toMatchObject({
      kind: "mention-count",
      id: 3,
      expected: 2,
      found: 1,
    });
    expect((await sound.verify({ roots: [1] })).firstBad).toMatchObject({ kind: "orphan", id: 2 });
  });

  test("an id that was not given out yet is a fault", async () => {
    const { store, roots } = await filled();
    await store.batch([{ type: "put", key: KEYS.pool(), value: Uint8Array.of(1, 2, 2, 0) }]);
    expect((await (await NodePool.open(store)).verify({ roots })).firstBad).toMatchObject({
      kind: "id",
    });
  });

  test("reads refuse what is damaged, and never go round in circles", async () => {
    const inner = innerOf({ level: 1, keys: [keyOf(16)], children: [1, 3], counts: [16, 16] });
    for (const pool of [
      await withChild(inner),
      await withChild(leafFrom(16, 17)),
      await withChild({ kind: "value", bytes: bytesOf("v") }),
    ]) {
      const snapshot = pool.snapshot(3);
      expect(() => snapshot.getSync(keyOf(20))).toThrow(
        expect.objectContaining({ code: "BTREE_CORRUPT" }),
      );
      const walk = snapshot.keys();
      await expect(collect(walk)).rejects.toMatchObject({ code: "BTREE_CORRUPT" });
      // One that failed goes on failing.
      await expect(walk.next()).rejects.toMatchObject({ code: "BTREE_CORRUPT" });
      expect(() => pool.editSync(3, [put(20)])).toThrow(
        expect.objectContaining({ code: "BTREE_CORRUPT" }),
      );
    }
  });

  test("format 1, which records no levels, has a limit of depth instead", async () => {
    const store = new MemoryStore();
    const loop = innerOf({ level: 0, keys: [keyOf(1)], children: [1, 1], counts: [] });
    await store.batch([
      { type: "put", key: KEYS.pool(), value: Uint8Array.of(1, 1, 9, 0) },
      { type: "put", key: KEYS.node(1), value: encodeNode(loop, 1) },
    ]);
    const pool = await NodePool.open(store);
    const snapshot = pool.snapshot(1);
    const calls = [
      () => snapshot.getSync(keyOf(1)),
      () => snapshot.getManySync([keyOf(1)]),
      () => [...snapshot.keysSync()],
      () => [...snapshot.diffSync(0)],
      () => pool.editSync(1, [put(1)]),
    ];
    for (const call of calls)
      expect(call).toThrow(expect.objectContaining({ code: "BTREE_CORRUPT" }));
    expect((await pool.verify({ roots: [1] })).firstBad?.kind).toBe("cycle");
  });
});

describe("repair", () => {
  test("makes counts exact and takes orphans away; a second time it does nothing", async () => {
    const { store, roots } = await filled();
    const pages = await collect(
      store.iterator({ gte: KEYS.countPage(0), lt: KEYS.name(new Uint8Array()) }),
    );
    expect(pages.length).toBeGreaterThan(0);
    await store.batch([
      ...pages.map(([key]) => ({ type: "del", key }) as const),
      { type: "put", key: KEYS.countPage(3), value: encodeCountPage(3, new Map([[400, 7]])) },
      {
        type: "put",
        key: KEYS.node(999),
        value: encodeNode({ kind: "value", bytes: bytesOf("lost") }, 2),
      },
    ]);
    const pool = await NodePool.open(store);
    expect(await pool.verify({ roots })).toMatchObject({ ok: false, orphans: 1 });
    expect(await pool.repair({ roots })).toEqual({
      nodesDeleted: 1,
      countPagesWritten: pages.length + 1,
    });
    expect(await pool.verify({ roots })).toMatchObject({ ok: true });
    expect(await pool.repair({ roots })).toEqual({ nodesDeleted: 0, countPagesWritten: 0 });
    await pool.write({ drop: roots });
    expect(await collect(store.iterator({ gte: KEYS.node(0) }))).toEqual([]);
  });

  test("beside another writer changes nothing, and says that the pool must be opened again", async () => {
    const { store, roots } = await filled();
    const pool = await NodePool.open(store);
    const other = await NodePool.open(store);
    await other.write({ hold: [await other.edit(roots[0] ?? 0, [put(1, 2)])] });
    const lost = encodeNode({ kind: "value", bytes: bytesOf("lost") }, 2);
    await store.batch([{ type: "put", key: KEYS.node(999), value: lost }]);
    await expect(pool.repair({ roots })).rejects.toMatchObject({ code: "BTREE_CONFLICT" });
    expect(pool.status).toBe("poisoned");
    expect(await store.get(KEYS.node(999))).toEqual(lost);
  });

  test("of several trees behind one prefix keeps them all", async () => {
    const store = new MemoryStore();
    for (const name of ["a", "b"]) {
      const tree = await BTree.open(store, { name: bytesOf(name) });
      await tree.batch([put(1), put(2)]);
      await tree.close();
    }
    const tree = await BTree.open(store, { name: bytesOf("a") });
    expect(await tree.verify()).toMatchObject({ ok: true, nodes: 2, entries: 4 });
    expect(await tree.repair()).toEqual({ nodesDeleted: 0, countPagesWritten: 0 });
  });
});
