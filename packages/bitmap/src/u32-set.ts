import type { DeserializeOptions } from "./reader.ts";
import type { SerializeOptions } from "./writer.ts";

/** The highest value. */
export const U32_MAX = 0xffffffff;

/** Where an iteration begins and which way it goes. */
export interface ValuesOptions {
  /** The first value that may come, 0 to 2^32 − 1. Default: the lowest, or in reverse the highest. */
  readonly from?: number;
  /** Descend instead of ascend. Default false. */
  readonly reverse?: boolean;
}

/**
 * A mutable set of 32-bit unsigned integers in ascending order: what every implementation here does.
 *
 * Values are integers from 0 to 2^32 − 1, and range ends up to 2^32; anything else is a `RangeError`
 * (a `TypeError` if it is no number). Set operations take a set of the same implementation.
 *
 * @template Self - the implementation
 */
export interface U32Set<Self> extends Iterable<number> {
  /** How many values there are, 0 to 2^32. */
  readonly size: number;
  /** Whether the value is in the set. */
  has(value: number): boolean;
  /** Adds a value and returns whether it was absent. */
  add(value: number): boolean;
  /** Deletes a value and returns whether it was there. */
  delete(value: number): boolean;
  /** Adds values in any order; adding sorted ones costs least. */
  addMany(values: Iterable<number>): void;
  /** Adds the values from `begin` up to `end`, not included. */
  addRange(begin: number, end: number): void;
  /** Deletes the values from `begin` up to `end`, not included. */
  deleteRange(begin: number, end: number): void;
  /** Deletes every value. */
  clear(): void;
  /** How many values are `value` or less. */
  rank(value: number): number;
  /** The value that has exactly `index` values below it; `undefined` past the last one. */
  select(index: number): number | undefined;
  /** The lowest value; `undefined` if there is none. */
  min(): number | undefined;
  /** The highest value; `undefined` if there is none. */
  max(): number | undefined;
  /** How many values lie from `begin` up to `end`, not included. */
  countRange(begin: number, end: number): number;
  /** A new set of the values in both. */
  and(other: Self): Self;
  /** A new set of the values in either. */
  or(other: Self): Self;
  /** A new set of the values in exactly one. */
  xor(other: Self): Self;
  /** A new set of the values in this one and not in the other. */
  andNot(other: Self): Self;
  /** Keeps the values that are also in the other set. */
  andInPlace(other: Self): this;
  /** Adds the values of the other set. */
  orInPlace(other: Self): this;
  /** Adds the values of the other set that are absent, and deletes those that are there. */
  xorInPlace(other: Self): this;
  /** Deletes the values of the other set. */
  andNotInPlace(other: Self): this;
  /** Whether both sets hold the same values. */
  equals(other: Self): boolean;
  /** Whether every value of this set is in the other. */
  isSubsetOf(other: Self): boolean;
  /** Whether a value is in both sets. */
  intersects(other: Self): boolean;
  /** An independent set of the same values. */
  clone(): Self;
  /** Stores every part in the form that takes least memory, and gives unused memory back. */
  runOptimize(): void;
  /**
   * The values in order, from one on. A set may change under an iteration: values still come in
   * order and each at most once, and one that stays is not left out.
   */
  values(options?: ValuesOptions): IterableIterator<number>;
  /** All values, ascending, in fresh memory. */
  toArray(): Uint32Array<ArrayBuffer>;
  /** The values in the portable roaring format, in fresh memory. */
  serialize(options?: SerializeOptions): Uint8Array<ArrayBuffer>;
  /** Bytes that {@link U32Set.serialize} would return. */
  serializedSize(options?: SerializeOptions): number;
  /** Size and the first few values. */
  toString(): string;
}

/** Makes sets of one implementation. `{ create: () => new Bitmap(), … }` for {@link Bitmap}. */
export interface U32SetFactory<Self extends U32Set<Self>> {
  /** An empty set. */
  create(): Self;
  /** A set of these values, in any order. */
  from(values: Iterable<number>): Self;
  /** The set in these bytes of the portable roaring format, which are checked and not kept. */
  deserialize(bytes: Uint8Array, options?: DeserializeOptions): Self;
}

/** Throws unless the argument is an integer from 0 to 2^32 − 1. */
export function checkValue(value: number): void {
  if (value >>> 0 !== value) throw wrongNumber("value", value, "an integer from 0 to 4294967295");
}

/** The values as 32-bit numbers, checked; the argument itself if it is that already. */
export function toU32Array(values: Iterable<number>): Uint32Array {
  if (values instanceof Uint32Array) return values;
  const list = Array.isArray(values) ? (values as readonly number[]) : [...values];
  const numbers = new Uint32Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const value = list[i] as number;
    checkValue(value);
    numbers[i] = value;
  }
  return numbers;
}

/** Throws unless the arguments are integers, `0 <= begin <= end <= 2^32`. */
export function checkEnd(begin: number, end: number): void {
  if (!Number.isInteger(end) || end < 0 || end > 0x100000000) {
    throw wrongNumber("end", end, "an integer from 0 to 4294967296");
  }
  if (!Number.isInteger(begin) || begin < 0 || begin > end) {
    throw wrongNumber("begin", begin, `an integer from 0 to ${end}`);
  }
}

/** Throws unless the argument is a safe integer of 0 or more. */
export function checkIndex(index: number): void {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw wrongNumber("index", index, "an integer of 0 or more");
  }
}

function wrongNumber(name: string, value: unknown, want: string): Error {
  if (typeof value !== "number") return new TypeError(`${name} is a ${typeof value}, want ${want}`);
  return new RangeError(`${name} is ${value}, want ${want}`);
}

/** Values that a description shows. */
const SHOWN_COUNT = 8;

/** Name, size and the first few values: `Bitmap(3) {1, 2, 3}`. */
export function describeSet<Self>(name: string, set: U32Set<Self>): string {
  const shown: string[] = [];
  for (const value of set) {
    if (shown.length === SHOWN_COUNT) {
      shown.push("…");
      break;
    }
    shown.push(`${value}`);
  }
  return `${name}(${set.size}) {${shown.join(", ")}}`;
}
