/** And, or, xor and and-not of two containers with the same key. */
import type { Arena } from "./arena.ts";
import { arrayAnd, arrayAndNot, arrayHas, arrayOr, arrayXor } from "./container-array.ts";
import {
  BITSET_BODY_WORDS,
  BITSET_UNITS,
  BITSET_WORDS,
  bitsetAddArray,
  bitsetClearRange,
  bitsetCount,
  bitsetFlipRange,
  bitsetHas,
  bitsetSetRange,
  bitsetToArray,
} from "./container-bitset.ts";
import { RUN_UNITS, runCountValues, runHas } from "./container-run.ts";
import { place, writeBits } from "./convert.ts";
import { ARRAY_COUNT_MAX, cheapestKind, CONTAINER_SPAN, Kind } from "./kind.ts";
import { type Body, bodyOfRuns, type Placed } from "./body.ts";
import { popcount } from "./word.ts";

/** What of two sets the result holds: `andNot` is in the first and not in the second. */
export type Operation = "and" | "or" | "xor" | "andNot";

/** Whether a value that is only in the first, only in the second, or in both is in the result. */
export const KEEPS: Readonly<
  Record<Operation, { readonly first: boolean; readonly second: boolean; readonly both: boolean }>
> = {
  and: { first: false, second: false, both: true },
  or: { first: true, second: true, both: true },
  xor: { first: true, second: true, both: false },
  andNot: { first: true, second: false, both: false },
};

/** Writes the result to `arena`; `undefined` if it is empty. The operands are only read. */
export function combine(operation: Operation, a: Body, b: Body, arena: Arena): Placed | undefined {
  if (a.kind === Kind.array && b.kind === Kind.array) return combineArrays(operation, a, b, arena);
  if (operation === "and" && b.kind === Kind.array) return filter(b, a, true, arena);
  if (operation === "and" && a.kind === Kind.array) return filter(a, b, true, arena);
  if (operation === "andNot" && a.kind === Kind.array) return filter(a, b, false, arena);
  if (a.kind === Kind.bitset || b.kind === Kind.bitset) return combineBits(operation, a, b, arena);
  return combineRuns(operation, a, b, arena);
}

/** Whether a body has a value. */
export function bodyHas(body: Body, low: number): boolean {
  switch (body.kind) {
    case Kind.array:
      return arrayHas(body.units, body.start, body.length, low);
    case Kind.bitset:
      return bitsetHas(body.words, low);
    case Kind.run:
      return runHas(body.units, body.start, body.length / RUN_UNITS, low);
  }
}

const ARRAY_OPERATIONS = {
  and: arrayAnd,
  or: arrayOr,
  xor: arrayXor,
  andNot: arrayAndNot,
} as const;

function combineArrays(operation: Operation, a: Body, b: Body, arena: Arena): Placed | undefined {
  const keeps = KEEPS[operation];
  const countMax = keeps.second ? a.length + b.length : a.length;
  // An array that may grow past the largest one is put together as a bitset.
  if (countMax > ARRAY_COUNT_MAX) return combineBits(operation, a, b, arena);
  const address = arena.allocate(countMax);
  const out = arena.chunkAt(address).units;
  const merge = ARRAY_OPERATIONS[operation];
  const length = merge(
    out,
    address & 0xffff,
    a.units,
    a.start,
    a.length,
    b.units,
    b.start,
    b.length,
  );
  arena.resize(address, countMax, length);
  return length === 0 ? undefined : { kind: Kind.array, cardinality: length, length, address };
}

/** The values of array `a` that `b` has, or has not. */
function filter(a: Body, b: Body, wanted: boolean, arena: Arena): Placed | undefined {
  const address = arena.allocate(a.length);
  const out = arena.chunkAt(address).units;
  const start = address & 0xffff;
  const { units } = a;
  let at = start;
  for (let i = a.start; i < a.start + a.length; i++) {
    const low = units[i] as number;
    if (bodyHas(b, low) === wanted) out[at++] = low;
  }
  const length = at - start;
  arena.resize(address, a.length, length);
  return length === 0 ? undefined : { kind: Kind.array, cardinality: length, length, address };
}

/** At least one of the operands is a bitset, or the result may be one. */
function combineBits(operation: Operation, a: Body, b: Body, arena: Arena): Placed | undefined {
  const address = arena.allocate(BITSET_UNITS);
  const words = arena.words(address, BITSET_BODY_WORDS);
  let cardinality: number;
  if (a.kind === Kind.bitset && b.kind === Kind.bitset) {
    cardinality = combineWords(operation, a.words, b.words, words);
  } else if (operation === "andNot" && b.kind === Kind.bitset) {
    writeBits(a, words);
    cardinality = combineWords(operation, words, b.words, words);
  } else {
    // Everything but andNot is the same both ways round.
    const [bits, other] = b.kind === Kind.bitset ? [b, a] : [a, b];
    writeBits(bits, words);
    cardinality = combineBitsInPlace(operation, words, bits.cardinality, other);
  }
  return settleBits(address, cardinality, arena);
}

/** Two bitsets word by word; returns the number of set bits. */
function combineWords(
  operation: Operation,
  a: Uint32Array,
  b: Uint32Array,
  out: Uint32Array,
): number {
  let count = 0;
  for (let i = 0; i < BITSET_WORDS; i++) {
    const left = a[i] as number;
    const right = b[i] as number;
    let word: number;
    if (operation === "and") word = left & right;
    else if (operation === "or") word = left | right;
    else if (operation === "xor") word = left ^ right;
    else word = left & ~right;
    out[i] = word;
    count += popcount(word);
  }
  return count;
}

/**
 * The bits and another body of any kind; the result is where the bits are.
 *
 * @param cardinality - how many bits are set
 * @returns how many bits are set afterwards
 */
export function combineBitsInPlace(
  operation: Operation,
  words: Uint32Array,
  cardinality: number,
  other: Body,
): number {
  if (other.kind === Kind.bitset) return combineWords(operation, words, other.words, words);
  if (operation === "or" && other.kind === Kind.array) {
    return cardinality + bitsetAddArray(words, other.units, other.start, other.length);
  }
  applyToBits(operation, other, words);
  return bitsetCount(words);
}

function applyToBits(operation: Operation, other: Body, words: Uint32Array): void {
  const { units } = other;
  const end = other.start + other.length;
  const step = intervalUnits(other);
  if (operation === "and") {
    // What lies between the runs, or the values, is cleared.
    let from = 0;
    for (let i = other.start; i < end; i += step) {
      const first = units[i] as number;
      if (from < first) bitsetClearRange(words, from, first - 1);
      from = (step === 1 ? first : (units[i + 1] as number)) + 1;
    }
    if (from < CONTAINER_SPAN) bitsetClearRange(words, from, CONTAINER_SPAN - 1);
    return;
  }
  const change =
    operation === "or" ? bitsetSetRange : operation === "xor" ? bitsetFlipRange : bitsetClearRange;
  for (let i = other.start; i < end; i += step) {
    const first = units[i] as number;
    change(words, first, step === 1 ? first : (units[i + 1] as number));
  }
}

/** Gives a bitset that was just written, with any number of bits, the kind that its count asks for. */
function settleBits(address: number, cardinality: number, arena: Arena): Placed | undefined {
  const { units } = arena.chunkAt(address);
  const start = address & 0xffff;
  if (cardinality === 0) {
    arena.resize(address, BITSET_UNITS, 0);
    return undefined;
  }
  if (cardinality === CONTAINER_SPAN) {
    arena.resize(address, BITSET_UNITS, RUN_UNITS);
    units.set([0, CONTAINER_SPAN - 1, 0], start);
    return { kind: Kind.run, cardinality, length: RUN_UNITS, address };
  }
  if (cardinality > ARRAY_COUNT_MAX) {
    return { kind: Kind.bitset, cardinality, length: BITSET_UNITS, address };
  }
  const values = new Uint16Array(cardinality);
  bitsetToArray(arena.words(address, BITSET_BODY_WORDS), values, 0);
  units.set(values, start);
  arena.resize(address, BITSET_UNITS, cardinality);
  return { kind: Kind.array, cardinality, length: cardinality, address };
}

/** Neither operand is a bitset: both are read as intervals, and the result is put together as runs. */
function combineRuns(operation: Operation, a: Body, b: Body, arena: Arena): Placed | undefined {
  const step = { a: intervalUnits(a), b: intervalUnits(b) };
  const runCountMax = a.length / step.a + b.length / step.b;
  const units = new Uint16Array(runCountMax * RUN_UNITS);
  const runCount = sweep(operation, a, b, units);
  if (runCount === 0) return undefined;
  const cardinality = runCountValues(units, 0, runCount);
  const runs = bodyOfRuns(units, runCount * RUN_UNITS, cardinality);
  return place(runs, cheapestKind(cardinality, runCount), arena);
}

/** Units of one interval: an array is read as runs of one value each. */
function intervalUnits(body: Body): number {
  return body.kind === Kind.array ? 1 : RUN_UNITS;
}

/**
 * Goes through the intervals of both from edge to edge and writes the runs of the result to `out`.
 *
 * @returns the number of runs
 */
function sweep(operation: Operation, a: Body, b: Body, out: Uint16Array): number {
  const keeps = KEEPS[operation];
  const aStep = intervalUnits(a);
  const bStep = intervalUnits(b);
  const aEnd = a.start + a.length;
  const bEnd = b.start + b.length;
  let i = a.start;
  let j = b.start;
  let at = -RUN_UNITS;
  let open = -1;
  for (let x = 0; x < CONTAINER_SPAN;) {
    const aFirst = i < aEnd ? (a.units[i] as number) : CONTAINER_SPAN;
    const bFirst = j < bEnd ? (b.units[j] as number) : CONTAINER_SPAN;
    const aLast = i < aEnd ? (a.units[i + aStep - (aStep === 1 ? 1 : 2)] as number) : -1;
    const bLast = j < bEnd ? (b.units[j + bStep - (bStep === 1 ? 1 : 2)] as number) : -1;
    const inA = aFirst <= x;
    const inB = bFirst <= x;
    const next = Math.min(inA ? aLast + 1 : aFirst, inB ? bLast + 1 : bFirst);
    const kept = inA ? (inB ? keeps.both : keeps.first) : inB && keeps.second;
    if (kept) {
      // A run that touches the one before continues it.
      if (open !== x) {
        at += RUN_UNITS;
        out[at] = x;
      }
      out[at + 1] = next - 1;
      open = next;
    }
    x = next;
    if (inA && aLast < x) i += aStep;
    if (inB && bLast < x) j += bStep;
  }
  return at / RUN_UNITS + 1;
}
