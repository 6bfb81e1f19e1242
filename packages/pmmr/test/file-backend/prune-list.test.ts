import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmmrError } from "../../src/errors.ts";
import { PruneList } from "../../src/file-backend/prune-list.ts";
import { leafPosition, leftmostLeaf } from "../../src/position.ts";
import { toHex } from "@x/hash";
import { NaiveStore, sizeOfLeaves, writeBitmap } from "./support/naive-store.ts";

interface PruneListRow {
  readonly input1: readonly number[];
  readonly roots1: readonly number[];
  readonly shiftCache: readonly number[];
  readonly leafShiftCache: readonly number[];
  readonly shiftOfPos0: readonly number[];
  readonly leafShiftOfPos0: readonly number[];
  readonly isPrunedPos0: string;
  readonly totalShift: number;
  readonly totalLeafShift: number;
  readonly file: string;
}

const { pruneLists, pruneListLong } = JSON.parse(
  readFileSync(new URL("../vectors/pmmr.json", import.meta.url), "utf8"),
) as {
  readonly pruneLists: readonly PruneListRow[];
  readonly pruneListLong: {
    readonly roots1: readonly number[];
    readonly shiftOfPos0_1009: number;
    readonly leafShiftOfPos0_1009: number;
  };
};

function code(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof PmmrError) return error.code;
    return error instanceof Error ? error.name : "unknown";
  }
  return "none";
}

describe("the lists of the original", () => {
  test("roots, running totals, shifts of each position, and the file", () => {
    expect(pruneLists.length).toBe(21);
    for (const row of pruneLists) {
      const list = PruneList.from(row.input1);
      const roots1 = [...list.roots1()];
      expect(roots1).toEqual(row.roots1);
      expect(roots1.map((root1) => list.shift(root1 - 1))).toEqual(row.shiftCache);
      expect(roots1.map((root1) => list.leafShift(root1 - 1))).toEqual(row.leafShiftCache);
      expect(row.shiftOfPos0.map((_, pos0) => list.shift(pos0))).toEqual(row.shiftOfPos0);
      expect(row.leafShiftOfPos0.map((_, pos0) => list.leafShift(pos0))).toEqual(
        row.leafShiftOfPos0,
      );
      const pruned = row.shiftOfPos0.map((_, pos0) => (list.isPruned(pos0) ? "1" : "0"));
      expect(pruned.join("")).toBe(row.isPrunedPos0);
      expect(list.totalShift).toBe(row.totalShift);
      expect(list.totalLeafShift).toBe(row.totalLeafShift);
      expect(toHex(writeBitmap(roots1))).toBe(row.file);
    }
  });

  test("a thousand positions, appended one by one", () => {
    const list = PruneList.from([1, 2, 4, 5]);
    for (let pos0 = 5; pos0 <= 998; pos0++) if (!list.isPruned(pos0)) list.append(pos0);
    expect([...list.roots1()]).toEqual(pruneListLong.roots1);
    expect(list.shift(1009)).toBe(pruneListLong.shiftOfPos0_1009);
    expect(list.leafShift(1009)).toBe(pruneListLong.leafShiftOfPos0_1009);
  });
});

/** Leaves of a small range, and which of them are pruned. */
const prunedLeaves = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });

function naiveOf(pruned: readonly boolean[]): NaiveStore {
  const naive = new NaiveStore({ prunable: true });
  for (const isPruned of pruned) {
    naive.push(new Uint8Array(1));
    if (isPruned) naive.spend(naive.leafCount - 1);
  }
  naive.compact(naive.size);
  return naive;
}

function listOf(pruned: readonly boolean[]): PruneList {
  const list = new PruneList();
  for (const [index, isPruned] of pruned.entries()) {
    if (isPruned) list.append(leafPosition(index));
  }
  return list;
}

describe("a prune list", () => {
  test("holds exactly the maximal pruned subtrees, and says what they shift", () => {
    fc.assert(
      fc.property(prunedLeaves, (pruned) => {
        const list = listOf(pruned);
        const naive = naiveOf(pruned);
        expect([...list.roots1()]).toEqual(naive.roots().map((pos0) => pos0 + 1));
        let stored = 0;
        for (let pos0 = 0; pos0 < naive.size; pos0++) {
          const isStored = naive.hash(pos0) !== undefined;
          expect(list.isBelowRoot(pos0)).toBe(!isStored);
          expect(list.isRoot(pos0)).toBe(naive.roots().includes(pos0));
          if (!isStored) continue;
          expect(pos0 - list.shift(pos0)).toBe(stored++);
        }
        expect(naive.size - list.totalShift).toBe(stored);
      }),
      { numRuns: 300 },
    );
  });

  test("is the same from leaves, from roots, and from both", () => {
    fc.assert(
      fc.property(prunedLeaves, (pruned) => {
        const list = [...listOf(pruned).roots1()];
        const leaves1 = pruned.flatMap((is, index) => (is ? [leafPosition(index) + 1] : []));
        const both = [...new Set([...leaves1, ...list])].toSorted((a, b) => a - b);
        expect([...PruneList.from(list).roots1()]).toEqual(list);
        expect([...PruneList.from(leaves1).roots1()]).toEqual(list);
        expect([...PruneList.from(both).roots1()]).toEqual(list);
      }),
    );
  });

  test("rewinds to every end that no root spans, and refuses the others", () => {
    fc.assert(
      fc.property(prunedLeaves, fc.nat(40), (pruned, leaves) => {
        const leafCount = Math.min(leaves, pruned.length);
        const size = sizeOfLeaves(leafCount);
        const list = listOf(pruned);
        const before = [...list.roots1()];
        const spans = before.some((root1) => leftmostLeaf(root1 - 1) < size && size < root1);
        expect(code(() => list.rewind(size))).toBe(spans ? "PMMR_COMPACTED" : "none");
        const kept = before.filter((root1) => spans || root1 <= size);
        expect([...list.roots1()]).toEqual(kept);
        expect(list.totalShift).toBe(PruneList.from(kept).totalShift);
      }),
    );
  });

  test("a copy does not follow the original", () => {
    const list = PruneList.from([1, 4]);
    const copy = list.clone();
    list.append(4);
    copy.rewind(1);
    expect([...list.roots1()]).toEqual([1, 6]);
    expect([...copy.roots1()]).toEqual([1]);
    expect(list.leafShift(6)).toBe(2);
  });

  test("refuses a root that is not after all others, and root numbers it does not have", () => {
    const list = PruneList.from([7]);
    expect(code(() => list.append(6))).toBe("RangeError");
    expect(code(() => list.append(5))).toBe("RangeError");
    expect(code(() => list.root1At(1))).toBe("RangeError");
    expect(code(() => list.root1At(-1))).toBe("RangeError");
    expect([...list.roots1()]).toEqual([7]);
  });

  test("finds the part that was pushed: the one that rolls up to the root, or none", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.uniqueArray(fc.nat(39)), (leaves, indexes) => {
        const pruned = indexes.filter((index) => index < leaves).toSorted((a, b) => a - b);
        const list = PruneList.from(pruned.map((index) => leafPosition(index) + 1));
        const size = leafPosition(leaves);
        const partOf = new Map<number, number>();
        for (let part = size; part < size + 64; part++) {
          if (leftmostLeaf(part) === size) partOf.set(list.clone().append(part), part);
        }
        for (let root = 0; root < size + 64; root++) {
          const find = (): number => list.partPushed(root, size);
          const found = code(find) === "RangeError" ? undefined : find();
          expect(found).toBe(partOf.get(root));
        }
      }),
    );
  });

  test("holds positions up to 2^32 - 1 and refuses the next", () => {
    const list = new PruneList();
    // The last position that fits, and the sibling that would make it roll up beyond.
    const leaf = leafPosition(2 ** 31 - 1);
    expect(leaf + 1).toBe(2 ** 32 - 32);
    expect(list.append(leaf)).toBe(leaf);
    const beyond = leafPosition(2 ** 31);
    expect(code(() => list.append(beyond))).toBe("PMMR_CAPACITY");
  });

  test("a million leaves, half of them pruned, are taken in linear time", () => {
    const list = new PruneList();
    for (let index = 0; index < 1_000_000; index++) {
      if (index % 4 < 2) list.append(leafPosition(index));
    }
    expect(list.count).toBe(250_000);
    expect(list.totalLeafShift).toBe(500_000);
    expect(list.totalShift).toBe(500_000);
  });
});
