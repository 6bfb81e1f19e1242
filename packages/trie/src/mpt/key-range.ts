import { compareBytes, concatBytes } from "@x/hash";
import { type Nibbles, toNibbles } from "../nibbles.ts";

/** Which keys, in the order of unsigned bytes. At most one lower and one upper bound; none: all keys on that side. */
export interface KeyRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
}

/** A range as paths: from `from` on, before `to`. */
export interface PathRange {
  readonly from: Nibbles;
  readonly to: Nibbles | undefined;
}

const ZERO_BYTE = Uint8Array.of(0);

/**
 * @throws TypeError if a bound is not bytes, or a side has two
 * @throws RangeError if no key can be in the range
 */
export function pathRangeOf({ gte, gt, lte, lt }: KeyRange): PathRange {
  if ((gte && gt) || (lte && lt)) throw new TypeError("a range has one bound on each side");
  // The next key after any other is that key and a zero byte.
  const from = gt ? concatBytes([gt, ZERO_BYTE]) : (gte ?? new Uint8Array(0));
  const to = lte ? concatBytes([lte, ZERO_BYTE]) : lt;
  if (to !== undefined && compareBytes(from, to) >= 0)
    throw new RangeError("the range has no place for a key");
  return { from: toNibbles(from), to: to && toNibbles(to) };
}

/** How the keys below a path lie to a range: all in it, none of them, or a boundary runs through them. */
export function placeInRange(prefix: Nibbles, { from, to }: PathRange): "in" | "out" | "across" {
  const lower = sideOf(prefix, from);
  const upper = to === undefined ? "before" : sideOf(prefix, to);
  if (lower === "before" || upper === "after") return "out";
  return lower === "across" || upper === "across" ? "across" : "in";
}

/** Whether one path is in a range. */
export function isInRange(path: Nibbles, { from, to }: PathRange): boolean {
  return compareBytes(from, path) <= 0 && (to === undefined || compareBytes(path, to) < 0);
}

/** Whether everything that begins with a prefix comes before a bound, none of it does, or some. */
function sideOf(prefix: Nibbles, bound: Nibbles): "before" | "after" | "across" {
  const size = Math.min(prefix.length, bound.length);
  const order = compareBytes(prefix.subarray(0, size), bound.subarray(0, size));
  if (order !== 0) return order < 0 ? "before" : "after";
  return prefix.length < bound.length ? "across" : "after";
}
