import { type Entry, type TreeReads } from "@x/btree";

import { type Codecs } from "../codec/codecs.ts";
import { MappedIterator, SyncMappedIterator } from "./mapped-iterator.ts";
import { type MapKeyRange, type MapRange, treeKeyRange, treeRange } from "./typed-range.ts";

/** A key and its value. */
export type MapEntry<K, V> = [key: K, value: V];

/**
 * Reading one state of a map. Every call reads the state of the time of the call, whatever is written while it reads. Calls
 * that end in `Sync` do not wait; they need a store with synchronous reads.
 *
 * Errors of all: VerMapError VERMAP_UNDECODABLE, VERMAP_CLOSED; BTreeError BTREE_CORRUPT, BTREE_MISSING, and BTREE_CLOSED of what
 * being read when the map is closed; TypeError and RangeError for malformed arguments, and where a store cannot read
 * synchronously; whatever the store throws.
 */
export abstract class MapReads<K, V> {
  protected readonly codecs: Codecs<K, V>;

  protected constructor(codecs: Codecs<K, V>) {
    this.codecs = codecs;
  }

  /** What to read now. */
  protected abstract tree(): TreeReads;

  /** The value of a key. O(log n). */
  async get(key: K): Promise<V | undefined> {
    return this.#value(await this.tree().get(this.codecs.key.encode(key)));
  }

  getSync(key: K): V | undefined {
    return this.#value(this.tree().getSync(this.codecs.key.encode(key)));
  }

  /** The values of many keys, each in its place; one read for each level of the tree. */
  async getMany(keys: readonly K[]): Promise<(V | undefined)[]> {
    const values = await this.tree().getMany(this.#encoded(keys));
    return values.map((value) => this.#value(value));
  }

  getManySync(keys: readonly K[]): (V | undefined)[] {
    return this.tree()
      .getManySync(this.#encoded(keys))
      .map((value) => this.#value(value));
  }

  async has(key: K): Promise<boolean> {
    return this.tree().has(this.codecs.key.encode(key));
  }

  hasSync(key: K): boolean {
    return this.tree().hasSync(this.codecs.key.encode(key));
  }

  /** The entry with the least key. */
  async first(range: MapKeyRange<K> = {}): Promise<MapEntry<K, V> | undefined> {
    return this.#entry(await this.tree().first(treeKeyRange(this.codecs.key, range)));
  }

  firstSync(range: MapKeyRange<K> = {}): MapEntry<K, V> | undefined {
    return this.#entry(this.tree().firstSync(treeKeyRange(this.codecs.key, range)));
  }

  /** The entry with the greatest key. */
  async last(range: MapKeyRange<K> = {}): Promise<MapEntry<K, V> | undefined> {
    return this.#entry(await this.tree().last(treeKeyRange(this.codecs.key, range)));
  }

  lastSync(range: MapKeyRange<K> = {}): MapEntry<K, V> | undefined {
    return this.#entry(this.tree().lastSync(treeKeyRange(this.codecs.key, range)));
  }

  /** The entry with the greatest key that is not above `key`. */
  floor(key: K): Promise<MapEntry<K, V> | undefined> {
    return this.last({ lte: key });
  }

  floorSync(key: K): MapEntry<K, V> | undefined {
    return this.lastSync({ lte: key });
  }

  /** The entry with the least key that is not below `key`. */
  ceiling(key: K): Promise<MapEntry<K, V> | undefined> {
    return this.first({ gte: key });
  }

  ceilingSync(key: K): MapEntry<K, V> | undefined {
    return this.firstSync({ gte: key });
  }

  /** The entries of a range, in order, as they were at the call. Holds what it reads until it ends or `return()` is called. */
  entries(range?: MapRange<K>): AsyncIterableIterator<MapEntry<K, V>, undefined> {
    const source = this.tree().entries(treeRange(this.codecs.key, range));
    return new MappedIterator(source, (entry) => this.#decoded(entry));
  }

  entriesSync(range?: MapRange<K>): IterableIterator<MapEntry<K, V>, undefined> {
    const source = this.tree().entriesSync(treeRange(this.codecs.key, range));
    return new SyncMappedIterator(source, (entry) => this.#decoded(entry));
  }

  /** Their keys; large values are not read. */
  keys(range?: MapRange<K>): AsyncIterableIterator<K, undefined> {
    const source = this.tree().keys(treeRange(this.codecs.key, range));
    return new MappedIterator(source, (key) => this.codecs.key.decode(key));
  }

  keysSync(range?: MapRange<K>): IterableIterator<K, undefined> {
    const source = this.tree().keysSync(treeRange(this.codecs.key, range));
    return new SyncMappedIterator(source, (key) => this.codecs.key.decode(key));
  }

  /** Their values. */
  values(range?: MapRange<K>): AsyncIterableIterator<V, undefined> {
    const source = this.tree().values(treeRange(this.codecs.key, range));
    return new MappedIterator(source, (value) => this.codecs.value.decode(value));
  }

  valuesSync(range?: MapRange<K>): IterableIterator<V, undefined> {
    const source = this.tree().valuesSync(treeRange(this.codecs.key, range));
    return new SyncMappedIterator(source, (value) => this.codecs.value.decode(value));
  }

  /** How many entries there are. One node. */
  async size(): Promise<number> {
    return this.tree().size();
  }

  sizeSync(): number {
    return this.tree().sizeSync();
  }

  /** How many keys are in a range. O(log n), however many there are. */
  async count(range: MapKeyRange<K> = {}): Promise<number> {
    return this.tree().count(treeKeyRange(this.codecs.key, range));
  }

  countSync(range: MapKeyRange<K> = {}): number {
    return this.tree().countSync(treeKeyRange(this.codecs.key, range));
  }

  /** How many keys are below `key`, whether it is there or not. O(log n). */
  async rank(key: K): Promise<number> {
    return this.tree().rank(this.codecs.key.encode(key));
  }

  rankSync(key: K): number {
    return this.tree().rankSync(this.codecs.key.encode(key));
  }

  /** The entry with `index` others before it; `undefined` behind the last. O(log n). */
  async at(index: number): Promise<MapEntry<K, V> | undefined> {
    return this.#entry(await this.tree().at(index));
  }

  atSync(index: number): MapEntry<K, V> | undefined {
    return this.#entry(this.tree().atSync(index));
  }

  #value(bytes: Uint8Array | undefined): V | undefined {
    return bytes === undefined ? undefined : this.codecs.value.decode(bytes);
  }

  #entry(entry: Entry | undefined): MapEntry<K, V> | undefined {
    return entry === undefined ? undefined : this.#decoded(entry);
  }

  #decoded([key, value]: Entry): MapEntry<K, V> {
    return [this.codecs.key.decode(key), this.codecs.value.decode(value)];
  }

  #encoded(keys: readonly K[]): Uint8Array[] {
    return keys.map((key) => this.codecs.key.encode(key));
  }
}
