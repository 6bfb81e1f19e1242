import { equalBytes } from "@x/hash";
import type { PmmrReader } from "./backend.ts";
import type { ElementCodec } from "./codec.ts";
import { PmmrError } from "./errors.ts";
import { grinHashing } from "./fast-hashing.ts";
import { bagPeaks, type MmrHashing } from "./hashing.ts";
import { checkCount, familyBranch, isLeaf, leafCount, leafPosition, peaks } from "./position.ts";
import type { MerkleProof } from "./proof.ts";
import {
  type ValidateOptions,
  type ValidateSource,
  validateNodes,
  type ValidationReport,
} from "./validate.ts";
import { rootOfPath } from "./verify/verify.ts";

/** What every view takes besides its backend. */
export interface ViewOptions {
  /** How nodes are hashed. Must be the rule the backend was written with. Default: Grin's with BLAKE2b-256. */
  readonly hashing?: MmrHashing;
}

/** An unspent leaf as a view finds it. */
export interface LeafEntry<S> {
  readonly pos0: number;
  readonly element: S;
}

/** Counts of a view. */
export interface PmmrStats {
  /** Nodes, pruned ones included. */
  readonly size: number;
  readonly leafCount: number;
  /** Leaves not spent; all of them where leaves cannot be spent. */
  readonly unspentCount: number;
  readonly peakCount: number;
}

/**
 * The reads that every view of a mountain range has. A view sees the first `size` nodes of its backend and nothing beyond.
 *
 * Positions count all nodes from 0; one that is not an integer from 0 to 2^53 - 1 is refused with RangeError. Every byte
 * array that is returned is fresh. A read from a view that another writer made stale throws PMMR_STALE_VIEW.
 */
export abstract class PmmrView<E, S = E> {
  readonly hashing: MmrHashing;
  readonly #reader: PmmrReader<E, S>;

  constructor(reader: PmmrReader<E, S>, options: ViewOptions) {
    this.#reader = reader;
    this.hashing = options.hashing ?? grinHashing();
  }

  /** Nodes in the view, pruned ones included: a valid size. (The original's `unpruned_size`.) */
  abstract get size(): number;

  /** Backend's epoch that the view belongs to. */
  protected abstract get epoch(): number;

  get codec(): ElementCodec<E, S> {
    return this.#reader.codec;
  }

  /** Whether leaves can be spent and subtrees compacted. */
  get prunable(): boolean {
    return this.#reader.prunable;
  }

  /** Whether hashes alone are kept, so that no record can be read. */
  get hashOnly(): boolean {
    return this.#reader.hashOnly ?? false;
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Leaves in the view, spent ones included. */
  get leafCount(): number {
    return leafCount(this.size);
  }

  /**
   * Hash of a node; `undefined` at or beyond the end, for a spent leaf, and for what was compacted away. Inner nodes keep
   * theirs when all leaves below are spent. (The original's `get_hash`.)
   */
  hash(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    const reader = this.#fresh();
    if (this.prunable && isLeaf(pos0) && !reader.isUnspent(pos0)) return undefined;
    return this.hashAt(pos0);
  }

  /** Hash of a node, spent or not; `undefined` at or beyond the end and when compacted away. (`get_from_file`.) */
  hashAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    const reader = this.#fresh();
    const hash = reader.hashAt(pos0);
    return pos0 < this.size ? hash : undefined;
  }

  /**
   * The unspent element at `pos0`; `undefined` at or beyond the end, for a spent leaf and for an inner node. (`get_data`.)
   *
   * @throws PmmrError PMMR_DAMAGED if the record is there and cannot be read
   */
  element(pos0: number): S | undefined {
    return this.#fresh().isUnspent(pos0) ? this.storedElement(pos0) : undefined;
  }

  /** The element at `pos0`, spent or not, unless it was compacted away. (`get_data_from_file`.) */
  storedElement(pos0: number): S | undefined {
    const record = this.recordAt(pos0);
    return record === undefined ? undefined : loadRecord(this.codec, pos0, record);
  }

  /** The stored bytes of the element at `pos0`, spent or not, unless they were compacted away. */
  recordAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    const reader = this.#fresh();
    const record = reader.recordAt(pos0);
    return pos0 < this.size ? record : undefined;
  }

  /** Whether `pos0` is an unspent leaf of the view. */
  isUnspent(pos0: number): boolean {
    return this.#fresh().isUnspent(pos0) && pos0 < this.size;
  }

  /** Whether `pos0` is the root of a compacted subtree, or lies below one. */
  isCompacted(pos0: number): boolean {
    return this.#fresh().isCompacted(pos0) && pos0 < this.size;
  }

  /**
   * Hashes of the peaks from left to right.
   *
   * @throws PmmrError PMMR_COMPACTED or PMMR_MISSING_HASH if one is not stored; none is dropped silently
   */
  peaks(): Uint8Array<ArrayBuffer>[] {
    return peaks(this.size).map((pos0) => this.#mustHash(pos0));
  }

  /**
   * The root: of an empty range the rule's empty root, of others the bagged peaks.
   *
   * @throws PmmrError PMMR_COMPACTED or PMMR_MISSING_HASH if a peak is not stored
   */
  root(): Uint8Array<ArrayBuffer> {
    return bagPeaks(this.hashing, this.size, this.peaks());
  }

  /** Bag of all peaks to the right of `pos0`, or `undefined` if there is none. (`bag_the_rhs`.) */
  bagRightOf(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    this.#fresh();
    const right = peaks(this.size).filter((peak) => pos0 < peak);
    if (right.length === 0) return undefined;
    return bagPeaks(
      this.hashing,
      this.size,
      right.map((peak) => this.#mustHash(peak)),
    );
  }

  /**
   * What leads from a peak to the root: the bag of the peaks to its right if there are any, then the peaks to its left from
   * right to left. (`peak_path`.)
   */
  peakPath(peakPos0: number): Uint8Array<ArrayBuffer>[] {
    const bag = this.bagRightOf(peakPos0);
    const left = peaks(this.size).filter((peak) => peak < peakPos0);
    const path = left.toReversed().map((peak) => this.#mustHash(peak));
    return bag === undefined ? path : [bag, ...path];
  }

  /**
   * Proves that an unspent leaf belongs to the root of this view. O(log n) reads and hashes.
   *
   * @param options - `recheck`: hash the proof up to the root before handing it out, so that damage in the store is found
   *   here and not by the receiver. Default: false
   * @throws RangeError if `pos0` is not a leaf of the view
   * @throws PmmrError PMMR_PRUNED if the leaf is spent, PMMR_COMPACTED or PMMR_MISSING_HASH if a hash that the proof needs is not
   *   stored, PMMR_DAMAGED if the recheck fails
   */
  merkleProof(pos0: number, options: { readonly recheck?: boolean } = {}): MerkleProof {
    const { size } = this;
    if (!isLeaf(pos0) || size <= pos0) {
      throw new RangeError(`position ${pos0} is not a leaf below ${size}`);
    }
    if (!this.isUnspent(pos0)) {
      throw new PmmrError("PMMR_PRUNED", `leaf at position ${pos0} is spent`);
    }
    const branch = familyBranch(pos0, size);
    const top = branch.at(-1)?.parent ?? pos0;
    const siblings = branch.map(({ sibling }) => this.#mustHash(sibling));
    const proof: MerkleProof = { size, path: [...siblings, ...this.peakPath(top)] };
    if (options.recheck === true) {
      const root = rootOfPath(this.hashing, pos0, size, this.#mustHash(pos0), proof.path);
      if (!equalBytes(root, this.root())) {
        throw new PmmrError("PMMR_DAMAGED", `hashes above the leaf at position ${pos0} disagree`);
      }
    }
    return proof;
  }

  /** Leaves not spent. (`n_unpruned_leaves`.) */
  unspentCount(): number {
    return this.unspentCountTo(this.leafCount);
  }

  /** Unspent leaves whose leaf index is below `indexEnd`. (`n_unpruned_leaves_to_index`.) */
  unspentCountTo(indexEnd: number): number {
    checkCount(indexEnd, "indexEnd");
    return this.#fresh().unspentCount(Math.min(indexEnd, this.leafCount));
  }

  /**
   * Leaf indexes of unspent leaves in `[begin, end)`, ascending, as of each step. Ends at the view's end; throws
   * PMMR_STALE_VIEW when the backend was rewound, discarded or compacted since the call, even if nothing was left to give. (`leaf_idx_iter`.)
   *
   * @param begin - default 0
   * @param end - default: all
   */
  unspentIndexes(begin = 0, end: number = this.leafCount): IterableIterator<number> {
    checkCount(begin, "begin");
    checkCount(end, "end");
    const reader = this.#fresh();
    return pinned(reader, reader.epoch, begin, Math.min(end, this.leafCount));
  }

  /** Positions of unspent leaves, ascending; see {@link unspentIndexes}. (`leaf_pos_iter`.) */
  unspentPositions(): IterableIterator<number> {
    return positionsOf(this.unspentIndexes());
  }

  /**
   * Unspent elements in the order of insertion, a page at a time. (`elements_from_pmmr_index`, with all positions from 0.)
   *
   * @param query - `from`: position to begin at; `limit`: most elements to return; `end`: position to stop before, default
   *   the size of the view
   * @returns the elements, and the position to begin the next page at
   */
  elementsFrom(query: { readonly from: number; readonly limit: number; readonly end?: number }): {
    readonly next: number;
    readonly entries: LeafEntry<S>[];
  } {
    const { from, limit } = query;
    checkCount(from, "from");
    checkCount(limit, "limit");
    const end = Math.min(query.end ?? this.size, this.size);
    checkCount(end, "end");
    const entries: LeafEntry<S>[] = [];
    if (limit === 0 || end <= from) return { next: from, entries };
    for (const index of this.unspentIndexes(leafCount(from), leafCount(end))) {
      const pos0 = leafPosition(index);
      const element = this.storedElement(pos0);
      if (element !== undefined) entries.push({ pos0, element });
      if (entries.length === limit) return { next: pos0 + 1, entries };
    }
    return { next: end, entries };
  }

  /**
   * The unspent leaves inserted last, newest first. (`get_last_n_insertions`.) O(limit + log² n) reads.
   *
   * @param limit - most leaves to return
   */
  lastInsertions(limit: number): (LeafEntry<S> & { readonly hash: Uint8Array<ArrayBuffer> })[] {
    checkCount(limit, "limit");
    const skipped = Math.max(0, this.unspentCount() - limit);
    const found: (LeafEntry<S> & { readonly hash: Uint8Array<ArrayBuffer> })[] = [];
    if (limit === 0) return found;
    for (const index of this.unspentIndexes(this.#indexAfter(skipped))) {
      const pos0 = leafPosition(index);
      const element = this.storedElement(pos0);
      const hash = this.hashAt(pos0);
      if (element !== undefined && hash !== undefined) found.push({ pos0, hash, element });
    }
    return found.toReversed();
  }

  /** Counts of the view. (`dump_stats`, which prints them.) */
  stats(): PmmrStats {
    return {
      size: this.size,
      leafCount: this.leafCount,
      unspentCount: this.unspentCount(),
      peakCount: peaks(this.size).length,
    };
  }

  /**
   * Recomputes every stored hash from what it was made of: inner nodes from their children, leaves from their records. Every
   * position is looked at once, in packs; memory does not grow with the size. See {@link ValidateOptions}.
   *
   * @returns what was checked
   * @throws PmmrError PMMR_DAMAGED naming the first bad position, unless `onDamage` is given; PMMR_ABORTED; PMMR_STALE_VIEW
   */
  async validate(options: ValidateOptions = {}): Promise<ValidationReport> {
    const reader = this.#fresh();
    const { epoch } = reader;
    const source: ValidateSource = {
      size: this.size,
      codec: this.codec,
      hashing: this.hashing,
      hashAt: (pos0) => this.hashAt(pos0),
      recordAt: (pos0) => this.recordAt(pos0),
      isCompacted: (pos0) => reader.isCompacted(pos0),
    };
    return validateNodes(source, this.hashOnly, {
      ...options,
      onProgress: async (progress) => {
        await options.onProgress?.(progress);
        // A writer's own view never goes stale, but what was walked so far may be gone.
        if (reader.epoch !== epoch) throw staleView();
      },
    });
  }

  /** The reader, after making sure that what it gives still belongs to this view. */
  #fresh(): PmmrReader<E, S> {
    if (this.#reader.epoch !== this.epoch || this.#reader.size < this.size) throw staleView();
    return this.#reader;
  }

  #mustHash(pos0: number): Uint8Array<ArrayBuffer> {
    const hash = this.hashAt(pos0);
    if (hash !== undefined) return hash;
    const code = this.#reader.isCompacted(pos0) ? "PMMR_COMPACTED" : "PMMR_MISSING_HASH";
    throw new PmmrError(code, `hash at position ${pos0} is not stored`);
  }

  /** The least leaf index with `count` unspent leaves below it. */
  #indexAfter(count: number): number {
    let low = 0;
    let high = this.leafCount;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.unspentCountTo(middle) < count) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Reads a stored record.
 *
 * @throws PmmrError PMMR_DAMAGED with the codec's error as cause
 */
export function loadRecord<S>(
  codec: { load(record: Uint8Array): S },
  pos0: number,
  record: Uint8Array,
): S {
  try {
    return codec.load(record);
  } catch (cause) {
    throw new PmmrError("PMMR_DAMAGED", `record of the leaf at position ${pos0} cannot be read`, {
      cause,
    });
  }
}

/** @yields leaf indexes, until the reader's nodes change */
function* pinned(
  reader: PmmrReader<unknown, unknown>,
  epoch: number,
  begin: number,
  end: number,
): Generator<number, void, undefined> {
  const indexes = reader.unspentIndexes(begin, end);
  try {
    for (;;) {
      const { done, value } = indexes.next();
      // Looked at before the end too: an iteration that was cut short must not look like a complete one.
      if (reader.epoch !== epoch) throw staleView();
      if (done === true) return;
      yield value;
    }
  } finally {
    indexes.return?.();
  }
}

/** @yields positions */
function* positionsOf(indexes: Iterable<number>): Generator<number, void, undefined> {
  for (const index of indexes) yield leafPosition(index);
}

function staleView(): PmmrError {
  return new PmmrError(
    "PMMR_STALE_VIEW",
    "the nodes of this view may have changed since it was made",
  );
}
