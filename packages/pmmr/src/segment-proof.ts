import { PmmrError } from "./errors.ts";
import { bagPeaks, type MmrHashing } from "./hashing.ts";
import { type Family, familyBranch, isLeftSibling, peaks } from "./position.ts";
import type { SegmentRange } from "./segment.ts";

/** Which hashes tie a segment to the root of its range, in the order in which they are used. */
export interface SegmentProofShape {
  /** Parents and siblings on the way up to the peak, from below to above. */
  readonly branch: readonly Family[];
  /** Peaks to the right of that peak; their bag is one hash of the proof. */
  readonly rightPeaks: readonly number[];
  /** Peaks to the left of the segment, from right to left. */
  readonly leftPeaks: readonly number[];
}

/**
 * The proof that a segment needs.
 *
 * @param range - of the segment in the range of `size` nodes
 * @param known - position of the node whose hash is known: the last of the segment, or the pruned root above all of it
 */
export function segmentProofShape(
  range: SegmentRange,
  size: number,
  known: number,
): SegmentProofShape {
  const branch = familyBranch(range.last, size);
  const top = branch.at(-1)?.parent ?? range.last;
  const all = peaks(size);
  return {
    branch: branch.filter(({ parent }) => known < parent),
    rightPeaks: all.filter((peak) => top < peak),
    leftPeaks: all.filter((peak) => peak < range.first).toReversed(),
  };
}

/** Hashes in a proof of this shape. */
export function segmentProofCount(shape: SegmentProofShape): number {
  return shape.branch.length + (0 < shape.rightPeaks.length ? 1 : 0) + shape.leftPeaks.length;
}

/**
 * Reads the hashes of a proof from where they are stored.
 *
 * @param hashAt - stored hash of a node; throws if there is none
 */
export function collectSegmentProof(
  hashing: MmrHashing,
  size: number,
  shape: SegmentProofShape,
  hashAt: (pos0: number) => Uint8Array,
): Uint8Array[] {
  const proof = shape.branch.map(({ sibling }) => hashAt(sibling));
  if (0 < shape.rightPeaks.length) {
    proof.push(bagPeaks(hashing, size, shape.rightPeaks.map(hashAt)));
  }
  for (const peak of shape.leftPeaks) proof.push(hashAt(peak));
  return proof;
}

/**
 * Root that a proof leads to from the hash of the known node. Hashes beyond the shape are not looked at.
 *
 * @throws PmmrError `PMMR_SEGMENT_MISSING` if the proof has too few hashes
 */
export function rootFromSegmentProof(
  hashing: MmrHashing,
  size: number,
  shape: SegmentProofShape,
  proof: readonly Uint8Array[],
  known: Uint8Array,
): Uint8Array {
  if (proof.length < segmentProofCount(shape)) {
    throw new PmmrError(
      "PMMR_SEGMENT_MISSING",
      `segment proof has ${proof.length} hashes, want ${segmentProofCount(shape)}`,
    );
  }
  let used = 0;
  const next = (): Uint8Array => proof[used++] as Uint8Array;
  let hash = known;
  for (const { parent, sibling } of shape.branch) {
    const other = next();
    hash = isLeftSibling(sibling)
      ? hashing.hashInner(parent, other, hash)
      : hashing.hashInner(parent, hash, other);
  }
  if (0 < shape.rightPeaks.length) hash = hashing.bag(size, hash, next());
  for (const _ of shape.leftPeaks) hash = hashing.bag(size, next(), hash);
  return hash;
}
