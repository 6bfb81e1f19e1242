import { runSync } from "@x/store";
import { hexOf, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { compactNodes, jmtSha256 } from "../../src/index.ts";
import { visitRuns } from "../../src/retention/runs.ts";
import { update } from "../../src/update.ts";
import { poolPath, runsOf, treeOf } from "../tree/model.ts";

const context = { scheme: jmtSha256(), format: compactNodes() };
const maps = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 16, maxLength: 16 }), {
  minLength: 1,
  maxLength: 4,
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** Every node of some maps, by its hash in hexadecimal. */
function recordsOf(lists: readonly (readonly number[])[]): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (const values of lists) {
    const changes = values.flatMap((value, index) =>
      value === 0 ? [] : [{ path: poolPath(index), value: Uint8Array.of(value) }],
    );
    const { nodes } = runSync(update(context, context.scheme.placeholder, changes), {
      viewManySync: () => [],
    });
    for (const [hash, bytes] of nodes) records.set(hexOf(hash), bytes);
  }
  return records;
}

function entriesOf(values: readonly number[]): Map<string, string> {
  const entries = new Map<string, string>();
  for (const [index, value] of values.entries())
    if (value > 0) entries.set(hexOf(poolPath(index)), `0${value}`);
  return entries;
}

describe("runs", () => {
  test("a version changes the runs of exactly the nodes it should", () => {
    fc.assert(
      fc.property(maps, fc.nat(), (lists, pick) => {
        const records = recordsOf(lists);
        const chain = lists.map((values) => treeOf(entriesOf(values)));
        const at = pick % chain.length;
        const changes = new Map<string, number>();
        const walk = visitRuns(
          { context, nestedRoots: undefined },
          { before: rootAt(at - 1), middle: rootAt(at), after: rootAt(at + 1) },
          (hash) => changes.set(hexOf(hash), (changes.get(hexOf(hash)) ?? 0) + 1),
        );
        runSync(walk, { viewManySync: (keys) => keys.map((key) => records.get(hexOf(key))) });
        const runs = runsOf(chain.toSpliced(at, 1));
        for (const [hash, change] of changes) runs.set(hash, (runs.get(hash) ?? 0) + change);
        expect(runs).toEqual(runsOf(chain));

        function rootAt(index: number): Uint8Array | undefined {
          const tree = chain[index];
          return tree === undefined || tree.nodes.size === 0 ? undefined : bytesOf(tree.root);
        }
      }),
      { numRuns: scaled(300), seed: seedOf("runs") },
    );
  });
});
