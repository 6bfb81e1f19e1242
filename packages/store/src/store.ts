/**
 * The seam between a tree and whatever keeps its nodes: an ordered map from byte strings to byte strings.
 *
 * Rules every store keeps, and the contract suite proves of each:
 *
 * 1. Keys are ordered as unsigned bytes, a shorter one before its extensions. The empty key is refused; an empty value
 *    is a value.
 * 2. A batch is atomic, also across a crash and an error: all of it is there, or none of it.
 * 3. Batches happen one after another, in the order of the calls. If a batch survives, so do all before it.
 * 4. A read sees every batch that was acknowledged before the call, and of a batch still in flight all or nothing. All
 *    values of one call are of one state.
 * 5. Arguments are copied before the call returns, results are the caller's own; neither shares memory with the store.
 * 6. What the store says is what was stored: damage is an error, never another value.
 */
export interface Store {
  /** What this store can do besides; see {@link hasSyncReads}. Never changes. */
  readonly supports: StoreSupports;
  /** `poisoned`: a write failed so that its outcome is unknown; reads go on, every further batch is refused. */
  readonly state: StoreState;

  /**
   * Reads one value; `undefined` where there is none.
   *
   * @throws TypeError if the key is empty or not bytes
   * @throws StoreError STORE_CLOSED, STORE_DAMAGED, STORE_IO
   */
  get(key: Uint8Array): Promise<Bytes | undefined>;

  /** Reads many values of one state; place i of the result belongs to key i. Keys may repeat. Errors as {@link get}. */
  getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]>;

  /**
   * Writes all operations or none, in their order: the last one on a key wins.
   *
   * A batch without operations checks `expect`, and with `sync` is the barrier: once it is acknowledged, every batch
   * acknowledged before is durable. See {@link flush}.
   *
   * @throws TypeError if an operation is malformed; nothing is written
   * @throws StoreError STORE_CONFLICT if an expectation does not hold; nothing is written
   * @throws StoreError STORE_DURABILITY_UNKNOWN if the outcome is unknown: the store is poisoned, reopening tells
   * @throws StoreError STORE_POISONED, STORE_CLOSED, STORE_FULL; nothing is written
   */
  batch(operations: readonly Operation[], options?: BatchOptions): Promise<void>;

  /**
   * Walks the entries of a range in the order of their keys. The entries are those of the call, whatever is written
   * while they are read. The snapshot is released at the end, by `return()` (which `break` and an exception in a
   * `for await` call), by `close`, or when the iterator is collected as garbage.
   *
   * An iterator that failed goes on failing.
   *
   * @throws TypeError if the range is malformed
   * @throws StoreError STORE_CLOSED; STORE_ITERATOR_LIMIT if too many iterators are open; while walking as {@link get}
   */
  iterator(range?: Range): StoreIterator;

  /**
   * Waits for the batches called before, makes them durable, releases every iterator and what the store holds. Later
   * calls fail with STORE_CLOSED; closing again waits for the same end. Also closes a poisoned store, without writing.
   */
  close(): Promise<void>;
}

/** Bytes that belong to whoever got them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** See {@link Store.supports}. */
export interface StoreSupports {
  /** The store is also {@link SyncReads}. */
  readonly syncReads: boolean;
}

/** See {@link Store.state}. */
export type StoreState = "open" | "poisoned" | "closed";

/** Reading without waiting, where the store declares `supports.syncReads`. States and errors as in {@link Store}. */
export interface SyncReads {
  getSync(key: Uint8Array): Bytes | undefined;
  getManySync(keys: readonly Uint8Array[]): (Bytes | undefined)[];
  /**
   * As `getManySync`, but what it returns may be the store's own memory: read it, do not change it, do not hand it out.
   * It never changes afterwards. Spares a store in memory the copies.
   */
  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[];
}

/** Whether a store declares synchronous reads. */
export function hasSyncReads(store: Store): store is Store & SyncReads {
  return store.supports.syncReads;
}

/** One change of a batch. */
export type Operation = Put | Del;

/** Sets a key to a value. */
export interface Put {
  readonly type: "put";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Removes a key; one that is not there is no error. */
export interface Del {
  readonly type: "del";
  readonly key: Uint8Array;
}

/** What a key must hold when the batch is its turn; `undefined`: the key must not be there. */
export interface Expectation {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** See {@link Store.batch}. */
export interface BatchOptions {
  /** Acknowledge only what survives a power cut. Without it a power cut may take the batch, and those after it. Default: true. */
  readonly sync?: boolean;
  /** Preconditions, checked against the state the batch changes. Default: none. */
  readonly expect?: readonly Expectation[];
}

/** Which entries, and in which direction. At most one lower and one upper bound. */
export interface Range {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  /** From the greatest key down. Default: false. */
  readonly reverse?: boolean;
  /** Most entries to give. Default: all. */
  readonly limit?: number;
}

/** A key and its value. */
export type Entry = [key: Bytes, value: Bytes];

/** See {@link Store.iterator}. Calls may overlap; they are answered in order. */
export interface StoreIterator extends AsyncIterableIterator<Entry, undefined> {
  next(): Promise<IteratorResult<Entry, undefined>>;
  /** Ends the walk and releases the snapshot. Further calls do nothing. */
  return(): Promise<IteratorResult<Entry, undefined>>;
  [Symbol.asyncIterator](): StoreIterator;
}

/**
 * The barrier: once it resolves, every batch acknowledged before is durable.
 *
 * A writer of more than one batch writes what nothing points to yet without `sync`, calls this, and only then writes
 * the pointer.
 */
export function flush(store: Pick<Store, "batch">): Promise<void> {
  return store.batch([], { sync: true });
}
