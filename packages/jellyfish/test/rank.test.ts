import { fromHex, toHex } from "@x/hash";
import { runSync } from "@x/store";
import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, it } from "vitest";
import { countLeaves, countRange, leafAtIndex, rankOf } from "../src/index.ts";
import { drawPath } from "./paths.ts";
import { drawVersions, sortedEntries } from "./tree-history.ts";
import { applyTo, contexts, type HexChange, NodeMap } from "./tree-subject.ts";

const counting = contexts.filter(({ context }) => context.format.counts);
const plain = contexts.filter(({ context }) => !context.format.counts);

describe.each(counting)("$name", ({ context }) => {
  it("size, rank, access by index and counts of ranges are those of the sorted list", () => {
    for (let run = 0; run < scaled(200); run++) {
      const seed = seedOf("rank", context.scheme.name, run);
      const random = new Random(seed);
      const map = new NodeMap();
      const versions = drawVersions(random, map, context, { versionCount: 3, pathCount: 16 });
      const { root, entries } = random.pick(versions);
      const paths = sortedEntries(entries).map(([path]) => path);
      expect(runSync(countLeaves(context, root), map), `seed ${seed}`).toBe(paths.length);
      for (let index = 0; index <= paths.length; index++) {
        const leaf = runSync(leafAtIndex(context, root, index), map);
        expect(leaf && toHex(leaf.path), `seed ${seed}`).toBe(paths[index]);
      }
      const [a, b] = [drawPath(random, paths), drawPath(random, paths)].toSorted() as [
        string,
        string,
      ];
      for (const path of [...paths, a, b])
        expect(runSync(rankOf(context, root, fromHex(path)), map), `seed ${seed}`).toBe(
          paths.filter((other) => other < path).length,
        );
      const inside = paths.filter((path) => path >= a && path < b).length;
      const range = { gte: fromHex(a), lt: fromHex(b) };
      expect(runSync(countRange(context, root, range), map), `seed ${seed}`).toBe(inside);
      expect(runSync(countRange(context, root, { ...range, limit: 2 }), map)).toBe(
        Math.min(2, inside),
      );
      expect(runSync(countRange(context, root), map)).toBe(paths.length);
    }
  });
});

describe("order statistics", () => {
  const [{ context }] = counting as [(typeof contexts)[0]];
  const random = new Random(3);
  const map = new NodeMap();
  const changes: HexChange[] = Array.from({ length: 2000 }, () => [toHex(random.bytes(32)), "01"]);
  const { root } = applyTo(map, context, context.scheme.placeholder, changes);

  it("cost one read for the size and one per level for the rest", () => {
    expect(map.countReads(() => runSync(countLeaves(context, root), map))).toBe(1);
    const levels = 5;
    const path = fromHex((changes[7] as HexChange)[0]);
    for (const reading of [
      () => runSync(rankOf(context, root, path), map),
      () => runSync(leafAtIndex(context, root, 1234), map),
      () => runSync(countRange(context, root, { gt: path }), map),
    ])
      expect(map.countReads(reading)).toBeLessThanOrEqual(levels);
  });

  it("need a node format that counts", () => {
    const [{ context: other }] = plain as [(typeof contexts)[0]];
    for (const reading of [
      countLeaves(other, root),
      rankOf(other, root, root),
      leafAtIndex(other, root, 0),
      countRange(other, root),
    ] as const)
      expect(() => runSync<unknown>(reading, map)).toThrow(
        expect.objectContaining({ code: "JELLYFISH_NO_COUNTS" }),
      );
  });

  it("take an index that is a count", () => {
    for (const index of [-1, 0.5, Number.NaN])
      expect(() => runSync(leafAtIndex(context, root, index), map)).toThrow(RangeError);
  });
});
