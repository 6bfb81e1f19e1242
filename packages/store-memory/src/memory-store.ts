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
  copyBytes,
  keyText,
  OpenIterators,
  type ResolvedBatchOptions,
  resolveBatchOptions,
  resolveRange,
  sameBytes,
} from "@x/store/adapter";

import { IndexWalk } from "./index-walk.ts";
import { buildIndex, type OrderedIndex, updateIndex } from "./ordered-index.ts";

/** How a {@link MemoryStore} is bounded. */
export interface MemoryStoreOptions {
  /** Most bytes of keys and values together; a batch that would go past it fails with STORE_FULL. Default: no bound. */
  readonly byteCountMax?: number;
  /** Most entries, at most 2^24, which is what a `Map` of the engine holds. Default: 2^24. */
  readonly entryCountMax?: number;
  /** Most iterators open at once. Default: 10,000. */
  readonly iteratorCountMax?: number;
}

/** What a {@link MemoryStore} holds. Bytes are those of keys and values alone, without what the engine adds. */
export interface MemoryStatistics {
  readonly entryCount: number;
  readonly keyByteCount: number;
  readonly valueByteCount: number;
  /** Keys and values together: what `byteCountMax` bounds. */
  readonly byteCount: number;
  /** The most there ever was. */
  readonly byteCountPeak: number;
  /** As in the options; Infinity: no bound. */
  readonly byteCountMax: number;
  readonly iteratorCount: number;
}

/** Entries an engine's `Map` can hold. */
const ENTRY_COUNT_MAX = 2 ** 24;
/** Changed keys that are remembered for the order at least, however few entries there are. */
const CHANGED_COUNT_MIN = 1024;

/**
 * An ordered store in memory.
 *
 * Invariants
 * 1. `#entries` is the state. Values in it are never changed in place: a view or a snapshot stays what it was.
 * 2. `#index`, once an iterator asked for the order, is the order of the state without the changes of the keys in
 *    `#changed`. While nobody iterates nothing is sorted, and nothing is remembered for it.
 * 3. A batch copies, counts and checks before it changes anything; what follows cannot fail.
 */
export class MemoryStore implements Store, SyncReads {
  readonly supports: StoreSupports & { readonly syncReads: true } = { syncReads: true };
  readonly #entries = new Map<string, Bytes>();
  readonly #iterators: OpenIterators;
  readonly #byteCountMax: number;
  readonly #entryCountMax: number;
  #index: OrderedIndex | undefined;
  #changed = new Set<string>();
  #keyByteCount = 0;
  #valueByteCount = 0;
  #byteCountPeak = 0;
  #closed: Promise<void> | undefined;

  /** @throws RangeError if a bound is not a positive count */
  constructor(options: MemoryStoreOptions = {}) {
    const { byteCountMax = Infinity, entryCountMax = ENTRY_COUNT_MAX } = options;
    if (byteCountMax !== Infinity && !isPositiveCount(byteCountMax))
      throw new RangeError(`byteCountMax is ${byteCountMax}, not a positive count`);
    if (!isPositiveCount(entryCountMax) || entryCountMax > ENTRY_COUNT_MAX)
      throw new RangeError(`entryCountMax is ${entryCountMax}, not in 1…${ENTRY_COUNT_MAX}`);
    this.#byteCountMax = byteCountMax;
    this.#entryCountMax = entryCountMax;
    this.#iterators = new OpenIterators(options.iteratorCountMax);
  }

  get state(): StoreState {
    return this.#closed === undefined ? "open" : "closed";
  }

  /** What the store holds now; after `close` what it held is gone. */
  statistics(): MemoryStatistics {
    return {
      entryCount: this.#entries.size,
      keyByteCount: this.#keyByteCount,
      valueByteCount: this.#valueByteCount,
      byteCount: this.#keyByteCount + this.#valueByteCount,
      byteCountPeak: this.#byteCountPeak,
      byteCountMax: this.#byteCountMax,
      iteratorCount: this.#iterators.count,
    };
  }

  getSync(key: Uint8Array): Bytes | undefined {
    this.#assertOpen();
    checkKey(key);
    return copyOf(this.#entries.get(keyText(key)));
  }

  getManySync(keys: readonly Uint8Array[]): (Bytes | undefined)[] {
    this.#assertOpen();
    checkKeys(keys);
    const values: (Bytes | undefined)[] = [];
    for (const key of keys) values.push(copyOf(this.#entries.get(keyText(key))));
    return values;
  }

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    this.#assertOpen();
    checkKeys(keys);
    const values: (Uint8Array | undefined)[] = [];
    for (const key of keys) values.push(this.#entries.get(keyText(key)));
    return values;
  }

  async get(key: Uint8Array): Promise<Bytes | undefined> {
    return this.getSync(key);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    return this.getManySync(keys);
  }

  /** Done when the call returns; `sync` makes no difference. */
  async batch(operations: readonly Operation[], options?: BatchOptions): Promise<void> {
    this.#assertOpen();
    checkOperations(operations);
    this.#assertExpected(resolveBatchOptions(options));
    const changes = stage(operations);
    const { keyByteDelta, valueByteDelta, entryDelta } = this.#measure(changes);
    const byteCount = this.#keyByteCount + this.#valueByteCount + keyByteDelta + valueByteDelta;
    if (byteCount > this.#byteCountMax)
      throw new StoreError(
        "STORE_FULL",
        `${byteCount} bytes after this batch, at most ${this.#byteCountMax} fit`,
      );
    const entryCount = this.#entries.size + entryDelta;
    if (entryCount > this.#entryCountMax)
      throw new StoreError(
        "STORE_FULL",
        `${entryCount} entries after this batch, at most ${this.#entryCountMax} fit`,
      );
    this.#apply(changes);
    this.#keyByteCount += keyByteDelta;
    this.#valueByteCount += valueByteDelta;
    this.#byteCountPeak = Math.max(this.#byteCountPeak, byteCount);
  }

  iterator(range?: Range): StoreIterator {
    this.#assertOpen();
    const resolved = resolveRange(range);
    return this.#iterators.open(() => new IndexWalk(this.#ordered(), resolved));
  }

  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StoreError("STORE_CLOSED", "the store is closed");
  }

  #assertExpected({ expect }: ResolvedBatchOptions): void {
    for (const [index, { key, value }] of expect.entries())
      if (!sameBytes(this.#entries.get(keyText(key)), value))
        throw new StoreError(
          "STORE_CONFLICT",
          `expectation ${index} of ${expect.length} does not hold`,
          { key },
        );
  }

  #measure(changes: Changes): {
    keyByteDelta: number;
    valueByteDelta: number;
    entryDelta: number;
  } {
    let keyByteDelta = 0;
    let valueByteDelta = 0;
    let entryDelta = 0;
    for (const [text, value] of changes) {
      const old = this.#entries.get(text);
      valueByteDelta += (value?.length ?? 0) - (old?.length ?? 0);
      const one = Number(value !== undefined) - Number(old !== undefined);
      entryDelta += one;
      keyByteDelta += one * text.length;
    }
    return { keyByteDelta, valueByteDelta, entryDelta };
  }

  #apply(changes: Changes): void {
    for (const [text, value] of changes) {
      if (value === undefined) this.#entries.delete(text);
      else this.#entries.set(text, value);
    }
    if (this.#index === undefined) return;
    for (const text of changes.keys()) this.#changed.add(text);
    if (this.#changed.size > Math.max(CHANGED_COUNT_MIN, this.#entries.size)) this.#forgetOrder();
  }

  /** The order of now. */
  #ordered(): OrderedIndex {
    if (this.#index === undefined) this.#index = buildIndex(this.#entries);
    else if (this.#changed.size > 0)
      this.#index = updateIndex(this.#index, this.#changed, this.#entries);
    this.#changed = new Set();
    return this.#index;
  }

  /** Bringing so many keys up to date would cost what sorting costs, and remembering them would cost memory. */
  #forgetOrder(): void {
    this.#index = undefined;
    this.#changed = new Set();
  }

  async #release(): Promise<void> {
    await this.#iterators.close();
    this.#forgetOrder();
    this.#entries.clear();
    this.#keyByteCount = 0;
    this.#valueByteCount = 0;
  }
}

/** Last change of each key; `undefined`: removed. */
type Changes = ReadonlyMap<string, Bytes | undefined>;

/** Copies what the batch needs of the caller's memory. */
function stage(operations: readonly Operation[]): Changes {
  const changes = new Map<string, Bytes | undefined>();
  for (const operation of operations)
    changes.set(
      keyText(operation.key),
      operation.type === "put" ? copyBytes(operation.value) : undefined,
    );
  return changes;
}

function copyOf(value: Bytes | undefined): Bytes | undefined {
  return value === undefined ? undefined : copyBytes(value);
}

function isPositiveCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
