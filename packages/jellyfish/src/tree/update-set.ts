/** One change of a map, in abstract-level's words. */
export type TreeOperation<K, V> =
  | { readonly type: "put"; readonly key: K; readonly value: V }
  | { readonly type: "del"; readonly key: K };

/**
 * Changes to be made in one update: an ordered list in which the last change of a key wins. Keys and values are
 * encoded when the set is used; until then they are the caller's own.
 *
 * Keys are compared as `Map` compares them, so byte arrays of equal content are two entries; the tree then takes the later.
 */
export class UpdateSet<K, V> implements Iterable<TreeOperation<K, V>> {
  readonly #changes = new Map<K, TreeOperation<K, V>>();

  /** @param entries - values to put */
  constructor(entries: Iterable<readonly [K, V]> = []) {
    this.puts(entries);
  }

  /** Changes of keys that differ. */
  get size(): number {
    return this.#changes.size;
  }

  put(key: K, value: V): this {
    return this.#add({ type: "put", key, value });
  }

  /** Puts many; later entries win. */
  puts(entries: Iterable<readonly [K, V]>): this {
    for (const [key, value] of entries) this.put(key, value);
    return this;
  }

  remove(key: K): this {
    return this.#add({ type: "del", key });
  }

  /** The value that would be put; a removal and no change at all read as `undefined`. */
  get(key: K): V | undefined {
    const change = this.#changes.get(key);
    return change?.type === "put" ? change.value : undefined;
  }

  clear(): void {
    this.#changes.clear();
  }

  /** The changes, in the order in which they were last made. */
  [Symbol.iterator](): IterableIterator<TreeOperation<K, V>> {
    return this.#changes.values();
  }

  #add(change: TreeOperation<K, V>): this {
    this.#changes.delete(change.key);
    this.#changes.set(change.key, change);
    return this;
  }
}
