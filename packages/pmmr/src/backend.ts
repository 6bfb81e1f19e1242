import type { ElementCodec } from "./codec.ts";

/**
 * A set of unsigned 32-bit integers, as far as this package reads one. Bitmaps of `@x/bitmap` fit; so does anything with
 * these members.
 */
export interface IndexSet {
  readonly size: number;
  has(value: number): boolean;
  /** How many members are `<= value`. */
  rank(value: number): number;
}

/**
 * What a view of a mountain range reads: hashes by position, elements by leaf, and which leaves are spent.
 *
 * All positions are 0-based. Reads see everything appended so far, durable or not. Reads are synchronous. Every returned
 * byte array is fresh.
 */
export interface PmmrReader<E, S = E> {
  readonly codec: ElementCodec<E, S>;
  /** Whether leaves can be spent and subtrees compacted. */
  readonly prunable: boolean;
  /** Whether hashes alone are kept, so that no record can be read. Default: false. */
  readonly hashOnly?: boolean;
  /** Nodes, pruned ones included: also the position the next node will get. */
  readonly size: number;
  /** Grows whenever an existing node may have changed or gone (rewind, discard, compaction). */
  readonly epoch: number;

  /**
   * Hash of the node at `pos0`, whether or not its leaves are spent; `undefined` when it was compacted away or
   * `pos0 >= size`. (The original's `get_from_file`.)
   */
  hashAt(pos0: number): Uint8Array<ArrayBuffer> | undefined;
  /**
   * Stored record of the leaf at `pos0`, whether or not it is spent; `undefined` when no leaf, beyond the end, or compacted.
   * A compacted leaf that is itself the root of what was compacted keeps its record.
   */
  recordAt(pos0: number): Uint8Array<ArrayBuffer> | undefined;
  /** Whether `pos0` is an unspent leaf. Non-prunable: every leaf below `size` is. */
  isUnspent(pos0: number): boolean;
  /** Unspent leaves whose 0-based leaf index is below `indexEnd`. */
  unspentCount(indexEnd: number): number;
  /** 0-based leaf indexes of unspent leaves in `[indexBegin, indexEnd)`, ascending. Reads the state at each step. */
  unspentIndexes(indexBegin: number, indexEnd: number): IterableIterator<number>;
  /** Whether `pos0` is the root of a compacted (or appended as pruned) subtree, or lies below one. */
  isCompacted(pos0: number): boolean;
}

/**
 * What a mountain range needs from storage. A backend trusts its caller to pass consistent hashes; it checks positions
 * and ranges. A write that throws has changed nothing.
 */
export interface PmmrBackend<E, S = E> extends PmmrReader<E, S> {
  /**
   * Appends leaves and the parents they complete.
   *
   * @param records - stored forms, in leaf order; copied
   * @param hashes - 32 bytes per node, in position order, for exactly the nodes that these leaves add; copied
   * @throws PmmrError PMMR_CAPACITY when a position or record cannot be represented
   */
  append(records: readonly Uint8Array[], hashes: Uint8Array): void;
  /**
   * Appends a pruned subtree: its root becomes a pruned root, and everything strictly below it is absent.
   *
   * @param rootPos0 - root of the pruned subtree after rolling up with already pruned left siblings, of height 1 or more (a
   *   pruned leaf keeps its record, and here there is none); its leftmost descendant is `size`, or earlier where left siblings
   *   rolled up: then what was stored of those goes
   * @param hashes - 32 bytes per node, for `rootPos0` and the parents it completes, in position order
   */
  appendPruned(rootPos0: number, hashes: Uint8Array): void;
  /** Marks a leaf spent. Returns whether it was unspent. */
  spend(pos0: number): boolean;
  /**
   * Goes back to `size` nodes and marks `restored` unspent again. Roots of compacted subtrees that begin at or beyond `size`
   * are forgotten.
   *
   * @param size - a valid size, at most the current one
   * @param restored - 0-based positions of leaves below `size` that were spent after that size was current
   * @throws PmmrError PMMR_COMPACTED when a compacted subtree spans the new end, or a restored leaf is compacted
   */
  rewind(size: number, restored: Iterable<number>): void;
}
