import { type Range } from "@x/store";
import { type Bound, compareBytes, copyBytes, resolveRange } from "@x/store/adapter";
import { checkArgument, nibbleAt, PATH_SIZE } from "./path.ts";
import { slotsBetween } from "./slots.ts";

/** A range of paths with both ends included. Its order as numbers of 256 bits has no gaps, so every range has such a form. */
export interface PathRange {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array;
  /** Whether no path lies in it, or none is asked for. */
  readonly isEmpty: boolean;
  readonly reverse: boolean;
  /** Infinity: all. */
  readonly limit: number;
}

/**
 * A range of a store's vocabulary over paths.
 *
 * @throws TypeError, RangeError if the range is malformed or a bound is not 32 bytes
 */
export function resolvePathRange(range: Range = {}): PathRange {
  const { lower: low, upper: high, reverse, limit } = resolveRange(range);
  for (const bound of [low, high])
    if (bound !== undefined) checkArgument(bound.key, "bound of a range");
  const lower = boundary(low, 0, 1);
  const upper = boundary(high, 255, -1);
  const isEmpty =
    limit === 0 || lower === undefined || upper === undefined || compareBytes(lower, upper) > 0;
  const none = new Uint8Array(PATH_SIZE);
  return { lower: lower ?? none, upper: upper ?? none, isEmpty, reverse, limit };
}

/** The last path inside a bound; `undefined` if there is none. */
function boundary(
  bound: Bound | undefined,
  outermost: number,
  inwards: 1 | -1,
): Uint8Array | undefined {
  if (bound === undefined) return new Uint8Array(PATH_SIZE).fill(outermost);
  return bound.inclusive ? bound.key : neighbour(bound.key, inwards);
}

/** The path after or before; `undefined` past the last or the first. */
function neighbour(path: Uint8Array, step: 1 | -1): Uint8Array | undefined {
  const result = copyBytes(path);
  const wrapping = step === 1 ? 255 : 0;
  for (let i = PATH_SIZE - 1; i >= 0; i--) {
    const byte = result[i] as number;
    result[i] = byte + step;
    if (byte !== wrapping) return result;
  }
  return undefined;
}

/** Whether a path lies in a range. */
export function inPathRange({ lower, upper, isEmpty }: PathRange, path: Uint8Array): boolean {
  return !isEmpty && compareBytes(lower, path) <= 0 && compareBytes(path, upper) <= 0;
}

/** Whether the ends of a range run through a place, and so bound what is below it. */
export interface Edges {
  readonly isLower: boolean;
  readonly isUpper: boolean;
}

/** The slots of a node at `depth` that a range reaches. */
export function slotsInRange({ lower, upper }: PathRange, depth: number, edges: Edges): number {
  return slotsBetween(
    edges.isLower ? nibbleAt(lower, depth) : 0,
    edges.isUpper ? nibbleAt(upper, depth) : 15,
  );
}

/** The edges below a slot of a node at `depth`. */
export function edgesBelow(
  { lower, upper }: PathRange,
  depth: number,
  edges: Edges,
  slot: number,
): Edges {
  return {
    isLower: edges.isLower && nibbleAt(lower, depth) === slot,
    isUpper: edges.isUpper && nibbleAt(upper, depth) === slot,
  };
}

/** The slots of a mask in the order of a walk. */
export function orderedSlots(mask: number, reverse: boolean): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < 16; slot++) if (((mask >>> slot) & 1) === 1) slots.push(slot);
  return reverse ? slots.toReversed() : slots;
}

/** The nibbles walked from the root, in a path whose other nibbles mean nothing. */
export class WalkedPath {
  readonly path: Uint8Array = new Uint8Array(PATH_SIZE);

  set(depth: number, nibble: number): void {
    const at = depth >>> 1;
    const byte = this.path[at] as number;
    this.path[at] = (depth & 1) === 0 ? (byte & 0x0f) | (nibble << 4) : (byte & 0xf0) | nibble;
  }
}
