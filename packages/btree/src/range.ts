import { compareBytes, copyBytes } from "@x/store/adapter";

import { type TreeRange } from "./types.ts";

/** One side of a range. */
export interface Bound {
  readonly key: Uint8Array;
  readonly isInclusive: boolean;
}

/** Bounds of a range. */
export interface Bounds {
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
}

/** A range with its defaults; bounds are checked and copied, a prefix has become bounds. */
export interface ResolvedRange extends Bounds {
  readonly isReverse: boolean;
  /** Infinity: all. */
  readonly limit: number;
}

/** @throws TypeError, RangeError if the range is malformed */
export function resolveRange(range: TreeRange = {}): ResolvedRange {
  const { reverse = false, limit = Infinity, prefix } = range;
  if (typeof reverse !== "boolean")
    throw new TypeError(`reverse is a ${typeof reverse}, not a boolean`);
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new RangeError(`limit is ${limit}, not a count`);
  let lower = bound(range, "gte", "gt");
  let upper = bound(range, "lte", "lt");
  if (prefix !== undefined) {
    const own = checkedKey(prefix, "prefix");
    lower = tighter({ key: own, isInclusive: true }, lower, 1);
    const after = afterPrefix(own);
    if (after !== undefined) upper = tighter({ key: after, isInclusive: false }, upper, -1);
  }
  return { lower, upper, isReverse: reverse, limit };
}

/** Whether a key is below the lower bound. */
export function isBelow(key: Uint8Array, { lower }: Bounds): boolean {
  return lower !== undefined && compareBytes(key, lower.key) < (lower.isInclusive ? 0 : 1);
}

/** Whether a key is above the upper bound. */
export function isAbove(key: Uint8Array, { upper }: Bounds): boolean {
  return upper !== undefined && compareBytes(key, upper.key) > (upper.isInclusive ? 0 : -1);
}

/** Refuses a key that is not bytes. */
export function assertKey(key: Uint8Array, what = "key"): void {
  if (!(key instanceof Uint8Array)) throw new TypeError(`${what} is not a Uint8Array`);
}

/** A copy of a key, for calls that go on after they have returned. */
export function checkedKey(key: Uint8Array, what = "key"): Uint8Array {
  assertKey(key, what);
  return copyBytes(key);
}

/** Copies of keys. */
export function checkedKeys(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.map((key, i) => checkedKey(key, `key ${i}`));
}

function bound(
  range: TreeRange,
  inclusive: "gte" | "lte",
  exclusive: "gt" | "lt",
): Bound | undefined {
  const [closed, open] = [range[inclusive], range[exclusive]];
  if (closed !== undefined && open !== undefined)
    throw new TypeError(`both ${inclusive} and ${exclusive} are given`);
  if (closed !== undefined) return { key: checkedKey(closed, inclusive), isInclusive: true };
  if (open !== undefined) return { key: checkedKey(open, exclusive), isInclusive: false };
  return undefined;
}

/** Of two bounds of one side the one that leaves less. `side`: 1 for lower bounds, -1 for upper ones. */
function tighter(a: Bound, b: Bound | undefined, side: 1 | -1): Bound {
  if (b === undefined) return a;
  const order = side * compareBytes(a.key, b.key);
  if (order === 0) return a.isInclusive ? b : a;
  return order > 0 ? a : b;
}

/** The smallest byte string after every extension of `prefix`; `undefined` where there is none. */
function afterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return undefined;
  const after = prefix.slice(0, last + 1);
  after[last] = (after[last] ?? 0) + 1;
  return after;
}
