import {
  type StoredBytes,
  type StoreEntries,
  type StoreExpectation,
  type StoreLike,
  type StoreOperation,
  type StoreRange,
  type SyncReadsLike,
} from "./types.ts";

/** What a {@link CountingStore} saw. */
export interface StoreCounts {
  /** Calls of `get` and `getSync`. */
  get: number;
  /** Calls of `getMany`, `getManySync` and `viewManySync`. */
  getMany: number;
  /** Keys asked for by all of them. */
  keys: number;
  batch: number;
  /** Batches of those with `sync`, which is the default. */
  syncedBatch: number;
  /** Operations of all batches, and bytes of the values they put. */
  operations: number;
  valueBytes: number;
  iterator: number;
}

/** Passes every call on and counts: costs that are exact and the same on every machine. */
export class CountingStore<S extends StoreLike & SyncReadsLike>
  implements StoreLike, SyncReadsLike
{
  readonly #store: S;
  #counts: StoreCounts = noCounts();

  constructor(store: S) {
    this.#store = store;
  }

  /** What was counted since the last call, and starts again. */
  take(): StoreCounts {
    const counts = this.#counts;
    this.#counts = noCounts();
    return counts;
  }

  get supports(): { readonly syncReads: boolean } {
    return this.#store.supports;
  }

  get state(): "open" | "poisoned" | "closed" {
    return this.#store.state;
  }

  get(key: Uint8Array): Promise<StoredBytes | undefined> {
    this.#countReads("get", 1);
    return this.#store.get(key);
  }

  getMany(keys: readonly Uint8Array[]): Promise<(StoredBytes | undefined)[]> {
    this.#countReads("getMany", keys.length);
    return this.#store.getMany(keys);
  }

  getSync(key: Uint8Array): StoredBytes | undefined {
    this.#countReads("get", 1);
    return this.#store.getSync(key);
  }

  getManySync(keys: readonly Uint8Array[]): (StoredBytes | undefined)[] {
    this.#countReads("getMany", keys.length);
    return this.#store.getManySync(keys);
  }

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    this.#countReads("getMany", keys.length);
    return this.#store.viewManySync(keys);
  }

  batch(
    operations: readonly StoreOperation[],
    options: { readonly sync?: boolean; readonly expect?: readonly StoreExpectation[] } = {},
  ): Promise<void> {
    this.#counts.batch++;
    if (options.sync !== false) this.#counts.syncedBatch++;
    this.#counts.operations += operations.length;
    for (const one of operations)
      if (one.type === "put") this.#counts.valueBytes += one.value.length;
    return this.#store.batch(operations, options);
  }

  iterator(range?: StoreRange): StoreEntries {
    this.#counts.iterator++;
    return this.#store.iterator(range);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #countReads(kind: "get" | "getMany", keyCount: number): void {
    this.#counts[kind]++;
    this.#counts.keys += keyCount;
  }
}

function noCounts(): StoreCounts {
  return {
    get: 0,
    getMany: 0,
    keys: 0,
    batch: 0,
    syncedBatch: 0,
    operations: 0,
    valueBytes: 0,
    iterator: 0,
  };
}
