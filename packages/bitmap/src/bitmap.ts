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
import type { U32Set, ValuesOptions } from "./u32-set.ts";
import { checkEnd, checkIndex, checkValue, toU32Array } from "./u32-set.ts";
import {
  type SerializeOptions,
  serializedBytes,
  serializePieces,
  serializeTable,
} from "./writer.ts";

/** Bytes in a chunk of the streamed form, but for the header and what one container needs. */
const CHUNK_BYTES = 64 * 1024;

/** Values that are added one by one: making a table of fewer costs more. */
const FEW_COUNT = 64;

/** A compressed set of 32-bit unsigned integers, with rank and select. */
export class Bitmap implements U32Set<Bitmap> {
  #table = new ContainerTable();

  /** A bitmap of these values, in any order. */
  static from(values: Iterable<number>): Bitmap {
    const bitmap = new Bitmap();
    bitmap.addMany(values);
    return bitmap;
  }

  /** Reads the portable roaring format; the bytes are not kept. */
  static deserialize(bytes: Uint8Array, options: DeserializeOptions = {}): Bitmap {
    return Bitmap.#of(readWhole(bytes, options, readTable));
  }

  /** Reads the portable roaring format from pieces of any lengths, which are not kept. */
  static deserializeChunks(chunks: Iterable<Uint8Array>, options: DeserializeOptions = {}): Bitmap {
    return Bitmap.#of(readPieces(chunks, options, readTable));
  }

  /** Reads the portable roaring format from pieces of any lengths, as they come; they are not kept. */
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

  get size(): number {
    return this.#table.size;
  }

  has(value: number): boolean {
    checkValue(value);
    return hasValue(this.#table, value);
  }

  add(value: number): boolean {
    checkValue(value);
    return addValue(this.#table, value);
  }

  delete(value: number): boolean {
    checkValue(value);
    return deleteValue(this.#table, value);
  }

  addMany(values: Iterable<number>): void {
    const numbers = toU32Array(values);
    if (numbers.length < FEW_COUNT && this.size > 0) {
      for (let i = 0; i < numbers.length; i++) addValue(this.#table, numbers[i] as number);
    } else {
      const built = buildTable(numbers);
      this.#table = this.size === 0 ? built : combineInto("or", this.#table, built);
    }
  }

  addRange(begin: number, end: number): void {
    checkEnd(begin, end);
    if (begin < end) addRange(this.#table, begin, end - 1);
  }

  deleteRange(begin: number, end: number): void {
    checkEnd(begin, end);
    if (begin < end) deleteRange(this.#table, begin, end - 1);
  }

  clear(): void {
    this.#table = new ContainerTable();
  }

  rank(value: number): number {
    checkValue(value);
    return rankOf(this.#table, value);
  }

  select(index: number): number | undefined {
    checkIndex(index);
    return index < this.#table.size ? selectAt(this.#table, index) : undefined;
  }

  min(): number | undefined {
    return this.select(0);
  }

  max(): number | undefined {
    const out = new Uint32Array(1);
    return decodeDown(this.#table, 0xffffffff, out) === 0 ? undefined : out[0];
  }

  countRange(begin: number, end: number): number {
    checkEnd(begin, end);
    if (begin === end) return 0;
    return rankOf(this.#table, end - 1) - (begin === 0 ? 0 : rankOf(this.#table, begin - 1));
  }

  and(other: Bitmap): Bitmap {
    return this.#combined("and", other);
  }

  or(other: Bitmap): Bitmap {
    return this.#combined("or", other);
  }

  xor(other: Bitmap): Bitmap {
    return this.#combined("xor", other);
  }

  andNot(other: Bitmap): Bitmap {
    return this.#combined("andNot", other);
  }

  andInPlace(other: Bitmap): this {
    return this.#combine("and", other);
  }

  orInPlace(other: Bitmap): this {
    return this.#combine("or", other);
  }

  xorInPlace(other: Bitmap): this {
    return this.#combine("xor", other);
  }

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

  equals(other: Bitmap): boolean {
    return sameTables(this.#table, other.#table);
  }

  isSubsetOf(other: Bitmap): boolean {
    return isSubsetTable(this.#table, other.#table);
  }

  intersects(other: Bitmap): boolean {
    return intersectTables(this.#table, other.#table);
  }

  clone(): Bitmap {
    return Bitmap.#of(this.#table.clone());
  }

  runOptimize(): void {
    optimize(this.#table);
    this.#table.compact(true);
  }

  values(options: ValuesOptions = {}): IterableIterator<number> {
    const reverse = options.reverse ?? false;
    const from = options.from ?? (reverse ? 0xffffffff : 0);
    checkValue(from);
    return new ValueIterator(this.#decode.bind(this), from, reverse);
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.values();
  }

  #decode(from: number, reverse: boolean, out: Uint32Array): number {
    return reverse ? decodeDown(this.#table, from, out) : decodeUp(this.#table, from, out);
  }

  toArray(): Uint32Array<ArrayBuffer> {
    const out = new Uint32Array(this.#table.size);
    decodeUp(this.#table, 0, out);
    return out;
  }

  serialize(options: SerializeOptions = {}): Uint8Array<ArrayBuffer> {
    return serializeTable(this.#table, options);
  }

  serializeChunks(
    options: SerializeOptions = {},
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    // A copy of the table now, so that later changes do not show.
    return serializePieces(this.#table.clone(), options, CHUNK_BYTES);
  }

  serializedSize(options: SerializeOptions = {}): number {
    return serializedBytes(this.#table, options);
  }

  toString(): string {
    const few = new Uint32Array(Math.min(8, this.size));
    decodeUp(this.#table, 0, few);
    const rest = this.size > few.length ? ", …" : "";
    return `Bitmap(${this.size}) {${few.join(", ")}${rest}}`;
  }
}

/** Values that are decoded at once, first and later: most iterations are either short or long. */
const FIRST_COUNT = 16;
const NEXT_COUNT = 1024;

class ValueIterator implements IterableIterator<number> {
  readonly #decode: (from: number, reverse: boolean, out: Uint32Array) => number;
  readonly #reverse: boolean;
  #from: number;
  #buffer = new Uint32Array(FIRST_COUNT);
  #count: number;
  #at = 0;

  constructor(
    decode: (from: number, reverse: boolean, out: Uint32Array) => number,
    from: number,
    reverse: boolean,
  ) {
    this.#decode = decode;
    this.#reverse = reverse;
    this.#from = from;
    this.#count = decode(from, reverse, this.#buffer);
  }

  next(): IteratorResult<number, undefined> {
    if (this.#at === this.#count && !this.#fill()) return { done: true, value: undefined };
    return { done: false, value: this.#buffer[this.#at++] as number };
  }

  return(): IteratorResult<number, undefined> {
    this.#count = 0;
    this.#at = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Decodes the values behind the last one that was handed out. */
  #fill(): boolean {
    if (this.#count === 0) return false;
    const last = this.#buffer[this.#count - 1] as number;
    this.#from = this.#reverse ? last - 1 : last + 1;
    this.#at = 0;
    this.#count = 0;
    if (this.#from < 0 || this.#from > 0xffffffff) return false;
    if (this.#buffer.length < NEXT_COUNT) this.#buffer = new Uint32Array(NEXT_COUNT);
    this.#count = this.#decode(this.#from, this.#reverse, this.#buffer);
    return this.#count > 0;
  }
}
