import { checkBytes, checkCount } from "./bytes.ts";
import { AofError } from "./errors.ts";
import { type GroupFile } from "./group-file.ts";
import {
  checkSizes,
  decodeSizeEntry,
  encodeSizeEntry,
  RECORD_BYTES_MAX,
  SIZE_ENTRY_BYTES,
  type SizeCheck,
  type SizeEntry,
} from "./size-entries.ts";

/** Records lying side by side. */
export interface PackedRecords {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** One more than there are records: record `i` is `bytes` from `bounds[i]` to `bounds[i + 1]`. */
  readonly bounds: Float64Array<ArrayBuffer>;
}

/**
 * Two append files of a group as records of varying size: the data, and for each record where it lies. Keeps no state of its own:
 * several views of the same files agree.
 */
export class VariableRecords {
  readonly data: GroupFile;
  readonly sizes: GroupFile;

  constructor(data: GroupFile, sizes: GroupFile) {
    this.data = data;
    this.sizes = sizes;
  }

  /** Records there are, pending ones included. */
  get count(): number {
    return Math.floor(this.sizes.size / SIZE_ENTRY_BYTES);
  }

  /** Records there were at the last commit call that was not rejected. */
  get committedCount(): number {
    return Math.floor(this.sizes.committedSize / SIZE_ENTRY_BYTES);
  }

  /**
   * Adds a record of 1 to 65,535 bytes; copied.
   *
   * @throws AofError `AOF_RECORD_SIZE`; as {@link GroupFile.append}
   */
  append(record: Uint8Array): void {
    this.appendMany([record]);
  }

  /** Adds several records, all or none; copied. */
  appendMany(records: readonly Uint8Array[]): void {
    const entries = new Uint8Array(records.length * SIZE_ENTRY_BYTES);
    let offset = this.data.size;
    for (const [i, record] of records.entries()) {
      checkBytes("record", record);
      const size = record.length;
      if (size === 0 || size > RECORD_BYTES_MAX) {
        throw new AofError(
          "AOF_RECORD_SIZE",
          `a record has 1 to ${RECORD_BYTES_MAX} bytes, got ${size}`,
        );
      }
      encodeSizeEntry({ offset, size }, entries, i * SIZE_ENTRY_BYTES);
      offset += size;
    }
    const bytes = new Uint8Array(offset - this.data.size);
    let at = 0;
    for (const record of records) {
      bytes.set(record, at);
      at += record.length;
    }
    const { size } = this.data;
    this.data.append(bytes);
    try {
      this.sizes.append(entries);
    } catch (error) {
      this.data.rewind(size);
      throw error;
    }
  }

  /**
   * The record at `index`, fresh.
   *
   * @throws AofError `AOF_OUT_OF_RANGE`; `AOF_DAMAGED` when its size entry points beyond the data
   */
  read(index: number): Uint8Array<ArrayBuffer> {
    const { offset, size } = this.#entry(index);
    return this.data.read(offset, size);
  }

  /** `count` records from `begin` on, read at once; fresh. */
  readMany(begin: number, count: number): PackedRecords {
    checkCount("begin", begin);
    checkCount("count", count);
    if (begin + count > this.count) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.data.name} has ${this.count} records, asked for ${count} from ${begin}`,
      );
    }
    const bounds = new Float64Array(count + 1);
    if (count === 0) return { bytes: new Uint8Array(0), bounds };
    const entries = this.sizes.read(begin * SIZE_ENTRY_BYTES, count * SIZE_ENTRY_BYTES);
    const { offset: from } = decodeSizeEntry(entries, 0);
    for (let i = 0; i < count; i++) {
      const { offset, size } = decodeSizeEntry(entries, i * SIZE_ENTRY_BYTES);
      if (offset - from !== bounds[i]) {
        throw new AofError(
          "AOF_DAMAGED",
          `entry ${begin + i} of ${this.sizes.name} starts at ${offset}, not at ${from + (bounds[i] ?? 0)}`,
        );
      }
      bounds[i + 1] = offset - from + size;
    }
    const length = bounds[count] ?? 0;
    this.#checkWithin(begin + count - 1, { offset: from, size: length });
    return { bytes: this.data.read(from, length), bounds };
  }

  /** Goes back to the first `count` records. */
  rewind(count: number): void {
    checkCount("count", count);
    if (count > this.count) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.data.name} has ${this.count} records, cannot go back to ${count}`,
      );
    }
    const last = count === 0 ? { offset: 0, size: 0 } : this.#entry(count - 1);
    this.data.rewind(last.offset + last.size);
    this.sizes.rewind(count * SIZE_ENTRY_BYTES);
  }

  /** Compares every entry with its neighbours and the data's length. Reads the whole size file. */
  check(): SizeCheck {
    return checkSizes(this.sizes, this.data.size);
  }

  #entry(index: number): SizeEntry {
    checkCount("index", index);
    if (index >= this.count) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.data.name} has ${this.count} records, asked for number ${index}`,
      );
    }
    const entry = decodeSizeEntry(this.sizes.read(index * SIZE_ENTRY_BYTES, SIZE_ENTRY_BYTES), 0);
    this.#checkWithin(index, entry);
    return entry;
  }

  #checkWithin(index: number, { offset, size }: SizeEntry): void {
    if (offset + size > this.data.size) {
      throw new AofError(
        "AOF_DAMAGED",
        `entry ${index} of ${this.sizes.name} ends at ${offset + size}, the data at ${this.data.size}`,
      );
    }
  }
}
