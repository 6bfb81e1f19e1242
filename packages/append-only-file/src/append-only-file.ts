import { checkBytes, checkCount } from "./bytes.ts";
import { type RewritePlan } from "./commit.ts";
import { AofError } from "./errors.ts";
import { type FileSystem } from "./file-system.ts";
import { FixedRecords } from "./fixed-records.ts";
import { FileGroup, type GroupStats } from "./group.ts";
import { type GroupLayout } from "./layout.ts";
import { type GroupOptions } from "./options.ts";
import { adoptFixed, adoptVariable } from "./record-adoption.ts";
import {
  removedRecords,
  sizesWithout,
  variableRangesWithout,
  fixedRangesWithout,
} from "./records-without.ts";
import { type RecordParser, SIZE_ENTRY_BYTES } from "./size-entries.ts";
import { type PackedRecords, VariableRecords } from "./variable-records.ts";
import { type VerifyOptions, type VerifyReport, verifyRecords } from "./verify.ts";

/** How {@link AppendOnlyFile.open} opens. */
export interface AppendOnlyFileOptions extends Omit<GroupOptions, "initialMeta"> {
  /** The file's name in its folder. Files added beside it start with it. */
  readonly name: string;
  /** Bytes per record, 1 or more; 0: each record has 1 to 65,535 bytes, and a size file lies beside the data. */
  readonly recordSize: number;
  /** Name of the size file. Default: `<name>.sizes`. */
  readonly sizesName?: string;
  /** Finds the ends of records in the data alone, for repairing a lost or wrong size file. Default: not possible. */
  readonly parse?: RecordParser;
  /** Throws for a record that is not what it should be; {@link AppendOnlyFile.verify} asks it. Default: every record is fine. */
  readonly check?: (record: Uint8Array, index: number) => void;
}

/** What one commit of an {@link AppendOnlyFile} may say. */
export interface RecordsCommit {
  /** Waits for the medium. Default: true. */
  readonly sync?: boolean;
  /** At most 1024 bytes kept with the state. Default: what the commit before had. */
  readonly meta?: Uint8Array;
}

/** How {@link AppendOnlyFile.rewriteWithout} reports and stops. */
export interface RewriteOptions extends Pick<RewritePlan, "signal" | "onProgress"> {
  /** As in {@link RecordsCommit}. */
  readonly meta?: Uint8Array;
}

/**
 * A list of records in one file: appended, read by index, rewound, and committed so that after any crash it is as some commit left
 * it.
 *
 * Changes are in memory until {@link AppendOnlyFile.commit}; reads see them at once. One writer at a time; reads are synchronous.
 */
export class AppendOnlyFile {
  readonly #group: FileGroup;
  readonly #records: FixedRecords | VariableRecords;
  readonly #check: ((record: Uint8Array, index: number) => void) | undefined;
  /** Grows whenever records go away: an iteration that began before cannot go on. */
  #shrinks = 0;

  private constructor(group: FileGroup, options: AppendOnlyFileOptions) {
    this.#group = group;
    const [data, sizes] = group.files;
    if (data === undefined) throw new RangeError("the layout has a data file");
    this.#records =
      sizes === undefined
        ? new FixedRecords(data, options.recordSize)
        : new VariableRecords(data, sizes);
    this.#check = options.check;
  }

  /**
   * Opens the file, recovering it if need be, or creates it. A file without a journal is taken as it is when it holds whole records.
   *
   * @throws AofError as {@link FileGroup.open}; `AOF_DAMAGED` with `problems` and `repairable`
   */
  static async open(fs: FileSystem, options: AppendOnlyFileOptions): Promise<AppendOnlyFile> {
    const group = await FileGroup.open(fs, layoutOf(options), options);
    return new AppendOnlyFile(group, options);
  }

  /** See {@link FileGroup.state}. */
  get state(): "open" | "poisoned" | "closed" {
    return this.#group.state;
  }

  /** Whether this opening created the file. */
  get created(): boolean {
    return this.#group.created;
  }

  /** Number of the last commit called; 0 for none. See {@link FileGroup.sequence}. */
  get sequence(): number {
    return this.#group.sequence;
  }

  /** Number of the last commit known to be on the medium. */
  get durableSequence(): number {
    return this.#group.durableSequence;
  }

  /** Fresh bytes: what the last commit was given as `meta`. */
  get meta(): Uint8Array<ArrayBuffer> {
    return this.#group.meta;
  }

  get stats(): GroupStats {
    return this.#group.stats;
  }

  /** Records there are, pending ones included. */
  get count(): number {
    return this.#records.count;
  }

  /** Records there were at the last commit call that was not rejected. */
  get committedCount(): number {
    return this.#records.committedCount;
  }

  /**
   * Adds a record; copied.
   *
   * @throws AofError `AOF_RECORD_SIZE`; `AOF_POISONED`, `AOF_READ_ONLY`, `AOF_CLOSED`
   */
  append(record: Uint8Array): void {
    this.appendMany([record]);
  }

  /** Adds records, all or none; copied. */
  appendMany(records: readonly Uint8Array[]): void {
    if (this.#records instanceof VariableRecords) {
      this.#records.appendMany(records);
      return;
    }
    const { recordSize } = this.#records;
    const bytes = new Uint8Array(records.length * recordSize);
    for (const [i, record] of records.entries()) {
      checkBytes("record", record);
      if (record.length !== recordSize) {
        throw new AofError(
          "AOF_RECORD_SIZE",
          `a record has ${recordSize} bytes, got ${record.length}`,
        );
      }
      bytes.set(record, i * recordSize);
    }
    if (records.length > 0) this.#records.append(bytes);
  }

  /**
   * The record at `index`, fresh.
   *
   * @throws AofError `AOF_OUT_OF_RANGE`, `AOF_DAMAGED`, `AOF_TRUNCATED`, `AOF_IO`, `AOF_CLOSED`
   */
  read(index: number): Uint8Array<ArrayBuffer> {
    return this.#records.read(index);
  }

  /** `count` records from `begin` on, read at once; fresh. */
  readMany(begin: number, count: number): PackedRecords {
    if (this.#records instanceof VariableRecords) return this.#records.readMany(begin, count);
    const bytes = this.#records.readMany(begin, count);
    const { recordSize } = this.#records;
    return { bytes, bounds: Float64Array.from({ length: count + 1 }, (_, i) => i * recordSize) };
  }

  /**
   * Records from `begin` to before `end`, each fresh; `end` is fixed when the first one is asked for.
   *
   * @yields records in order
   * @throws AofError `AOF_OUT_OF_RANGE` when records were rewound, discarded or removed since it began; as reading does
   */
  *records(begin = 0, end: number = this.count): Generator<Uint8Array<ArrayBuffer>, void> {
    checkCount("begin", begin);
    checkCount("end", end);
    const shrinks = this.#shrinks;
    const step = this.#blockCount();
    for (let index = begin; index < end; index += step) {
      this.#requireUnshrunk(shrinks);
      const { bytes, bounds } = this.readMany(index, Math.min(step, end - index));
      for (let i = 0; i + 1 < bounds.length; i++) {
        this.#requireUnshrunk(shrinks);
        yield bytes.slice(bounds[i], bounds[i + 1]);
      }
    }
  }

  /** Goes back to the first `count` records, in memory until committed; any number of times, mixed with appends. */
  rewind(count: number): void {
    const before = this.count;
    this.#records.rewind(count);
    if (count < before) this.#shrinks++;
  }

  /** Back to what the last commit call left; also after a rejected commit or removal, before the next one. */
  discard(): void {
    this.#group.discard();
    this.#shrinks++;
  }

  /** After a rejected commit or removal: keeps what was sealed pending, to be committed again. */
  resume(): void {
    this.#group.resume();
  }

  /** Makes what the file holds at the call durable, or at least atomic. See {@link FileGroup.commit}. */
  async commit(options: RecordsCommit = {}): Promise<void> {
    return this.#group.commit({
      meta: options.meta ?? this.#group.meta,
      blobs: [],
      sync: options.sync ?? true,
    });
  }

  /** Goes back to the first `count` records and commits: the file is cut. */
  async truncate(count: number, options: RecordsCommit = {}): Promise<void> {
    this.rewind(count);
    return this.commit(options);
  }

  /** Makes every commit called before durable. */
  async sync(): Promise<void> {
    return this.#group.sync();
  }

  /** Empties the journal: afterwards the file alone shows the last commit. */
  async checkpoint(): Promise<void> {
    return this.#group.checkpoint();
  }

  /**
   * Removes records; those after a removed one move up. Atomic; linear in what is kept, plus sorting `indexes`; memory is flat but
   * for 8 bytes per index. Nothing may be pending, and nothing can be changed until it is done.
   *
   * @param indexes - in any order, repeated or not
   * @throws AofError `AOF_OUT_OF_RANGE` for an index that is not there; as {@link FileGroup.rewrite}
   */
  async rewriteWithout(indexes: Iterable<number>, options: RewriteOptions = {}): Promise<void> {
    const { count } = this;
    const removed = removedRecords(indexes, count);
    const meta = options.meta ?? this.#group.meta;
    const records = this.#records;
    const files: RewritePlan["files"] =
      records instanceof VariableRecords
        ? [
            { keep: variableRangesWithout(records.sizes, count, removed) },
            { content: sizesWithout(records.sizes, count, removed) },
          ]
        : [{ keep: fixedRangesWithout(records.recordSize, count, removed) }];
    const { signal, onProgress } = options;
    await this.#group.rewrite({
      files,
      blobs: [],
      meta,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    if (removed.length > 0) this.#shrinks++;
  }

  /**
   * A copy of the data as it is committed (see {@link FileGroup.copy}), in pieces of at most 64 KiB, consistent whatever is written
   * while it is read. For records of varying size take both parts in one turn to get two that belong together.
   *
   * @throws AofError `AOF_TOO_MANY`, `AOF_CLOSED` (also while reading, once the file is closed)
   */
  copy(part: "data" | "sizes" = "data"): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    return this.#group.copy().stream(part === "data" ? 0 : 1);
  }

  /** Reads everything and compares it with what it must be; asks the `check` given at opening about each record. */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return verifyRecords(this.#records, this.#check, options);
  }

  /** See {@link FileGroup.close}. `handOver` leaves the data (and size) file and nothing else. */
  async close(options: { readonly handOver?: boolean } = {}): Promise<void> {
    return this.#group.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #blockCount(): number {
    if (this.#records instanceof VariableRecords) return VARIABLE_BLOCK_COUNT;
    return Math.max(1, Math.floor(BLOCK_BYTES / this.#records.recordSize));
  }

  #requireUnshrunk(shrinks: number): void {
    if (this.#shrinks === shrinks) return;
    throw new AofError("AOF_OUT_OF_RANGE", "records went away while they were listed");
  }
}

/** Bytes an iteration holds, for records of one size. */
const BLOCK_BYTES = 4096;
/** Records an iteration holds, for records of varying size. */
const VARIABLE_BLOCK_COUNT = 16;

function layoutOf(options: AppendOnlyFileOptions): GroupLayout {
  const { name, recordSize, sizesName = `${name}.sizes`, parse } = options;
  checkCount("recordSize", recordSize);
  const data = { name, recordSize };
  return recordSize === 0
    ? {
        prefix: name,
        files: [data, { name: sizesName, recordSize: SIZE_ENTRY_BYTES }],
        blobs: [],
        adopt: (folder, { repair }) =>
          adoptVariable(folder, repair, { data: name, sizes: sizesName }, parse),
      }
    : {
        prefix: name,
        files: [data],
        blobs: [],
        adopt: (folder, { repair }) => adoptFixed(folder, repair, name, recordSize),
      };
}
