import type { Operation } from "./algebra.ts";
import { buildTable } from "./build.ts";
import { decodeDown, decodeUp } from "./decode.ts";
import { addRange, addValue, deleteRange, deleteValue, optimize } from "./edit.ts";
import { hasValue, rankOf, selectAt } from "./read.ts";
import { type DeserializeOptions, readTable } from "./reader.ts";
import {
  combineInto,
  combineTables,
  intersectTables,
  isSubsetTable,
  sameTables,
} from "./set-algebra.ts";
import { readPieces, readPiecesAsync, readWhole } from "./source.ts";
import { ContainerTable } from "./table.ts";
import {
  checkEnd,
  checkIndex,
  checkValue,
  describeSet,
  toU32Array,
  U32_MAX,
  type U32Set,
  type ValuesOptions,
} from "./u32-set.ts";
import { ValueIterator } from "./value-iterator.ts";
import {
  type SerializeOptions,
  serializedBytes,
  serializePieces,
  serializeTable,
} from "./writer.ts";

/** Bytes in a chunk of the streamed form; the header, or one container, may be more. */
const CHUNK_BYTES = 64 * 1024;

/** Fewer values than this are added one by one: making a table of them costs more. */
const FEW_COUNT = 64;

/**
 * A compressed set of 32-bit unsigned integers, with rank and select.
 *
 * Values that share their high 16 bits lie in one container: an array of up to 4,096 values, a bitset
 * of 65,536 bits, or runs. Costs below are for n containers; where the containers' keys follow one
 * another, a container is found in one step, else in O(log n). A change of a container makes the
 * counts of those above it wrong; the next rank or select above counts again, O(n) at worst.
 *
 * @example
 * const set = Bitmap.from([3, 1, 2]);
 * set.rank(2); // 2
 * set.select(2); // 3
 */
export class Bitmap implements U32Set<Bitmap> {
  #table = new ContainerTable();

  /**
   * A bitmap of these values, in any order and as often as they come.
   *
   * @param values - quickest as a `Uint32Array`, which is not kept
   * @throws {@link RangeError} or {@link TypeError} if one is not an integer from 0 to 2^32 − 1
   */
  static from(values: Iterable<number>): Bitmap {
    const bitmap = new Bitmap();
    bitmap.addMany(values);
    return bitmap;
  }

  /**
   * Reads the portable roaring format, strictly. Time is linear in the bytes; memory at most a small
   * multiple of them.
   *
   * @param bytes - the whole bitmap and nothing else, unless `trailing` says so; not kept
   * @throws {@link BitmapError} with the offset, if the bytes are not what a writer of the format makes
   * @see FORMAT.md, "What is checked"
   */
  static deserialize(bytes: Uint8Array, options: DeserializeOptions = {}): Bitmap {
    return Bitmap.#of(readWhole(bytes, options, readTable));
  }

  /**
   * As {@link Bitmap.deserialize}, from chunks of any lengths.
   *
   * @param chunks - each may be reused by its owner once the next one is asked for
   */
  static deserializeChunks(chunks: Iterable<Uint8Array>, options: DeserializeOptions = {}): Bitmap {
    return Bitmap.#of(readPieces(chunks, options, readTable));
  }

  /**
   * As {@link Bitmap.deserializeChunks}, from chunks that are waited for: a stream of a file or a
   * connection. It is left at once when something is wrong.
   */
  static async deserializeChunksAsync(
    chunks: AsyncIterable<Uint8Array>,
    options: DeserializeOptions = {},
  ): Promise<Bitmap> {
    return Bitmap.#of(await readPiecesAsync(chunks, options, readTable));
  }

  static #of(table: ContainerTable): Bitmap {
    const bitmap = new Bitmap();
    bitmap.#table = table;
    return bitmap;
  }

  /** How many values there are, 0 to 2^32. */
  get size(): number {
    return this.#table.size;
  }

  /** Whether the value is in the set. One step in a bitset, O(log cardinality) elsewhere. */
  has(value: number): boolean {
    checkValue(value);
    return hasValue(this.#table, value);
  }

  /** Adds a value and returns whether it was absent. Constant in a bitset, else linear in its container. */
  add(value: number): boolean {
    checkValue(value);
    return addValue(this.#table, value);
  }

  /** Deletes a value and returns whether it was there. Costs what {@link Bitmap.add} does. */
  delete(value: number): boolean {
    checkValue(value);
    return deleteValue(this.#table, value);
  }

  /**
   * Adds values in any order, O(values) and the containers they fall in. If one is wrong nothing is
   * added.
   */
  addMany(values: Iterable<number>): void {
    const numbers = toU32Array(values);
    if (numbers.length < FEW_COUNT && this.size > 0) {
      for (let i = 0; i < numbers.length; i++) addValue(this.#table, numbers[i] as number);
      return;
    }
    const built = buildTable(numbers);
    this.#table = this.size === 0 ? built : combineInto("or", this.#table, built);
  }

  /** Adds the values from `begin` up to `end`, not included. A few bytes for each container in between. */
  addRange(begin: number, end: number): void {
    checkEnd(begin, end);
    if (begin < end) addRange(this.#table, begin, end - 1);
  }

  /** Deletes the values from `begin` up to `end`, not included. */
  deleteRange(begin: number, end: number): void {
    checkEnd(begin, end);
    if (begin < end) deleteRange(this.#table, begin, end - 1);
  }

  /** Deletes every value. */
  clear(): void {
    this.#table = new ContainerTable();
  }

  /** How many values are `value` or less. */
  rank(value: number): number {
    checkValue(value);
    return rankOf(this.#table, value);
  }

  /** The value that has exactly `index` values below it; `undefined` from `size` on. O(log n). */
  select(index: number): number | undefined {
    checkIndex(index);
    return index < this.#table.size ? selectAt(this.#table, index) : undefined;
  }

  /** The lowest value; `undefined` if there is none. */
  min(): number | undefined {
    const out = new Uint32Array(1);
    return decodeUp(this.#table, 0, out) === 0 ? undefined : out[0];
  }

  /** The highest value; `undefined` if there is none. */
  max(): number | undefined {
    const out = new Uint32Array(1);
    return decodeDown(this.#table, U32_MAX, out) === 0 ? undefined : out[0];
  }

  /** How many values lie from `begin` up to `end`, not included. Two ranks. */
  countRange(begin: number, end: number): number {
    checkEnd(begin, end);
    if (begin === end) return 0;
    const table = this.#table;
    return rankOf(table, end - 1) - (begin === 0 ? 0 : rankOf(table, begin - 1));
  }

  /** A new bitmap of the values in both. */
  and(other: Bitmap): Bitmap {
    return this.#combined("and", other);
  }

  /** A new bitmap of the values in either. */
  or(other: Bitmap): Bitmap {
    return this.#combined("or", other);
  }

  /** A new bitmap of the values in exactly one. */
  xor(other: Bitmap): Bitmap {
    return this.#combined("xor", other);
  }

  /** A new bitmap of the values in this one and not in the other. */
  andNot(other: Bitmap): Bitmap {
    return this.#combined("andNot", other);
  }

  /** Keeps the values that are also in the other bitmap. */
  andInPlace(other: Bitmap): this {
    return this.#combine("and", other);
  }

  /** Adds the values of the other bitmap. */
  orInPlace(other: Bitmap): this {
    return this.#combine("or", other);
  }

  /** Adds the values of the other bitmap that are absent, and deletes those that are there. */
  xorInPlace(other: Bitmap): this {
    return this.#combine("xor", other);
  }

  /** Deletes the values of the other bitmap. */
  andNotInPlace(other: Bitmap): this {
    return this.#combine("andNot", other);
  }

  #combined(operation: Operation, other: Bitmap): Bitmap {
    return Bitmap.#of(combineTables(operation, this.#table, other.#table));
  }

  #combine(operation: Operation, other: Bitmap): this {
    this.#table = combineInto(operation, this.#table, other.#table);
    return this;
  }

  /** Whether both bitmaps hold the same values, in whatever containers. */
  equals(other: Bitmap): boolean {
    return sameTables(this.#table, other.#table);
  }

  /** Whether every value of this bitmap is in the other. */
  isSubsetOf(other: Bitmap): boolean {
    return isSubsetTable(this.#table, other.#table);
  }

  /** Whether a value is in both. */
  intersects(other: Bitmap): boolean {
    return intersectTables(this.#table, other.#table);
  }

  /**
   * An independent bitmap of the same values, O(n). The values themselves are shared until one of the
   * two changes a container; then that container is copied.
   */
  clone(): Bitmap {
    return Bitmap.#of(this.#table.clone());
  }

  /** Gives each container the kind that takes least, and unused memory back. Linear in the bytes. */
  runOptimize(): void {
    optimize(this.#table);
    this.#table.compact(true);
  }

  /**
   * The values in order, from one on, ascending or descending. The bitmap may change meanwhile: values
   * still come in order and each at most once, and one that stays is not left out.
   */
  values(options: ValuesOptions = {}): IterableIterator<number> {
    return new ValueIterator(options, (from, reverse, out) =>
      reverse ? decodeDown(this.#table, from, out) : decodeUp(this.#table, from, out),
    );
  }

  /** The values, ascending. */
  [Symbol.iterator](): IterableIterator<number> {
    return this.values();
  }

  /** All values, ascending, in fresh memory: four bytes each. */
  toArray(): Uint32Array<ArrayBuffer> {
    const out = new Uint32Array(this.#table.size);
    decodeUp(this.#table, 0, out);
    return out;
  }

  /**
   * The bitmap in the portable roaring format. The bytes follow from the values alone, not from how
   * they got there: equal bitmaps give equal bytes.
   *
   * @returns fresh bytes
   * @see FORMAT.md, "Choice of containers"
   */
  serialize(options: SerializeOptions = {}): Uint8Array<ArrayBuffer> {
    return serializeTable(this.#table, options);
  }

  /**
   * As {@link Bitmap.serialize}, in chunks of about 64 KiB, made as they are asked for: the header
   * first, 8 bytes and up to 8 for each container. What is written is the bitmap as it is at the call.
   */
  serializeChunks(
    options: SerializeOptions = {},
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    // A copy of the table now, so that later changes do not show.
    return serializePieces(this.#table.clone(), options, CHUNK_BYTES);
  }

  /** Bytes that {@link Bitmap.serialize} returns. Looks at every container, but writes nothing. */
  serializedSize(options: SerializeOptions = {}): number {
    return serializedBytes(this.#table, options);
  }

  /** Size and the first few values: `Bitmap(3) {1, 2, 3}`. */
  toString(): string {
    return describeSet("Bitmap", this);
  }
}
