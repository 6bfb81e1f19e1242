import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  keptHashes,
  keptRecords,
  type RecordRange,
  rootsAfterCompaction,
} from "../../src/file-backend/compaction.ts";
import { PruneList } from "../../src/file-backend/prune-list.ts";
import { leafPosition } from "../../src/position.ts";
import { NaiveStore } from "./support/naive-store.ts";

/** Two compactions in a row: which leaves are spent before each, where each stops, what each must keep. */
const history = fc.record({
  leaves: fc.integer({ min: 0, max: 40 }),
  rounds: fc.array(
    fc.record({
      spent: fc.array(fc.nat(39), { maxLength: 30 }),
      cutoff: fc.nat(80),
      restorable: fc.array(fc.nat(39), { maxLength: 6 }),
    }),
    { maxLength: 3 },
  ),
});

function storedHashes(naive: NaiveStore): number[] {
  return Array.from({ length: naive.size }, (_, pos0) => pos0).filter(
    (pos0) => naive.hash(pos0) !== undefined,
  );
}

function storedLeaves(naive: NaiveStore): number[] {
  return Array.from({ length: naive.leafCount }, (_, index) => index).filter(
    (index) => naive.record(index) !== undefined,
  );
}

/** What is left of a list of records when only these runs are copied. */
function take(records: readonly number[], ranges: Iterable<RecordRange>): number[] {
  const kept: number[] = [];
  let last = 0;
  for (const [begin, end] of ranges) {
    expect(last <= begin && begin < end && end <= records.length).toBe(true);
    kept.push(...records.slice(begin, end));
    last = end;
  }
  return kept;
}

describe("a compaction", () => {
  test("keeps the hashes and records of the definition, in order", () => {
    fc.assert(
      fc.property(history, ({ leaves, rounds }) => {
        const naive = new NaiveStore({ prunable: true });
        for (let i = 0; i < leaves; i++) naive.push(new Uint8Array(1));
        let before = new PruneList();
        for (const { spent, cutoff, restorable } of rounds) {
          for (const index of spent) naive.spend(index);
          const kept = restorable.map(leafPosition);
          const hashes = storedHashes(naive);
          const records = storedLeaves(naive);
          const unspent = new Set(naive.unspentPositions1());
          const kept1 = new Set(kept.map((pos0) => pos0 + 1));
          const after = rootsAfterCompaction(before, naive.size, unspent, cutoff, kept1);
          naive.compact(cutoff, kept);
          expect([...after.roots1()]).toEqual(naive.roots().map((pos0) => pos0 + 1));
          expect(take(hashes, keptHashes(before, after, naive.size))).toEqual(storedHashes(naive));
          expect(take(records, keptRecords(before, after, naive.size))).toEqual(
            storedLeaves(naive),
          );
          before = after;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("of a million leaves, half of them spent, is one linear walk", () => {
    const size = leafPosition(1_000_000);
    const spent = new Set<number>();
    for (let i = 0; i < 1_000_000; i++) if (i % 4 < 2) spent.add(leafPosition(i) + 1);
    const unspent = { has: (pos1: number) => !spent.has(pos1) };
    const after = rootsAfterCompaction(new PruneList(), size, unspent, size, new Set());
    let hashes = 0;
    for (const [begin, end] of keptHashes(new PruneList(), after, size)) hashes += end - begin;
    let records = 0;
    for (const [begin, end] of keptRecords(new PruneList(), after, size)) records += end - begin;
    expect(after.count).toBe(250_000);
    expect(hashes).toBe(size - 500_000);
    expect(records).toBe(500_000);
  });
});
