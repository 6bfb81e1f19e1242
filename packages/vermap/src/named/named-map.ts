import { type Codecs } from "../codec/codecs.ts";
import { bytes, utf8 } from "../codec/plain.ts";
import { tuple } from "../codec/tuple.ts";
import { type Transaction } from "../map/transaction.ts";
import { type VerMap } from "../map/ver-map.ts";
import { type Version } from "../map/version.ts";
import { type MapDifference } from "../reads/map-difference.ts";
import { type MapEntry, type MapReads } from "../reads/map-reads.ts";
import { MappedIterator } from "../reads/mapped-iterator.ts";
import {
  type MapDiffRange,
  type MapKeyRange,
  type MapRange,
  treeDiffRange,
  treeKeyRange,
  treeRange,
} from "../reads/typed-range.ts";

/** A map of bytes, which named maps share. */
export type BytesMap = VerMap<Uint8Array, Uint8Array>;

/** A name, then the key: keys of one named map stand together, and apart from those of all others. */
const keyLayout = /* @__PURE__ */ tuple(utf8, bytes);

/**
 * One of several maps that share the branches, commits and merges of one map of bytes, each with a name and codecs of its own.
 * It says how its entries lie in the shared map; what it reads and writes is given to it.
 */
export class NamedMap<K, V> {
  readonly name: string;
  readonly codecs: Codecs<K, V>;
  readonly #prefix: Uint8Array;

  /** Made by `openNamedMaps`. */
  constructor(name: string, codecs: Codecs<K, V>) {
    this.name = name;
    this.codecs = codecs;
    this.#prefix = keyLayout.encode([name, new Uint8Array()]);
  }

  /** Its entries in a branch or a snapshot of the shared map. */
  in(shared: MapReads<Uint8Array, Uint8Array>): NamedReads<K, V> {
    return new NamedReads(this, shared);
  }

  /** Writes into it as part of a transaction of the shared map. */
  to(transaction: Transaction<Uint8Array, Uint8Array>): NamedWrites<K, V> {
    return new NamedWrites(this, transaction);
  }

  /** What changes in it on the way from one version to another; see `VerMap.diff`. */
  diff(
    shared: BytesMap,
    from: Version,
    to: Version,
    range: MapDiffRange<K> = {},
  ): AsyncIterableIterator<MapDifference<K, V>, undefined> {
    const scoped = this.scoped(treeDiffRange(this.codecs.key, range));
    const { value } = this.codecs;
    return new MappedIterator(shared.diff(from, to, scoped), (one): MapDifference<K, V> => {
      const key = this.keyOf(one.key);
      switch (one.type) {
        case "added":
          return { type: "added", key, value: value.decode(one.value) };
        case "removed":
          return { type: "removed", key, oldValue: value.decode(one.oldValue) };
        case "modified":
          return {
            type: "modified",
            key,
            oldValue: value.decode(one.oldValue),
            value: value.decode(one.value),
          };
      }
    });
  }

  /** A key as it stands in the shared map. */
  sharedKey(key: K): Uint8Array {
    return keyLayout.encode([this.name, this.codecs.key.encode(key)]);
  }

  /** The key of an entry of the shared map, which belongs to this one. */
  keyOf(sharedKey: Uint8Array): K {
    return this.codecs.key.decode(sharedKey.subarray(this.#prefix.length));
  }

  /** A range of bytes as it stands in the shared map, within this one. */
  scoped<R extends MapKeyRange<Uint8Array>>(range: R): R {
    const bound = (key: Uint8Array): Uint8Array => keyLayout.encode([this.name, key]);
    const { gte, gt, lte, lt, prefix } = range;
    return {
      ...range,
      ...(gte === undefined ? {} : { gte: bound(gte) }),
      ...(gt === undefined ? {} : { gt: bound(gt) }),
      ...(lte === undefined ? {} : { lte: bound(lte) }),
      ...(lt === undefined ? {} : { lt: bound(lt) }),
      prefix: prefix === undefined ? this.#prefix : bound(prefix),
    };
  }
}

/** Reading a named map in one branch or snapshot. As `MapReads`, which see. */
export class NamedReads<K, V> {
  readonly #map: NamedMap<K, V>;
  readonly #shared: MapReads<Uint8Array, Uint8Array>;

  /** Made by `NamedMap.in`. */
  constructor(map: NamedMap<K, V>, shared: MapReads<Uint8Array, Uint8Array>) {
    this.#map = map;
    this.#shared = shared;
  }

  async get(key: K): Promise<V | undefined> {
    return this.#value(await this.#shared.get(this.#map.sharedKey(key)));
  }

  async getMany(keys: readonly K[]): Promise<(V | undefined)[]> {
    const values = await this.#shared.getMany(keys.map((key) => this.#map.sharedKey(key)));
    return values.map((value) => this.#value(value));
  }

  async has(key: K): Promise<boolean> {
    return this.#shared.has(this.#map.sharedKey(key));
  }

  async first(range: MapKeyRange<K> = {}): Promise<MapEntry<K, V> | undefined> {
    return this.#entry(await this.#shared.first(this.#keyRange(range)));
  }

  async last(range: MapKeyRange<K> = {}): Promise<MapEntry<K, V> | undefined> {
    return this.#entry(await this.#shared.last(this.#keyRange(range)));
  }

  entries(range: MapRange<K> = {}): AsyncIterableIterator<MapEntry<K, V>, undefined> {
    const source = this.#shared.entries(this.#range(range));
    return new MappedIterator(source, (entry) => this.#decoded(entry));
  }

  keys(range: MapRange<K> = {}): AsyncIterableIterator<K, undefined> {
    const source = this.#shared.keys(this.#range(range));
    return new MappedIterator(source, (key) => this.#map.keyOf(key));
  }

  values(range: MapRange<K> = {}): AsyncIterableIterator<V, undefined> {
    const { value } = this.#map.codecs;
    return new MappedIterator(this.#shared.values(this.#range(range)), (one) => value.decode(one));
  }

  /** How many keys are in a range; by default in all of this map. O(log n). */
  async count(range: MapKeyRange<K> = {}): Promise<number> {
    return this.#shared.count(this.#keyRange(range));
  }

  #range(range: MapRange<K>): MapRange<Uint8Array> {
    return this.#map.scoped(treeRange(this.#map.codecs.key, range));
  }

  #keyRange(range: MapKeyRange<K>): MapKeyRange<Uint8Array> {
    return this.#map.scoped(treeKeyRange(this.#map.codecs.key, range));
  }

  #value(value: Uint8Array | undefined): V | undefined {
    return value === undefined ? undefined : this.#map.codecs.value.decode(value);
  }

  #entry(entry: MapEntry<Uint8Array, Uint8Array> | undefined): MapEntry<K, V> | undefined {
    return entry === undefined ? undefined : this.#decoded(entry);
  }

  #decoded([key, value]: MapEntry<Uint8Array, Uint8Array>): MapEntry<K, V> {
    return [this.#map.keyOf(key), this.#map.codecs.value.decode(value)];
  }
}

/** Writing into a named map within a transaction. As `Transaction`, which see. */
export class NamedWrites<K, V> {
  readonly #map: NamedMap<K, V>;
  readonly #transaction: Transaction<Uint8Array, Uint8Array>;

  /** Made by `NamedMap.to`. */
  constructor(map: NamedMap<K, V>, transaction: Transaction<Uint8Array, Uint8Array>) {
    this.#map = map;
    this.#transaction = transaction;
  }

  set(key: K, value: V): this {
    this.#transaction.set(this.#map.sharedKey(key), this.#map.codecs.value.encode(value));
    return this;
  }

  delete(key: K): this {
    this.#transaction.delete(this.#map.sharedKey(key));
    return this;
  }

  async get(key: K): Promise<V | undefined> {
    const value = await this.#transaction.get(this.#map.sharedKey(key));
    return value === undefined ? undefined : this.#map.codecs.value.decode(value);
  }
}
