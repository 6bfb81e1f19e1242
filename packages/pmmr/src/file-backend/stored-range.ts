import { FixedRecords, type GroupFile, VariableRecords } from "@x/append-only-file";
import type { Bitmap } from "@x/bitmap";
import { PmmrError } from "../errors.ts";
import { bagPeaks, type MmrHashing } from "../hashing.ts";
import {
  leafCount,
  leafIndexAt,
  leafPosition,
  leftmostLeaf,
  peaks,
  roundUpToLeaf,
} from "../position.ts";
import { HASH_SIZE } from "../wire.ts";
import { keptHashes, keptRecords, type RecordRange } from "./compaction.ts";
import {
  type ElementFile,
  type FileRewrite,
  FixedElementFile,
  VariableElementFile,
} from "./element-file.ts";
import { LeafSet } from "./leaf-set.ts";
import type { PruneList } from "./prune-list.ts";

/**
 * A mountain range as files and bitmaps hold it: which record is whose.
 *
 * Invariants
 * 1. `size` is the number of hash records plus the roots' total shift, and the number of element records follows from it.
 * 2. The record of a stored hash is its position less the shift there; of a stored element, its leaf index less the leaf shift.
 * 3. The leaf set holds leaves below `size` only, none of them pruned.
 *
 * Arguments were checked by the caller. A method that throws, because a file could not be read or memory ran out, has changed
 * nothing.
 */
export class StoredRange {
  readonly unspent: LeafSet;
  readonly #hashes: GroupFile;
  readonly #elements: ElementFile;
  readonly #isPrunable: boolean;
  #prune: PruneList;
  #size: number;

  /**
   * @param files - hashes, data and, if variable, sizes
   * @param unspent - as `prune`, belongs to the range from now on
   */
  constructor(
    files: readonly GroupFile[],
    shape: { readonly recordSize: number | undefined; readonly prunable: boolean },
    unspent: Bitmap,
    prune: PruneList,
  ) {
    const [hashes, data, sizes] = files;
    if (hashes === undefined || data === undefined) throw new RangeError("a file is missing");
    this.#hashes = hashes;
    this.#elements =
      shape.recordSize === undefined
        ? new VariableElementFile(new VariableRecords(data, required(sizes)))
        : new FixedElementFile(new FixedRecords(data, shape.recordSize));
    this.#isPrunable = shape.prunable;
    this.unspent = new LeafSet(unspent);
    this.#prune = prune;
    this.#size = this.hashCount + prune.totalShift;
  }

  /** Nodes, pruned ones included. */
  get size(): number {
    return this.#size;
  }

  /** Roots of pruned subtrees; only this range changes it. */
  get prune(): PruneList {
    return this.#prune;
  }

  /** Hash records stored. */
  get hashCount(): number {
    return this.#hashes.size / HASH_SIZE;
  }

  /** Element records stored. */
  get recordCount(): number {
    return this.#elements.count;
  }

  /** Hash of a node, or `undefined` at or beyond the end and below a pruned root. */
  hashAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    if (pos0 >= this.#size) return undefined;
    const record = this.#prune.hashRecord(pos0);
    return record === undefined ? undefined : this.#hashes.read(HASH_SIZE * record, HASH_SIZE);
  }

  /** Record of a leaf, or `undefined` for an inner node, at or beyond the end, and below a pruned root. */
  recordAt(pos0: number): Uint8Array<ArrayBuffer> | undefined {
    const index = leafIndexAt(pos0);
    if (index === undefined || pos0 >= this.#size) return undefined;
    const record = this.#prune.elementRecord(pos0, index);
    return record === undefined ? undefined : this.#elements.read(record);
  }

  /** Root of what is stored; O(log n) reads and hashes. */
  root(hashing: MmrHashing): Uint8Array<ArrayBuffer> {
    const hashes = peaks(this.#size).map((pos0) => required(this.hashAt(pos0)));
    return bagPeaks(hashing, this.#size, hashes);
  }

  append(records: readonly Uint8Array[], hashes: Uint8Array): void {
    const begin = leafCount(this.#size);
    const hashSize = this.#hashes.size;
    this.#hashes.append(hashes);
    try {
      this.#elements.append(records);
    } catch (error) {
      this.#hashes.rewind(hashSize);
      throw error;
    }
    this.#size = leafPosition(begin + records.length);
    if (!this.#isPrunable) return;
    for (let i = 0; i < records.length; i++) this.unspent.add(leafPosition(begin + i));
  }

  /** Appends the root of a pruned subtree and the parents it completes. Pruned roots to its left that it takes in go. */
  appendPruned(root: number, hashes: Uint8Array): void {
    const leftmost = leftmostLeaf(root);
    // What is stored of the roots that roll up goes: their own hashes, and a record where one is a leaf.
    if (leftmost < this.#size) this.rewind(leftmost);
    this.#hashes.append(hashes);
    this.#prune.append(root);
    this.#size = roundUpToLeaf(root + 1);
  }

  /** Goes back to a size that no root spans. */
  rewind(size: number): void {
    const shift = size === 0 ? 0 : this.#prune.shift(size - 1);
    const leafShift = size === 0 ? 0 : this.#prune.leafShift(size - 1);
    // First what reads a file and may fail; the rest is in memory.
    this.#elements.rewind(leafCount(size) - leafShift);
    this.#hashes.rewind(HASH_SIZE * (size - shift));
    this.#prune.rewind(size);
    this.unspent.rewind(size);
    this.#size = size;
  }

  /** Takes over bitmaps that belong to what the files hold now. */
  restore(unspent: Bitmap, prune: PruneList): void {
    this.unspent.restore(unspent);
    this.#prune = prune;
    this.#size = this.hashCount + prune.totalShift;
  }

  /** Takes over the roots after a compaction, when the files are the new ones. */
  takeOver(prune: PruneList): void {
    this.#prune = prune;
  }

  /** What the append files keep when the roots become others, and how many bytes that is. */
  rewriteTo(after: PruneList): { readonly files: FileRewrite[]; readonly bytes: number } {
    const before = this.#prune;
    const size = this.#size;
    const hashes = (): Iterable<RecordRange> => inBytes(keptHashes(before, after, size));
    const records = (): Iterable<RecordRange> => keptRecords(before, after, size);
    let bytes = this.#elements.bytesOf(records());
    for (const [begin, end] of hashes()) bytes += end - begin;
    return { files: [{ keep: hashes() }, ...this.#elements.rewrite(records)], bytes };
  }
}

function* inBytes(ranges: Iterable<RecordRange>): Generator<RecordRange, void, undefined> {
  for (const [begin, end] of ranges) yield [begin * HASH_SIZE, end * HASH_SIZE];
}

/** A value that an invariant says is there. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new PmmrError("PMMR_DAMAGED", "stored data lacks a part");
  return value;
}

/** @throws RangeError if it is none */
export function checkPosition(pos0: number): void {
  if (!Number.isSafeInteger(pos0) || pos0 < 0) {
    throw new RangeError(`pos0 must be an integer from 0 to 2^53 - 1, got ${pos0}`);
  }
}
