import { runSync } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { CountingStore, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { JellyfishTree, update } from "../../src/index.ts";

/** Reads that a plain update of the tree would make, without a cache. */
function plainCost(
  tree: JellyfishTree<Uint8Array, Uint8Array, CountingStore<MemoryStore>>,
  memory: MemoryStore,
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
): {
  readonly keys: number;
  readonly getMany: number;
  readonly nodes: number;
  readonly stale: number;
} {
  const changes = entries.map(([key, value]) => ({ path: tree.pathOf(key), key, value }));
  const counting = new CountingStore(memory);
  const result = runSync(update(tree.context, tree.root, changes), counting);
  const { keys, getMany } = counting.take();
  return { keys, getMany, nodes: result.nodes.length, stale: result.stale.length };
}

describe("the cost of retaining", () => {
  test("one root is nothing but the deletions and four records in each batch", async () => {
    const memory = new MemoryStore();
    const tree = await JellyfishTree.open(new CountingStore(memory), { cacheByteCountMax: 0 });
    const random = new Random(seedOf("cost"));
    const draw = (count: number): (readonly [Uint8Array, Uint8Array])[] =>
      Array.from({ length: count }, () => [random.bytes(2), random.bytes(4)] as const);
    await tree.load(draw(3000));
    await tree.prune();
    let goingCount = 0;
    for (let round = 0; round < scaled(12); round++) {
      const entries = draw([1, 7, 200][round % 3] ?? 1);
      const plain = plainCost(tree, memory, entries);
      tree.store.take();
      await tree.batch(entries.map(([key, value]) => ({ type: "put", key, value })));
      const isFirst = goingCount === 0;
      // Nodes, those the version before last had alone, its record, the new one's, and the tree's.
      expect(tree.store.take()).toMatchObject({
        get: 0,
        getMany: plain.getMany,
        keys: plain.keys,
        batch: 1,
        syncedBatch: 1,
        operations: plain.nodes + goingCount + (isFirst ? 2 : 3),
        iterator: 0,
      });
      goingCount = plain.stale;
    }
  });

  test("several roots writes no more, and no count unless a node comes back", async () => {
    const memory = new MemoryStore();
    const tree = await JellyfishTree.open(new CountingStore(memory), {
      cacheByteCountMax: 0,
      history: 5,
    });
    const random = new Random(seedOf("cost of several"));
    await tree.load(
      Array.from({ length: 2000 }, () => [random.bytes(2), random.bytes(4)] as const),
    );
    for (let round = 0; round < 10; round++) {
      const entries = [[random.bytes(2), random.bytes(4)] as const];
      const plain = plainCost(tree, memory, entries);
      tree.store.take();
      const { deletedCount } = await tree.batch(
        entries.map(([key, value]) => ({ type: "put", key, value })),
      );
      const { operations } = tree.store.take();
      expect(operations).toBe(plain.nodes + deletedCount + (round < 3 ? 2 : 3));
    }
    for await (const [key] of memory.iterator()) expect(key.length).not.toBe(33);
  });
});
