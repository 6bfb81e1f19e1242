import { checkBytes, checkCount } from "./bytes.ts";
import { AofError } from "./errors.ts";
import { type GroupFile } from "./group-file.ts";

/** A group's append file as records of one size. Keeps no state of its own: several views of one file agree. */
export class FixedRecords {
  readonly file: GroupFile;
  /** Bytes per record. */
  readonly recordSize: number;

  /** @throws RangeError when a record has no bytes */
  constructor(file: GroupFile, recordSize: number) {
    checkCount("recordSize", recordSize);
    if (recordSize === 0) throw new RangeError("recordSize must be at least 1, got 0");
    this.file = file;
    this.recordSize = recordSize;
  }

  /** Records there are, pending ones included. */
  get count(): number {
    return Math.floor(this.file.size / this.recordSize);
  }

  /** Records there were at the last commit call that was not rejected. */
  get committedCount(): number {
    return Math.floor(this.file.committedSize / this.recordSize);
  }

  /**
   * Adds one record, or several lying side by side; copied.
   *
   * @throws AofError `AOF_RECORD_SIZE` when the bytes are not whole records; as {@link GroupFile.append}
   */
  append(records: Uint8Array): void {
    checkBytes("records", records);
    if (records.length === 0 || records.length % this.recordSize !== 0) {
      throw new AofError(
        "AOF_RECORD_SIZE",
        `${records.length} bytes are not whole records of ${this.recordSize}`,
      );
    }
    this.file.append(records);
  }

  /** The record at `index`, fresh. */
  read(index: number): Uint8Array<ArrayBuffer> {
    return this.readMany(index, 1);
  }

  /** `count` records from `begin` on, side by side, fresh. */
  readMany(begin: number, count: number): Uint8Array<ArrayBuffer> {
    checkCount("begin", begin);
    checkCount("count", count);
    if (begin + count > this.count) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.file.name} has ${this.count} records, asked for ${count} from ${begin}`,
      );
    }
    return this.file.read(begin * this.recordSize, count * this.recordSize);
  }

  /** Goes back to the first `count` records. */
  rewind(count: number): void {
    checkCount("count", count);
    if (count > this.count) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.file.name} has ${this.count} records, cannot go back to ${count}`,
      );
    }
    this.file.rewind(count * this.recordSize);
  }
}
