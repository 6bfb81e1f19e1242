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
  type Crc32,
  OpenIterators,
  resolveBatchOptions,
  resolveRange,
} from "@x/store/adapter";

import { readError } from "./database-errors.ts";
import { type FormatRecord } from "./format-record.ts";
import { type LevelDatabase, VIEWS } from "./level-database.ts";
import { LevelWriter } from "./level-writer.ts";
import { type Medium } from "./medium.ts";
import { SnapshotWalk } from "./snapshot-walk.ts";
import { refuseFormatKey, stageBatch } from "./staged-batch.ts";
import { UndoWalk, UndoWalks } from "./undo-walk.ts";
import { crcSeal, noSeal, type ValueSeal } from "./value-seal.ts";

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

/** A store over an abstract-level database. How it writes: {@link LevelWriter}. */
export class LevelStore implements Store {
  readonly supports: StoreSupports;
  readonly #database: LevelDatabase;
  readonly #seal: ValueSeal;
  readonly #copiesWrites: boolean;
  readonly #writer: LevelWriter;
  readonly #iterators: OpenIterators;
  readonly #undoWalks = new UndoWalks();
  #closed: Promise<void> | undefined;

  constructor(parts: LevelStoreParts) {
    const { database, format, crc32 } = parts;
    this.#database = database;
    this.#copiesWrites = parts.copiesWrites;
    this.#seal = format?.checksums === true ? crcSeal(crc32) : noSeal;
    this.supports = { syncReads: database.supports.getSync === true };
    this.#iterators = new OpenIterators(parts.iteratorCountMax);
    this.#writer = new LevelWriter({
      ...parts,
      seal: this.#seal,
      undoWalks: this.#undoWalks,
      read: (keys) => this.#read(keys),
    });
  }

  get state(): StoreState {
    if (this.#closed !== undefined) return "closed";
    return this.#writer.isPoisoned ? "poisoned" : "open";
  }

  /** Whether values carry a checksum. */
  get checksums(): boolean {
    return this.#writer.format?.checksums === true;
  }

  /** Batches with operations since the store was made; `undefined` for a foreign database, which does not count them. */
  get sequence(): number | undefined {
    return this.#writer.format?.sequence;
  }

  /** When the store was made, as its maker said; 0: it did not; `undefined` for a foreign database. */
  get createdMs(): number | undefined {
    return this.#writer.format?.createdMs;
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
    return this.#read(own);
  }

  async batch(operations: readonly Operation[], options?: BatchOptions): Promise<void> {
    this.#assertOpen();
    checkOperations(operations);
    const resolved = resolveBatchOptions(options);
    for (const { key } of resolved.expect) this.#checkKey(key);
    const staged = stageBatch(operations, this.#seal, this.#copiesWrites);
    await this.#writer.add({ ...resolved, ...staged });
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
            this.#writer.writing ?? Promise.resolve(),
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
      keys.length > 1 &&
      this.#writer.writing !== undefined &&
      this.#database.supports.explicitSnapshots
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
    if (this.#writer.format !== undefined) refuseFormatKey(key);
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StoreError("STORE_CLOSED", "the store is closed");
  }

  /** Reads values of one state; the keys are the store's own. */
  async #read(keys: Uint8Array[]): Promise<(Bytes | undefined)[]> {
    let stored: readonly (Uint8Array | undefined)[];
    try {
      stored = await this.#database.getMany(keys, VIEWS);
    } catch (error) {
      throw readError(error);
    }
    return stored.map((one, index) =>
      one === undefined ? undefined : this.unseal(keys[index] as Uint8Array, one),
    );
  }

  async #finish(): Promise<void> {
    try {
      await this.#writer.finish();
    } finally {
      await this.#iterators.close();
      await this.#database.close();
    }
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
