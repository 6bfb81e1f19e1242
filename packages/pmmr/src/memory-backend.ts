import type { PmmrBackend } from "./backend.ts";
import { checkRecord, type ElementCodec } from "./codec.ts";
import { PmmrError } from "./errors.ts";
import { type PositionSet, rootsAfterCompaction } from "./file-backend/compaction.ts";
import { absentLeaves, POSITION1_MAX, PruneList } from "./file-backend/prune-list.ts";
import { LeafPages } from "./leaf-pages.ts";
import { Pages } from "./pages.ts";
import {
  checkCount,
  heightOf,
  isValidSize,
  leafCount,
  leafIndexAt,
  leafPosition,
  leftmostLeaf,
  roundUpToLeaf,
} from "./position.ts";
import { HASH_SIZE } from "./wire.ts";

/** What {@link MemoryBackend} takes. */
export interface MemoryBackendOptions<E, S> {
  readonly codec: ElementCodec<E, S>;
  /** Whether leaves can be spent and subtrees compacted. Default: false. */
  readonly prunable?: boolean;
  /** Keep hashes alone: no record can be read back. Default: false. */
  readonly hashOnly?: boolean;
}

/** Hashes in one page. */
const PAGE_HASHES = 1024;

/** What {@link MemoryBackend.commit} keeps. */
interface Committed {
  readonly size: number;
  readonly hashes: ReturnType<Pages<Uint8Array>["snapshot"]>;
  readonly leaves: ReturnType<LeafPages["snapshot"]>;
  readonly pruned: PruneList;
}

/**
 * Storage of a mountain range in memory: the reference for every other backend, and enough where nothing has to survive.
 *
 * Invariants
 * 1. A hash is present exactly when its position is below `size` and not strictly below a pruned root.
 * 2. A leaf is unspent only if it is below `size` and neither a pruned root nor below one.
 * 3. A record is present exactly when its leaf's hash is, unless hashes alone are kept.
 *
 * Compaction gives back the memory of records at once, and that of hashes in pages of 1024 neighbours.
 */
export class MemoryBackend<E, S = E> implements PmmrBackend<E, S> {
  readonly codec: ElementCodec<E, S>;
  readonly prunable: boolean;
  readonly hashOnly: boolean;
  #size = 0;
  #epoch = 0;
  readonly #hashes = new Pages<Uint8Array>(
    () => new Uint8Array(PAGE_HASHES * HASH_SIZE),
    (page) => new Uint8Array(page),
  );
  readonly #leaves = new LeafPages();
  #pruned = new PruneList();
  #committed: Committed;

  constructor(options: MemoryBackendOptions<E, S>) {
    this.codec = options.codec;
    this.prunable = options.prunable ?? false;
    this.hashOnly = options.hashOnly ?? false;
    this.#committed = this.#capture();
  }

  get size(): number {
    return this.#size;
  }

  get epoch(): number {
    return this.#epoch;
  }

  hashAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    checkCount(pos0, "pos0");
    if (pos0 >= this.#size || this.#pruned.isBelowRoot(pos0)) return undefined;
    const page = this.#hashes.read(Math.floor(pos0 / PAGE_HASHES));
    const offset = (pos0 % PAGE_HASHES) * HASH_SIZE;
    return page === undefined
      ? undefined
      : new Uint8Array(page.subarray(offset, offset + HASH_SIZE));
  }

  recordAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    const index = leafIndexAt(pos0);
    if (index === undefined || pos0 >= this.#size) return undefined;
    const record = this.#leaves.record(index);
    return record === undefined ? undefined : new Uint8Array(record);
  }

  isUnspent(pos0: number): boolean {
    const index = leafIndexAt(pos0);
    return index !== undefined && pos0 < this.#size && this.#leaves.isUnspent(index);
  }

  unspentCount(indexEnd: number): number {
    return this.#leaves.unspentCount(Math.min(indexEnd, leafCount(this.#size)));
  }

  unspentIndexes(indexBegin: number, indexEnd: number): IterableIterator<number> {
    return this.#leaves.unspentIndexes(indexBegin, indexEnd);
  }

  isCompacted(pos0: number): boolean {
    checkCount(pos0, "pos0");
    return this.#pruned.isPruned(pos0);
  }

  append(records: readonly Uint8Array[], hashes: Uint8Array): void {
    const indexBegin = leafCount(this.#size);
    const size = leafPosition(indexBegin + records.length);
    this.#checkGrowth(size, hashes, size - this.#size);
    for (const record of records) checkRecord(record, this.codec.recordSize);
    this.#writeHashes(this.#size, hashes);
    for (const [i, record] of records.entries()) {
      this.#leaves.set(indexBegin + i, this.hashOnly ? undefined : new Uint8Array(record));
    }
    this.#size = size;
  }

  appendPruned(rootPos0: number, hashes: Uint8Array): void {
    this.#requirePrunable();
    checkCount(rootPos0, "rootPos0");
    if (heightOf(rootPos0) === 0) throw new RangeError("a pruned leaf has no record to keep");
    const size = roundUpToLeaf(rootPos0 + 1);
    this.#checkGrowth(size, hashes, size - rootPos0);
    const pushed = this.#pruned.partPushed(rootPos0, this.#size);
    // Rolls up to `rootPos0` by itself, from the part that is not in the list yet.
    this.#pruned.append(pushed);
    this.#dropBelow(rootPos0);
    this.#writeHashes(rootPos0, hashes);
    if (leftmostLeaf(rootPos0) < this.#size) this.#epoch++;
    this.#size = size;
  }

  spend(pos0: number): boolean {
    this.#requirePrunable();
    const index = leafIndexAt(pos0);
    if (index === undefined) throw new RangeError(`position ${pos0} is not a leaf`);
    return pos0 < this.#size && this.#leaves.spend(index);
  }

  rewind(size: number, restored: Iterable<number>): void {
    if (!isValidSize(size)) throw new RangeError(`${size} is not a valid size`);
    if (this.#size < size) throw new RangeError(`cannot rewind from ${this.#size} to ${size}`);
    const indexes: number[] = [];
    for (const pos0 of restored) {
      this.#requirePrunable();
      const index = leafIndexAt(pos0);
      if (index === undefined || size <= pos0) {
        throw new RangeError(`position ${pos0} is not a leaf below ${size}`);
      }
      if (this.#pruned.isPruned(pos0)) {
        throw new PmmrError("PMMR_COMPACTED", `leaf at position ${pos0} is compacted`);
      }
      indexes.push(index);
    }
    this.#pruned.rewind(size);
    if (size < this.#size) this.#epoch++;
    this.#hashes.drop(Math.ceil(size / PAGE_HASHES), Infinity);
    this.#leaves.truncate(leafCount(size));
    this.#size = size;
    for (const index of indexes) this.#leaves.restore(index);
  }

  /**
   * Drops what spent leaves no longer need: everything strictly below the root of a subtree that is spent as a whole. Roots
   * of the range and proofs of unspent leaves do not change.
   *
   * @param options - `horizon`: only leaves at positions below it go; default: all. `restorable`: 0-based positions of
   *   leaves that a rewind may bring back, which stay; default: none
   * @throws PmmrError PMMR_NOT_PRUNABLE
   */
  compact(
    options: { readonly horizon?: number; readonly restorable?: Iterable<number> } = {},
  ): void {
    this.#requirePrunable();
    const horizon = options.horizon ?? this.#size;
    checkCount(horizon, "horizon");
    const restorable = new Set<number>();
    for (const pos0 of options.restorable ?? []) restorable.add(pos0 + 1);
    const unspent: PositionSet = { has: (pos1) => this.isUnspent(pos1 - 1) };
    const before = this.#pruned;
    this.#pruned = rootsAfterCompaction(before, this.#size, unspent, horizon, restorable);
    for (const root1 of this.#pruned.roots1()) {
      if (!before.isPruned(root1 - 1)) this.#dropBelow(root1 - 1);
    }
    this.#epoch++;
  }

  /** Makes the state now the one that {@link discard} goes back to. */
  commit(): void {
    this.#committed = this.#capture();
  }

  /** Goes back to the last commit, or to the empty range before the first: spent leaves and pruned roots included. */
  discard(): void {
    const { size, hashes, leaves, pruned } = this.#committed;
    this.#hashes.restore(hashes);
    this.#leaves.restoreAll(leaves);
    this.#pruned = pruned.clone();
    this.#size = size;
    this.#epoch++;
  }

  #capture(): Committed {
    return {
      size: this.#size,
      hashes: this.#hashes.snapshot(),
      leaves: this.#leaves.snapshot(),
      pruned: this.#pruned.clone(),
    };
  }

  #writeHashes(pos0: number, hashes: Uint8Array): void {
    for (let offset = 0; offset < hashes.length;) {
      const position = pos0 + offset / HASH_SIZE;
      const at = (position % PAGE_HASHES) * HASH_SIZE;
      const length = Math.min(PAGE_HASHES * HASH_SIZE - at, hashes.length - offset);
      const page = this.#hashes.write(Math.floor(position / PAGE_HASHES));
      page.set(hashes.subarray(offset, offset + length), at);
      offset += length;
    }
  }

  /** Gives back what is stored strictly below a root. Pages at either end stay, for what else they hold. */
  #dropBelow(root: number): void {
    const absent = absentLeaves(root);
    this.#leaves.drop(absent.begin, Math.min(absent.end, leafCount(this.#size)));
    const pageBegin = Math.ceil(leftmostLeaf(root) / PAGE_HASHES);
    const pageEnd = Math.floor(root / PAGE_HASHES);
    if (pageBegin < pageEnd) this.#hashes.drop(pageBegin, pageEnd);
  }

  #checkGrowth(size: number, hashes: Uint8Array, count: number): void {
    if (hashes.length !== count * HASH_SIZE) {
      throw new RangeError(`${count} nodes want ${count * HASH_SIZE} bytes, got ${hashes.length}`);
    }
    if (this.prunable && POSITION1_MAX < size) {
      throw new PmmrError("PMMR_CAPACITY", `a prunable range cannot hold ${size} nodes`);
    }
  }

  #requirePrunable(): void {
    if (!this.prunable) throw new PmmrError("PMMR_NOT_PRUNABLE", "the range is not prunable");
  }
}
