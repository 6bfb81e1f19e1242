/**
 * The original's reading of a segment, verdict for verdict: what the reconstruction of the root does not need is not looked
 * at. It exists to compare with other implementations; content accepted this way is not all bound to the root.
 *
 * Every position of the segment is walked, so the work is bounded by the leaves that the identifier claims.
 */

import type { IndexSet } from "./backend.ts";
import { PmmrError } from "./errors.ts";
import { type MmrHashing, bagPeaks } from "./hashing.ts";
import {
  familyBranch,
  heightOf,
  isLeftSibling,
  leafCount,
  leafRangeBelow,
  leafIndexAt,
} from "./position.ts";
import { type AnyElementCodec, countMembers, hashFormOf } from "./segment-leaf.ts";
import {
  type Segment,
  type SegmentHash,
  type SegmentLeaf,
  type SegmentRange,
  segmentTops,
} from "./segment.ts";

/** What the original needs in order to read a segment. */
export interface CompatibleContext {
  readonly size: number;
  readonly codec: AnyElementCodec;
  readonly hashing: MmrHashing;
  /** Leaf indexes that are unspent; absent: the range is not prunable. */
  readonly unspent: IndexSet | undefined;
}

/**
 * Root of a segment, or `undefined` if no leaf of it is needed (a full segment, all spent).
 *
 * A record is needed if its leaf or the sibling is unspent, or it is the last node of the range; a record that is not
 * needed counts as absent even where it is there. A node of which one child is unknown takes that child's hash from the
 * segment.
 *
 * @throws PmmrError `PMMR_SEGMENT_MISSING` if something needed is absent
 */
export function compatibleRoot(
  segment: Segment,
  range: SegmentRange,
  context: CompatibleContext,
): Uint8Array | undefined {
  const { size, hashing, unspent } = context;
  const stack: (Uint8Array | undefined)[] = [];
  const hashes = hashesByPosition(segment);
  const records = new Map(segment.leaves.map((leaf): [number, SegmentLeaf] => [leaf.pos0, leaf]));
  for (let pos0 = range.first; pos0 <= range.last; pos0++) {
    const height = heightOf(pos0);
    if (height === 0) {
      stack.push(leafHash(pos0, records.get(pos0), context));
      continue;
    }
    const right = stack.pop();
    const left = stack.pop();
    if (left === undefined && right === undefined && unspent !== undefined) {
      stack.push(undefined);
      continue;
    }
    const fromSegment = unspent === undefined ? undefined : hashes;
    stack.push(
      hashing.hashInner(
        pos0,
        left ?? need(fromSegment, pos0 - 2 ** height),
        right ?? need(fromSegment, pos0 - 1),
      ),
    );
  }
  if (range.full) return stack.pop();
  const tops = segmentTops(range, size).map(
    (top, i) => stack[i] ?? need(unspent === undefined ? undefined : hashes, top),
  );
  return bagPeaks(hashing, size, tops);
}

/**
 * The node from which the proof starts: the segment's root if it is known, else the first node at or above it of which the
 * segment has the hash. A parent with an unspent leaf below it ends the search; the segment's last node is taken as it is.
 *
 * @throws PmmrError `PMMR_SEGMENT_MISSING` if there is no such hash
 */
export function compatibleFirstUnprunedParent(
  segment: Segment,
  range: SegmentRange,
  context: CompatibleContext,
): SegmentHash {
  const root = compatibleRoot(segment, range, context);
  if (root !== undefined) return { pos0: range.last, hash: root };
  const hashes = hashesByPosition(segment);
  const here = hashes.get(range.last);
  if (here !== undefined) return { pos0: range.last, hash: here };
  for (const { parent } of familyBranch(range.last, context.size)) {
    if (countUnspent(parent, context) !== 0) break;
    const hash = hashes.get(parent);
    if (hash !== undefined) return { pos0: parent, hash };
  }
  throw missing(`the hash at ${range.last} or above it`);
}

function hashesByPosition(segment: Segment): ReadonlyMap<number, Uint8Array> {
  return new Map(segment.hashes.map(({ pos0, hash }) => [pos0, hash]));
}

function leafHash(
  pos0: number,
  leaf: SegmentLeaf | undefined,
  { size, codec, hashing, unspent }: CompatibleContext,
): Uint8Array | undefined {
  if (unspent !== undefined && pos0 !== size - 1) {
    const index = leafIndexAt(pos0) as number;
    const sibling = isLeftSibling(pos0) ? index + 1 : index - 1;
    if (!unspent.has(index) && !unspent.has(sibling)) return undefined;
  }
  if (leaf === undefined) throw missing(`the leaf at ${pos0}`);
  return hashing.hashLeaf(pos0, hashFormOf(codec, leaf));
}

function need(hashes: ReadonlyMap<number, Uint8Array> | undefined, pos0: number): Uint8Array {
  const hash = hashes?.get(pos0);
  if (hash === undefined) throw missing(`the hash at ${pos0}`);
  return hash;
}

function countUnspent(pos0: number, { size, unspent }: CompatibleContext): number {
  if (unspent === undefined) return 0;
  const { begin, end } = leafRangeBelow(pos0);
  return countMembers(unspent, begin, Math.min(end, leafCount(size)));
}

function missing(what: string): PmmrError {
  return new PmmrError("PMMR_SEGMENT_MISSING", `segment lacks ${what}`);
}
