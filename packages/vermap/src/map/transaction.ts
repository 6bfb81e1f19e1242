import { type Change, type NodePool } from "@x/btree";
import { keyText } from "@x/store/adapter";

import { type Codecs } from "../codec/codecs.ts";
import { MappedIterator } from "../reads/mapped-iterator.ts";
import { type MapEntry } from "../reads/map-reads.ts";
import { type MapRange, treeRange } from "../reads/typed-range.ts";

/** Many writes to one working state, which happen together or not at all. Reads see what was written before them. */
export class Transaction<K, V> {
  readonly #pool: NodePool;
  readonly #codecs: Codecs<K, V>;
  #root: number;
  /** Writes that are not in the tree yet; the last one on each key. */
  #changes = new Map<string, Change>();
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  /** Made by `Branch.update`. Pins the root, and what becomes of it. */
  constructor(pool: NodePool, codecs: Codecs<K, V>, root: number) {
    this.#pool = pool;
    this.#codecs = codecs;
    this.#root = root;
    pool.pin(root);
  }

  /** Sets a key to a value. */
  set(key: K, value: V): this {
    const bytes = this.#codecs.key.encode(key);
    this.#add({ type: "put", key: bytes, value: this.#codecs.value.encode(value) });
    return this;
  }

  /** Removes a key; one that is not there is no error. */
  delete(key: K): this {
    this.#add({ type: "del", key: this.#codecs.key.encode(key) });
    return this;
  }

  /** The value of a key. */
  async get(key: K): Promise<V | undefined> {
    this.#assertRunning();
    const bytes = this.#codecs.key.encode(key);
    const change = this.#changes.get(keyText(bytes));
    const value = change === undefined ? await this.#stored(bytes) : valueOf(change);
    return value === undefined ? undefined : this.#codecs.value.decode(value);
  }

  async has(key: K): Promise<boolean> {
    this.#assertRunning();
    const bytes = this.#codecs.key.encode(key);
    const change = this.#changes.get(keyText(bytes));
    return change === undefined ? (await this.#stored(bytes)) !== undefined : change.type === "put";
  }

  /**
   * The entries of a range, as they are when the first is asked for.
   *
   * @yields entries, in order
   */
  async *entries(range?: MapRange<K>): AsyncGenerator<MapEntry<K, V>, undefined, undefined> {
    this.#assertRunning();
    const resolved = treeRange(this.#codecs.key, range);
    await this.apply();
    const snapshot = this.#pool.snapshot(this.#root);
    const entries = snapshot.entries(resolved);
    snapshot.release();
    yield* new MappedIterator(entries, ([key, value]): MapEntry<K, V> => [
      this.#codecs.key.decode(key),
      this.#codecs.value.decode(value),
    ]);
    return undefined;
  }

  /**
   * Brings what was written so far into the tree, in memory. Called by itself where it must be; a transaction of more writes
   * than should wait in memory calls it now and then, and the tree spills what passes its budget.
   */
  apply(): Promise<void> {
    const result = this.#last.then(() => this.#apply());
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Ends the transaction.
   *
   * @returns the root it came to, pinned for the caller
   */
  async finish(): Promise<number> {
    await this.apply();
    this.#isOver = true;
    return this.#root;
  }

  /** Ends the transaction and forgets what it did. */
  async abandon(): Promise<void> {
    await this.#last;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pool.unpin(this.#root);
  }

  #add(change: Change): void {
    this.#assertRunning();
    this.#changes.set(keyText(change.key), change);
  }

  async #apply(): Promise<void> {
    this.#assertRunning();
    if (this.#changes.size === 0) return;
    const changes = this.#changes;
    this.#changes = new Map();
    try {
      this.#root = await this.#pool.edit(this.#root, changes.values(), { consume: true });
    } catch (error) {
      // The caller may go on, and then nothing may be missing; what was written meanwhile is newer.
      this.#changes = new Map([...changes, ...this.#changes]);
      throw error;
    }
  }

  async #stored(key: Uint8Array): Promise<Uint8Array | undefined> {
    await this.#last;
    const snapshot = this.#pool.snapshot(this.#root);
    try {
      return await snapshot.get(key);
    } finally {
      snapshot.release();
    }
  }

  #assertRunning(): void {
    if (this.#isOver) throw new TypeError("the transaction is over");
  }
}

function valueOf(change: Change): Uint8Array | undefined {
  return change.type === "put" ? change.value : undefined;
}
