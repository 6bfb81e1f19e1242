import { Bitmap } from "../bitmap.ts";
import type { DeserializeOptions } from "../reader.ts";
import {
  checkEnd,
  checkIndex,
  checkValue,
  describeSet,
  toU32Array,
  type U32Set,
  type U32SetFactory,
  type ValuesOptions,
} from "../u32-set.ts";
import { ValueIterator } from "../value-iterator.ts";
import type { SerializeOptions } from "../writer.ts";
import type { RoaringBitmap, RoaringBitmapClass, RoaringModule } from "./roaring.ts";

/**
 * Sets of the native addon, which the caller hands over.
 *
 * @param roaring - the package `roaring`, 2.7 or later: `import roaring from "roaring"`
 * @throws {@link TypeError} if the argument has no `RoaringBitmap32`
 * @example
 * import roaring from "roaring";
 * const sets = nativeBitmaps(roaring);
 * sets.from([1, 2, 3]).size; // 3
 */
export function nativeBitmaps(roaring: RoaringModule): U32SetFactory<NativeBitmap> {
  const engine = roaring.RoaringBitmap32;
  if (typeof engine !== "function") throw new TypeError("roaring has no class RoaringBitmap32");
  const wrap = (set: RoaringBitmap): NativeBitmap => new NativeBitmap(engine, set);
  return {
    create: () => wrap(new engine(new Uint32Array(0))),
    from: (values) => wrap(new engine(toU32Array(values))),
    deserialize: (bytes, options = {}) => wrap(read(engine, bytes, options)),
  };
}

/**
 * Bytes as a bitmap of the addon, which does not check what it reads: bytes that break a rule make it
 * answer wrongly, write over other memory or end the process. So it is handed none. The bytes are
 * read by our own strict reader, and what the addon gets is what our writer makes of the result.
 */
function read(
  engine: RoaringBitmapClass,
  bytes: Uint8Array,
  options: DeserializeOptions,
): RoaringBitmap {
  const checked = Bitmap.deserialize(bytes, options);
  return engine.deserialize(checked.serialize(), "portable");
}

/**
 * A bitmap of the native addon `roaring` behind the interface of this package: quicker where whole
 * sets are combined, slower for single values. Made by {@link nativeBitmaps}.
 *
 * Arguments are checked before the addon sees them, and a set that is combined in place with itself is
 * not left to the addon, which reads memory that it has freed by then.
 */
export class NativeBitmap implements U32Set<NativeBitmap> {
  readonly #engine: RoaringBitmapClass;
  readonly #set: RoaringBitmap;

  /**
   * Wraps a bitmap of the addon, which from now on belongs to this object.
   *
   * @param engine - its class
   * @param set - the bitmap; content that came from outside must have gone through
   *   {@link nativeBitmaps}, see there
   */
  constructor(engine: RoaringBitmapClass, set: RoaringBitmap) {
    this.#engine = engine;
    this.#set = set;
  }

  /** How many values there are, 0 to 2^32. */
  get size(): number {
    return this.#set.size;
  }

  /** Whether the value is in the set. */
  has(value: number): boolean {
    checkValue(value);
    return this.#set.has(value);
  }

  /** Adds a value and returns whether it was absent. */
  add(value: number): boolean {
    checkValue(value);
    return this.#set.tryAdd(value);
  }

  /** Deletes a value and returns whether it was there. */
  delete(value: number): boolean {
    checkValue(value);
    return this.#set.delete(value);
  }

  /** Adds values in any order. If one is wrong nothing is added. */
  addMany(values: Iterable<number>): void {
    this.#set.addMany(toU32Array(values));
  }

  /** Adds the values from `begin` up to `end`, not included. */
  addRange(begin: number, end: number): void {
    checkEnd(begin, end);
    if (begin < end) this.#set.addRange(begin, end);
  }

  /** Deletes the values from `begin` up to `end`, not included. */
  deleteRange(begin: number, end: number): void {
    checkEnd(begin, end);
    if (begin < end) this.#set.removeRange(begin, end);
  }

  /** Deletes every value. */
  clear(): void {
    this.#set.clear();
  }

  /** How many values are `value` or less. Linear in the containers below. */
  rank(value: number): number {
    checkValue(value);
    return this.#set.rank(value);
  }

  /** The value that has exactly `index` values below it; `undefined` from `size` on. */
  select(index: number): number | undefined {
    checkIndex(index);
    // The addon takes an index modulo 2^32.
    return index < this.size ? this.#set.select(index) : undefined;
  }

  /** The lowest value; `undefined` if there is none. */
  min(): number | undefined {
    return this.size === 0 ? undefined : this.#set.minimum();
  }

  /** The highest value; `undefined` if there is none. */
  max(): number | undefined {
    return this.size === 0 ? undefined : this.#set.maximum();
  }

  /** How many values lie from `begin` up to `end`, not included. */
  countRange(begin: number, end: number): number {
    checkEnd(begin, end);
    return begin < end ? this.#set.rangeCardinality(begin, end) : 0;
  }

  /** A new set of the values in both. */
  and(other: NativeBitmap): NativeBitmap {
    return this.#wrap(this.#engine.and(this.#set, other.#set));
  }

  /** A new set of the values in either. */
  or(other: NativeBitmap): NativeBitmap {
    return this.#wrap(this.#engine.or(this.#set, other.#set));
  }

  /** A new set of the values in exactly one. */
  xor(other: NativeBitmap): NativeBitmap {
    return this.#wrap(this.#engine.xor(this.#set, other.#set));
  }

  /** A new set of the values in this one and not in the other. */
  andNot(other: NativeBitmap): NativeBitmap {
    return this.#wrap(this.#engine.andNot(this.#set, other.#set));
  }

  /** Keeps the values that are also in the other set. */
  andInPlace(other: NativeBitmap): this {
    if (other !== this) this.#set.andInPlace(other.#set);
    return this;
  }

  /** Adds the values of the other set. */
  orInPlace(other: NativeBitmap): this {
    if (other !== this) this.#set.orInPlace(other.#set);
    return this;
  }

  /** Adds the values of the other set that are absent, and deletes those that are there. */
  xorInPlace(other: NativeBitmap): this {
    if (other.#set === this.#set) this.#set.clear();
    else this.#set.xorInPlace(other.#set);
    return this;
  }

  /** Deletes the values of the other set. */
  andNotInPlace(other: NativeBitmap): this {
    if (other.#set === this.#set) this.#set.clear();
    else this.#set.andNotInPlace(other.#set);
    return this;
  }

  /** Whether both sets hold the same values. */
  equals(other: NativeBitmap): boolean {
    return this.#set.isEqual(other.#set);
  }

  /** Whether every value of this set is in the other. */
  isSubsetOf(other: NativeBitmap): boolean {
    return this.#set.isSubset(other.#set);
  }

  /** Whether a value is in both. */
  intersects(other: NativeBitmap): boolean {
    return this.#set.intersects(other.#set);
  }

  /** An independent set of the same values. */
  clone(): NativeBitmap {
    return this.#wrap(this.#set.clone());
  }

  #wrap(set: RoaringBitmap): NativeBitmap {
    return new NativeBitmap(this.#engine, set);
  }

  /** Has the addon choose the smallest containers and give unused memory back. */
  runOptimize(): void {
    this.#set.runOptimize();
    this.#set.shrinkToFit();
  }

  /** The values in order, from one on; as of {@link U32Set.values}. */
  values(options: ValuesOptions = {}): IterableIterator<number> {
    return new ValueIterator(options, (from, reverse, out) =>
      reverse ? this.#decodeDown(from, out) : this.#decodeUp(from, out),
    );
  }

  /** The values, ascending. */
  [Symbol.iterator](): IterableIterator<number> {
    return this.values();
  }

  #decodeUp(from: number, out: Uint32Array): number {
    const below = from === 0 ? 0 : this.#set.rank(from - 1);
    if (below === this.size) return 0;
    const values = this.#set.rangeUint32Array(below, out.length);
    out.set(values);
    return values.length;
  }

  #decodeDown(from: number, out: Uint32Array): number {
    const end = this.#set.rank(from);
    const begin = Math.max(0, end - out.length);
    if (begin === end) return 0;
    out.set(this.#set.rangeUint32Array(begin, end - begin).toReversed());
    return end - begin;
  }

  /** All values, ascending, in fresh memory. */
  toArray(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#set.toUint32Array());
  }

  /** The same bytes as of any other implementation: those of our writer, which follow from the values. */
  serialize(options: SerializeOptions = {}): Uint8Array<ArrayBuffer> {
    return this.toBitmap().serialize(options);
  }

  /** Bytes that {@link NativeBitmap.serialize} returns; costs as much. */
  serializedSize(options: SerializeOptions = {}): number {
    return this.toBitmap().serializedSize(options);
  }

  /** The same values as a {@link Bitmap}; independent of this set afterwards. */
  toBitmap(): Bitmap {
    const bytes = this.#set.serialize("portable");
    return Bitmap.deserialize(bytes, { bytesMax: bytes.length });
  }

  /** Size and the first few values. */
  toString(): string {
    return describeSet("NativeBitmap", this);
  }
}
