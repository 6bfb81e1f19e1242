import { toHex } from "@x/hash";
import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, it } from "vitest";
import { NodeCache, rememberUpdate, type TreeContext, type UpdateResult } from "../src/index.ts";
import { type NaiveScheme, type NaiveTree, naiveTree } from "./naive-tree.ts";
import { drawPath } from "./paths.ts";
import { applyTo, contexts, type HexChange, NodeMap, nodeOf, sortedHex } from "./tree-subject.ts";

function leafCount(tree: NaiveTree, hashes: readonly string[]): number {
  return hashes.filter((hash) => "path" in (tree.nodes.get(hash) as object)).length;
}

/** What the definition of the tree says a batch does. */
function expectExactly(
  before: NaiveTree,
  after: NaiveTree,
  result: UpdateResult,
  context: TreeContext,
): void {
  expect(toHex(result.root)).toBe(after.root);
  const expected = [...after.nodes].filter(([hash]) => !before.nodes.has(hash));
  const bytes = expected.map(
    ([hash, node]) => `${hash} ${toHex(context.format.encode(nodeOf(node, context.format)))}`,
  );
  expect(result.nodes.map(([hash, node]) => `${toHex(hash)} ${toHex(node)}`).toSorted()).toEqual(
    bytes.toSorted(),
  );
  const stale = [...before.nodes.keys()].filter((hash) => !after.nodes.has(hash));
  expect(sortedHex(result.stale)).toEqual(stale.toSorted());
  const newLeaves = leafCount(
    after,
    expected.map(([hash]) => hash),
  );
  const staleLeaves = leafCount(before, stale);
  expect(result.counters).toEqual({
    newLeaves,
    staleLeaves,
    newInternals: expected.length - newLeaves,
    staleInternals: stale.length - staleLeaves,
    bytesWritten: result.nodes.reduce((sum, [, node]) => sum + node.length, 0),
  });
}

/** A random history of one tree, each batch compared with the definition. */
function runHistory(context: TreeContext, naive: NaiveScheme, seed: number): void {
  const random = new Random(seed);
  const map = new NodeMap();
  const entries = new Map<string, string>();
  const pool = Array.from({ length: 24 }, () => "");
  for (let i = 0; i < pool.length; i++) pool[i] = drawPath(random, pool.slice(0, i));
  let root = context.scheme.placeholder;
  let before = naiveTree(naive, entries);
  for (let batch = 0; batch < 8; batch++) {
    const changes: HexChange[] = Array.from(
      { length: random.below(random.below(4) === 0 ? 30 : 4) },
      () => [
        pool[random.below(pool.length)] as string,
        random.below(3) === 0 ? null : "0a0b0c0d".slice(0, 2 * random.below(5)),
      ],
    );
    for (const [path, value] of changes)
      if (value === null) entries.delete(path);
      else entries.set(path, value);
    const after = naiveTree(naive, entries);
    const result = applyTo(map, context, root, changes);
    expectExactly(before, after, result, context);
    rememberUpdate(context, result);
    root = result.root;
    before = after;
  }
}

describe.each(contexts)("$name", ({ context, naive }) => {
  it("a batch makes exactly the nodes that the definition has new, and lists those it lost", () => {
    for (let run = 0; run < scaled(120); run++) {
      const seed = seedOf("update", context.scheme.name, context.format.name, run);
      expect(() => runHistory(context, naive, seed), `seed ${seed}`).not.toThrow();
    }
  });

  it("with a cache, however small, the result is the same", () => {
    for (let run = 0; run < scaled(120); run++) {
      const seed = seedOf("cached update", context.scheme.name, context.format.name, run);
      const cache = new NodeCache({ byteCountMax: [0, 3000, 10 ** 6][run % 3] as number });
      expect(() => runHistory({ ...context, cache }, naive, seed), `seed ${seed}`).not.toThrow();
    }
  });
});
