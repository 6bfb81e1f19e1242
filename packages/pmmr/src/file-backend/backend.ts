import { AofError, type FileGroup } from "@x/append-only-file";
import type { Bitmap } from "@x/bitmap";
import { equalBytes } from "@x/hash";
import type { PmmrBackend } from "../backend.ts";
import { checkRecord, type ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import {
  heightOf,
  isLeaf,
  isValidSize,
  leafCount,
  leafIndexAt,
  leafPosition,
  leftmostLeaf,
  roundUpToLeaf,
} from "../position.ts";
import { HASH_SIZE } from "../wire.ts";
import { type CompactOptions, RangeCommits } from "./commits.ts";
import type { FolderShape } from "./folder.ts";
import { DATA_FILE } from "./names.ts";
import { POSITION1_MAX, type PruneList } from "./prune-list.ts";
import { checkPosition, required, StoredRange } from "./stored-range.ts";

/** What a backend needs to know about its files. */
export interface BackendShape<E, S> extends FolderShape {
  readonly codec: ElementCodec<E, S>;
  /** Whether every record that is read is compared with its hash. */
  readonly checkReads: boolean;
}

/** What the files hold when a backend is made over them. */
export interface LoadedState {
  /** 1-based positions; empty where the range is not prunable. */
  readonly unspent: Bitmap;
  readonly prune: PruneList;
  /** Whether there is no file of pruned roots yet, as in folders of old versions of Grin: the next commit makes one. */
  readonly lacksPruneFile: boolean;
}

/**
 * Storage of a mountain range in the files of a group, committed as a whole.
 *
 * This is the guard: every write is checked before it changes anything. What is where is the business of {@link StoredRange}, what
 * becomes durable when that of {@link RangeCommits}.
 */
export class PmmrFileBackend<E, S = E> implements PmmrBackend<E, S> {
  readonly codec: ElementCodec<E, S>;
  readonly prunable: boolean;
  readonly #group: FileGroup;
  readonly #shape: BackendShape<E, S>;
  readonly #range: StoredRange;
  readonly #commits: RangeCommits;

  /**
   * @param group - open, with the append files hash, data and (variable size) sizes; nothing pending
   * @param state - belongs to the backend from now on
   */
  constructor(group: FileGroup, shape: BackendShape<E, S>, state: LoadedState) {
    this.#group = group;
    this.codec = shape.codec;
    this.prunable = shape.prunable;
    this.#shape = shape;
    this.#range = new StoredRange(group.files, shape, state.unspent, state.prune);
    this.#commits = new RangeCommits(group, this.#range, shape, state.lacksPruneFile);
  }

  get size(): number {
    return this.#range.size;
  }

  get epoch(): number {
    return this.#commits.epoch;
  }

  /** Whether anything was written since the last commit. */
  get isDirty(): boolean {
    return this.#commits.isDirty;
  }

  /** Whether a commit was called that has not settled yet. */
  get hasCommitInFlight(): boolean {
    return this.#commits.areInFlight;
  }

  /** The range below: for counting and copying. Reads of it are not guarded; nobody else writes to it. */
  get stored(): Pick<StoredRange, "hashCount" | "recordCount" | "prune"> {
    return this.#range;
  }

  hashAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    checkPosition(pos0);
    this.#commits.follow();
    return this.#range.hashAt(pos0);
  }

  recordAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    this.#commits.follow();
    const record = this.#range.recordAt(pos0);
    if (record !== undefined && this.#shape.checkReads) this.#checkStored(pos0, record);
    return record;
  }

  isUnspent(pos0: number): boolean {
    this.#checkReadable();
    checkPosition(pos0);
    if (pos0 >= this.size) return false;
    return this.prunable ? this.#range.unspent.has(pos0) : isLeaf(pos0);
  }

  unspentCount(indexEnd: number): number {
    this.#checkReadable();
    const end = Math.min(indexEnd, leafCount(this.size));
    return this.prunable ? this.#range.unspent.countBelow(leafPosition(end)) : end;
  }

  *unspentIndexes(indexBegin: number, indexEnd: number): Generator<number, void, undefined> {
    for (let index = indexBegin; ; index++) {
      this.#checkReadable();
      const next = this.prunable ? this.#nextUnspent(index) : index;
      if (next === undefined || Math.min(indexEnd, leafCount(this.size)) <= next) return;
      yield next;
      index = next;
    }
  }

  isCompacted(pos0: number): boolean {
    this.#checkReadable();
    checkPosition(pos0);
    this.#commits.follow();
    return this.#range.prune.isPruned(pos0);
  }

  append(records: readonly Uint8Array[], hashes: Uint8Array): void {
    this.requireWritable();
    const size = leafPosition(leafCount(this.size) + records.length);
    this.#checkGrowth(size, hashes, size - this.size);
    for (const record of records) checkRecord(record, this.codec.recordSize);
    if (records.length === 0) return;
    this.#range.append(records, hashes);
    this.#commits.noteWrite();
  }

  appendPruned(rootPos0: number, hashes: Uint8Array): void {
    this.requireWritable();
    this.#requirePrunable();
    checkPosition(rootPos0);
    if (heightOf(rootPos0) === 0) throw new RangeError("a pruned leaf has no record to keep");
    this.#checkGrowth(roundUpToLeaf(rootPos0 + 1), hashes, roundUpToLeaf(rootPos0 + 1) - rootPos0);
    this.#range.prune.partPushed(rootPos0, this.size);
    this.#commits.noteWrite(leftmostLeaf(rootPos0) < this.size);
    this.#range.appendPruned(rootPos0, hashes);
  }

  spend(pos0: number): boolean {
    this.requireWritable();
    this.#requirePrunable();
    if (!isLeaf(pos0)) throw new RangeError(`position ${pos0} is not a leaf`);
    if (pos0 >= this.size || !this.#range.unspent.delete(pos0)) return false;
    this.#commits.noteWrite();
    return true;
  }

  rewind(size: number, restored: Iterable<number>): void {
    if (!isValidSize(size)) throw new RangeError(`${size} is not a valid size`);
    if (this.size < size) throw new RangeError(`cannot rewind from ${this.size} to ${size}`);
    const leaves = [...restored];
    for (const pos0 of leaves) this.#checkRestored(pos0, size);
    this.requireWritable();
    const root = this.#range.prune.spanning(size);
    if (root !== undefined) {
      throw new PmmrError(
        "PMMR_COMPACTED",
        `size ${size} lies inside the compacted subtree at position ${root}`,
      );
    }
    if (size < this.size) {
      this.#range.rewind(size);
      this.#commits.noteWrite(true);
    }
    for (const pos0 of leaves) if (this.#range.unspent.add(pos0)) this.#commits.noteWrite();
  }

  /** As {@link RangeCommits.requireWritable}. */
  requireWritable(): void {
    this.#commits.requireWritable();
  }

  /** Root of the state as it is; O(log n) reads and hashes. */
  root(): Uint8Array<ArrayBuffer> {
    this.#commits.follow();
    return this.#range.root(this.#shape.hashing);
  }

  /** The leaf set as it is, in 1-based positions; a copy. */
  unspentSet(): Bitmap {
    return this.#range.unspent.freeze();
  }

  /** The roots as they are; a copy. */
  pruneList(): PruneList {
    this.#commits.follow();
    return this.#range.prune.clone();
  }

  /** Replaces the leaf set by one whose entries were checked. */
  replaceUnspent(unspent: Bitmap): void {
    this.requireWritable();
    this.#requirePrunable();
    this.#commits.noteWrite();
    this.#range.unspent.replace(unspent);
  }

  /** As {@link RangeCommits.commit}. */
  async commit(sync: boolean): Promise<void> {
    return this.#commits.commit(sync);
  }

  /** As {@link RangeCommits.discard}. */
  discard(): void {
    this.#commits.discard();
  }

  /**
   * As {@link RangeCommits.compact}.
   *
   * @throws PmmrError PMMR_NOT_PRUNABLE
   */
  async compact(options: CompactOptions = {}): Promise<void> {
    this.requireWritable();
    this.#requirePrunable();
    return this.#commits.compact(options);
  }

  /** Index of the first unspent leaf that is not before leaf `index`. */
  #nextUnspent(index: number): number | undefined {
    const begin = leafPosition(index);
    const pos0 = begin < POSITION1_MAX ? this.#range.unspent.next(begin) : undefined;
    return pos0 === undefined ? undefined : leafIndexAt(pos0);
  }

  #checkStored(pos0: number, record: Uint8Array): void {
    const made = this.#shape.hashRecord?.(pos0, record);
    if (made === undefined || equalBytes(made, required(this.hashAt(pos0)))) return;
    const message = `record of the leaf at position ${pos0 + 1} does not make its hash`;
    const position1 = pos0 + 1;
    const problem = { kind: "record" as const, file: DATA_FILE, position1, message };
    throw new PmmrError("PMMR_DAMAGED", message, { problems: [problem] });
  }

  #checkRestored(pos0: number, size: number): void {
    this.#requirePrunable();
    if (!isLeaf(pos0) || size <= pos0) {
      throw new RangeError(`position ${pos0} is not a leaf below ${size}`);
    }
    if (this.#range.prune.isPruned(pos0)) {
      throw new PmmrError("PMMR_COMPACTED", `leaf at position ${pos0} is compacted`);
    }
  }

  #checkGrowth(size: number, hashes: Uint8Array, count: number): void {
    if (hashes.length !== count * HASH_SIZE) {
      throw new RangeError(`${count} nodes want ${count * HASH_SIZE} bytes, got ${hashes.length}`);
    }
    if (this.prunable && POSITION1_MAX < size) {
      throw new PmmrError("PMMR_CAPACITY", `a prunable range cannot hold ${size} nodes`);
    }
  }

  #checkReadable(): void {
    if (this.#group.state === "closed") throw new AofError("AOF_CLOSED", "the range is closed");
  }

  #requirePrunable(): void {
    if (!this.prunable) throw new PmmrError("PMMR_NOT_PRUNABLE", "the range is not prunable");
  }
}
