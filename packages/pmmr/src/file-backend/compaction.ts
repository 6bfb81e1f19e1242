import { leafCount, leafPosition, leafRangeBelow, leftmostLeaf } from "../position.ts";
import { absentLeaves, PruneList } from "./prune-list.ts";

/**
 * What a compaction leaves out, decided from the state alone.
 *
 * A leaf is pruned when it is spent, lies below the cutoff, and need not come back in a rewind. The new roots are the old
 * ones with these leaves, rolled up. A hash goes when it lies strictly below a new root, and a record when its leaf does; so
 * a lone pruned leaf keeps hash and record until its sibling goes too, and every pruned root keeps its hash.
 *
 * Everything is one walk in ascending order: linear in leaves and roots, and flat in memory apart from the new roots.
 */

/** Whether a 1-based position is in a set. */
export interface PositionSet {
  has(pos1: number): boolean;
}

/** A run of records, by number from 0; `end` is not in it. */
export type RecordRange = readonly [begin: number, end: number];

/**
 * The roots after a compaction.
 *
 * @param before - the roots so far
 * @param size - of the range
 * @param unspent - the leaf set
 * @param cutoff - only leaves at `pos0 < cutoff` are pruned
 * @param restorable - leaves that a rewind may bring back: they stay
 */
export function rootsAfterCompaction(
  before: PruneList,
  size: number,
  unspent: PositionSet,
  cutoff: number,
  restorable: PositionSet,
): PruneList {
  const after = new PruneList();
  let rootIndex = 0;
  const leafEnd = leafCount(Math.min(cutoff, size));
  for (let index = 0; index < leafEnd;) {
    const pos0 = leafPosition(index);
    const root = rootIndex < before.count ? before.root1At(rootIndex) - 1 : undefined;
    if (root !== undefined && leftmostLeaf(root) <= pos0) {
      after.append(root);
      rootIndex++;
      index = leafRangeBelow(root).end;
    } else {
      if (!unspent.has(pos0 + 1) && !restorable.has(pos0 + 1)) after.append(pos0);
      index++;
    }
  }
  for (; rootIndex < before.count; rootIndex++) after.append(before.root1At(rootIndex) - 1);
  return after;
}

/**
 * Hash records to keep, ascending and apart; `before` and `after` are the roots around the compaction.
 *
 * @yields runs of record numbers
 */
export function* keptHashes(
  before: PruneList,
  after: PruneList,
  size: number,
): Generator<RecordRange, void, undefined> {
  let begin = 0;
  for (const root1 of after.roots1()) {
    const root = root1 - 1;
    const leftmost = leftmostLeaf(root);
    const goneBegin = leftmost - shiftBefore(before, leftmost);
    const goneEnd = root - before.shift(root);
    if (goneBegin === goneEnd) continue;
    if (begin < goneBegin) yield [begin, goneBegin];
    begin = goneEnd;
  }
  const end = size - before.totalShift;
  if (begin < end) yield [begin, end];
}

/**
 * Element records to keep, ascending and apart.
 *
 * @yields runs of record numbers
 */
export function* keptRecords(
  before: PruneList,
  after: PruneList,
  size: number,
): Generator<RecordRange, void, undefined> {
  let begin = 0;
  for (const root1 of after.roots1()) {
    const root = root1 - 1;
    const absent = absentLeaves(root);
    if (absent.begin === absent.end) continue;
    const leftmost = leftmostLeaf(root);
    const goneBegin = absent.begin - leafShiftBefore(before, leftmost);
    const goneEnd = absent.end - before.leafShift(root);
    if (goneBegin === goneEnd) continue;
    if (begin < goneBegin) yield [begin, goneBegin];
    begin = goneEnd;
  }
  const end = leafCount(size) - before.totalLeafShift;
  if (begin < end) yield [begin, end];
}

/** Hashes absent strictly before a position. */
function shiftBefore(list: PruneList, pos0: number): number {
  return pos0 === 0 ? 0 : list.shift(pos0 - 1);
}

/** Records absent strictly before a position. */
function leafShiftBefore(list: PruneList, pos0: number): number {
  return pos0 === 0 ? 0 : list.leafShift(pos0 - 1);
}
