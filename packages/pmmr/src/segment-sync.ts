import { equalBytes } from "@x/hash";
import type { IndexSet } from "./backend.ts";
import { PmmrError } from "./errors.ts";
import { leafCount, leafPosition, leftmostLeaf } from "./position.ts";
import type { Pmmr } from "./pmmr.ts";
import { type PairedRoot, ownTarget, pairRoots, validateSegment } from "./segment-validate.ts";
import {
  type Segment,
  type SegmentHash,
  type SegmentId,
  type SegmentLeaf,
  segmentCapacity,
  segmentsRequired,
} from "./segment.ts";

/** The state that is to be brought about. Everything in it comes from a trusted place, never from a sender. */
export interface SyncTarget {
  /** Nodes of the range, pruned ones included. */
  readonly size: number;
  /** Root of the range, or of the pair if `paired` is given. 32 bytes. */
  readonly root: Uint8Array;
  /** Height of the segments asked for. */
  readonly height: number;
  /** 0-based indexes of the leaves that are unspent. Default: all of them. */
  readonly unspent?: IndexSet;
  /** Default: the root stands alone. */
  readonly paired?: PairedRoot;
}

/**
 * Brings a range to a known state from segments that anybody may have sent.
 *
 * Segments are applied in order. Each is first validated strictly and as a whole, so that one from a hostile sender leaves
 * the range as it was. Where to go on follows from the size of the range alone: after a pause make a new `SegmentSync` on
 * the same range and ask for {@link next}. Making what was applied durable is the caller's part; any number of segments may
 * be applied between two syncs of the backend.
 *
 * The sender may compact between two segments: if a segment says that a subtree is pruned of which this range already has a
 * part, that part is dropped for the pruned root.
 *
 * What is read back must be what is pushed (`S` is an `E`): a range that stores less than it hashes, like Grin's headers,
 * cannot be brought about from what others stored.
 *
 * @example
 * const sync = new SegmentSync(pmmr, { size, root, height: 11, unspent });
 * while (!sync.done) sync.apply(await ask(sync.next));
 * sync.finish();
 */
export class SegmentSync<E, S extends E = E> {
  readonly #pmmr: Pmmr<E, S>;
  readonly #target: SyncTarget;

  /**
   * @param pmmr - empty, or with the first leaves of the target's range: from a sync to this or an older state, or the one
   *   element with which a new chain begins. It is written to by {@link apply} and {@link finish}
   * @throws RangeError if the target's size, root or height is none, or the range is longer than the target's
   */
  constructor(pmmr: Pmmr<E, S>, target: SyncTarget) {
    this.#target = ownTarget(target);
    if (target.size < pmmr.size) {
      throw new RangeError(`the range has ${pmmr.size} nodes, above the ${target.size} wanted`);
    }
    this.#pmmr = pmmr;
  }

  /** Segments of the whole range. */
  get required(): number {
    return segmentsRequired(this.#target.size, this.#target.height);
  }

  /** Whether all leaves are there: {@link finish} is what remains. */
  get done(): boolean {
    return this.#pmmr.size === this.#target.size;
  }

  /** The segment to ask for, or `undefined` when {@link done}. */
  get next(): SegmentId | undefined {
    if (this.done) return undefined;
    const { height } = this.#target;
    return { height, index: Math.floor(this.#pmmr.leafCount / segmentCapacity(height)) };
  }

  /**
   * Validates a segment and puts what is new in it into the range. A segment that was applied before changes nothing.
   *
   * @throws PmmrError what `validateSegment` throws, and `PMMR_ROOT_MISMATCH` if the range holds other nodes than the root
   *   commits to (it is from another history), `PMMR_OUT_OF_RANGE` if the segment is of another height or its turn has not
   *   come; then the range has not changed. Also what the backend throws when it cannot hold the elements
   */
  apply(segment: Segment): void {
    const { size, root, height, unspent, paired } = this.#target;
    if (segment.id.height !== height) {
      throw outOfTurn(segment.id, `height ${height} was asked for`);
    }
    const { codec, hashing, prunable } = this.#pmmr;
    validateSegment(segment, {
      size,
      root,
      codec,
      hashing,
      prunable,
      ...(unspent === undefined ? {} : { unspent }),
      ...(paired === undefined ? {} : { paired }),
    });
    const { next } = this;
    if (next !== undefined && next.index < segment.id.index) {
      throw outOfTurn(segment.id, `${next.index} is the next`);
    }
    this.#checkPresent(segment);
    this.#write(segment);
    if (prunable && unspent !== undefined) this.#spend(segment.leaves, unspent);
  }

  /**
   * Ends the sync: spends the leaves that the target counts as spent (those from before it, or that were applied under an
   * older target), and compares root and unspent leaves with the target.
   *
   * @throws PmmrError `PMMR_SEGMENT_MISSING` if leaves are not there yet, or are spent here and not in the target;
   *   `PMMR_ROOT_MISMATCH` if the root is another one
   */
  finish(): void {
    const { size, root, unspent, paired } = this.#target;
    const pmmr = this.#pmmr;
    if (pmmr.size !== size) throw missing(`nodes from ${pmmr.size} to ${size}`);
    if (!equalBytes(pairRoots(pmmr.hashing, pmmr.root(), paired), root)) {
      throw new PmmrError("PMMR_ROOT_MISMATCH", `the range of ${size} nodes has another root`);
    }
    if (!pmmr.prunable) return;
    if (unspent !== undefined) {
      const spent: number[] = [];
      for (const index of pmmr.unspentIndexes()) if (!unspent.has(index)) spent.push(index);
      for (const index of spent) pmmr.prune(leafPosition(index));
    }
    const want = unspent?.size ?? pmmr.leafCount;
    if (pmmr.unspentCount() !== want) {
      throw missing(`${want - pmmr.unspentCount()} leaves that are spent here and should not be`);
    }
  }

  /** What is already there must be what the segment says; it would not be overwritten. */
  #checkPresent(segment: Segment): void {
    const pmmr = this.#pmmr;
    for (const { pos0, hash } of segment.hashes) checkSame(pos0, pmmr.hashAt(pos0), hash);
    for (const { pos0, record } of segment.leaves) checkSame(pos0, pmmr.recordAt(pos0), record);
  }

  /**
   * Appends leaves and pruned roots in the order of positions. An inner hash is a pruned root exactly when its position has
   * not come into being once everything before it is appended.
   */
  #write(segment: Segment): void {
    const pmmr = this.#pmmr;
    const elements: E[] = [];
    for (const node of byPosition(segment)) {
      const size = leafPosition(pmmr.leafCount + elements.length);
      if (node.pos0 < size) continue;
      if ("record" in node) {
        elements.push(pmmr.codec.load(node.record));
        continue;
      }
      pmmr.pushMany(elements.splice(0));
      const begin = leftmostLeaf(node.pos0);
      if (begin < pmmr.size) pmmr.rewind(begin);
      pmmr.pushPrunedSubtree(node.hash, node.pos0);
    }
    pmmr.pushMany(elements);
  }

  #spend(leaves: readonly SegmentLeaf[], unspent: IndexSet): void {
    for (const { pos0 } of leaves) {
      if (!unspent.has(leafCount(pos0)) && this.#pmmr.isUnspent(pos0)) this.#pmmr.prune(pos0);
    }
  }
}

/** @yields hashes and leaves, ascending by position */
function* byPosition(segment: Segment): Generator<SegmentHash | SegmentLeaf, void, undefined> {
  let leaf = 0;
  for (const hash of segment.hashes) {
    for (; leaf < segment.leaves.length; leaf++) {
      const next = segment.leaves[leaf] as SegmentLeaf;
      if (hash.pos0 < next.pos0) break;
      yield next;
    }
    yield hash;
  }
  yield* segment.leaves.slice(leaf);
}

function checkSame(pos0: number, present: Uint8Array | undefined, given: Uint8Array): void {
  if (present === undefined) return;
  if (present.length !== given.length || !equalBytes(present, given)) {
    throw new PmmrError(
      "PMMR_ROOT_MISMATCH",
      `the range holds another node at ${pos0} than the root commits to`,
    );
  }
}

function outOfTurn({ height, index }: SegmentId, why: string): PmmrError {
  return new PmmrError("PMMR_OUT_OF_RANGE", `segment ${index} of height ${height}: ${why}`);
}

function missing(what: string): PmmrError {
  return new PmmrError("PMMR_SEGMENT_MISSING", `the range lacks ${what}`);
}
