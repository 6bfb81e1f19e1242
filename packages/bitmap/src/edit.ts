/** Adding and deleting: one value, or a range of them. */
import type { Arena } from "./arena.ts";
import { combine } from "./algebra.ts";
import { arrayInsert, arrayLowerBound, arrayRemove } from "./container-array.ts";
import {
  bitsetAdd,
  bitsetDelete,
  bitsetHas,
  bitsetSetRange,
  bitsetClearRange,
  bitsetCount,
} from "./container-bitset.ts";
import { RUN_UNITS, runAdd, runDelete, runHas } from "./container-run.ts";
import { countRuns, place } from "./convert.ts";
import { ARRAY_COUNT_MAX, cheapestKind, CONTAINER_SPAN, Kind, runCountLimit } from "./kind.ts";
import { type Body, bodyOfRuns, type Placed } from "./body.ts";
import type { ContainerTable } from "./table.ts";

/** Adds one value and returns whether it was absent. */
export function addValue(table: ContainerTable, value: number): boolean {
  const low = value & 0xffff;
  const i = table.find(value >>> 16);
  if (i < 0) {
    table.insert(-1 - i, value >>> 16, placeRange(low, low, table.arena));
    return true;
  }
  switch (table.kinds[i] as Kind) {
    case Kind.array:
      return addToArray(table, i, low);
    case Kind.bitset:
      return addToBitset(table, i, low);
    case Kind.run:
      return addToRuns(table, i, low);
  }
}

/** Deletes one value and returns whether it was there. */
export function deleteValue(table: ContainerTable, value: number): boolean {
  const low = value & 0xffff;
  const i = table.find(value >>> 16);
  if (i < 0) return false;
  switch (table.kinds[i] as Kind) {
    case Kind.array:
      return deleteFromArray(table, i, low);
    case Kind.bitset:
      return deleteFromBitset(table, i, low);
    case Kind.run:
      return deleteFromRuns(table, i, low);
  }
}

function addToArray(table: ContainerTable, i: number, low: number): boolean {
  const count = table.lengths[i] as number;
  let { units, start } = table.body(i);
  const isAppend = (units[start + count - 1] as number) < low;
  const index = isAppend ? count : arrayLowerBound(units, start, count, low);
  if (!isAppend && units[start + index] === low) return false;
  if (count === ARRAY_COUNT_MAX) {
    convert(table, i, Kind.bitset);
    return addToBitset(table, i, low);
  }
  table.prepareWrite(i, count + 1);
  ({ units, start } = table.body(i));
  arrayInsert(units, start, count, index, low);
  table.lengths[i] = count + 1;
  table.setCardinality(i, count + 1);
  return true;
}

function addToBitset(table: ContainerTable, i: number, low: number): boolean {
  if (bitsetHas(table.bits[i] as Uint32Array, low)) return false;
  table.prepareWrite(i, table.lengths[i] as number);
  bitsetAdd(table.bits[i] as Uint32Array, low);
  noteBitChange(table, i, low);
  const cardinality = (table.cardinalities[i] as number) + 1;
  table.setCardinality(i, cardinality);
  if (cardinality === CONTAINER_SPAN) convert(table, i, Kind.run);
  return true;
}

function addToRuns(table: ContainerTable, i: number, low: number): boolean {
  const body = table.body(i);
  const runCount = body.length / RUN_UNITS;
  if (runHas(body.units, body.start, runCount, low)) return false;
  table.prepareWrite(i, body.length + RUN_UNITS);
  const { units, start } = table.body(i);
  settleRuns(table, i, runAdd(units, start, runCount, low), body.cardinality + 1);
  return true;
}

function deleteFromArray(table: ContainerTable, i: number, low: number): boolean {
  const count = table.lengths[i] as number;
  let { units, start } = table.body(i);
  const index = arrayLowerBound(units, start, count, low);
  if (index === count || units[start + index] !== low) return false;
  if (count === 1) {
    table.remove(i, i + 1);
    table.compactIfWasteful();
    return true;
  }
  table.prepareWrite(i, count);
  ({ units, start } = table.body(i));
  arrayRemove(units, start, count, index);
  table.lengths[i] = count - 1;
  table.setCardinality(i, count - 1);
  table.giveBack(i);
  table.compactIfWasteful();
  return true;
}

function deleteFromBitset(table: ContainerTable, i: number, low: number): boolean {
  if (!bitsetHas(table.bits[i] as Uint32Array, low)) return false;
  table.prepareWrite(i, table.lengths[i] as number);
  bitsetDelete(table.bits[i] as Uint32Array, low);
  noteBitChange(table, i, low);
  const cardinality = (table.cardinalities[i] as number) - 1;
  table.setCardinality(i, cardinality);
  if (cardinality === ARRAY_COUNT_MAX) convert(table, i, Kind.array);
  return true;
}

function deleteFromRuns(table: ContainerTable, i: number, low: number): boolean {
  const body = table.body(i);
  const runCount = body.length / RUN_UNITS;
  if (!runHas(body.units, body.start, runCount, low)) return false;
  if (body.cardinality === 1) {
    table.remove(i, i + 1);
    table.compactIfWasteful();
    return true;
  }
  table.prepareWrite(i, body.length + RUN_UNITS);
  const { units, start } = table.body(i);
  settleRuns(table, i, runDelete(units, start, runCount, low), body.cardinality - 1);
  return true;
}

/** The entries of the rank index above the block of a changed bit are wrong now. */
function noteBitChange(table: ContainerTable, i: number, low: number): void {
  const right = (low >>> 8) + 1;
  if (right < (table.indexed[i] as number)) table.indexed[i] = right;
}

/** Notes a changed number of runs, and leaves the run form when another one is smaller. */
function settleRuns(table: ContainerTable, i: number, runCount: number, cardinality: number): void {
  table.lengths[i] = runCount * RUN_UNITS;
  table.setCardinality(i, cardinality);
  const kind = cheapestKind(cardinality, runCount);
  if (kind !== Kind.run) convert(table, i, kind);
}

/** Gives container `i` another kind. */
export function convert(table: ContainerTable, i: number, kind: Kind): void {
  const body = table.body(i);
  table.replace(i, place(body, kind, table.arena));
  table.compactIfWasteful();
}

/** Gives every container the kind that takes the fewest bytes in a file. */
export function optimize(table: ContainerTable): void {
  for (let i = 0; i < table.count; i++) {
    const body = table.body(i);
    const kind = cheapestKind(body.cardinality, countRuns(body, runCountLimit(body.cardinality)));
    if (kind !== body.kind) table.replace(i, place(body, kind, table.arena));
  }
}

/** A body of the values `first` to `last`, both included. */
function placeRange(first: number, last: number, arena: Arena): Placed {
  const cardinality = last - first + 1;
  const kind = cheapestKind(cardinality, 1);
  const length = kind === Kind.run ? RUN_UNITS : cardinality;
  const address = arena.allocate(length);
  const { units } = arena.chunkAt(address);
  const start = address & 0xffff;
  units[start] = first;
  if (length > 1) units[start + 1] = last;
  if (kind === Kind.run) units[start + 2] = 0;
  return { kind, cardinality, length, address };
}

/** Adds the values `first` to `last`, both included. */
export function addRange(table: ContainerTable, first: number, last: number): void {
  const firstKey = first >>> 16;
  const lastKey = last >>> 16;
  if (firstKey === lastKey) {
    addWithin(table, firstKey, first & 0xffff, last & 0xffff);
    return;
  }
  addWithin(table, firstKey, first & 0xffff, CONTAINER_SPAN - 1);
  fillKeys(table, firstKey + 1, lastKey - 1);
  addWithin(table, lastKey, 0, last & 0xffff);
}

/** Makes the containers of the keys `firstKey` to `lastKey`, if that is a key or more, full. */
function fillKeys(table: ContainerTable, firstKey: number, lastKey: number): void {
  const count = lastKey - firstKey + 1;
  if (count <= 0) return;
  const from = lowerBound(table, firstKey);
  table.remove(from, lowerBound(table, lastKey + 1));
  table.openGap(from, count);
  for (let k = 0; k < count; k++) {
    table.keys[from + k] = firstKey + k;
    table.replace(from + k, placeRange(0, CONTAINER_SPAN - 1, table.arena));
  }
  table.noteKeys();
  table.compactIfWasteful();
}

/** Adds a range of low bits to the container of one key. */
function addWithin(table: ContainerTable, key: number, first: number, last: number): void {
  const i = table.find(key);
  if (i < 0) {
    table.insert(-1 - i, key, placeRange(first, last, table.arena));
    return;
  }
  if (table.kinds[i] === Kind.bitset) {
    table.prepareWrite(i, table.lengths[i] as number);
    const words = table.bits[i] as Uint32Array;
    bitsetSetRange(words, first, last);
    noteBitChange(table, i, first);
    table.setCardinality(i, bitsetCount(words));
    if (table.cardinalities[i] === CONTAINER_SPAN) convert(table, i, Kind.run);
    return;
  }
  const result = combine("or", table.body(i), rangeBody(first, last), table.arena);
  if (result !== undefined) table.replace(i, result);
  table.compactIfWasteful();
}

/** Deletes the values `first` to `last`, both included. */
export function deleteRange(table: ContainerTable, first: number, last: number): void {
  const firstKey = first >>> 16;
  const lastKey = last >>> 16;
  if (firstKey === lastKey) {
    deleteWithin(table, firstKey, first & 0xffff, last & 0xffff);
    return;
  }
  deleteWithin(table, firstKey, first & 0xffff, CONTAINER_SPAN - 1);
  deleteWithin(table, lastKey, 0, last & 0xffff);
  table.remove(lowerBound(table, firstKey + 1), lowerBound(table, lastKey));
  table.compactIfWasteful();
}

/** Deletes a range of low bits from the container of one key, if there is one. */
function deleteWithin(table: ContainerTable, key: number, first: number, last: number): void {
  const i = table.find(key);
  if (i < 0) return;
  if (table.kinds[i] === Kind.bitset) {
    table.prepareWrite(i, table.lengths[i] as number);
    const words = table.bits[i] as Uint32Array;
    bitsetClearRange(words, first, last);
    noteBitChange(table, i, first);
    const cardinality = bitsetCount(words);
    if (cardinality === 0) {
      table.remove(i, i + 1);
      return;
    }
    table.setCardinality(i, cardinality);
    if (cardinality <= ARRAY_COUNT_MAX) convert(table, i, Kind.array);
    return;
  }
  const result = combine("andNot", table.body(i), rangeBody(first, last), table.arena);
  if (result === undefined) table.remove(i, i + 1);
  else table.replace(i, result);
  table.compactIfWasteful();
}

function rangeBody(first: number, last: number): Body {
  return bodyOfRuns(Uint16Array.of(first, last, 0), RUN_UNITS, last - first + 1);
}

/** Index of the first container with this key or a higher one. */
function lowerBound(table: ContainerTable, key: number): number {
  const i = table.find(key);
  return i < 0 ? -1 - i : i;
}
