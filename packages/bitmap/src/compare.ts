/** Comparing two containers with the same key. */
import { bodyHas } from "./algebra.ts";
import { BITSET_WORDS, bitsetNext, bitsetRank } from "./container-bitset.ts";
import { RUN_UNITS, runFind, runRank } from "./container-run.ts";
import { arrayRank } from "./container-array.ts";
import { Kind } from "./kind.ts";
import type { Body } from "./body.ts";

/** Whether two bodies hold the same values. */
export function sameValues(a: Body, b: Body): boolean {
  if (a.cardinality !== b.cardinality) return false;
  if (a.kind !== b.kind || a.kind === Kind.bitset) return isSubset(a, b);
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a.units[a.start + i] !== b.units[b.start + i]) return false;
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
    for (let i = 0; i < BITSET_WORDS; i++) {
      if (((a.words[i] as number) & ~(b.words[i] as number)) !== 0) return false;
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
  for (let i = 0; i < BITSET_WORDS; i++) {
    if (((a.words[i] as number) & (b.words[i] as number)) !== 0) return true;
  }
  return false;
}

/** How many values are `low` or less. */
function bodyRank(body: Body, low: number): number {
  switch (body.kind) {
    case Kind.array:
      return arrayRank(body.units, body.start, body.length, low);
    case Kind.bitset:
      return bitsetRank(body.words, 0, low);
    case Kind.run:
      return runRank(body.units, body.start, body.length / RUN_UNITS, low);
  }
}

function countBetween(body: Body, first: number, last: number): number {
  const below = first === 0 ? 0 : bodyRank(body, first - 1);
  return bodyRank(body, last) - below;
}

function hasBetween(body: Body, first: number, last: number): boolean {
  if (body.kind === Kind.bitset) {
    const next = bitsetNext(body.words, first);
    return next >= 0 && next <= last;
  }
  const { units } = body;
  const index = runFind(units, body.start, body.length / RUN_UNITS, last);
  return index >= 0 && first <= (units[body.start + index * RUN_UNITS + 1] as number);
}

function everyValue(array: Body, holds: (low: number) => boolean): boolean {
  for (let i = array.start; i < array.start + array.length; i++) {
    if (!holds(array.units[i] as number)) return false;
  }
  return true;
}

function everyRun(runs: Body, holds: (first: number, last: number) => boolean): boolean {
  const { units } = runs;
  for (let i = runs.start; i < runs.start + runs.length; i += RUN_UNITS) {
    if (!holds(units[i] as number, units[i + 1] as number)) return false;
  }
  return true;
}
