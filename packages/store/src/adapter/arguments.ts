import {
  type BatchOptions,
  type Bytes,
  type Expectation,
  type Operation,
  type Range,
} from "../store.ts";
import { compareBytes, copyBytes } from "../bytes.ts";

/**
 * Refuses a key that no store can hold.
 *
 * @param what - the argument's name, for the message
 * @throws TypeError if `key` is not bytes or empty
 */
export function checkKey(key: Uint8Array | undefined, what = "key"): void {
  if (!(key instanceof Uint8Array)) throw new TypeError(`${what} is not a Uint8Array`);
  if (key.length === 0) throw new TypeError(`${what} is empty`);
}

/**
 * Refuses a list of keys that no store can read.
 *
 * @throws TypeError if one of the keys is not bytes or empty
 */
export function checkKeys(keys: readonly Uint8Array[]): void {
  if (!Array.isArray(keys)) throw new TypeError("keys is not an array");
  for (let i = 0; i < keys.length; i++) if (!isKey(keys[i])) checkKey(keys[i], `key ${i}`);
}

/**
 * Refuses a batch that no store can write.
 *
 * @throws TypeError if the list or one of its operations is malformed
 */
export function checkOperations(operations: readonly Operation[]): void {
  if (!Array.isArray(operations)) throw new TypeError("operations is not an array");
  for (let i = 0; i < operations.length; i++) checkOperation(operations[i], i);
}

function checkOperation(operation: Operation | undefined, index: number): void {
  const type = operation?.type;
  if (type !== "put" && type !== "del")
    throw new TypeError(`operation ${index} is of type ${String(type)}, neither put nor del`);
  // Messages are made only when they are needed: this runs for every operation.
  if (!isKey(operation?.key)) checkKey(operation?.key, `key of operation ${index}`);
  if (operation?.type === "put" && !(operation.value instanceof Uint8Array))
    throw new TypeError(`value of operation ${index} is not a Uint8Array`);
}

function isKey(key: Uint8Array | undefined): boolean {
  return key instanceof Uint8Array && key.length > 0;
}

/** Options of a batch with their defaults; expectations are checked and copied. */
export interface ResolvedBatchOptions {
  readonly sync: boolean;
  readonly expect: readonly {
    readonly key: Bytes;
    readonly value: Bytes | undefined;
  }[];
}

/**
 * The options of a batch with every default filled in.
 *
 * @throws TypeError if an expectation is malformed
 */
export function resolveBatchOptions(options: BatchOptions = {}): ResolvedBatchOptions {
  const { sync = true, expect = [] } = options;
  if (typeof sync !== "boolean") throw new TypeError(`sync is a ${typeof sync}, not a boolean`);
  if (!Array.isArray(expect)) throw new TypeError("expect is not an array");
  return { sync, expect: expect.map((one: Expectation, index) => copyExpectation(one, index)) };
}

function copyExpectation(
  { key, value }: Expectation,
  index: number,
): { key: Bytes; value: Bytes | undefined } {
  checkKey(key, `key of expectation ${index}`);
  if (value !== undefined && !(value instanceof Uint8Array))
    throw new TypeError(`value of expectation ${index} is neither a Uint8Array nor undefined`);
  return { key: copyBytes(key), value: value === undefined ? undefined : copyBytes(value) };
}

/** A range with its defaults: one bound on each side or none, checked and copied. A lower bound is not empty. */
export interface ResolvedRange {
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
  readonly reverse: boolean;
  /** Infinity: all. */
  readonly limit: number;
}

/** One side of a range. */
export interface Bound {
  readonly key: Bytes;
  readonly inclusive: boolean;
}

/**
 * A range as at most two bounds, a direction and a limit.
 *
 * @throws TypeError, RangeError if the range is malformed
 */
export function resolveRange(range: Range = {}): ResolvedRange {
  const { reverse = false, limit = Infinity } = range;
  if (typeof reverse !== "boolean")
    throw new TypeError(`reverse is a ${typeof reverse}, not a boolean`);
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new RangeError(`limit is ${limit}, not a count`);
  const lower = resolveBound(range.gte, range.gt, "gte", "gt");
  return {
    // Every key is above the empty one; not every database takes it as a bound.
    lower: lower?.key.length === 0 ? undefined : lower,
    upper: resolveBound(range.lte, range.lt, "lte", "lt"),
    reverse,
    limit,
  };
}

function resolveBound(
  inclusive: Uint8Array | undefined,
  exclusive: Uint8Array | undefined,
  inclusiveName: string,
  exclusiveName: string,
): Bound | undefined {
  if (inclusive !== undefined && exclusive !== undefined)
    throw new TypeError(`both ${inclusiveName} and ${exclusiveName} are given`);
  const key = inclusive ?? exclusive;
  if (key === undefined) return undefined;
  if (!(key instanceof Uint8Array))
    throw new TypeError(
      `${inclusive === undefined ? exclusiveName : inclusiveName} is not a Uint8Array`,
    );
  return { key: copyBytes(key), inclusive: inclusive !== undefined };
}

/** Whether a key lies between the bounds of a range. */
export function inRange(key: Uint8Array, { lower, upper }: ResolvedRange): boolean {
  return (
    (lower === undefined || compareBytes(lower.key, key) < (lower.inclusive ? 1 : 0)) &&
    (upper === undefined || compareBytes(key, upper.key) < (upper.inclusive ? 1 : 0))
  );
}

/** Whether no key can lie between the bounds, or none is asked for. */
export function isEmptyRange({ lower, upper, limit }: ResolvedRange): boolean {
  if (limit === 0 || upper?.key.length === 0) return true;
  if (lower === undefined || upper === undefined) return false;
  const order = compareBytes(lower.key, upper.key);
  return order > 0 || (order === 0 && !(lower.inclusive && upper.inclusive));
}
