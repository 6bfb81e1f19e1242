import { Bitmap } from "@x/bitmap";
import { equalBytes } from "@x/hash";
import {
  AofError,
  type BlobContent,
  type FileGroup,
  FixedRecords,
  type GroupFile,
  type RewritePlan,
  VariableRecords,
} from "@x/append-only-file";
import type { PmmrBackend } from "../backend.ts";
import { checkRecord, type ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import { bagPeaks, type MmrHashing } from "../hashing.ts";
import {
  family,
  heightOf,
  isLeaf,
  isValidSize,
  leafCount,
  leafIndexAt,
  leafPosition,
  leftmostLeaf,
  peaks,
  roundUpToLeaf,
} from "../position.ts";
import { type LongOptions, throwIfAborted } from "../progress.ts";
import { HASH_SIZE } from "../wire.ts";
import { keptHashes, keptRecords, type RecordRange, rootsAfterCompaction } from "./compaction.ts";
import { encodeSetDelta, type SetDelta } from "./delta.ts";
import type { FolderShape } from "./folder.ts";
import { type ElementFile, FixedElementFile, VariableElementFile } from "./element-file.ts";
import { DATA_FILE } from "./names.ts";
import { LeafSet } from "./leaf-set.ts";
import { POSITION1_MAX, type PruneList } from "./prune-list.ts";
import { encodeStateMeta } from "./state-meta.ts";

/** What a compaction takes. Progress counts bytes written. */
export interface CompactOptions extends LongOptions {
  /** Only leaves at positions below it are pruned. Default: all. */
  readonly horizon?: number;
  /** 0-based positions of leaves that a rewind may bring back: they stay. Default: none. */
  readonly restorable?: Iterable<number>;
}

/** What a backend needs to know about its files. */
export interface BackendShape<E, S> extends Pick<
  FolderShape,
  "prunable" | "hashing" | "hashRecord"
> {
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

/** A state that a commit sealed, kept until a later one is sure to stand. */
interface SealedState {
  /** Number of its commit. */
  readonly sequence: number;
  readonly unspent: Bitmap;
  readonly prune: PruneList;
}

/**
 * Storage of a mountain range in the files of a group: hashes, records, and for prunable ranges two bitmaps.
 *
 * Invariants
 * 1. `size` is the number of hash records plus the roots' total shift, and the number of element records follows from it.
 * 2. The record of a stored hash is its position less the shift there; of a stored element, its leaf index less the leaf shift.
 * 3. The leaf set holds leaves below `size` only, none of them pruned.
 * 4. What the group holds at a commit call and what the bitmaps hold then are sealed together: meta, both deltas, all files.
 * 5. A write checks everything before it changes anything.
 */
export class PmmrFileBackend<E, S = E> implements PmmrBackend<E, S> {
  readonly codec: ElementCodec<E, S>;
  readonly prunable: boolean;
  readonly #group: FileGroup;
  readonly #hashing: MmrHashing;
  readonly #hashRecord: FolderShape["hashRecord"];
  readonly #hashes: GroupFile;
  readonly #elements: ElementFile;
  readonly #unspent: LeafSet;
  #prune: PruneList;
  /** States that may be gone back to, oldest first; the last is that of the last commit call. */
  #sealed: SealedState[];
  #lacksPruneFile: boolean;
  #size: number;
  #epoch = 0;
  /** Whether anything was written since the last commit. */
  #isDirty = false;
  #isCompacting = false;
  /**
   * While a compaction runs: takes over its roots at the moment when the group goes on with the new files. The group tells by
   * their size, at once; its promise is heard of a little later, and reads in between must not mix old and new.
   */
  #afterSwitch: (() => void) | undefined;

  /**
   * @param group - open, with the append files hash, data and (variable size) sizes; nothing pending
   * @param state - belongs to the backend from now on
   */
  constructor(group: FileGroup, shape: BackendShape<E, S>, state: LoadedState) {
    this.#group = group;
    this.codec = shape.codec;
    this.prunable = shape.prunable;
    this.#hashing = shape.hashing;
    this.#hashRecord = shape.checkReads ? shape.hashRecord : undefined;
    const [hashes, data, sizes] = group.files;
    if (hashes === undefined || data === undefined) throw new RangeError("a file is missing");
    this.#hashes = hashes;
    this.#elements =
      shape.codec.recordSize === undefined
        ? new VariableElementFile(new VariableRecords(data, required(sizes)))
        : new FixedElementFile(new FixedRecords(data, shape.codec.recordSize));
    this.#unspent = new LeafSet(state.unspent);
    this.#prune = state.prune;
    this.#lacksPruneFile = state.lacksPruneFile;
    this.#size = this.#hashes.size / HASH_SIZE + state.prune.totalShift;
    const unspent = this.#unspent.freeze();
    this.#sealed = [{ sequence: group.sequence, unspent, prune: this.#prune.clone() }];
  }

  get size(): number {
    return this.#size;
  }

  get epoch(): number {
    this.#afterSwitch?.();
    return this.#epoch;
  }

  /** Whether anything was written since the last commit. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** Roots of pruned subtrees. */
  get prunedRootCount(): number {
    return this.#prune.count;
  }

  /** Hash records stored. */
  get hashCount(): number {
    return this.#hashes.size / HASH_SIZE;
  }

  /** Element records stored. */
  get recordCount(): number {
    return this.#elements.count;
  }

  hashAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    checkPosition(pos0);
    if (pos0 >= this.#size) return undefined;
    this.#afterSwitch?.();
    const record = this.#prune.hashRecord(pos0);
    return record === undefined ? undefined : this.#hashes.read(HASH_SIZE * record, HASH_SIZE);
  }

  recordAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    const index = leafIndexAt(pos0);
    if (index === undefined || pos0 >= this.#size) return undefined;
    this.#afterSwitch?.();
    const number = this.#prune.elementRecord(pos0, index);
    if (number === undefined) return undefined;
    const record = this.#elements.read(number);
    if (this.#hashRecord !== undefined) this.#checkRecord(pos0, record, this.#hashRecord);
    return record;
  }

  isUnspent(pos0: number): boolean {
    this.#checkReadable();
    checkPosition(pos0);
    if (pos0 >= this.#size) return false;
    return this.prunable ? this.#unspent.has(pos0) : isLeaf(pos0);
  }

  unspentCount(indexEnd: number): number {
    this.#checkReadable();
    const end = Math.min(indexEnd, leafCount(this.#size));
    return this.prunable ? this.#unspent.countBelow(leafPosition(end)) : end;
  }

  *unspentIndexes(indexBegin: number, indexEnd: number): Generator<number, void, undefined> {
    if (!this.prunable) {
      for (let i = indexBegin; i < Math.min(indexEnd, leafCount(this.#size)); i++) yield i;
      return;
    }
    for (let begin = leafPosition(indexBegin); begin < POSITION1_MAX;) {
      this.#checkReadable();
      const pos0 = this.#unspent.next(begin);
      const index = pos0 === undefined ? undefined : leafIndexAt(pos0);
      if (pos0 === undefined || index === undefined || index >= indexEnd) return;
      yield index;
      begin = pos0 + 1;
    }
  }

  isCompacted(pos0: number): boolean {
    this.#checkReadable();
    checkPosition(pos0);
    this.#afterSwitch?.();
    return this.#prune.isPruned(pos0);
  }

  append(records: readonly Uint8Array[], hashes: Uint8Array): void {
    this.#checkWritable();
    const begin = leafCount(this.#size);
    const size = leafPosition(begin + records.length);
    this.#checkGrowth(size, hashes, size - this.#size);
    for (const record of records) checkRecord(record, this.codec.recordSize);
    if (records.length === 0) return;
    this.#isDirty = true;
    this.#appendBoth(records, hashes);
    this.#size = size;
    if (!this.prunable) return;
    for (let i = 0; i < records.length; i++) this.#unspent.add(leafPosition(begin + i));
  }

  appendPruned(rootPos0: number, hashes: Uint8Array): void {
    this.#checkWritable();
    this.#requirePrunable();
    checkPosition(rootPos0);
    if (heightOf(rootPos0) === 0) throw new RangeError("a pruned leaf has no record to keep");
    const size = roundUpToLeaf(rootPos0 + 1);
    this.#checkGrowth(size, hashes, size - rootPos0);
    const pushed = this.#pushedPart(rootPos0);
    if (pushed === undefined || this.#prune.isRoot(family(rootPos0).sibling)) {
      throw new RangeError(
        `pruned root ${rootPos0} does not continue a range of ${this.#size} nodes`,
      );
    }
    this.#isDirty = true;
    const leftmost = leftmostLeaf(rootPos0);
    if (leftmost < this.#size) {
      // The roots that roll up leave, and what is stored of them: their own hashes, and a record where one is a leaf.
      this.#rewindFiles(leftmost);
      this.#epoch++;
    }
    this.#prune.append(rootPos0);
    this.#hashes.append(hashes);
    this.#size = size;
  }

  spend(pos0: number): boolean {
    this.#checkWritable();
    this.#requirePrunable();
    if (!isLeaf(pos0)) throw new RangeError(`position ${pos0} is not a leaf`);
    if (pos0 >= this.#size || !this.#unspent.delete(pos0)) return false;
    this.#isDirty = true;
    return true;
  }

  rewind(size: number, restored: Iterable<number>): void {
    if (!isValidSize(size)) throw new RangeError(`${size} is not a valid size`);
    if (this.#size < size) throw new RangeError(`cannot rewind from ${this.#size} to ${size}`);
    const leaves = [...restored];
    for (const pos0 of leaves) this.#checkRestored(pos0, size);
    this.#checkWritable();
    const root = this.#prune.spanning(size);
    if (root !== undefined) {
      throw new PmmrError(
        "PMMR_COMPACTED",
        `size ${size} lies inside the compacted subtree at position ${root}`,
      );
    }
    if (size < this.#size) {
      this.#isDirty = true;
      this.#epoch++;
      this.#rewindFiles(size);
      this.#unspent.rewind(size);
      this.#size = size;
    }
    for (const pos0 of leaves) if (this.#unspent.add(pos0)) this.#isDirty = true;
  }

  /** Throws what a write would throw now: closed, poisoned, opened for reading, or compacting. */
  requireWritable(): void {
    this.#checkWritable();
  }

  /** Root of the state as it is; O(log n) reads and hashes. */
  root(): Uint8Array<ArrayBuffer> {
    const hashes = peaks(this.#size).map((pos0) => required(this.hashAt(pos0)));
    return bagPeaks(this.#hashing, this.#size, hashes);
  }

  /** The leaf set as it is, in 1-based positions; a copy. */
  unspentSet(): Bitmap {
    return this.#unspent.freeze();
  }

  /** The roots as they are; a copy. */
  pruneList(): PruneList {
    this.#afterSwitch?.();
    return this.#prune.clone();
  }

  /** Whether a commit was called that has not settled yet. */
  get hasCommitInFlight(): boolean {
    return this.#sealed.length > 1;
  }

  /** Replaces the leaf set by one whose entries were checked. */
  replaceUnspent(unspent: Bitmap): void {
    this.#checkWritable();
    this.#requirePrunable();
    this.#isDirty = true;
    this.#unspent.replace(unspent);
  }

  /**
   * Seals what was written so far into one atomic commit. Calls may overlap; they take effect in call order, and what is
   * written after a call belongs to the next.
   *
   * @param sync - whether the promise waits for the medium. Without it, the state survives the end of the process but perhaps
   *   not a power loss
   * @throws AofError when the state could not be stored: then everything since the last commit that was stored is gone from
   *   memory too, unless the group is poisoned
   */
  async commit(sync: boolean): Promise<void> {
    this.#checkWritable();
    if (!this.#isDirty) {
      if (sync) await this.#group.sync();
      return;
    }
    const meta = encodeStateMeta({ size: this.#size, root: this.root() });
    const before = this.#lastSealed();
    const unspentDelta = this.#unspent.takeDelta();
    const pruneDelta = this.#prune.takeDelta(before.prune);
    const unspent = hasChanges(unspentDelta) ? this.#unspent.freeze() : before.unspent;
    const prune = hasChanges(pruneDelta) ? this.#prune.clone() : before.prune;
    const pruneBlob = hasChanges(pruneDelta) || this.#lacksPruneFile ? pruneDelta : undefined;
    const blobs = [blobOf(pruneBlob, pruneContent(prune))];
    if (this.prunable) {
      const unspentBlob = hasChanges(unspentDelta) ? unspentDelta : undefined;
      blobs.unshift(blobOf(unspentBlob, () => unspent.serialize()));
    }
    const sequenceBefore = this.#group.sequence;
    const done = this.#group.commit({ meta, blobs, sync });
    // A call that was refused at once has no number.
    const { sequence } = this.#group;
    const isTaken = sequenceBefore < sequence;
    const state = { sequence: isTaken ? sequence : Number.POSITIVE_INFINITY, unspent, prune };
    this.#sealed.push(state);
    this.#isDirty = false;
    try {
      await done;
    } catch (error) {
      if (this.#group.state === "open") this.#takeBack(state);
      throw error;
    }
    this.#lacksPruneFile = false;
    // It stands, and so do all before it: none of the states before it can be gone back to any more.
    this.#sealed = this.#sealed.filter((one) => sequence <= one.sequence);
  }

  /** Forgets what was written since the last commit: appends, spends, rewinds, pruned subtrees. */
  discard(): void {
    this.#checkWritable();
    if (!this.#isDirty) return;
    this.#group.discard();
    this.#dropRejected();
    const state = this.#lastSealed();
    this.#unspent.restore(state.unspent);
    this.#prune = state.prune.clone();
    this.#size = this.hashCount + this.#prune.totalShift;
    this.#isDirty = false;
    this.#epoch++;
  }

  /**
   * Removes from the files what spent leaves no longer need, and prunes them for good. One commit, durable when it resolves;
   * linear in the files, flat in memory. Reads go on meanwhile; writes are refused with `PMMR_BUSY`.
   *
   * @throws TypeError if something was written since the last commit
   * @throws PmmrError PMMR_NOT_PRUNABLE, PMMR_BUSY, PMMR_ABORTED; after these nothing has changed
   */
  async compact(options: CompactOptions = {}): Promise<void> {
    this.#checkWritable();
    this.#requirePrunable();
    if (this.#isDirty) throw new TypeError("commit or discard before compacting");
    const horizon = options.horizon ?? this.#size;
    checkPosition(horizon);
    const restorable = new Bitmap();
    for (const pos0 of options.restorable ?? []) {
      checkPosition(pos0);
      if (pos0 < this.#size) restorable.add(pos0 + 1);
    }
    throwIfAborted(options.signal, 0, this.#size);
    this.#isCompacting = true;
    try {
      await this.#rewrite(horizon, restorable, options);
    } finally {
      this.#isCompacting = false;
      this.#afterSwitch = undefined;
    }
  }

  async #rewrite(horizon: number, restorable: Bitmap, options: CompactOptions): Promise<void> {
    const before = this.#prune;
    const size = this.#size;
    const unspent = this.unspentSet();
    const after = rootsAfterCompaction(before, size, unspent, horizon, restorable);
    const hashes = (): Iterable<RecordRange> => scaled(keptHashes(before, after, size));
    const records = (): Iterable<RecordRange> => keptRecords(before, after, size);
    const total = lengthOf(hashes()) + this.#elements.bytesOf(records());
    const hashSize = this.#hashes.size;
    let isSwitched = false;
    this.#afterSwitch = () => {
      if (isSwitched || this.#hashes.size === hashSize) return;
      isSwitched = true;
      this.#prune = after;
      this.#epoch++;
    };
    const progress = new Steps(options, total);
    await this.#rewriteGroup({
      files: [{ keep: hashes() }, ...this.#elements.rewrite(records)],
      blobs: [() => unspent.serialize(), pruneContent(after)],
      meta: this.#group.meta,
      onProgress: ({ bytesDone }) => progress.step(bytesDone),
    });
    // Where no hash went, no offset changed, and nobody could tell the difference until now.
    if (!isSwitched) this.#epoch++;
    isSwitched = true;
    this.#prune = after;
    this.#lacksPruneFile = false;
    this.#sealed = [{ sequence: this.#group.sequence, unspent, prune: after.clone() }];
    await progress.finish();
  }

  /** After a failure that left the group open, nothing has changed, and it may go on. */
  async #rewriteGroup(plan: RewritePlan): Promise<void> {
    try {
      await this.#group.rewrite(plan);
    } catch (error) {
      if (this.#group.state === "open" && !this.#isDirty) this.#group.resume();
      throw error;
    }
  }

  /** The state of the last commit that was not rejected. */
  #lastSealed(): SealedState {
    return required(this.#sealed.at(-1));
  }

  /** Forgets the states of commits that were rejected. */
  #dropRejected(): void {
    const { sequence } = this.#group;
    this.#sealed = this.#sealed.filter((one) => one.sequence <= sequence);
  }

  /** A commit was rejected: what it held is pending again, below what was written since. */
  #takeBack(state: SealedState): void {
    if (!this.#sealed.includes(state)) return;
    this.#dropRejected();
    this.#unspent.rebase(this.#lastSealed().unspent);
    this.#prune.rebase();
    this.#isDirty = true;
    this.#group.resume();
  }

  #checkRecord(
    pos0: number,
    record: Uint8Array,
    hashRecord: NonNullable<FolderShape["hashRecord"]>,
  ): void {
    const made = hashRecord(pos0, record);
    if (made === undefined || equalBytes(made, required(this.hashAt(pos0)))) return;
    const message = `record of the leaf at position ${pos0 + 1} does not make its hash`;
    const position1 = pos0 + 1;
    const problem = { kind: "record" as const, file: DATA_FILE, position1, message };
    throw new PmmrError("PMMR_DAMAGED", message, { problems: [problem] });
  }

  /** Both or, if memory runs out between them, neither. */
  #appendBoth(records: readonly Uint8Array[], hashes: Uint8Array): void {
    const hashesEnd = this.#hashes.size;
    const recordCount = this.#elements.count;
    try {
      this.#hashes.append(hashes);
      this.#elements.append(records);
    } catch (error) {
      this.#hashes.rewind(hashesEnd);
      this.#elements.rewind(recordCount);
      throw error;
    }
  }

  /** Cuts files and roots to a size that no root spans. */
  #rewindFiles(size: number): void {
    this.#prune.rewind(size);
    this.#hashes.rewind(HASH_SIZE * (size - this.#prune.totalShift));
    this.#elements.rewind(leafCount(size) - this.#prune.totalLeafShift);
  }

  /**
   * The subtree that begins where the range ends and of which `rootPos0` is what it rolls up to, or `undefined` if there is
   * none: going down its right edge, everything to the left must be pruned roots already.
   */
  #pushedPart(rootPos0: number): number | undefined {
    let pos0 = rootPos0;
    for (let height = heightOf(rootPos0); leftmostLeaf(pos0) < this.#size; height--) {
      if (height === 0 || !this.#prune.isRoot(pos0 - 2 ** height)) return undefined;
      pos0--;
    }
    return leftmostLeaf(pos0) === this.#size ? pos0 : undefined;
  }

  #checkRestored(pos0: number, size: number): void {
    this.#requirePrunable();
    if (!isLeaf(pos0) || size <= pos0) {
      throw new RangeError(`position ${pos0} is not a leaf below ${size}`);
    }
    if (this.#prune.isPruned(pos0)) {
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

  #checkWritable(): void {
    if (this.#isCompacting) throw new PmmrError("PMMR_BUSY", "a compaction is running");
    // Changes nothing, and throws what any other append would: closed, poisoned, or opened for reading.
    this.#hashes.append(NOTHING);
  }

  #requirePrunable(): void {
    if (!this.prunable) throw new PmmrError("PMMR_NOT_PRUNABLE", "the range is not prunable");
  }
}

const NOTHING = new Uint8Array(0);

function blobOf(
  delta: SetDelta | undefined,
  content: BlobContent,
): { readonly delta: Uint8Array; readonly content: BlobContent } | undefined {
  return delta === undefined ? undefined : { delta: encodeSetDelta(delta), content };
}

function hasChanges(delta: SetDelta): boolean {
  return delta.added.length > 0 || delta.removed.length > 0;
}

function pruneContent(prune: PruneList): BlobContent {
  return () => Bitmap.from(prune.roots1()).serialize();
}

function* scaled(ranges: Iterable<RecordRange>): Generator<RecordRange, void, undefined> {
  for (const [begin, end] of ranges) yield [begin * HASH_SIZE, end * HASH_SIZE];
}

function lengthOf(ranges: Iterable<RecordRange>): number {
  let length = 0;
  for (const [begin, end] of ranges) length += end - begin;
  return length;
}

/**
 * Passes the group's progress on. It is told synchronously: what a callback promises is not waited for between steps, and a
 * promise that is rejected stops the next step.
 */
class Steps {
  readonly #options: LongOptions;
  readonly #total: number;
  readonly #promised: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(options: LongOptions, total: number) {
    this.#options = options;
    this.#total = total;
  }

  step(done: number): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    const promised = this.#options.onProgress?.({ done, total: this.#total });
    if (promised !== undefined) this.#promised.push(this.#watch(promised));
    throwIfAborted(this.#options.signal, done, this.#total);
  }

  async finish(): Promise<void> {
    await Promise.all(this.#promised);
  }

  async #watch(promised: Promise<void>): Promise<void> {
    try {
      await promised;
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}

/** A value that an invariant says is there. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new PmmrError("PMMR_DAMAGED", "stored data lacks a part");
  return value;
}

function checkPosition(pos0: number): void {
  if (!Number.isSafeInteger(pos0) || pos0 < 0) {
    throw new RangeError(`pos0 must be an integer from 0 to 2^53 - 1, got ${pos0}`);
  }
}
