import { StoreError } from "@x/store";
import { type Crc32, keyText, type ResolvedBatchOptions, sameBytes } from "@x/store/adapter";

import { levelCode } from "./database-errors.ts";
import { encodeFormat, FORMAT_KEY, type FormatRecord } from "./format-record.ts";
import { type LevelDatabase, type LevelOperation, VIEWS } from "./level-database.ts";
import { type Medium } from "./medium.ts";
import { type StagedBatch } from "./staged-batch.ts";
import { type UndoWalks } from "./undo-walk.ts";
import { type ValueSeal } from "./value-seal.ts";
import { type Outcome, WriteQueue } from "./write-queue.ts";

/** What a {@link LevelWriter} is made of. */
export interface LevelWriterParts {
  readonly database: LevelDatabase;
  /** What the database says about itself; absent: it is not ours. */
  readonly format: FormatRecord | undefined;
  readonly medium: Medium;
  readonly crc32: Crc32;
  readonly seal: ValueSeal;
  readonly undoWalks: UndoWalks;
  /** Reads values for expectations, all of one state. */
  readonly read: (keys: Uint8Array[]) => Promise<readonly (Uint8Array | undefined)[]>;
}

/** A batch that waits to be written. */
export interface PendingBatch extends StagedBatch, ResolvedBatchOptions {}

/** Operations written together at most, where more than one batch waits. */
const GROUP_COUNT_MAX = 10_000;

/**
 * Writes batches into a database.
 *
 * Invariants
 * 1. Writes reach the database one at a time, in the order of the calls ({@link WriteQueue}), so an expectation that was
 *    checked still holds when its batch is written.
 * 2. Before a synced write, everything unsynced before it is made durable by the medium's barrier: LevelDB keeps a synced
 *    batch and loses earlier ones that lie in a log it has meanwhile put aside.
 * 3. After the first write whose outcome is unknown nothing is written any more: what the database does after a failed
 *    append or sync is not known to be sound, and a second sync would report success over lost data.
 * 4. `#durable <= #format.sequence`; batches up to it survive a power cut.
 */
export class LevelWriter {
  readonly #parts: LevelWriterParts;
  readonly #queue: WriteQueue<PendingBatch>;
  #format: FormatRecord | undefined;
  #hasUnsynced = false;
  #durable: number;
  #writing: Promise<void> | undefined;
  #failure: StoreError | undefined;

  constructor(parts: LevelWriterParts) {
    this.#parts = parts;
    this.#format = parts.format;
    // What was there when it was opened is in tables, or was made durable then.
    this.#durable = parts.format?.sequence ?? 0;
    this.#queue = new WriteQueue(
      (group) => this.#write(group),
      ({ operations }) => operations.length,
      GROUP_COUNT_MAX,
    );
  }

  /** What the database says about itself now. */
  get format(): FormatRecord | undefined {
    return this.#format;
  }

  /** The write that the database is busy with; never rejects. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  get isPoisoned(): boolean {
    return this.#failure !== undefined;
  }

  /** Settles when the batch was written, or not. */
  add(batch: PendingBatch): Promise<void> {
    return this.#queue.add(batch);
  }

  /** Waits for what was added, and makes it durable. Nothing may be added after that. */
  async finish(): Promise<void> {
    await this.#queue.idle();
    if (this.#failure !== undefined) return;
    const failure = await this.#commit([{ operations: [], byteCount: 0, sync: true, expect: [] }]);
    if (failure !== undefined) throw failure;
    await this.#parts.medium.closing(this.#sequence);
  }

  get #sequence(): number {
    return this.#format?.sequence ?? 0;
  }

  /** Writes a group of batches together, those whose expectations hold. */
  async #write(group: readonly PendingBatch[]): Promise<readonly Outcome[]> {
    if (this.#failure !== undefined)
      throw new StoreError("STORE_POISONED", "an earlier batch may have been written or not", {
        cause: this.#failure,
      });
    const outcomes = await this.#checkExpectations(group);
    const accepted = group.filter((_, index) => outcomes[index] === undefined);
    const failure = await this.#commit(accepted);
    if (failure === undefined) return outcomes;
    return outcomes.map((outcome) => outcome ?? { error: failure });
  }

  /** Which batches may not be written, each seen after the accepted ones before it. */
  async #checkExpectations(group: readonly PendingBatch[]): Promise<Outcome[]> {
    const keys = group.flatMap(({ expect }) => expect.map(({ key }) => key));
    if (keys.length === 0) return group.map(() => undefined);
    const values = await this.#parts.read(keys);
    const current = new Map(keys.map((key, index) => [keyText(key), values[index]]));
    return group.map((pending) => {
      const failed = pending.expect.findIndex(
        ({ key, value }) => !sameBytes(current.get(keyText(key)), value),
      );
      if (failed !== -1) return { error: conflict(pending, failed) };
      this.#applyTo(current, pending);
      return undefined;
    });
  }

  /** What the keys that are asked about hold after a batch. */
  #applyTo(current: Map<string, Uint8Array | undefined>, { operations }: StagedBatch): void {
    for (const operation of operations) {
      const text = keyText(operation.key);
      if (!current.has(text)) continue;
      const { seal } = this.#parts;
      current.set(
        text,
        operation.type === "put"
          ? operation.value.subarray(0, operation.value.length - seal.size)
          : undefined,
      );
    }
  }

  /** Gives what to reject the batches with, or nothing. */
  async #commit(accepted: readonly PendingBatch[]): Promise<StoreError | undefined> {
    const sync = accepted.some((pending) => pending.sync);
    const operations: LevelOperation[] = [];
    for (const pending of accepted)
      for (const operation of pending.operations) operations.push(operation);
    // Without operations there is something to do only where something is to be made durable.
    if (operations.length === 0 && !(sync && this.#hasUnsynced)) return undefined;
    const writing = this.#writeTogether(accepted, operations, sync);
    this.#writing = settled(writing);
    try {
      await writing;
      return undefined;
    } catch (cause) {
      if (levelCode(cause) === "LEVEL_DATABASE_NOT_OPEN")
        return new StoreError("STORE_CLOSED", "the database is closed", { cause });
      this.#failure = new StoreError(
        "STORE_DURABILITY_UNKNOWN",
        `a batch of ${operations.length} operations may have been written or not`,
        { cause },
      );
      return this.#failure;
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeTogether(
    batches: readonly PendingBatch[],
    operations: LevelOperation[],
    sync: boolean,
  ): Promise<void> {
    const { database, medium, undoWalks } = this.#parts;
    if (sync && this.#hasUnsynced) {
      await medium.barrier();
      this.#durable = this.#sequence;
    }
    await undoWalks.remember(
      operations.map(({ key }) => key),
      (keys) => database.getMany(keys, VIEWS),
    );
    const format = this.#formatAfter(batches);
    if (format !== undefined) operations.push(this.#putOf(format));
    this.#hasUnsynced = true;
    await database.batch(operations, { ...VIEWS, sync });
    const byteCount = batches.reduce((sum, batch) => sum + batch.byteCount, 0);
    await medium.written(byteCount, operations.length, sync);
    this.#format = format;
    if (!sync) return;
    this.#hasUnsynced = false;
    this.#durable = this.#sequence;
  }

  #formatAfter(batches: readonly PendingBatch[]): FormatRecord | undefined {
    if (this.#format === undefined) return undefined;
    const count = batches.filter(({ operations }) => operations.length > 0).length;
    return { ...this.#format, sequence: this.#sequence + count, durable: this.#durable };
  }

  #putOf(format: FormatRecord): LevelOperation {
    return { type: "put", key: FORMAT_KEY, value: encodeFormat(format, this.#parts.crc32) };
  }
}

function conflict({ expect }: PendingBatch, index: number): StoreError {
  const key = expect[index]?.key;
  return new StoreError(
    "STORE_CONFLICT",
    `expectation ${index} of ${expect.length} does not hold`,
    key === undefined ? {} : { key },
  );
}

async function settled(promise: Promise<void>): Promise<void> {
  try {
    await promise;
  } catch {
    // Whoever made the write has it.
  }
}
