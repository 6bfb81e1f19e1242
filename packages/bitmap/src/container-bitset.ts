/**
 * The bitset container: 65,536 bits in 2,048 words; value v is bit `v % 32` of word `v / 32`.
 *
 * A body is 4,096 units of bits, then 128 units of rank index: entry k is how many bits are set
 * below value `512 * k`. Entries are filled from the front when a rank is asked for, and how many
 * are right is kept in the table of containers: a change makes those behind it wrong.
 *
 * `words` begins at word `start` here; a start in units is twice that. Functions trust their arguments.
 */
import { highestBit, lowestBit, maskBetween, popcount, selectBit } from "./word.ts";

/** Words of a body that hold bits. */
export const BITSET_WORDS = 2048;
/** Units of a body that hold bits. */
const BITSET_BIT_UNITS = 4096;
/** Units of a body: the bits and the rank index. */
export const BITSET_UNITS = 4224;
/** Entries of the rank index, one for each 16 words. */
export const BITSET_BLOCKS = 128;
const BLOCK_WORDS = 16;

export function bitsetHas(words: Uint32Array, start: number, low: number): boolean {
  return (((words[start + (low >>> 5)] as number) >>> (low & 31)) & 1) !== 0;
}

/** Sets one bit and returns whether it was clear. */
export function bitsetAdd(words: Uint32Array, start: number, low: number): boolean {
  const at = start + (low >>> 5);
  const before = words[at] as number;
  const after = before | (1 << (low & 31));
  words[at] = after;
  return (before | 0) !== after;
}

/** Clears one bit and returns whether it was set. */
export function bitsetDelete(words: Uint32Array, start: number, low: number): boolean {
  const at = start + (low >>> 5);
  const before = words[at] as number;
  const after = before & ~(1 << (low & 31));
  words[at] = after;
  return (before | 0) !== after;
}

/** The words of `[first, last]` and the bits of each are handed to `change` one word at a time. */
function overRange(
  words: Uint32Array,
  start: number,
  first: number,
  last: number,
  change: (word: number, mask: number) => number,
): void {
  const from = first >>> 5;
  const to = last >>> 5;
  for (let i = from; i <= to; i++) {
    const mask = maskBetween(i === from ? first & 31 : 0, i === to ? last & 31 : 31);
    words[start + i] = change(words[start + i] as number, mask);
  }
}

/** Sets the bits `first` to `last`, both included. */
export function bitsetSetRange(
  words: Uint32Array,
  start: number,
  first: number,
  last: number,
): void {
  overRange(words, start, first, last, (word, mask) => word | mask);
}

/** Clears the bits `first` to `last`, both included. */
export function bitsetClearRange(
  words: Uint32Array,
  start: number,
  first: number,
  last: number,
): void {
  overRange(words, start, first, last, (word, mask) => word & ~mask);
}

/** Flips the bits `first` to `last`, both included. */
export function bitsetFlipRange(
  words: Uint32Array,
  start: number,
  first: number,
  last: number,
): void {
  overRange(words, start, first, last, (word, mask) => word ^ mask);
}

/** Number of set bits in all words. */
export function bitsetCount(words: Uint32Array, start: number): number {
  let count = 0;
  for (let i = start; i < start + BITSET_WORDS; i++) count += popcount(words[i] as number);
  return count;
}

/** How many maximal sequences of set bits there are, counted no further than past `limit`. */
export function bitsetCountRuns(words: Uint32Array, start: number, limit: number): number {
  let runs = 0;
  let carry = 0;
  for (let i = start; i < start + BITSET_WORDS && runs <= limit; i++) {
    const word = words[i] as number;
    runs += popcount(word & ~((word << 1) | carry));
    carry = word >>> 31;
  }
  return runs;
}

/**
 * How many set bits are `low` or less.
 *
 * @param indexed - entries of the rank index that are right; afterwards at least
 *   `(low >>> 9) + 1` are, see {@link bitsetIndexedAfter}
 */
export function bitsetRank(
  units: Uint16Array,
  words: Uint32Array,
  start: number,
  indexed: number,
  low: number,
): number {
  const block = low >>> 9;
  if (indexed <= block) bitsetIndex(units, words, start, indexed, block);
  let count = units[start * 2 + BITSET_BIT_UNITS + block] as number;
  const last = low >>> 5;
  for (let i = block * BLOCK_WORDS; i < last; i++) count += popcount(words[start + i] as number);
  return count + popcount((words[start + last] as number) & (-1 >>> (31 - (low & 31))));
}

/** Fills the entries `indexed` to `block` of the rank index. */
function bitsetIndex(
  units: Uint16Array,
  words: Uint32Array,
  start: number,
  indexed: number,
  block: number,
): void {
  const index = start * 2 + BITSET_BIT_UNITS;
  if (indexed === 0) units[index] = 0;
  for (let k = Math.max(indexed, 1); k <= block; k++) {
    let count = units[index + k - 1] as number;
    const end = start + k * BLOCK_WORDS;
    for (let i = end - BLOCK_WORDS; i < end; i++) count += popcount(words[i] as number);
    units[index + k] = count;
  }
}

/** The value that has exactly `index` set bits below it; the whole rank index gets filled. */
export function bitsetSelect(
  units: Uint16Array,
  words: Uint32Array,
  start: number,
  indexed: number,
  index: number,
): number {
  if (indexed < BITSET_BLOCKS) bitsetIndex(units, words, start, indexed, BITSET_BLOCKS - 1);
  const ranks = start * 2 + BITSET_BIT_UNITS;
  let block = 0;
  for (let step = BITSET_BLOCKS / 2; step > 0; step >>>= 1) {
    if ((units[ranks + block + step] as number) <= index) block += step;
  }
  let rest = index - (units[ranks + block] as number);
  for (let i = block * BLOCK_WORDS; ; i++) {
    const word = words[start + i] as number;
    const count = popcount(word);
    if (rest < count) return i * 32 + selectBit(word, rest);
    rest -= count;
  }
}

/** The lowest set bit that is `low` or more; -1 if there is none. */
export function bitsetNext(words: Uint32Array, start: number, low: number): number {
  let i = low >>> 5;
  let word = (words[start + i] as number) & (-1 << (low & 31));
  while (word === 0) {
    if (++i === BITSET_WORDS) return -1;
    word = words[start + i] as number;
  }
  return i * 32 + lowestBit(word);
}

/** The highest set bit that is `low` or less; -1 if there is none. */
export function bitsetPrevious(words: Uint32Array, start: number, low: number): number {
  let i = low >>> 5;
  let word = (words[start + i] as number) & (-1 >>> (31 - (low & 31)));
  while (word === 0) {
    if (--i < 0) return -1;
    word = words[start + i] as number;
  }
  return i * 32 + highestBit(word);
}

/** Writes the positions of all set bits to `out`, ascending, and returns their count. */
export function bitsetToArray(
  words: Uint32Array,
  start: number,
  out: Uint16Array,
  outStart: number,
): number {
  let at = outStart;
  for (let i = 0; i < BITSET_WORDS; i++) {
    for (let word = words[start + i] as number; word !== 0; word &= word - 1) {
      out[at++] = i * 32 + lowestBit(word);
    }
  }
  return at - outStart;
}

/** Sets the bit of each of `count` values. */
export function bitsetAddArray(
  words: Uint32Array,
  start: number,
  units: Uint16Array,
  unitsStart: number,
  count: number,
): void {
  for (let i = unitsStart; i < unitsStart + count; i++) {
    const low = units[i] as number;
    const at = start + (low >>> 5);
    words[at] = (words[at] as number) | (1 << (low & 31));
  }
}
