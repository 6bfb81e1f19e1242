import {
  type BatchOptions,
  type Bytes,
  type Operation,
  type Range,
  type Store,
  StoreError,
  type StoreIterator,
  type StoreState,
  type StoreSupports,
  type SyncReads,
} from "@x/store";
import {
  checkKey,
  checkKeys,
  checkOperations,
  keyText,
  OpenIterators,
  type ResolvedBatchOptions,
  resolveBatchOptions,
  resolveRange,
  sameBytes,
} from "@x/store/adapter";

import { type Crc32 } from "./crc32.ts";
import { levelCode, readError } from "./database-errors.ts";
import { encodeFormat, FORMAT_KEY, type FormatRecord } from "./format-record.ts";
import { type LevelDatabase, type LevelOperation, VIEWS } from "./level-database.ts";
import { type Medium } from "./medium.ts";
import { SnapshotWalk } from "./snapshot-walk.ts";
import { refuseFormatKey, type StagedBatch, stageBatch } from "./staged-batch.ts";
import { UndoWalk, UndoWalks } from "./undo-walk.ts";
import { crcSeal, noSeal, type ValueSeal } from "./value-seal.ts";
import { type Outcome, WriteQueue } from "./write-queue.ts";

/** What a store is made of. */
export interface LevelStoreParts {
  /** Open, and nobody else's from now on. */
  readonly database: LevelDatabase;
  /** What the database says about itself; absent: it is not ours. */
  readonly format: FormatRecord | undefined;
  readonly medium: Medium;
  readonly crc32: Crc32;
  /** The database copies what it is given before its calls return. */
  readonly copiesWrites: boolean;
  readonly iteratorCountMax: number | undefined;
}

interface PendingBatch extends StagedBatch, ResolvedBatchOptions {}

/** Operations written together at most, where more than one batch waits. */
const GROUP_COUNT_MAX = 10_000;

/**
 * A store over an abstract-level database.
 *
 * Invariants
 * 1. Writes reach the database one at a time, in the order of the calls ({@link WriteQueue}), so an expectation that was
 *    checked still holds when its batch is written.
 * 2. Before a synced write, everything unsynced before it is made durable by the medium's barrier: LevelDB keeps a synced
 *    batch and loses earlier ones that lie in a log it has meanwhile put aside.
 * 3. After the first write whose outcome is unknown nothing is written any more: what the database does after a failed
 *    append or sync is not known to be sound, and a second sync would report success over lost data.
 */
export class LevelStore implements Store {
  readonly supports: StoreSupports;
  readonly #database: LevelDatabase;
  readonly #medium: Medium;
  readonly #crc32: Crc32;
  readonly #seal: ValueSeal;
  readonly #copiesWrites: boolean;
  readonly #queue: WriteQueue<PendingBatch>;
  readonly #iterators: OpenIterators;
  readonly #undoWalks = new UndoWalks();
  #format: FormatRecord | undefined;
  #hasUnsynced = false;
  /** Batches known to be durable. */
  #durable: number;
  /** The write that the database is busy with; never rejects. */
  #writing: Promise<void> | undefined;
  #failure: StoreError | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: LevelStoreParts) {
    const { database, format, crc32 } = parts;
    this.#database = database;
    this.#format = format;
    // What was there when it was opened is in tables, or was made durable then.
    this.#durable = format?.sequence ?? 0;
    this.#crc32 = crc32;
    this.#medium = parts.medium;
    this.#copiesWrites = parts.copiesWrites;
    this.#seal = format?.checksums === true ? crcSeal(crc32) : noSeal;
    this.supports = { syncReads: database.supports.getSync === true };
    this.#iterators = new OpenIterators(parts.iteratorCountMax);
    this.#queue = new WriteQueue(
      (group) => this.#write(group),
      ({ operations }) => operations.length,
      GROUP_COUNT_MAX,
    );
  }

  get state(): StoreState {
    if (this.#closed !== undefined) return "closed";
    return this.#failure === undefined ? "open" : "poisoned";
  }

  /** Whether values carry a checksum. */
  get checksums(): boolean {
    return this.#format?.checksums === true;
  }

  /** Batches with operations since the store was made; `undefined` for a foreign database, which does not count them. */
  get sequence(): number | undefined {
    return this.#format?.sequence;
  }

  /** When the store was made, as its maker said; 0: it did not; `undefined` for a foreign database. */
  get createdMs(): number | undefined {
    return this.#format?.createdMs;
  }

  /** Iterators open now. */
  get iteratorCount(): number {
    return this.#iterators.count;
  }

  async get(key: Uint8Array): Promise<Bytes | undefined> {
    this.#assertOpen();
    this.#checkKey(key);
    // The database may look at it after this call has returned.
    const own = new Uint8Array(key);
    let stored: Uint8Array | undefined;
    try {
      stored = await this.#database.get(own, VIEWS);
    } catch (error) {
      throw readError(error);
    }
    return stored === undefined ? undefined : this.unseal(own, stored);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    this.#assertOpen();
    checkKeys(keys);
    const own: Uint8Array[] = [];
    for (const key of keys) {
      this.#checkKey(key);
      own.push(new Uint8Array(key));
    }
    const stored = await this.#readStored(own);
    return stored.map((one, index) =>
      one === undefined ? undefined : this.unseal(own[index] as Uint8Array, one),
    );
  }

  async batch(operations: readonly Operation[], options?: BatchOptions): Promise<void> {
    this.#assertOpen();
    checkOperations(operations);
    const resolved = resolveBatchOptions(options);
    for (const { key } of resolved.expect) this.#checkKey(key);
    const staged = stageBatch(operations, this.#seal, this.#copiesWrites);
    await this.#queue.add({ ...resolved, ...staged });
  }

  iterator(range?: Range): StoreIterator {
    this.#assertOpen();
    const resolved = resolveRange(range);
    const unseal = (key: Uint8Array, stored: Uint8Array): Bytes => this.unseal(key, stored);
    const { explicitSnapshots, implicitSnapshots } = this.#database.supports;
    return this.#iterators.open(() =>
      explicitSnapshots === true || implicitSnapshots === true
        ? new SnapshotWalk(this.#database, resolved, unseal)
        : new UndoWalk(
            this.#database,
            resolved,
            unseal,
            this.#undoWalks,
            this.#writing ?? Promise.resolve(),
          ),
    );
  }

  /** Also closes the database. */
  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reads without waiting, of one state. */
  protected readSync(keys: readonly Uint8Array[]): (Bytes | undefined)[] {
    this.#assertOpen();
    checkKeys(keys);
    // A write may take effect between two reads of this call, on another thread.
    const snapshot =
      keys.length > 1 && this.#writing !== undefined && this.#database.supports.explicitSnapshots
        ? this.#database.snapshot()
        : undefined;
    try {
      const options = snapshot === undefined ? VIEWS : { ...VIEWS, snapshot };
      const values: (Bytes | undefined)[] = [];
      for (const key of keys) {
        this.#checkKey(key);
        const stored = this.#database.getSync(key, options);
        values.push(stored === undefined ? undefined : this.unseal(key, stored));
      }
      return values;
    } catch (error) {
      throw error instanceof TypeError ? error : readError(error);
    } finally {
      void snapshot?.close();
    }
  }

  /** The value in what is stored for a key, as memory of the caller's own. */
  protected unseal(key: Uint8Array, stored: Uint8Array): Bytes {
    const size = this.#seal.valueSize(key, stored);
    // A database that does not outlive the process may give out its own memory.
    return this.#database.supports.permanence === false
      ? new Uint8Array(stored.subarray(0, size))
      : viewOf(stored, size);
  }

  #checkKey(key: Uint8Array): void {
    checkKey(key);
    if (this.#format !== undefined) refuseFormatKey(key);
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StoreError("STORE_CLOSED", "the store is closed");
  }

  async #readStored(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    try {
      return await this.#database.getMany(keys, VIEWS);
    } catch (error) {
      throw readError(error);
    }
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
    const stored = await this.#readStored(keys);
    const current = new Map<string, Uint8Array | undefined>();
    for (const [index, key] of keys.entries()) {
      const one = stored[index];
      current.set(keyText(key), one === undefined ? undefined : this.unseal(key, one));
    }
    return group.map((pending) => {
      const failed = pending.expect.findIndex(
        ({ key, value }) => !sameBytes(current.get(keyText(key)), value),
      );
      if (failed === -1) {
        this.#applyTo(current, pending);
        return undefined;
      }
      const message = `expectation ${failed} of ${pending.expect.length} does not hold`;
      const key = pending.expect[failed]?.key;
      return {
        error: new StoreError("STORE_CONFLICT", message, key === undefined ? {} : { key }),
      };
    });
  }

  /** What the keys that are asked about hold after a batch. */
  #applyTo(current: Map<string, Uint8Array | undefined>, { operations }: StagedBatch): void {
    for (const operation of operations) {
      const text = keyText(operation.key);
      if (!current.has(text)) continue;
      current.set(
        text,
        operation.type === "put"
          ? operation.value.subarray(0, operation.value.length - this.#seal.size)
          : undefined,
      );
    }
  }

  /** Gives what to reject the batches with, or nothing. */
  async #commit(accepted: readonly PendingBatch[]): Promise<StoreError | undefined> {
    const sync = accepted.some((pending) => pending.sync);
    const operations: LevelOperation[] = [];
    let byteCount = 0;
    let batchCount = 0;
    for (const pending of accepted) {
      for (const operation of pending.operations) operations.push(operation);
      byteCount += pending.byteCount;
      if (pending.operations.length > 0) batchCount++;
    }
    // Without operations there is something to do only where something is to be made durable.
    if (operations.length === 0 && !(sync && this.#hasUnsynced)) return undefined;
    const writing = this.#commitOperations(operations, byteCount, batchCount, sync);
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

  async #commitOperations(
    operations: LevelOperation[],
    byteCount: number,
    batchCount: number,
    sync: boolean,
  ): Promise<void> {
    if (sync && this.#hasUnsynced) {
      await this.#medium.barrier();
      this.#durable = this.sequence ?? 0;
    }
    await this.#undoWalks.remember(
      operations.map(({ key }) => key),
      (keys) => this.#database.getMany(keys, VIEWS),
    );
    const format =
      this.#format === undefined
        ? undefined
        : {
            ...this.#format,
            sequence: this.#format.sequence + batchCount,
            durable: this.#durable,
          };
    if (format !== undefined)
      operations.push({ type: "put", key: FORMAT_KEY, value: encodeFormat(format, this.#crc32) });
    this.#hasUnsynced = true;
    await this.#database.batch(operations, { ...VIEWS, sync });
    await this.#medium.written(byteCount, operations.length, sync);
    this.#format = format;
    if (!sync) return;
    this.#hasUnsynced = false;
    this.#durable = this.sequence ?? 0;
  }

  async #finish(): Promise<void> {
    await this.#queue.idle();
    try {
      if (this.#failure === undefined) await this.#makeDurable();
    } finally {
      await this.#iterators.close();
      await this.#database.close();
    }
  }

  async #makeDurable(): Promise<void> {
    const failure = await this.#commit([{ operations: [], byteCount: 0, sync: true, expect: [] }]);
    if (failure !== undefined) throw failure;
    await this.#medium.closing(this.#format?.sequence ?? 0);
  }
}

/** A {@link LevelStore} over a database that reads without waiting. */
export class SyncLevelStore extends LevelStore implements SyncReads {
  getSync(key: Uint8Array): Bytes | undefined {
    return this.readSync([key])[0];
  }

  getManySync(keys: readonly Uint8Array[]): (Bytes | undefined)[] {
    return this.readSync(keys);
  }

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.readSync(keys);
  }
}

/** The first bytes of memory that nobody else holds, as a plain `Uint8Array`: databases give Buffers. */
function viewOf(stored: Uint8Array, size: number): Bytes {
  return new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, size);
}

async function settled(promise: Promise<void>): Promise<void> {
  try {
    await promise;
  } catch {
    // Whoever made the write has it.
  }
}
