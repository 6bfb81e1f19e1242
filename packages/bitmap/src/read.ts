/** Questions about single values: the paths that have to be short, and make no object. */
import type { Chunk } from "./arena.ts";
import { arrayHas, arrayRank } from "./container-array.ts";
import { BITSET_BLOCKS, bitsetRank, bitsetSelect } from "./container-bitset.ts";
import { RUN_UNITS, runHas, runRank, runSelect } from "./container-run.ts";
import { Kind } from "./kind.ts";
import type { ContainerTable } from "./table.ts";

// Engines fold a constant of this module, and load one that is imported each time.
const ARRAY: Kind = Kind.array;

/**
 * Whether a value is in the table.
 *
 * The way to a bit of a bitset is written out here, as short as it gets, so that callers inline it.
 */
export function hasValue(table: ContainerTable, value: number): boolean {
  const i = table.find(value >>> 16);
  if (i < 0) return false;
  const words = table.bits[i] as Uint32Array;
  if (words.length === 0) return hasInList(table, i, value & 0xffff);
  return (((words[(value & 0xffff) >>> 5] as number) >>> (value & 31)) & 1) !== 0;
}

/** Whether container `i`, an array or runs, has a value. */
function hasInList(table: ContainerTable, i: number, low: number): boolean {
  const address = table.addresses[i] as number;
  const start = address & 0xffff;
  const { units } = table.chunks[address >>> 16] as Chunk;
  const length = table.lengths[i] as number;
  if (table.kinds[i] === ARRAY) return arrayHas(units, start, length, low);
  return runHas(units, start, length / RUN_UNITS, low);
}

/** How many values are `value` or less. */
export function rankOf(table: ContainerTable, value: number): number {
  const i = table.find(value >>> 16);
  if (i < 0) return table.countBefore(-1 - i);
  const low = value & 0xffff;
  const before = table.countBefore(i);
  const words = table.bits[i] as Uint32Array;
  if (words.length !== 0) {
    const indexed = table.indexed[i] as number;
    const block = low >>> 8;
    if (indexed <= block) table.indexed[i] = block + 1;
    return before + bitsetRank(words, indexed, low);
  }
  const address = table.addresses[i] as number;
  const start = address & 0xffff;
  const { units } = table.chunks[address >>> 16] as Chunk;
  const length = table.lengths[i] as number;
  if (table.kinds[i] === ARRAY) return before + arrayRank(units, start, length, low);
  return before + runRank(units, start, length / RUN_UNITS, low);
}

/** The value that has exactly `index` values below it, `0 <= index < size`. */
export function selectAt(table: ContainerTable, index: number): number {
  const i = table.findIndex(index);
  const base = (table.keys[i] as number) * 0x10000;
  const rest = index - table.countBefore(i);
  const words = table.bits[i] as Uint32Array;
  if (words.length !== 0) {
    const indexed = table.indexed[i] as number;
    table.indexed[i] = BITSET_BLOCKS;
    return base + bitsetSelect(words, indexed, rest);
  }
  const address = table.addresses[i] as number;
  const start = address & 0xffff;
  const { units } = table.chunks[address >>> 16] as Chunk;
  if (table.kinds[i] === ARRAY) return base + (units[start + rest] as number);
  const runCount = (table.lengths[i] as number) / RUN_UNITS;
  return base + runSelect(units, start, runCount, rest);
}
