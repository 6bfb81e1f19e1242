import { hexOf, type StoreLike } from "@x/testing";
import { naiveSchemes, type NaiveTree, naiveTree } from "../naive-tree.ts";

/** Few paths with long shared prefixes, so that leaves move up and down and trees meet again. */
export function poolPath(index: number): Uint8Array {
  const path = new Uint8Array(32);
  path[0] = (index & 3) << 6;
  path[1] = (index & 4) === 0 ? 0 : 0x10;
  path[31] = (index & 8) === 0 ? 0 : 1;
  return path;
}

/** A map as one would explain it: from path to value, both in hexadecimal. */
export type Entries = ReadonlyMap<string, string>;

const trees = new Map<string, NaiveTree>();

/** The tree of a map, by definition. */
export function treeOf(entries: Entries): NaiveTree {
  const key = JSON.stringify([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const known = trees.get(key) ?? naiveTree(naiveSchemes.jmtSha256, entries);
  trees.set(key, known);
  return known;
}

/** Every node of a chain of trees with the number of its runs, counted one version after the other. */
export function runsOf(chain: readonly Pick<NaiveTree, "nodes">[]): Map<string, number> {
  const runs = new Map<string, number>();
  for (const [at, { nodes }] of chain.entries())
    for (const hash of nodes.keys())
      if (chain[at - 1]?.nodes.has(hash) !== true) runs.set(hash, (runs.get(hash) ?? 0) + 1);
  return runs;
}

/** What a store holds of nodes, with their counts as the records beside them say. */
export async function storedRuns(store: Pick<StoreLike, "iterator">): Promise<Map<string, number>> {
  const runs = new Map<string, number>();
  for await (const [key, value] of store.iterator()) {
    const text = hexOf(key);
    if (key.length === 32) runs.set(text, runs.get(text) ?? 1);
    if (key.length === 33) {
      if (!runs.has(text.slice(0, 64))) throw new Error("a count without its node");
      runs.set(text.slice(0, 64), Number(`0x${hexOf(value)}`));
    }
  }
  return runs;
}
