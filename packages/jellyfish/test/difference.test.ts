import { fromHex, toHex } from "@x/hash";
import { type Range, type Reading, runSync } from "@x/store";
import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, it } from "vitest";
import { applyPatch, type Difference, DifferenceWalk, makePatch } from "../src/index.ts";
import { drawVersions, type TreeAndMap } from "./tree-history.ts";
import { applyTo, contexts, type HexChange, NodeMap, sortedHex } from "./tree-subject.ts";

function* allOf(walk: DifferenceWalk): Reading<Difference[]> {
  const differences: Difference[] = [];
  for (;;) {
    const page = yield* walk.next();
    if (page.length === 0) return differences;
    differences.push(...page);
  }
}

/** `path before after`, as two maps say. */
function naiveDifferences(before: TreeAndMap, after: TreeAndMap): string[] {
  const paths = new Set([...before.entries.keys(), ...after.entries.keys()]);
  return [...paths]
    .filter((path) => before.entries.get(path) !== after.entries.get(path))
    .toSorted()
    .map((path) => `${path} ${before.entries.get(path)} ${after.entries.get(path)}`);
}

function linesOf(differences: readonly Difference[]): string[] {
  return differences.map(
    ({ path, before, after }) =>
      `${toHex(path)} ${before && toHex(before.value)} ${after && toHex(after.value)}`,
  );
}

describe.each(contexts)("$name", ({ context }) => {
  it("the difference of any two versions is that of their maps, forwards, backwards and in pages", () => {
    for (let run = 0; run < scaled(200); run++) {
      const seed = seedOf("difference", context.scheme.name, context.format.name, run);
      const random = new Random(seed);
      const map = new NodeMap();
      const versions = drawVersions(random, map, context, { versionCount: 4, pathCount: 14 });
      const before = random.pick(versions);
      const after = random.pick(versions);
      const expected = naiveDifferences(before, after);
      const roots = { before: before.root, after: after.root };
      const read = (range: Range): string[] =>
        linesOf(runSync(allOf(new DifferenceWalk(context, roots, range)), map));
      expect(read({}), `seed ${seed}`).toEqual(expected);
      expect(read({ reverse: true }), `seed ${seed}`).toEqual(expected.toReversed());

      const resumed: string[] = [];
      for (let page = read({ limit: 2 }); page.length > 0;) {
        resumed.push(...page);
        page = read({ limit: 2, gt: fromHex((page.at(-1) as string).slice(0, 64)) });
      }
      expect(resumed, `seed ${seed}`).toEqual(expected);
    }
  });

  it("a patch leads from one version to the other, and names exactly what that takes", () => {
    for (let run = 0; run < scaled(100); run++) {
      const seed = seedOf("patch", context.scheme.name, context.format.name, run);
      const random = new Random(seed);
      const map = new NodeMap();
      const versions = drawVersions(random, map, context, { versionCount: 3, pathCount: 14 });
      const before = random.pick(versions);
      const after = random.pick(versions);
      const patch = runSync(makePatch(context, { before: before.root, after: after.root }), map);
      const result = runSync(applyPatch(context, patch), map);
      expect(toHex(result.root), `seed ${seed}`).toBe(toHex(after.root));
      expect(sortedHex(patch.changes.map(({ path }) => path))).toEqual(
        naiveDifferences(before, after).map((line) => line.slice(0, 64)),
      );
    }
  });
});

describe("a difference", () => {
  const [{ context }] = contexts as [(typeof contexts)[0]];
  const random = new Random(7);
  const paths = Array.from({ length: 1000 }, () => toHex(random.bytes(32)));
  const map = new NodeMap();
  const changes: HexChange[] = paths.map((path) => [path, "01"]);
  const before = applyTo(map, context, context.scheme.placeholder, changes).root;
  const after = applyTo(map, context, before, [[paths[500] as string, "02"]]).root;

  it("of one value in a thousand reads one pair of nodes per level", () => {
    map.reads = [];
    const walk = new DifferenceWalk(context, { before, after });
    expect(runSync(allOf(walk), map)).toHaveLength(1);
    expect(map.reads.map((keys) => keys.length)).toEqual(map.reads.map(() => 2));
    expect(map.reads.length).toBeLessThanOrEqual(5);
  });

  it("of a tree and itself reads nothing", () => {
    const walk = new DifferenceWalk(context, { before, after: before });
    expect(map.countReads(() => runSync(allOf(walk), map))).toBe(0);
  });

  it("with a limit of one reads no more than one path's nodes", () => {
    map.reads = [];
    const empty = context.scheme.placeholder;
    const walk = new DifferenceWalk(context, { before: empty, after }, { limit: 1 });
    expect(runSync(allOf(walk), map)).toHaveLength(1);
    expect(map.reads.every((keys) => keys.length === 1)).toBe(true);
  });

  it("ends after an error", () => {
    const walk = new DifferenceWalk(context, { before, after: new Uint8Array(32) });
    expect(() => runSync(walk.next(), map)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_MISSING_NODE" }),
    );
    expect(runSync(walk.next(), map)).toEqual([]);
  });

  it("made into a patch that does not lead to its root is refused", () => {
    const patch = runSync(makePatch(context, { before, after }), map);
    expect(() => runSync(applyPatch(context, { ...patch, changes: [] }), map)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_PATCH" }),
    );
  });
});
