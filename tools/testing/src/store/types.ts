/**
 * The shapes the store tools need of a store. They are declared here because published packages' tests use this package,
 * and it may not depend on them; `packages/store` checks that both declarations fit.
 */

/** A store as the tools see it. */
export interface StoreLike {
  readonly supports: { readonly syncReads: boolean };
  readonly state: "open" | "poisoned" | "closed";
  get(key: Uint8Array): Promise<StoredBytes | undefined>;
  getMany(keys: readonly Uint8Array[]): Promise<(StoredBytes | undefined)[]>;
  batch(
    operations: readonly StoreOperation[],
    options?: { readonly sync?: boolean; readonly expect?: readonly StoreExpectation[] },
  ): Promise<void>;
  iterator(range?: StoreRange): StoreEntries;
  close(): Promise<void>;
}

/** What a store that declares `supports.syncReads` has besides. */
export interface SyncReadsLike {
  getSync(key: Uint8Array): StoredBytes | undefined;
  getManySync(keys: readonly Uint8Array[]): (StoredBytes | undefined)[];
  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
}

export type StoredBytes = Uint8Array<ArrayBuffer>;

export type StoreOperation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

export interface StoreExpectation {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export interface StoreRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

export type StoreEntry = [key: StoredBytes, value: StoredBytes];

export interface StoreEntries extends AsyncIterableIterator<StoreEntry, undefined> {
  next(): Promise<IteratorResult<StoreEntry, undefined>>;
  return(): Promise<IteratorResult<StoreEntry, undefined>>;
  [Symbol.asyncIterator](): StoreEntries;
}

/** Whether a store declares synchronous reads, and so has them. */
export function readsSync(store: StoreLike): store is StoreLike & SyncReadsLike {
  return store.supports.syncReads;
}
