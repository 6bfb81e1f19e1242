/** Making a table of many values at once. */
import { BITSET_BODY_WORDS, BITSET_UNITS } from "./container-bitset.ts";
import { ARRAY_COUNT_MAX, CONTAINER_SPAN, Kind } from "./kind.ts";
import { ContainerTable } from "./table.ts";
import { lowestBit, popcount } from "./word.ts";

/** A table of the values, which may come in any order and more than once. */
export function buildTable(values: Uint32Array): ContainerTable {
  const table = new ContainerTable();
  const order = orderOf(values);
  table.arena.reserve(Math.min(order.keyCount * BITSET_UNITS, values.length + order.keyCount));
  if (order.isAscending) buildAscending(table, values);
  else buildScattered(table, values, order);
  return table;
}

interface Order {
  readonly isAscending: boolean;
  readonly minKey: number;
  readonly maxKey: number;
  /** Changes of the key from one value to the next, and one: the keys of ascending values. */
  readonly keyCount: number;
}

function orderOf(values: Uint32Array): Order {
  let isAscending = true;
  let minKey = 0xffff;
  let maxKey = 0;
  let keyCount = 0;
  let before = -1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value >>> 16 !== before >>> 16 || i === 0) {
      const key = value >>> 16;
      if (key < minKey) minKey = key;
      if (key > maxKey) maxKey = key;
      keyCount++;
    }
    if (value <= before) isAscending = false;
    before = value;
  }
  return { isAscending, minKey, maxKey, keyCount: Math.min(keyCount, maxKey - minKey + 1) };
}

function buildAscending(table: ContainerTable, values: Uint32Array): void {
  for (let from = 0; from < values.length;) {
    const key = (values[from] as number) >>> 16;
    const end = endOfKey(values, from, key);
    const count = end - from;
    const kind = count > ARRAY_COUNT_MAX ? Kind.bitset : Kind.array;
    const length = kind === Kind.bitset ? BITSET_UNITS : count;
    const address = table.arena.allocate(length);
    if (kind === Kind.bitset) {
      setBits(values, from, end, table.arena.words(address, BITSET_BODY_WORDS));
    } else {
      copyLow(values, from, end, table.arena.chunkAt(address).units, address & 0xffff);
    }
    table.insert(table.count, key, { kind, cardinality: count, length, address });
    from = end;
  }
}

function endOfKey(values: Uint32Array, from: number, key: number): number {
  // Mostly a key ends within the next few hundred values, or the values are dense.
  let end = from + 1;
  while (end < values.length && (values[end] as number) >>> 16 === key) end++;
  return end;
}

function setBits(values: Uint32Array, from: number, end: number, words: Uint32Array): void {
  words.fill(0, 0, BITSET_BODY_WORDS);
  for (let i = from; i < end; i++) {
    const low = (values[i] as number) & 0xffff;
    words[low >>> 5] = (words[low >>> 5] as number) | (1 << (low & 31));
  }
}

function copyLow(
  values: Uint32Array,
  from: number,
  end: number,
  units: Uint16Array,
  start: number,
): void {
  for (let i = from, at = start; i < end; i++, at++) units[at] = values[i] as number;
}

/** Values in no order: they are dealt out by key first, then each key's values are sorted by setting bits. */
function buildScattered(table: ContainerTable, values: Uint32Array, order: Order): void {
  const { minKey, maxKey } = order;
  const ends = new Uint32Array(maxKey - minKey + 1);
  for (let i = 0; i < values.length; i++) {
    const at = ((values[i] as number) >>> 16) - minKey;
    ends[at] = (ends[at] as number) + 1;
  }
  let sum = 0;
  for (let k = 0; k < ends.length; k++) {
    const count = ends[k] as number;
    ends[k] = sum;
    sum += count;
  }
  const lows = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const k = (value >>> 16) - minKey;
    const at = ends[k] as number;
    lows[at] = value;
    ends[k] = at + 1;
  }
  const sorter = new Sorter();
  for (let k = 0, from = 0; k < ends.length; k++) {
    const end = ends[k] as number;
    if (from < end) sorter.place(table, minKey + k, lows, from, end);
    from = end;
  }
}

/** Sorts the low bits of one key by setting bits, with a second level that says which words have any. */
class Sorter {
  readonly #words = new Uint32Array(CONTAINER_SPAN / 32);
  readonly #summary = new Uint32Array(CONTAINER_SPAN / 32 / 32);

  /** Appends the container of one key, and leaves all words zero again. */
  place(table: ContainerTable, key: number, lows: Uint16Array, from: number, end: number): void {
    const words = this.#words;
    const summary = this.#summary;
    for (let i = from; i < end; i++) {
      const low = lows[i] as number;
      const at = low >>> 5;
      words[at] = (words[at] as number) | (1 << (low & 31));
      summary[at >>> 5] = (summary[at >>> 5] as number) | (1 << (at & 31));
    }
    // With as few values as an array has room for, duplicates or not, an array it is.
    if (end - from <= ARRAY_COUNT_MAX || this.#count() <= ARRAY_COUNT_MAX) {
      const count = this.#drain(lows, from);
      const address = table.arena.allocate(count);
      const { units } = table.arena.chunkAt(address);
      const start = address & 0xffff;
      for (let i = 0; i < count; i++) units[start + i] = lows[from + i] as number;
      table.insert(table.count, key, {
        kind: Kind.array,
        cardinality: count,
        length: count,
        address,
      });
      return;
    }
    const address = table.arena.allocate(BITSET_UNITS);
    table.arena.words(address, BITSET_BODY_WORDS).set(words);
    const cardinality = this.#count();
    table.insert(table.count, key, {
      kind: Kind.bitset,
      cardinality,
      length: BITSET_UNITS,
      address,
    });
    words.fill(0);
    summary.fill(0);
  }

  #count(): number {
    let count = 0;
    for (let i = 0; i < this.#words.length; i++) count += popcount(this.#words[i] as number);
    return count;
  }

  /** Writes the positions of all set bits to `out` from `outStart` on, and clears them. */
  #drain(out: Uint16Array, outStart: number): number {
    const words = this.#words;
    const summary = this.#summary;
    let at = outStart;
    for (let k = 0; k < summary.length; k++) {
      for (let few = summary[k] as number; few !== 0; few &= few - 1) {
        const i = k * 32 + lowestBit(few);
        for (let word = words[i] as number; word !== 0; word &= word - 1) {
          out[at++] = i * 32 + lowestBit(word);
        }
        words[i] = 0;
      }
      summary[k] = 0;
    }
    return at - outStart;
  }
}
