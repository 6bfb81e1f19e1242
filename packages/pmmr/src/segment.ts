import { checkCount, leafCount, leafPosition, peaks } from "./position.ts";

/** Largest height of a segment: 2^52 leaves are the most that any size can hold. */
export const SEGMENT_HEIGHT_MAX = 52;

/** Which part of a range: the leaves `[index * 2^height, (index + 1) * 2^height)`. */
export interface SegmentId {
  /** 0 … {@link SEGMENT_HEIGHT_MAX}. */
  readonly height: number;
  /** Counts segments of this height from 0. */
  readonly index: number;
}

/** A hash of an inner node inside the segment, or of the pruned subtree that covers the whole of it. */
export interface SegmentHash {
  readonly pos0: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** A leaf of the segment. */
export interface SegmentLeaf {
  readonly pos0: number;
  /** Stored form of the element, as the codec of the range writes it. */
  readonly record: Uint8Array;
}

/**
 * The stored nodes under some consecutive leaves of a range, with a proof that ties them to its root. The unit in which a
 * state is handed from one machine to another.
 *
 * Plain data, nothing in it is checked by the type. Bytes: FORMAT.md, "Segment".
 */
export interface Segment {
  readonly id: SegmentId;
  /** Ascending by position. */
  readonly hashes: readonly SegmentHash[];
  /** Ascending by position. */
  readonly leaves: readonly SegmentLeaf[];
  /** Siblings from below to above, the bag of the peaks to the right if there are any, the peaks to the left from right to left. */
  readonly proof: readonly Uint8Array[];
}

/** Where a segment lies in a range of a certain size. */
export interface SegmentRange {
  /** Position of its first leaf. */
  readonly first: number;
  /** Its last position, inclusive: its root if it is full, else the last node of the range. */
  readonly last: number;
  /** Index of its first leaf. */
  readonly leafBegin: number;
  /** Leaves in it, 1 … 2^height. */
  readonly leaves: number;
  /** Whether it has 2^height leaves, so that `last` is the root over all of them. */
  readonly full: boolean;
}

/**
 * Leaves of a full segment.
 *
 * @throws RangeError if `height` is not an integer from 0 to {@link SEGMENT_HEIGHT_MAX}
 */
export function segmentCapacity(height: number): number {
  if (!Number.isInteger(height) || height < 0 || height > SEGMENT_HEIGHT_MAX) {
    throw new RangeError(
      `segment height must be an integer from 0 to ${SEGMENT_HEIGHT_MAX}, got ${height}`,
    );
  }
  return 2 ** height;
}

/**
 * Positions of a segment in a range of `size` nodes, or `undefined` where the range ends before it.
 *
 * An invalid size counts the leaf whose parents are missing; `last` of a full segment may then lie beyond it.
 *
 * @throws RangeError if the identifier or the size is none
 * @example
 * segmentRange({ height: 3, index: 1 }, 34); // { first: 15, last: 29, leafBegin: 8, leaves: 8, full: true }
 */
export function segmentRange(id: SegmentId, size: number): SegmentRange | undefined {
  const capacity = segmentCapacity(id.height);
  checkCount(id.index, "segment index");
  // Compared before multiplying, so that a huge index cannot lose digits.
  const leavesInAll = leafCount(size);
  if (id.index > Math.floor(leavesInAll / capacity)) return undefined;
  const leafBegin = id.index * capacity;
  const leaves = Math.min(capacity, leavesInAll - leafBegin);
  if (leaves <= 0) return undefined;
  const full = leaves === capacity;
  return {
    first: leafPosition(leafBegin),
    last: full ? leafPosition(leafBegin + leaves - 1) + id.height : size - 1,
    leafBegin,
    leaves,
    full,
  };
}

/** Tops of the trees of a segment, from left to right: its root, or the peaks at the end of the range. */
export function segmentTops(range: SegmentRange, size: number): number[] {
  return range.full ? [range.last] : peaks(size).filter((peak) => range.first <= peak);
}

/**
 * How many segments of this height make up a range of `size` nodes.
 *
 * @throws RangeError if the height or the size is none
 */
export function segmentsRequired(size: number, height: number): number {
  return Math.ceil(leafCount(size) / segmentCapacity(height));
}

/**
 * Size of the range that `count` full segments make.
 *
 * @throws RangeError if the height is none, or so many leaves cannot be counted
 */
export function segmentsSize(count: number, height: number): number {
  checkCount(count, "segment count");
  return leafPosition(count * segmentCapacity(height));
}

/**
 * Index of the first segment of which a range of `size` nodes lacks something: where to go on after a pause. A range of one
 * node counts as empty, because a new chain already has its first element, which the sender may have pruned since.
 *
 * @throws RangeError if the height or the size is none
 */
export function nextSegmentIndex(size: number, height: number): number {
  if (size === 1) return 0;
  const required = segmentsRequired(size, height);
  return segmentsSize(required, height) <= size ? required : required - 1;
}
