import { fromHex, toHex } from "@x/hash";
import { type Range, type Reading, runAsync, runSync } from "@x/store";
import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  dumpLeaves,
  getLeaf,
  getLeaves,
  hasLeaf,
  type LeafNode,
  LeafWalk,
  listLeaves,
} from "../src/index.ts";
import { drawPath } from "./paths.ts";
import { drawVersions, sortedEntries } from "./tree-history.ts";
import { applyTo, contexts, NodeMap } from "./tree-subject.ts";

/** Bounds in hex; what a store's range is, over a list of paths. */
interface HexRange {
  readonly gte?: string;
  readonly gt?: string;
  readonly lte?: string;
  readonly lt?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

function inRange({ gte, gt, lte, lt }: HexRange, path: string): boolean {
  return (
    (gte === undefined || path >= gte) &&
    (gt === undefined || path > gt) &&
    (lte === undefined || path <= lte) &&
    (lt === undefined || path < lt)
  );
}

function bytesRange({ gte, gt, lte, lt, ...rest }: HexRange): Range {
  return {
    ...rest,
    ...(gte !== undefined && { gte: fromHex(gte) }),
    ...(gt !== undefined && { gt: fromHex(gt) }),
    ...(lte !== undefined && { lte: fromHex(lte) }),
    ...(lt !== undefined && { lt: fromHex(lt) }),
  };
}

/** Bounds at, beside and away from paths. */
function drawRange(random: Random, paths: readonly string[]): HexRange {
  const bound = (): string => {
    if (random.chance(0.1)) return random.pick(["00", "ff"]).repeat(32);
    return paths.length > 0 && random.chance(0.5) ? random.pick(paths) : drawPath(random, paths);
  };
  return {
    ...(random.chance(0.6) && { [random.pick(["gte", "gt"])]: bound() }),
    ...(random.chance(0.6) && { [random.pick(["lte", "lt"])]: bound() }),
    ...(random.chance(0.5) && { reverse: random.chance(0.7) }),
    ...(random.chance(0.4) && { limit: random.below(8) }),
  };
}

function* allOf(walk: LeafWalk): Reading<LeafNode[]> {
  const leaves: LeafNode[] = [];
  for (;;) {
    const page = yield* walk.next();
    if (page.length === 0) return leaves;
    leaves.push(...page);
  }
}

const pathsOf = (leaves: readonly LeafNode[]): string[] => leaves.map(({ path }) => toHex(path));

describe.each(contexts)("$name", ({ context }) => {
  it("every walk gives the leaves of its range, in order, and then nothing", () => {
    for (let run = 0; run < scaled(300); run++) {
      const seed = seedOf("walk", context.scheme.name, context.format.name, run);
      const random = new Random(seed);
      const map = new NodeMap();
      const { root, entries } = random.pick(
        drawVersions(random, map, context, { versionCount: 3, pathCount: 16 }),
      );
      const paths = sortedEntries(entries).map(([path]) => path);
      const range = drawRange(random, paths);
      const inside = paths.filter((path) => inRange(range, path));
      if (range.reverse === true) inside.reverse();
      const walk = new LeafWalk(context, root, bytesRange(range));
      const leaves = runSync(allOf(walk), map);
      expect(pathsOf(leaves), `seed ${seed}`).toEqual(inside.slice(0, range.limit));
      for (const { path, value } of leaves) expect(toHex(value)).toBe(entries.get(toHex(path)));
      expect(runSync(walk.next(), map)).toEqual([]);
    }
  });

  it("pages chained by their last path lose nothing, whatever becomes of the cursor", () => {
    for (let run = 0; run < scaled(100); run++) {
      const seed = seedOf("list", context.scheme.name, context.format.name, run);
      const random = new Random(seed);
      const map = new NodeMap();
      const versions = drawVersions(random, map, context, { versionCount: 2, pathCount: 16 });
      let { root, entries } = random.pick(versions);
      let cursor: Uint8Array | undefined;
      const seen: string[] = [];
      let rest = sortedEntries(entries).map(([path]) => path);
      while (rest.length > 0) {
        const limit = 1 + random.below(3);
        const page = pathsOf(runSync(listLeaves(context, root, { cursor, limit }), map));
        expect(page, `seed ${seed}`).toEqual(rest.slice(0, limit));
        seen.push(...page);
        cursor = fromHex(page.at(-1) as string);
        rest = rest.slice(limit);
        if (random.chance(0.5)) ({ root } = applyTo(map, context, root, [[toHex(cursor), null]]));
      }
      expect(seen).toEqual(sortedEntries(entries).map(([path]) => path));
    }
  });

  it("reads find what is there and nothing else, many as one, synchronous as asynchronous", async () => {
    for (let run = 0; run < scaled(60); run++) {
      const seed = seedOf("get", context.scheme.name, context.format.name, run);
      const random = new Random(seed);
      const map = new NodeMap();
      const versions = drawVersions(random, map, context, { versionCount: 3, pathCount: 12 });
      const { root, entries } = random.pick(versions);
      const known = versions.flatMap(({ entries: of }) => Array.from(of.keys()));
      const asked = Array.from({ length: random.below(12) }, () =>
        known.length > 0 && random.chance(0.8) ? random.pick(known) : drawPath(random, known),
      );
      const paths = asked.map((path) => fromHex(path));
      const many = runSync(getLeaves(context, root, paths), map);
      const values = many.map((leaf) => leaf && toHex(leaf.value));
      expect(values, `seed ${seed}`).toEqual(asked.map((path) => entries.get(path)));
      for (const [index, path] of paths.entries()) {
        expect(runSync(getLeaf(context, root, path), map)).toEqual(many[index]);
        expect(runSync(hasLeaf(context, root, path), map)).toBe(many[index] !== undefined);
      }
      expect(await runAsync(getLeaves(context, root, paths), map)).toEqual(many);
      expect(pathsOf(runSync(dumpLeaves(context, root), map))).toEqual(
        sortedEntries(entries).map(([path]) => path),
      );
    }
  });
});

describe("an error", () => {
  const [{ context }] = contexts as [(typeof contexts)[0]];

  it("ends a walk: it comes once, then nothing", () => {
    const map = new NodeMap();
    const changes = ["00", "10", "20"].map((start) => [start.padEnd(64, "0"), "01"] as const);
    const { root, nodes } = applyTo(map, context, context.scheme.placeholder, changes);
    map.entries.delete(toHex((nodes[1] as (typeof nodes)[0])[0]));
    const walk = new LeafWalk(context, root);
    expect(() => runSync(walk.next(), map)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_MISSING_NODE" }),
    );
    expect(runSync(walk.next(), map)).toEqual([]);
  });
});

describe("a malformed argument", () => {
  const [{ context }] = contexts as [(typeof contexts)[0]];
  const root = context.scheme.placeholder;
  const short = new Uint8Array(31);

  it("is the caller's mistake", () => {
    expect(() => new LeafWalk(context, root, { gte: short })).toThrow(RangeError);
    expect(() => new LeafWalk(context, short)).toThrow(RangeError);
    expect(() => runSync(getLeaf(context, root, short), new NodeMap())).toThrow(RangeError);
    expect(() => runSync(getLeaf(context, "root" as never, root), new NodeMap())).toThrow(
      TypeError,
    );
    expect(() => runSync(getLeaves(context, root, [7 as never]), new NodeMap())).toThrow(TypeError);
    expect(() => runSync(listLeaves(context, root, { cursor: short }), new NodeMap())).toThrow(
      RangeError,
    );
  });
});
