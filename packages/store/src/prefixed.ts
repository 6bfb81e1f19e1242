import { checkKey, checkKeys, checkOperations, resolveRange } from "./adapter/arguments.ts";
import { afterPrefix, concatBytes, copyBytes } from "./bytes.ts";
import { StoreError } from "./errors.ts";
import {
  type BatchOptions,
  type Bytes,
  type Entry,
  type Operation,
  type Range,
  type Store,
  type StoreIterator,
  type StoreState,
  type StoreSupports,
  type SyncReads,
  hasSyncReads,
} from "./store.ts";

/**
 * A key space of its own in a store: every key is stored behind `prefix`, and no call reaches a key that is not.
 *
 * Two prefixes share no key unless one begins with the other; that is the caller's to see to. Closing ends this view and
 * leaves the store open. One batch over several key spaces is a batch of the store itself, made with
 * {@link prefixOperations}.
 *
 * @param prefix - at least one byte; copied
 * @throws TypeError if `prefix` is empty or not bytes
 */
export function prefixed(store: Store & SyncReads, prefix: Uint8Array): Store & SyncReads;
/** The same over a store that reads asynchronously only. */
export function prefixed(store: Store, prefix: Uint8Array): Store;
export function prefixed(store: Store, prefix: Uint8Array): Store {
  checkKey(prefix, "prefix");
  const own = copyBytes(prefix);
  return hasSyncReads(store) ? new SyncPrefixedStore(store, own) : new PrefixedStore(store, own);
}

/** The key in the store itself of a key behind a prefix. Fresh bytes. */
export function prefixKey(prefix: Uint8Array, key: Uint8Array): Bytes {
  checkKey(prefix, "prefix");
  checkKey(key);
  return concatBytes(prefix, key);
}

/** Operations on the store itself, of operations behind a prefix. Values are not copied. */
export function prefixOperations(
  prefix: Uint8Array,
  operations: readonly Operation[],
): Operation[] {
  checkKey(prefix, "prefix");
  checkOperations(operations);
  return operations.map((one) => ({ ...one, key: concatBytes(prefix, one.key) }));
}

class PrefixedStore<S extends Store> implements Store {
  readonly supports: StoreSupports;
  protected readonly base: S;
  readonly #prefix: Bytes;
  readonly #after: Bytes | undefined;
  readonly #batches = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(base: S, prefix: Bytes) {
    this.base = base;
    this.supports = base.supports;
    this.#prefix = prefix;
    this.#after = afterPrefix(prefix);
  }

  get state(): StoreState {
    return this.#closed === undefined ? this.base.state : "closed";
  }

  async get(key: Uint8Array): Promise<Bytes | undefined> {
    return this.base.get(this.baseKey(key));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    return this.base.getMany(this.baseKeys(keys));
  }

  async batch(operations: readonly Operation[], options: BatchOptions = {}): Promise<void> {
    this.#assertOpen();
    const batch = this.base.batch(prefixOperations(this.#prefix, operations), {
      ...options,
      ...(options.expect === undefined
        ? {}
        : { expect: options.expect.map((one) => ({ ...one, key: this.baseKey(one.key) })) }),
    });
    this.#batches.add(batch);
    try {
      await batch;
    } finally {
      this.#batches.delete(batch);
    }
  }

  iterator(range: Range = {}): StoreIterator {
    this.#assertOpen();
    return new PrefixedIterator(
      this.base.iterator(this.#baseRange(range)),
      this.#prefix.length,
      () => this.#assertOpen(),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish([...this.#batches]);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected baseKey(key: Uint8Array): Bytes {
    this.#assertOpen();
    checkKey(key);
    return concatBytes(this.#prefix, key);
  }

  protected baseKeys(keys: readonly Uint8Array[]): Bytes[] {
    this.#assertOpen();
    checkKeys(keys);
    return keys.map((key) => concatBytes(this.#prefix, key));
  }

  #baseRange(range: Range): Range {
    const { lower, upper, reverse, limit } = resolveRange(range);
    const from = concatBytes(this.#prefix, lower?.key ?? new Uint8Array(0));
    // The prefix itself is the empty key of this key space, and so is not in it.
    const isIn = lower?.inclusive === true && from.length > this.#prefix.length;
    return {
      ...(isIn ? { gte: from } : { gt: from }),
      ...this.#baseUpper(upper),
      reverse,
      limit,
    };
  }

  #baseUpper(upper: { readonly key: Bytes; readonly inclusive: boolean } | undefined): Range {
    if (upper !== undefined) {
      const to = concatBytes(this.#prefix, upper.key);
      return upper.inclusive ? { lte: to } : { lt: to };
    }
    return this.#after === undefined ? {} : { lt: this.#after };
  }

  async #finish(batches: readonly Promise<void>[]): Promise<void> {
    await Promise.allSettled(batches);
    if (this.base.state === "open") await this.base.batch([], { sync: true });
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new StoreError("STORE_CLOSED", "the key space is closed");
  }
}

class SyncPrefixedStore extends PrefixedStore<Store & SyncReads> implements SyncReads {
  getSync(key: Uint8Array): Bytes | undefined {
    return this.base.getSync(this.baseKey(key));
  }

  getManySync(keys: readonly Uint8Array[]): (Bytes | undefined)[] {
    return this.base.getManySync(this.baseKeys(keys));
  }

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.base.viewManySync(this.baseKeys(keys));
  }
}

/** Takes the prefix off each key. */
class PrefixedIterator implements StoreIterator {
  readonly #base: StoreIterator;
  readonly #prefixSize: number;
  readonly #assertOpen: () => void;

  constructor(base: StoreIterator, prefixSize: number, assertOpen: () => void) {
    this.#base = base;
    this.#prefixSize = prefixSize;
    this.#assertOpen = assertOpen;
  }

  async next(): Promise<IteratorResult<Entry, undefined>> {
    this.#assertOpen();
    const step = await this.#base.next();
    if (step.done === true) return step;
    const [key, value] = step.value;
    return { done: false, value: [key.slice(this.#prefixSize), value] };
  }

  return(): Promise<IteratorResult<Entry, undefined>> {
    return this.#base.return();
  }

  [Symbol.asyncIterator](): StoreIterator {
    return this;
  }
}
