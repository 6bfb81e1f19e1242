import { type Random } from "../random.ts";
import { hexOf, type ModelEntry, StoreModel } from "./model.ts";
import {
  type StoredBytes,
  type StoreEntries,
  type StoreEntry,
  type StoreExpectation,
  type StoreLike,
  type StoreOperation,
  type StoreRange,
  type SyncReadsLike,
} from "./types.ts";

/** What a {@link FailingStore} counts, and can fail at. One `next` of a walk is one `walk`. */
export type StoreCallKind = "read" | "walk" | "batch";

/** When a {@link FailingStore} fails, once. */
export interface StoreFailurePlan {
  /** The call that fails, counted from 1 over the calls of these kinds. */
  readonly at: number;
  /** Default: all. */
  readonly kinds?: readonly StoreCallKind[];
  /** Whether a batch that fails was written all the same, as a failed sync leaves it. Default: false. */
  readonly written?: boolean;
}

/** A batch that was acknowledged, or failed after it was written. */
export interface RecordedBatch {
  readonly operations: readonly StoreOperation[];
  readonly sync: boolean;
}

/** What a crash left, and which crash. */
export interface StoreImage {
  /** For a message: `prefix 3 of 5`. */
  readonly name: string;
  readonly store: FailingStore;
}

/** An error with a code of the stores; the tools do not know their class. */
export class FailingStoreError extends Error {
  override readonly name = "FailingStoreError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A store in memory that fails on demand, and remembers every batch so that it can show what a crash would have left.
 *
 * A failed batch poisons it, as a store on disk is; failed reads do not. Crash images and damaged copies are stores of
 * their own: open, with nothing planned, and with the state found as their durable beginning.
 */
export class FailingStore implements StoreLike, SyncReadsLike {
  readonly supports: { readonly syncReads: true } = { syncReads: true };
  readonly #begin: StoreModel;
  readonly #history: RecordedBatch[] = [];
  readonly #calls: Record<StoreCallKind, number> = { read: 0, walk: 0, batch: 0 };
  readonly #walks = new Set<Walk>();
  #model: StoreModel;
  #plan: StoreFailurePlan | undefined;
  #failure: FailingStoreError | undefined;
  #closed = false;

  /** @param begin - what it holds, durably */
  constructor(plan?: StoreFailurePlan, begin: StoreModel = new StoreModel()) {
    this.#plan = plan;
    this.#begin = begin.clone();
    this.#model = begin.clone();
  }

  /** Plans the next failure, counted from the next call on; replaces what was planned. */
  plan(plan: StoreFailurePlan | undefined): void {
    this.#plan = plan;
  }

  /** Calls so far, failed ones included. */
  get calls(): Readonly<Record<StoreCallKind, number>> {
    return { ...this.#calls };
  }

  /** The batches that were written, in order. */
  get history(): readonly RecordedBatch[] {
    return [...this.#history];
  }

  /** Walks that were begun and neither ended nor returned. */
  get walkCount(): number {
    return this.#walks.size;
  }

  /** What it holds now, as hexadecimal text: for comparing. */
  digest(): string {
    return this.#model.digest();
  }

  /** Every entry, whatever state the store is in. */
  content(): ModelEntry[] {
    return this.#model.entries();
  }

  get state(): "open" | "poisoned" | "closed" {
    if (this.#closed) return "closed";
    return this.#failure === undefined ? "open" : "poisoned";
  }

  async get(key: Uint8Array): Promise<StoredBytes | undefined> {
    return this.getSync(key);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(StoredBytes | undefined)[]> {
    return this.getManySync(keys);
  }

  getSync(key: Uint8Array): StoredBytes | undefined {
    return this.getManySync([key])[0];
  }

  getManySync(keys: readonly Uint8Array[]): (StoredBytes | undefined)[] {
    this.#assertOpen();
    for (const key of keys) checkKey(key);
    this.#count("read");
    return keys.map((key) => {
      const value = this.#model.get(key);
      return value === undefined ? undefined : new Uint8Array(value);
    });
  }

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.getManySync(keys);
  }

  async batch(
    operations: readonly StoreOperation[],
    options: { readonly sync?: boolean; readonly expect?: readonly StoreExpectation[] } = {},
  ): Promise<void> {
    this.#assertOpen();
    const { sync = true, expect = [] } = options;
    checkBatch(operations, sync, expect);
    if (this.#failure !== undefined)
      throw new FailingStoreError("STORE_POISONED", "an earlier batch failed", {
        cause: this.#failure,
      });
    const next = this.#model.clone();
    if (!next.batch(operations, expect))
      throw new FailingStoreError("STORE_CONFLICT", "an expectation does not hold");
    const written = operations.map((one) => ({ ...one, ...copiesOf(one) }));
    try {
      this.#count("batch");
    } catch (cause) {
      this.#failure = new FailingStoreError(
        "STORE_DURABILITY_UNKNOWN",
        "the batch may have been written, or not",
        { cause },
      );
      // Not known to be durable, whatever was asked for; and not shown, since it was not acknowledged.
      if (this.#takePlan()?.written === true)
        this.#history.push({ operations: written, sync: false });
      throw this.#failure;
    }
    this.#history.push({ operations: written, sync });
    this.#model = next;
  }

  iterator(range: StoreRange = {}): StoreEntries {
    this.#assertOpen();
    checkRange(range);
    const walk = new Walk(this.#model.entries(range), {
      begin: () => {
        this.#assertOpen();
        this.#count("walk");
      },
      end: () => this.#walks.delete(walk),
    });
    this.#walks.add(walk);
    return walk;
  }

  async close(): Promise<void> {
    // Batches are done when their call returns. An open walk fails when it is used again.
    this.#closed = true;
    this.#walks.clear();
  }

  /** What a killed process leaves: all that was written. */
  killed(): FailingStore {
    return this.#replay(this.#history);
  }

  /** What a power cut leaves of a store that syncs nothing by itself: no batch after the last synced one. */
  cutToSynced(): FailingStore {
    return this.#replay(this.#history.slice(0, this.#syncedCount()));
  }

  /**
   * Everything that a crash may leave, each once: all of it (`killed`); every prefix that holds the synced batches; and,
   * as LevelDB does without barriers, the synced batches with any subset of the unsynced ones before and after them. An
   * empty synced batch is the barrier: what was written before it stays.
   *
   * @param subsetCountMax - subsets given; where there are more, as many random ones. Default: 64
   * @yields images, never fewer than one
   */
  *crashImages(random: Random, subsetCountMax = 64): Generator<StoreImage, void> {
    const count = this.#history.length;
    for (let kept = this.#syncedCount(); kept < count; kept++)
      yield {
        name: `prefix ${kept} of ${count}`,
        store: this.#replay(this.#history.slice(0, kept)),
      };
    yield { name: `all ${count}`, store: this.killed() };
    yield* this.#subsetImages(random, subsetCountMax);
  }

  /** A copy that has lost one batch in the middle of its history, without a trace. */
  withoutBatch(index: number): FailingStore {
    return this.#replay(this.#history.filter((_, at) => at !== index));
  }

  /** A copy in which one bit of one value is the other one. `bit` counts from the first byte's lowest. */
  withFlippedBit(key: Uint8Array, bit: number): FailingStore {
    const value = new Uint8Array(this.#model.get(key) ?? []);
    const byte = value[bit >> 3];
    if (byte === undefined) throw new RangeError(`there is no bit ${bit} in ${value.length} bytes`);
    value[bit >> 3] = byte ^ (1 << (bit & 7));
    return this.#changed(key, value);
  }

  /** A copy that answers for one key what it held before, or `undefined` where it held nothing else before. */
  withOlderValue(key: Uint8Array): FailingStore | undefined {
    const older = [this.#begin.get(key), ...this.#valuesOf(key)].slice(0, -1).at(-1);
    return older === undefined ? undefined : this.#changed(key, older);
  }

  #valuesOf(key: Uint8Array): Uint8Array[] {
    const values: Uint8Array[] = [];
    for (const { operations } of this.#history)
      for (const one of operations)
        if (one.type === "put" && hexOf(one.key) === hexOf(key)) values.push(one.value);
    return values;
  }

  #changed(key: Uint8Array, value: Uint8Array): FailingStore {
    const model = this.#model.clone();
    model.batch([{ type: "put", key, value }]);
    return new FailingStore(undefined, model);
  }

  *#subsetImages(random: Random, countMax: number): Generator<StoreImage, void> {
    const barrier = this.#history.findLastIndex((one) => one.sync && one.operations.length === 0);
    const loose = [...this.#history.keys()].filter(
      (index) => index > barrier && this.#history[index]?.sync === false,
    );
    const isAll = 2 ** loose.length <= countMax;
    for (let mask = 0; mask < (isAll ? 2 ** loose.length : countMax); mask++) {
      const probability = random.fraction();
      const lost = new Set(
        loose.filter((_, at) => (isAll ? (mask & (1 << at)) !== 0 : random.chance(probability))),
      );
      const kept = this.#history.filter((_, index) => !lost.has(index));
      yield { name: `without unsynced ${[...lost].join(" ")}`, store: this.#replay(kept) };
    }
  }

  #replay(batches: readonly RecordedBatch[]): FailingStore {
    const model = this.#begin.clone();
    for (const { operations } of batches) model.batch(operations);
    return new FailingStore(undefined, model);
  }

  /** Batches up to the last synced one. */
  #syncedCount(): number {
    return this.#history.findLastIndex((one) => one.sync) + 1;
  }

  /** Counts a call, and throws if it is the planned one. */
  #count(kind: StoreCallKind): void {
    this.#calls[kind]++;
    const plan = this.#plan;
    if (plan === undefined || plan.kinds?.includes(kind) === false) return;
    this.#plan = { ...plan, at: plan.at - 1 };
    if (plan.at === 1) {
      // A batch still has to know whether it was written.
      if (kind !== "batch") this.#plan = undefined;
      throw new FailingStoreError("STORE_IO", `planned failure of a ${kind}`);
    }
  }

  #takePlan(): StoreFailurePlan | undefined {
    const plan = this.#plan;
    this.#plan = undefined;
    return plan;
  }

  #assertOpen(): void {
    if (this.#closed) throw new FailingStoreError("STORE_CLOSED", "the store is closed");
  }
}

/** A walk over entries that were taken when it began. */
class Walk implements StoreEntries {
  readonly #call: { begin(): void; end(): void };
  #entries: readonly ModelEntry[] | undefined;
  #position = 0;
  #failure: unknown;

  constructor(entries: readonly ModelEntry[], call: { begin(): void; end(): void }) {
    this.#entries = entries;
    this.#call = call;
  }

  async next(): Promise<IteratorResult<StoreEntry, undefined>> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#entries === undefined) return { done: true, value: undefined };
    try {
      this.#call.begin();
    } catch (error) {
      this.#failure = error;
      this.#call.end();
      throw error;
    }
    const entry = this.#entries[this.#position++];
    if (entry === undefined) return this.return();
    const [key, value] = entry;
    return {
      done: false,
      value: [Uint8Array.from(Buffer.from(key, "hex")), new Uint8Array(value)],
    };
  }

  async return(): Promise<IteratorResult<StoreEntry, undefined>> {
    this.#entries = undefined;
    this.#call.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): StoreEntries {
    return this;
  }
}

function copiesOf(one: StoreOperation): { key: Uint8Array; value?: Uint8Array } {
  const key = new Uint8Array(one.key);
  return one.type === "put" ? { key, value: new Uint8Array(one.value) } : { key };
}

function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array) || key.length === 0)
    throw new TypeError("a key is empty or not bytes");
}

function checkBatch(
  operations: readonly StoreOperation[],
  sync: boolean,
  expect: readonly StoreExpectation[],
): void {
  if (!Array.isArray(operations) || !Array.isArray(expect)) throw new TypeError("not a list");
  if (typeof sync !== "boolean") throw new TypeError("sync is not a boolean");
  for (const one of operations as readonly StoreOperation[]) {
    checkKey(one.key);
    if (one.type === "put" ? !(one.value instanceof Uint8Array) : one.type !== "del")
      throw new TypeError("an operation is malformed");
  }
  for (const { key, value } of expect as readonly StoreExpectation[]) {
    checkKey(key);
    if (value !== undefined && !(value instanceof Uint8Array))
      throw new TypeError("an expected value is not bytes");
  }
}

function checkRange({ gte, gt, lte, lt, reverse = false, limit = Infinity }: StoreRange): void {
  for (const bound of [gte, gt, lte, lt])
    if (bound !== undefined && !(bound instanceof Uint8Array))
      throw new TypeError("a bound is not bytes");
  if ((gte !== undefined && gt !== undefined) || (lte !== undefined && lt !== undefined))
    throw new TypeError("two bounds on one side");
  if (typeof reverse !== "boolean") throw new TypeError("reverse is not a boolean");
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new RangeError("limit is not a count");
}
