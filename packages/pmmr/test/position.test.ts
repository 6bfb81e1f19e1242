import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  family,
  familyBranch,
  heightOf,
  isLeaf,
  isLeftSibling,
  isValidSize,
  leafCount,
  leafIndexAt,
  leafPosition,
  leafRangeBelow,
  leavesBelow,
  leftmostLeaf,
  peakMapHeight,
  peakSizes,
  peaks,
  rightmostLeaf,
  roundUpToLeaf,
  subtreeRange,
} from "../src/position.ts";
import { CAMPAIGN_TIMEOUT } from "./support.ts";
import { vectors } from "./vectors.ts";

const MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** The definition, in integers of any size: tree sizes from large to small, each taken at most once. */
function bigPeakMapHeight(size: bigint): { map: bigint; height: bigint } {
  let peakSize = 0n;
  while (2n * peakSize + 1n <= size) peakSize = 2n * peakSize + 1n;
  let map = 0n;
  let rest = size;
  for (; peakSize > 0n; peakSize /= 2n) {
    map *= 2n;
    if (rest >= peakSize) {
      rest -= peakSize;
      map += 1n;
    }
  }
  return { map, height: rest };
}

/** What a function gives: its answer, or the name of its refusal. */
function outcome(action: () => number | undefined): number | string | undefined {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.name : "unknown";
  }
}

/** What every function promises to give: the exact answer, or RangeError where it is above 2^53 - 1. */
function promised(answer: bigint): number | string {
  return answer <= MAX ? Number(answer) : "RangeError";
}

describe("the tables of the original", () => {
  test("positions 0 to 63", () => {
    expect(vectors.positions.rows.length).toBe(64);
    for (const row of vectors.positions.rows) {
      const { pos } = row;
      expect(peakMapHeight(pos)).toEqual({ map: row.peakMap, height: row.height });
      expect(heightOf(pos)).toBe(row.height);
      expect(isLeaf(pos)).toBe(row.height === 0);
      expect(isValidSize(pos)).toBe(row.height === 0);
      expect(leafCount(pos)).toBe(row.nLeavesOfSize);
      expect(peaks(pos)).toEqual(row.peaksOfSize);
      expect(roundUpToLeaf(pos)).toBe(row.roundUpToLeaf);
      expect(leafIndexAt(pos)).toBe(row.leafIndex ?? undefined);
      expect(family(pos)).toEqual({ parent: row.parent, sibling: row.sibling });
      expect(isLeftSibling(pos)).toBe(row.isLeftSibling);
      expect(leftmostLeaf(pos)).toBe(row.leftmost);
      expect(rightmostLeaf(pos)).toBe(row.rightmost);
      expect(subtreeRange(pos)).toEqual({ begin: row.leftmost, end: pos + 1 });
    }
  });

  test("large positions, up to 2^53 - 2", () => {
    expect(vectors.positionsLarge.rows.length).toBe(30);
    for (const row of vectors.positionsLarge.rows) {
      const pos = Number(row.pos);
      expect(peakMapHeight(pos)).toEqual({ map: Number(row.peakMap), height: row.height });
      expect(heightOf(pos)).toBe(row.height);
      expect(leafCount(pos)).toBe(Number(row.nLeavesOfSize));
      expect(peaks(pos)).toEqual(row.peaksOfSize.map(Number));
      expect(outcome(() => roundUpToLeaf(pos))).toBe(promised(BigInt(row.roundUpToLeaf)));
      expect(leafIndexAt(pos)).toBe(row.leafIndex === null ? undefined : Number(row.leafIndex));
      const parent = promised(BigInt(row.parent));
      expect(outcome(() => family(pos).parent)).toBe(parent);
      const sibling = parent === "RangeError" ? parent : Number(row.sibling);
      expect(outcome(() => family(pos).sibling)).toBe(sibling);
      expect(isLeftSibling(pos)).toBe(row.isLeftSibling);
      expect(leftmostLeaf(pos)).toBe(Number(row.leftmost));
      expect(rightmostLeaf(pos)).toBe(Number(row.rightmost));
    }
  });

  test("leaf index to position", () => {
    expect(vectors.leafIndexToPos.length).toBe(26);
    for (const [index, pos] of vectors.leafIndexToPos) {
      expect(leafPosition(index)).toBe(pos);
      expect(leafIndexAt(pos)).toBe(index);
    }
  });

  test("family branches", () => {
    expect(vectors.familyBranch.length).toBe(23);
    for (const row of vectors.familyBranch) {
      expect(familyBranch(row.pos, row.size)).toEqual(
        row.branch.map(([parent, sibling]) => ({ parent, sibling })),
      );
    }
  });

  test("what needs more than 53 bits is refused, never rounded", () => {
    const functions: Record<string, (n: number) => unknown> = {
      peakMapHeight,
      peakSizes,
      nLeaves: leafCount,
      leafIndex: leafIndexAt,
      leafIndexToPos: leafPosition,
    };
    expect(vectors.u64Edges.length).toBe(6);
    for (const row of vectors.u64Edges) {
      const argument = BigInt(String(row["size"] ?? row["pos"] ?? row["leafIndex"]));
      expect(argument > MAX).toBe(true);
      const run = functions[String(row["fn"])];
      expect(run).toBeTypeOf("function");
      expect(() => run?.(Number(argument))).toThrow(RangeError);
    }
  });
});

test("the definition used as oracle below gives the 64-bit answers", () => {
  const rows = vectors.u64Edges.filter((row) => row["fn"] === "peakMapHeight");
  expect(rows.length).toBe(2);
  for (const row of rows) {
    expect(bigPeakMapHeight(BigInt(String(row["size"])))).toEqual({
      map: BigInt(String(row["peakMap"])),
      height: BigInt(String(row["height"])),
    });
  }
});

/** A node of trees that were really built, by joining two of equal height whenever there are two. */
interface Built {
  readonly pos: number;
  readonly height: number;
  readonly leaves: readonly number[];
  readonly children: readonly Built[];
}

function build(leafTotal: number): { nodes: Built[]; peaksBySize: Map<number, number[]> } {
  const nodes: Built[] = [];
  const stack: Built[] = [];
  const peaksBySize = new Map<number, number[]>([[0, []]]);
  for (let leaf = 0; leaf < leafTotal; leaf++) {
    let node: Built = { pos: nodes.length, height: 0, leaves: [nodes.length], children: [] };
    nodes.push(node);
    for (let left = stack.at(-1); left?.height === node.height; left = stack.at(-1)) {
      stack.pop();
      const children = [left, node];
      const leaves = children.flatMap((child) => child.leaves);
      node = { pos: nodes.length, height: node.height + 1, leaves, children };
      nodes.push(node);
    }
    stack.push(node);
    peaksBySize.set(
      nodes.length,
      stack.map((peak) => peak.pos),
    );
  }
  return { nodes, peaksBySize };
}

describe("arithmetic agrees with trees that are built node by node", () => {
  const { nodes, peaksBySize } = build(600);

  test("heights, parents, siblings, leaves, peaks", () => {
    const leaves = nodes.filter((node) => node.height === 0);
    expect(leaves.map((_, index) => leafPosition(index))).toEqual(leaves.map((leaf) => leaf.pos));
    let leafIndex = 0;
    for (const node of nodes) {
      const { pos } = node;
      expect(heightOf(pos)).toBe(node.height);
      expect(leafIndexAt(pos)).toBe(node.height === 0 ? leafIndex++ : undefined);
      expect(leafCount(pos + 1)).toBe(leafIndex);
      expect([...leavesBelow(pos)]).toEqual(node.leaves);
      expect(leftmostLeaf(pos)).toBe(node.leaves[0]);
      expect(rightmostLeaf(pos)).toBe(node.leaves.at(-1));
      const range = leafRangeBelow(pos);
      expect(range.end - range.begin).toBe(node.leaves.length);
      expect(leafPosition(range.begin)).toBe(node.leaves[0]);
      const [left, right] = node.children;
      if (left === undefined || right === undefined) continue;
      expect(family(left.pos)).toEqual({ parent: pos, sibling: right.pos });
      expect(family(right.pos)).toEqual({ parent: pos, sibling: left.pos });
      expect(isLeftSibling(left.pos)).toBe(true);
      expect(isLeftSibling(right.pos)).toBe(false);
    }
    for (let size = 0; size <= nodes.length; size++) {
      expect(peaks(size)).toEqual(peaksBySize.get(size) ?? []);
      expect(isValidSize(size)).toBe(peaksBySize.has(size));
    }
  });

  test("a branch goes up to the local peak and no further", () => {
    const parents = new Map<number, { parent: number; sibling: number }>();
    for (const { pos, children } of nodes) {
      const [left, right] = children;
      if (left === undefined || right === undefined) continue;
      parents.set(left.pos, { parent: pos, sibling: right.pos });
      parents.set(right.pos, { parent: pos, sibling: left.pos });
    }
    for (let size = 0; size < 80; size++) {
      for (let pos = 0; pos < size; pos++) {
        const branch: { parent: number; sibling: number }[] = [];
        for (let step = parents.get(pos); step !== undefined && step.parent < size;) {
          branch.push(step);
          step = parents.get(step.parent);
        }
        expect(familyBranch(pos, size)).toEqual(branch);
      }
    }
    expect(familyBranch(0, 1_049_000).at(-1)).toEqual({ parent: 1_048_574, sibling: 1_048_573 });
    expect(familyBranch(0, 1_049_000).length).toBe(19);
  });
});

/** Positions near the places where 32-bit words, trees and doubles end, and anywhere in between. */
const anyPosition = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 53 }), fc.integer({ min: -70, max: 70 })).map(([k, d]) => {
    return Math.min(Math.max(2 ** k + d, 0), Number.MAX_SAFE_INTEGER);
  }),
  fc.maxSafeNat(),
);

describe("arithmetic is exact up to 2^53 - 1", { timeout: CAMPAIGN_TIMEOUT }, () => {
  test("against the definition in integers of any size", () => {
    fc.assert(
      fc.property(anyPosition, (pos) => {
        const big = BigInt(pos);
        const { map, height } = bigPeakMapHeight(big);
        expect(peakMapHeight(pos)).toEqual({ map: Number(map), height: Number(height) });
        const leaves = 1n << height;
        const isRight = (map & leaves) !== 0n;
        expect(isLeftSibling(pos)).toBe(!isRight);
        const parent = isRight ? big + 1n : big + 2n * leaves;
        expect(outcome(() => family(pos).parent)).toBe(promised(parent));
        const sibling = isRight ? parent - 2n * leaves : big + 2n * leaves - 1n;
        expect(outcome(() => family(pos).sibling)).toBe(
          parent > MAX ? "RangeError" : Number(sibling),
        );
        expect(leftmostLeaf(pos)).toBe(Number(big + 2n - 2n * leaves));
        expect(rightmostLeaf(pos)).toBe(Number(big - height));
        expect(leafRangeBelow(pos)).toEqual({
          begin: Number(map + 1n - leaves),
          end: Number(map + 1n),
        });
        const sizes: number[] = [];
        for (let h = 53n; 0n <= h; h--) {
          if ((map >> h) & 1n) sizes.push(Number(2n * (1n << h) - 1n));
        }
        expect(peakSizes(pos)).toEqual({ sizes, height: Number(height) });
      }),
      { numRuns: 3000 },
    );
  });

  test("a leaf's index and position are each other's inverse", () => {
    const leafIndexMax = 2 ** 52;
    expect(leafPosition(leafIndexMax)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => leafPosition(leafIndexMax + 1)).toThrow(RangeError);
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        const index = n % (leafIndexMax + 1);
        expect(leafIndexAt(leafPosition(index))).toBe(index);
        expect(leafCount(leafPosition(index))).toBe(index);
        expect(roundUpToLeaf(leafPosition(index))).toBe(leafPosition(index));
      }),
      { numRuns: 3000 },
    );
  });

  test("rounding up gives the least valid size that is not smaller", () => {
    for (let pos = 0; pos < 300; pos++) {
      let size = pos;
      while (!isValidSize(size)) size++;
      expect(roundUpToLeaf(pos)).toBe(size);
    }
  });
});

test("a number that is no position is refused", () => {
  for (const wrong of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
    expect(() => peakMapHeight(wrong)).toThrow(RangeError);
    expect(() => heightOf(wrong)).toThrow(RangeError);
    expect(() => isValidSize(wrong)).toThrow(RangeError);
    expect(() => leafPosition(wrong)).toThrow(RangeError);
    expect(() => leafIndexAt(wrong)).toThrow(RangeError);
    expect(() => roundUpToLeaf(wrong)).toThrow(RangeError);
    expect(() => family(wrong)).toThrow(RangeError);
    expect(() => isLeftSibling(wrong)).toThrow(RangeError);
    expect(() => familyBranch(wrong, 7)).toThrow(RangeError);
    expect(() => familyBranch(0, wrong)).toThrow(RangeError);
    expect(() => leftmostLeaf(wrong)).toThrow(RangeError);
    expect(() => rightmostLeaf(wrong)).toThrow(RangeError);
    expect(() => leafRangeBelow(wrong)).toThrow(RangeError);
  }
});
