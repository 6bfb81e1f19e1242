import { equalBytes } from "@x/hash";
import type { IndexSet } from "./backend.ts";
import { PmmrError } from "./errors.ts";
import { grinHashing } from "./fast-hashing.ts";
import type { MmrHashing } from "./hashing.ts";
import { isValidSize } from "./position.ts";
import {
  type CompatibleContext,
  compatibleFirstUnprunedParent,
  compatibleRoot,
} from "./segment-compatible.ts";
import type { AnyElementCodec } from "./segment-leaf.ts";
import { rootFromSegmentProof, segmentProofCount, segmentProofShape } from "./segment-proof.ts";
import { bindSegment } from "./segment-strict.ts";
import {
  type Segment,
  type SegmentHash,
  type SegmentId,
  type SegmentRange,
  segmentCapacity,
  segmentRange,
} from "./segment.ts";
import { HASH_SIZE } from "./wire.ts";

/**
 * A second root that was hashed together with the range's root: the commitment is `bag(size, left, right)`. Grin's headers
 * commit so to the outputs (left) and the bitmap of the unspent ones (right).
 */
export interface PairedRoot {
  /** Prefix of the pair: in Grin the size of the output range, for both. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** On which side the other root stands. */
  readonly side: "left" | "right";
}

/** What a receiver knows of the range that a segment is said to be from. */
export interface SegmentTarget {
  /**
   * The segment that was asked for. Default: the one that the segment says it is, which may be another true one: of a part
   * that is pruned as a whole, all segments have the same content.
   */
  readonly id?: SegmentId;
  /** Nodes of the range; from a trusted place, never from the sender. */
  readonly size: number;
  /** Root of the range, or of the pair if `paired` is given; from a trusted place. 32 bytes. */
  readonly root: Uint8Array;
  readonly codec: AnyElementCodec;
  /** How nodes are hashed. Default: Grin's rule with BLAKE2b-256. */
  readonly hashing?: MmrHashing;
  /** 0-based indexes of the leaves that are unspent in a prunable range. Default: all of them. */
  readonly unspent?: IndexSet;
  /**
   * Whether senders ship inner hashes and may leave out pruned subtrees, as they do for prunable ranges.
   * Default: whether `unspent` is given.
   */
  readonly prunable?: boolean;
  /** Default: the root stands alone. */
  readonly paired?: PairedRoot;
}

/** What is needed in order to reconstruct a segment's root, without checking it against a range. */
export type SegmentContext = Omit<SegmentTarget, "id" | "root" | "paired" | "prunable">;

/**
 * - `"strict"`: each hash, record and byte of the proof is bound to the root, nothing is missing, nothing is more than needed.
 * - `"compatible"`: the verdict of Grin's nodes, which do not look at records and hashes that the reconstruction can do
 *   without, nor at surplus hashes of the proof. Content accepted so may be forged in those places: compare, do not apply.
 */
export type SegmentMode = "strict" | "compatible";

/**
 * Accepts a segment, or throws.
 *
 * In strict mode an accepted segment of a prunable range carries: for each unspent leaf its record; for spent leaves either
 * record or cover by a pruned subtree, as the sender had it; the hash of each inner node that is not inside a pruned
 * subtree. Work is linear in the content. In compatible mode it is linear in the leaves that the identifier claims.
 *
 * @param mode - default: `"strict"`
 * @throws PmmrError `PMMR_OUT_OF_RANGE` if the range ends before the segment, or another one was asked for;
 *   `PMMR_SEGMENT_MISSING` for a record or hash that is needed and not there; `PMMR_SEGMENT_SURPLUS` (strict) for one that
 *   must not be there; `PMMR_ROOT_MISMATCH` for one that is not what the root commits to; `PMMR_MALFORMED` for records that
 *   are no elements and shapes that no decoder gives
 * @throws RangeError if `size` is no size, a root is not 32 bytes, or the identifier is none
 * @throws TypeError if a root is not a Uint8Array, or the codec's records do not determine what is hashed
 */
export function validateSegment(
  segment: Segment,
  target: SegmentTarget,
  mode: SegmentMode = "strict",
): void {
  checkTarget(target);
  const { id, size, hashing = grinHashing(), unspent } = target;
  if (id !== undefined && (id.height !== segment.id.height || id.index !== segment.id.index)) {
    throw new PmmrError(
      "PMMR_OUT_OF_RANGE",
      `segment ${segment.id.index} of height ${segment.id.height} is not the one asked for`,
    );
  }
  checkHashes(segment);
  const range = rangeOf(segment, size);
  const context = { size, codec: target.codec, hashing, unspent };
  const strict = mode === "strict";
  const known = strict
    ? bindSegment(segment, range, {
        ...context,
        prunable: target.prunable ?? unspent !== undefined,
      })
    : compatibleFirstUnprunedParent(segment, range, context);
  const shape = segmentProofShape(range, size, known.pos0);
  const proofCount = segmentProofCount(shape);
  if (strict && proofCount < segment.proof.length) {
    throw new PmmrError(
      "PMMR_SEGMENT_SURPLUS",
      `segment proof has ${segment.proof.length} hashes, want ${proofCount}`,
    );
  }
  const alone = rootFromSegmentProof(hashing, size, shape, segment.proof, known.hash);
  if (!equalBytes(pairRoots(hashing, alone, target.paired), target.root)) {
    throw new PmmrError(
      "PMMR_ROOT_MISMATCH",
      `segment ${segment.id.index} of height ${segment.id.height} does not lead to the root at size ${size}`,
    );
  }
}

/**
 * Root of a segment as Grin's nodes reconstruct it: the node over a full segment, or the bag of its peaks; `undefined` when
 * the segment is full and all its leaves are spent. Nothing is checked against a range.
 *
 * @throws PmmrError `PMMR_OUT_OF_RANGE`, `PMMR_SEGMENT_MISSING`, `PMMR_MALFORMED`
 */
export function segmentRoot(segment: Segment, context: SegmentContext): Uint8Array | undefined {
  checkHashes(segment);
  return compatibleRoot(segment, rangeOf(segment, context.size), compatibleContext(context));
}

/**
 * The node from which the proof of a segment starts: its root if that can be reconstructed, else the root of the pruned
 * subtree that covers it. Nothing is checked against a range. (`first_unpruned_parent` in Grin, which counts the position
 * from 1.)
 *
 * @throws PmmrError `PMMR_OUT_OF_RANGE`, `PMMR_SEGMENT_MISSING`, `PMMR_MALFORMED`
 */
export function firstUnprunedParent(segment: Segment, context: SegmentContext): SegmentHash {
  checkHashes(segment);
  const range = rangeOf(segment, context.size);
  return compatibleFirstUnprunedParent(segment, range, compatibleContext(context));
}

function compatibleContext(context: SegmentContext): CompatibleContext {
  const { size, codec, hashing = grinHashing(), unspent } = context;
  return { size, codec, hashing, unspent };
}

function rangeOf(segment: Segment, size: number): SegmentRange {
  const range = segmentRange(segment.id, size);
  if (range === undefined) {
    throw new PmmrError(
      "PMMR_OUT_OF_RANGE",
      `a range of ${size} nodes has no segment ${segment.id.index} of height ${segment.id.height}`,
    );
  }
  return range;
}

/** Refuses sizes and roots that are none with RangeError or TypeError. */
function checkTarget({
  size,
  root,
  paired,
}: Pick<SegmentTarget, "size" | "root" | "paired">): void {
  if (!isValidSize(size)) throw new RangeError(`${size} is not the size of a range`);
  for (const hash of paired === undefined ? [root] : [root, paired.root]) {
    if (!(hash instanceof Uint8Array)) throw new TypeError("root must be a Uint8Array");
    if (hash.length !== HASH_SIZE) {
      throw new RangeError(`root must be ${HASH_SIZE} bytes, got ${hash.length}`);
    }
  }
}

/** Refuses what is no hash, wherever it stands: decoders give none, but a segment may come from elsewhere. */
function checkHashes({ hashes, proof }: Segment): void {
  for (const { pos0, hash } of hashes) checkHash(hash, `at ${pos0}`);
  for (const [i, hash] of proof.entries()) checkHash(hash, `${i} of the proof`);
}

function checkHash(hash: Uint8Array, which: string): void {
  if (hash instanceof Uint8Array && hash.length === HASH_SIZE) return;
  throw new PmmrError("PMMR_MALFORMED", `segment: hash ${which} is not ${HASH_SIZE} bytes`);
}

/** What a sync is given, checked, with copies of the roots. `RangeError` or `TypeError` if size, root or height is none. */
export function ownTarget<
  T extends Pick<SegmentTarget, "size" | "root" | "paired"> & { readonly height: number },
>(target: T): T {
  segmentCapacity(target.height);
  checkTarget(target);
  const { root, paired } = target;
  const own = { ...target, root: new Uint8Array(root) };
  if (paired === undefined) return own;
  return { ...own, paired: { ...paired, root: new Uint8Array(paired.root) } };
}

/** The commitment to a range's root and the one it is paired with, if any. */
export function pairRoots(
  hashing: MmrHashing,
  root: Uint8Array,
  paired: PairedRoot | undefined,
): Uint8Array {
  if (paired === undefined) return root;
  return paired.side === "left"
    ? hashing.bag(paired.size, paired.root, root)
    : hashing.bag(paired.size, root, paired.root);
}
