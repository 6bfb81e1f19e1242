/** Comparing two containers with the same key. */
import { bodyHas } from "./algebra.ts";
import { BITSET_WORDS, bitsetNext, bitsetRank } from "./container-bitset.ts";
import { RUN_UNITS, runFind, runRank } from "./container-run.ts";
import { arrayRank } from "./container-array.ts";
import { Kind } from "./kind.ts";
import type { Body } from "./table.ts";

/** Whether two bodies hold the same values. */
export function sameValues(a: Body, b: Body): boolean {
  if (a.cardinality !== b.cardinality) return false;
  if (a.kind !== b.kind || a.kind === Kind.bitset) return isSubset(a, b);
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a.chunk.units[a.start + i] !== b.chunk.units[b.start + i]) return false;
  }
  return true;
}

/** Whether every value of `a` is in `b`. */
export function isSubset(a: Body, b: Body): boolean {
  if (a.cardinality > b.cardinality) return false;
  if (a.kind === Kind.array) return everyValue(a, (low) => bodyHas(b, low));
  if (a.kind === Kind.run) {
    return everyRun(a, (first, last) => countBetween(b, first, last) === last - first + 1);
  }
  if (b.kind === Kind.bitset) {
    const x = a.chunk.words;
    const y = b.chunk.words;
    const shift = (b.start - a.start) / 2;
    const from = a.start / 2;
    for (let i = from; i < from + BITSET_WORDS; i++) {
      if (((x[i] as number) & ~(y[i + shift] as number)) !== 0) return false;
    }
    return true;
  }
  // A bitset within runs: the runs must cover as many of its bits as it has.
  let covered = 0;
  everyRun(b, (first, last) => {
    covered += countBetween(a, first, last);
    return true;
  });
  return covered === a.cardinality;
}

/** Whether a value is in both. */
export function intersects(a: Body, b: Body): boolean {
  if (a.kind === Kind.array) return !everyValue(a, (low) => !bodyHas(b, low));
  if (b.kind === Kind.array) return !everyValue(b, (low) => !bodyHas(a, low));
  if (a.kind === Kind.run) return !everyRun(a, (first, last) => !hasBetween(b, first, last));
  if (b.kind === Kind.run) return !everyRun(b, (first, last) => !hasBetween(a, first, last));
  const x = a.chunk.words;
  const y = b.chunk.words;
  const shift = (b.start - a.start) / 2;
  const from = a.start / 2;
  for (let i = from; i < from + BITSET_WORDS; i++) {
    if (((x[i] as number) & (y[i + shift] as number)) !== 0) return true;
  }
  return false;
}

/** How many values are `low` or less. The rank index is used only as far as `indexed` entries. */
export function bodyRank(body: Body, low: number, indexed: number): number {
  const { chunk, start, length } = body;
  switch (body.kind) {
    case Kind.array:
      return arrayRank(chunk.units, start, length, low);
    case Kind.bitset:
      return bitsetRank(chunk.units, chunk.words, start / 2, indexed, low);
    case Kind.run:
      return runRank(chunk.units, start, length / RUN_UNITS, low);
  }
}

function countBetween(body: Body, first: number, last: number): number {
  const below = first === 0 ? 0 : bodyRank(body, first - 1, 0);
  return bodyRank(body, last, 0) - below;
}

function hasBetween(body: Body, first: number, last: number): boolean {
  if (body.kind === Kind.bitset) {
    const next = bitsetNext(body.chunk.words, body.start / 2, first);
    return next >= 0 && next <= last;
  }
  const { units } = body.chunk;
  const index = runFind(units, body.start, body.length / RUN_UNITS, last);
  return index >= 0 && first <= (units[body.start + index * RUN_UNITS + 1] as number);
}

function everyValue(array: Body, holds: (low: number) => boolean): boolean {
  for (let i = array.start; i < array.start + array.length; i++) {
    if (!holds(array.chunk.units[i] as number)) return false;
  }
  return true;
}

function everyRun(runs: Body, holds: (first: number, last: number) => boolean): boolean {
  const { units } = runs.chunk;
  for (let i = runs.start; i < runs.start + runs.length; i += RUN_UNITS) {
    if (!holds(units[i] as number, units[i + 1] as number)) return false;
  }
  return true;
}
