/**
 * The run container: maximal sequences of consecutive values.
 *
 * A body is `runCount` triples of units, beginning at `start`: first value, last value, and how many
 * values of the container come before the run. Runs ascend and do not touch: each begins above the
 * last value of the one before, plus one. Functions trust their arguments.
 */

/** Units of one run. */
export const RUN_UNITS = 3;

/** Index of the last run that begins at `low` or below; -1 if there is none. */
export function runFind(units: Uint16Array, start: number, runCount: number, low: number): number {
  let from = 0;
  let to = runCount;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((units[start + middle * RUN_UNITS] as number) <= low) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

export function runHas(units: Uint16Array, start: number, runCount: number, low: number): boolean {
  const index = runFind(units, start, runCount, low);
  return index >= 0 && low <= (units[start + index * RUN_UNITS + 1] as number);
}

/** How many values are `low` or less. */
export function runRank(units: Uint16Array, start: number, runCount: number, low: number): number {
  const index = runFind(units, start, runCount, low);
  if (index < 0) return 0;
  const at = start + index * RUN_UNITS;
  const last = units[at + 1] as number;
  return (units[at + 2] as number) + (low < last ? low : last) - (units[at] as number) + 1;
}

/** The value that has exactly `index` values below it. */
export function runSelect(
  units: Uint16Array,
  start: number,
  runCount: number,
  index: number,
): number {
  let from = 0;
  let to = runCount;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((units[start + middle * RUN_UNITS + 2] as number) <= index) from = middle + 1;
    else to = middle;
  }
  const at = start + (from - 1) * RUN_UNITS;
  return (units[at] as number) + index - (units[at + 2] as number);
}

/** Fills in how many values come before each run, and returns how many there are. */
export function runCountValues(units: Uint16Array, start: number, runCount: number): number {
  let count = 0;
  for (let at = start; at < start + runCount * RUN_UNITS; at += RUN_UNITS) {
    units[at + 2] = count;
    count += (units[at + 1] as number) - (units[at] as number) + 1;
  }
  return count;
}

/**
 * Adds a value that is not there; the body must have room for one run more.
 *
 * @returns the new number of runs
 */
export function runAdd(units: Uint16Array, start: number, runCount: number, low: number): number {
  const index = runFind(units, start, runCount, low);
  const at = start + index * RUN_UNITS;
  const end = start + runCount * RUN_UNITS;
  const joinsBelow = index >= 0 && (units[at + 1] as number) + 1 === low;
  const joinsAbove = index + 1 < runCount && (units[at + RUN_UNITS] as number) === low + 1;
  let count = runCount;
  if (joinsBelow && joinsAbove) {
    units[at + 1] = units[at + RUN_UNITS + 1] as number;
    units.copyWithin(at + RUN_UNITS, at + 2 * RUN_UNITS, end);
    count--;
  } else if (joinsBelow) {
    units[at + 1] = low;
  } else if (joinsAbove) {
    units[at + RUN_UNITS] = low;
  } else {
    units.copyWithin(at + 2 * RUN_UNITS, at + RUN_UNITS, end);
    units[at + RUN_UNITS] = low;
    units[at + RUN_UNITS + 1] = low;
    count++;
  }
  runCountValues(units, start, count);
  return count;
}

/**
 * Deletes a value that is there; the body must have room for one run more.
 *
 * @returns the new number of runs
 */
export function runDelete(
  units: Uint16Array,
  start: number,
  runCount: number,
  low: number,
): number {
  const at = start + runFind(units, start, runCount, low) * RUN_UNITS;
  const end = start + runCount * RUN_UNITS;
  const first = units[at] as number;
  const last = units[at + 1] as number;
  let count = runCount;
  if (first === last) {
    units.copyWithin(at, at + RUN_UNITS, end);
    count--;
  } else if (low === first) {
    units[at] = low + 1;
  } else if (low === last) {
    units[at + 1] = low - 1;
  } else {
    units.copyWithin(at + RUN_UNITS, at, end);
    units[at + 1] = low - 1;
    units[at + RUN_UNITS] = low + 1;
    count++;
  }
  runCountValues(units, start, count);
  return count;
}
