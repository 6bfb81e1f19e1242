import { runSync } from "@x/store";
import { hexOf, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { jmtSha256 } from "../../src/index.ts";
import { type RunSource, visitRuns } from "../../src/retention/runs.ts";
import { type PlainEntry, plainTree, type PlainTree } from "./plain-tree.ts";

const scheme = jmtSha256();

/** Few paths with long shared prefixes, so that leaves move up and down. */
function pathOf(index: number): Uint8Array {
  const path = new Uint8Array(32);
  path[0] = (index & 3) << 6;
  path[1] = index & 4 ? 0x10 : 0;
  path[31] = index & 8 ? 1 : 0;
  return path;
}

function treeOf(values: readonly number[]): PlainTree {
  const entries: PlainEntry[] = [];
  for (const [index, value] of values.entries())
    if (value > 0) entries.push({ path: pathOf(index), value: Uint8Array.of(value) });
  return plainTree(scheme, entries);
}

function sourceOf(trees: readonly PlainTree[]): RunSource {
  return {
    // oxlint-disable-next-line require-yield
    *readNodes(hashes) {
      return hashes.map((hash) => {
        for (const { nodes } of trees) {
          const node = nodes.get(hexOf(hash));
          if (node !== undefined) return node;
        }
        throw new Error("no such node");
      });
    },
    nestedRoots: undefined,
  };
}

/** Runs of every node in a chain, counted one version after the other. */
function runsOf(chain: readonly PlainTree[]): Map<string, number> {
  const runs = new Map<string, number>();
  for (const [at, { nodes }] of chain.entries())
    for (const hash of nodes.keys())
      if (chain[at - 1]?.nodes.has(hash) !== true) runs.set(hash, (runs.get(hash) ?? 0) + 1);
  return runs;
}

function rootOf(tree: PlainTree | undefined): Uint8Array | undefined {
  return tree === undefined || tree.nodes.size === 0 ? undefined : tree.root;
}

const values = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 16, maxLength: 16 });

describe("runs", () => {
  test("a version changes the runs of exactly the nodes it should", () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), fc.nat(), (maps, pick) => {
        const chain = maps.map((map) => treeOf(map));
        const at = pick % chain.length;
        const changes = new Map<string, number>();
        const walk = visitRuns(
          sourceOf(chain),
          {
            before: rootOf(chain[at - 1]),
            middle: rootOf(chain[at]),
            after: rootOf(chain[at + 1]),
          },
          (hash) => changes.set(hexOf(hash), (changes.get(hexOf(hash)) ?? 0) + 1),
        );
        runSync(walk, { viewManySync: () => [] });
        const runs = runsOf(chain.toSpliced(at, 1));
        for (const [hash, change] of changes) runs.set(hash, (runs.get(hash) ?? 0) + change);
        expect(runs).toEqual(runsOf(chain));
      }),
      { numRuns: scaled(300), seed: seedOf("runs") },
    );
  });
});
