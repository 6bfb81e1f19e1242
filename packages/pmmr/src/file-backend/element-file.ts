import {
  type FixedRecords,
  type GroupFile,
  SIZE_ENTRY_BYTES,
  type VariableRecords,
} from "@x/append-only-file";
import { PmmrError } from "../errors.ts";
import { ByteWriter } from "../wire.ts";
import type { RecordRange } from "./compaction.ts";
import { SIZE_FILE } from "./names.ts";
import { readSizeEntry } from "./size-entries.ts";

/** What a compaction does to one append file: see `RewritePlan` of `@x/append-only-file`. */
export type FileRewrite =
  | { readonly keep: Iterable<readonly [begin: number, end: number]> }
  | { readonly content: Iterable<Uint8Array> };

/** Element records by number, whether they have one size or each its own. */
export interface ElementFile {
  /** Records, pending ones included. */
  readonly count: number;
  /** Fresh bytes of record `index`, which is below `count`. */
  read(index: number): Uint8Array<ArrayBuffer>;
  /** Records that were checked to be of a size that fits. */
  append(records: readonly Uint8Array[]): void;
  rewind(count: number): void;
  /** Byte in the data file where record `index` begins; the end of the file for `count`. */
  offsetOf(index: number): number;
  /** Bytes of these records in all files together. */
  bytesOf(kept: Iterable<RecordRange>): number;
  /** How the append files change when only these records stay, in the order of the files. */
  rewrite(kept: () => Iterable<RecordRange>): FileRewrite[];
}

/** Records of one size. */
export class FixedElementFile implements ElementFile {
  readonly #records: FixedRecords;

  constructor(records: FixedRecords) {
    this.#records = records;
  }

  get count(): number {
    return this.#records.count;
  }

  read(index: number): Uint8Array<ArrayBuffer> {
    return this.#records.read(index);
  }

  append(records: readonly Uint8Array[]): void {
    const { count } = this;
    try {
      for (const record of records) this.#records.append(record);
    } catch (error) {
      this.#records.rewind(count);
      throw error;
    }
  }

  rewind(count: number): void {
    this.#records.rewind(count);
  }

  offsetOf(index: number): number {
    return index * this.#records.recordSize;
  }

  bytesOf(kept: Iterable<RecordRange>): number {
    let count = 0;
    for (const [begin, end] of kept) count += end - begin;
    return count * this.#records.recordSize;
  }

  rewrite(kept: () => Iterable<RecordRange>): FileRewrite[] {
    return [{ keep: scaled(kept(), this.#records.recordSize) }];
  }
}

/** Records of varying size: a second file says where each begins and how long it is. */
export class VariableElementFile implements ElementFile {
  readonly #records: VariableRecords;
  readonly #data: GroupFile;
  readonly #sizes: GroupFile;

  constructor(records: VariableRecords) {
    this.#records = records;
    this.#data = records.data;
    this.#sizes = records.sizes;
  }

  get count(): number {
    return this.#records.count;
  }

  /**
   * @throws PmmrError PMMR_DAMAGED if the entry does not join its neighbours: all three are read together, which costs no more
   *   than one, and then no damaged entry gives a wrong record
   */
  read(index: number): Uint8Array<ArrayBuffer> {
    const begin = Math.max(0, index - 1);
    const end = Math.min(this.count, index + 2);
    const entries = this.#sizes.read(begin * SIZE_ENTRY_BYTES, (end - begin) * SIZE_ENTRY_BYTES);
    const { offset, size } = readSizeEntry(entries, index - begin);
    const before = index === 0 ? undefined : readSizeEntry(entries, 0);
    const after =
      index + 1 === this.count ? this.#data.size : readSizeEntry(entries, index + 1 - begin).offset;
    const expected = before === undefined ? 0 : before.offset + before.size;
    if (offset !== expected || offset + size !== after) throw wrongEntry(index);
    return this.#data.read(offset, size);
  }

  append(records: readonly Uint8Array[]): void {
    this.#records.appendMany(records);
  }

  rewind(count: number): void {
    this.#records.rewind(count);
  }

  offsetOf(index: number): number {
    if (index === this.count) return this.#data.size;
    return readSizeEntry(this.#sizes.read(index * SIZE_ENTRY_BYTES, SIZE_ENTRY_BYTES), 0).offset;
  }

  bytesOf(kept: Iterable<RecordRange>): number {
    let bytes = 0;
    for (const [begin, end] of kept) {
      bytes += this.offsetOf(end) - this.offsetOf(begin) + SIZE_ENTRY_BYTES * (end - begin);
    }
    return bytes;
  }

  rewrite(kept: () => Iterable<RecordRange>): FileRewrite[] {
    return [{ keep: this.#keptBytes(kept()) }, { content: this.#keptEntries(kept()) }];
  }

  *#keptBytes(kept: Iterable<RecordRange>): Generator<RecordRange, void, undefined> {
    for (const [begin, end] of kept) yield [this.offsetOf(begin), this.offsetOf(end)];
  }

  /**
   * Entries of the records that stay, with offsets that close the gaps.
   *
   * @yields pieces of some tens of kilobytes
   */
  *#keptEntries(kept: Iterable<RecordRange>): Generator<Uint8Array, void, undefined> {
    let offset = 0;
    for (const [begin, end] of kept) {
      for (let at = begin; at < end; at += ENTRIES_PER_PIECE) {
        const count = Math.min(ENTRIES_PER_PIECE, end - at);
        const before = this.#sizes.read(at * SIZE_ENTRY_BYTES, count * SIZE_ENTRY_BYTES);
        const after = new ByteWriter(before.length);
        for (let i = 0; i < count; i++) {
          const { size } = readSizeEntry(before, i);
          after.u64(offset);
          after.u16(size);
          offset += size;
        }
        yield after.finish();
      }
    }
  }
}

const ENTRIES_PER_PIECE = 4096;

function wrongEntry(index: number): PmmrError {
  const message = `size entry ${index} does not join its neighbours`;
  const offset = index * SIZE_ENTRY_BYTES;
  const problem = { kind: "size-entry" as const, file: SIZE_FILE, offset, message };
  return new PmmrError("PMMR_DAMAGED", message, { problems: [problem] });
}

function* scaled(
  ranges: Iterable<RecordRange>,
  recordSize: number,
): Generator<RecordRange, void, undefined> {
  for (const [begin, end] of ranges) yield [begin * recordSize, end * recordSize];
}
