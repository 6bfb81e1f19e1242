/**
 * The array container: up to 4,096 values, ascending, each its low 16 bits.
 *
 * A body is `count` units of `units`, beginning at `start`. Functions trust these arguments.
 */

/** Values that are searched without a branch once a guess has come this near. */
const WINDOW = 16;

/**
 * How many values are below `low`: the index of the first that is not.
 *
 * Guesses the place as if values were spread evenly, corrects the guess by the value found there, and
 * looks at the 16 values around it; only if the place is not among them are all values searched. The
 * searches have no branch that depends on the values: such branches were half of the time.
 */
export function arrayLowerBound(
  units: Uint16Array,
  start: number,
  count: number,
  low: number,
): number {
  if (count > 2 * WINDOW) {
    const guess = Math.imul(low, count) >>> 16;
    const distance = Math.imul(low - (units[start + guess] as number), count) >> 16;
    const from = guess + distance - WINDOW / 2;
    const at = start + (from < 0 ? 0 : from > count - WINDOW ? count - WINDOW : from);
    let place = at;
    place += 8 & (((units[place + 7] as number) - low) >> 31);
    place += 4 & (((units[place + 3] as number) - low) >> 31);
    place += 2 & (((units[place + 1] as number) - low) >> 31);
    place += 1 & (((units[place] as number) - low) >> 31);
    // Anywhere but at the ends of the window, the values on both sides have been compared.
    if (place !== at && place !== at + WINDOW - 1) return place - start;
  }
  let from = start;
  for (let length = count; length > 1;) {
    const half = length >>> 1;
    from += half & (((units[from + half - 1] as number) - low) >> 31);
    length -= half;
  }
  return from - start + (1 & (((units[from] as number) - low) >> 31));
}

/** Whether `low` is one of the values. */
export function arrayHas(units: Uint16Array, start: number, count: number, low: number): boolean {
  const index = arrayLowerBound(units, start, count, low);
  return index < count && units[start + index] === low;
}

/** How many values are `low` or less. */
export function arrayRank(units: Uint16Array, start: number, count: number, low: number): number {
  const index = arrayLowerBound(units, start, count, low);
  return index < count && units[start + index] === low ? index + 1 : index;
}

/** Puts `low` at `index`; the body must have room for one more. */
export function arrayInsert(
  units: Uint16Array,
  start: number,
  count: number,
  index: number,
  low: number,
): void {
  const at = start + index;
  const end = start + count;
  // A call of copyWithin costs about as much as moving 32 values by hand.
  if (end - at > 32) units.copyWithin(at + 1, at, end);
  else for (let i = end; i > at; i--) units[i] = units[i - 1] as number;
  units[at] = low;
}

/** Takes out the value at `index`. */
export function arrayRemove(units: Uint16Array, start: number, count: number, index: number): void {
  const at = start + index;
  const end = start + count;
  if (end - at > 32) units.copyWithin(at, at + 1, end);
  else for (let i = at + 1; i < end; i++) units[i - 1] = units[i] as number;
}

/** How many maximal sequences of consecutive values there are, counted no further than past `limit`. */
export function arrayCountRuns(
  units: Uint16Array,
  start: number,
  count: number,
  limit: number,
): number {
  let runs = 0;
  let expected = -1;
  const end = start + count;
  for (let i = start; i < end && runs <= limit; i++) {
    const value = units[i] as number;
    if (value !== expected) runs++;
    expected = value + 1;
  }
  return runs;
}

// The merges below go on without asking which value was lower: of the sign of the difference they
// make the next indices. A branch there is taken at random, and was two thirds of the time.

/** Writes the union of two arrays to `out` and returns its count. */
export function arrayOr(
  out: Uint16Array,
  outStart: number,
  a: Uint16Array,
  aStart: number,
  aCount: number,
  b: Uint16Array,
  bStart: number,
  bCount: number,
): number {
  const aEnd = aStart + aCount;
  const bEnd = bStart + bCount;
  let i = aStart;
  let j = bStart;
  let at = outStart;
  while (i < aEnd && j < bEnd) {
    const x = a[i] as number;
    const y = b[j] as number;
    const difference = x - y;
    out[at++] = y + (difference & (difference >> 31));
    i += (difference - 1) >>> 31;
    j += ~difference >>> 31;
  }
  at = copy(out, at, a, i, aEnd);
  return copy(out, at, b, j, bEnd) - outStart;
}

/**
 * Writes the values that are in both arrays to `out` and returns their count. The result may be
 * written over the first array.
 */
export function arrayAnd(
  out: Uint16Array,
  outStart: number,
  a: Uint16Array,
  aStart: number,
  aCount: number,
  b: Uint16Array,
  bStart: number,
  bCount: number,
): number {
  const aEnd = aStart + aCount;
  const bEnd = bStart + bCount;
  let i = aStart;
  let j = bStart;
  let at = outStart;
  while (i < aEnd && j < bEnd) {
    const x = a[i] as number;
    const difference = x - (b[j] as number);
    out[at] = x;
    const isBelow = (difference - 1) >>> 31;
    const isAbove = ~difference >>> 31;
    at += isBelow & isAbove;
    i += isBelow;
    j += isAbove;
  }
  return at - outStart;
}

/** Writes the values that are in exactly one of two arrays to `out` and returns their count. */
export function arrayXor(
  out: Uint16Array,
  outStart: number,
  a: Uint16Array,
  aStart: number,
  aCount: number,
  b: Uint16Array,
  bStart: number,
  bCount: number,
): number {
  const aEnd = aStart + aCount;
  const bEnd = bStart + bCount;
  let i = aStart;
  let j = bStart;
  let at = outStart;
  while (i < aEnd && j < bEnd) {
    const y = b[j] as number;
    const difference = (a[i] as number) - y;
    out[at] = y + (difference & (difference >> 31));
    const isBelow = (difference - 1) >>> 31;
    const isAbove = ~difference >>> 31;
    at += isBelow ^ isAbove;
    i += isBelow;
    j += isAbove;
  }
  at = copy(out, at, a, i, aEnd);
  return copy(out, at, b, j, bEnd) - outStart;
}

/**
 * Writes the values of the first array that are not in the second to `out` and returns their count.
 * The result may be written over the first array.
 */
export function arrayAndNot(
  out: Uint16Array,
  outStart: number,
  a: Uint16Array,
  aStart: number,
  aCount: number,
  b: Uint16Array,
  bStart: number,
  bCount: number,
): number {
  const aEnd = aStart + aCount;
  const bEnd = bStart + bCount;
  let i = aStart;
  let j = bStart;
  let at = outStart;
  while (i < aEnd && j < bEnd) {
    const x = a[i] as number;
    const difference = x - (b[j] as number);
    out[at] = x;
    at += difference >>> 31;
    i += (difference - 1) >>> 31;
    j += ~difference >>> 31;
  }
  return copy(out, at, a, i, aEnd) - outStart;
}

/** Copies the values from `from` up to `end` to `out`, from `at` on, and returns where they end. */
function copy(
  out: Uint16Array,
  at: number,
  values: Uint16Array,
  from: number,
  end: number,
): number {
  let to = at;
  for (let i = from; i < end; i++) out[to++] = values[i] as number;
  return to;
}
