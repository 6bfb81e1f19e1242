/**
 * The bitset container: 65,536 bits in 2,048 words; value v is bit `v % 32` of word `v / 32`.
 *
 * A body has 128 words more for its rank index: 256 entries of 16 bits, the lower half of a word first.
 * Entry k is how many bits are set below value `256 * k`. Entries are filled from the front when a
 * rank is asked for, and how many are right is kept in the table of containers: a change of a bit
 * makes those behind it wrong.
 *
 * `words` is a whole body here. Functions trust their arguments.
 */
import { lowestBit, maskBetween, popcount, selectBit } from "./word.ts";

/** Words of a body that hold bits. */
export const BITSET_WORDS = 2048;
/** Words of a body: the bits and the rank index. */
export const BITSET_BODY_WORDS = 2176;
/** Units of 16 bits in a body. */
export const BITSET_UNITS: number = 2 * BITSET_BODY_WORDS;
/** Entries of the rank index, one for each 8 words. */
export const BITSET_BLOCKS = 256;
const BLOCK_WORDS = 8;

/** Whether a bit is set. */
export function bitsetHas(words: Uint32Array, low: number): boolean {
  return (((words[low >>> 5] as number) >>> (low & 31)) & 1) !== 0;
}

/** Sets a bit. */
export function bitsetAdd(words: Uint32Array, low: number): void {
  words[low >>> 5] = (words[low >>> 5] as number) | (1 << (low & 31));
}

/** Clears a bit. */
export function bitsetDelete(words: Uint32Array, low: number): void {
  words[low >>> 5] = (words[low >>> 5] as number) & ~(1 << (low & 31));
}

/** Sets the bits `first` to `last`, both included. */
export function bitsetSetRange(words: Uint32Array, first: number, last: number): void {
  const from = first >>> 5;
  const to = last >>> 5;
  if (from === to) {
    words[from] = (words[from] as number) | maskBetween(first & 31, last & 31);
    return;
  }
  words[from] = (words[from] as number) | maskBetween(first & 31, 31);
  words.fill(0xffffffff, from + 1, to);
  words[to] = (words[to] as number) | maskBetween(0, last & 31);
}

/** Clears the bits `first` to `last`, both included. */
export function bitsetClearRange(words: Uint32Array, first: number, last: number): void {
  const from = first >>> 5;
  const to = last >>> 5;
  if (from === to) {
    words[from] = (words[from] as number) & ~maskBetween(first & 31, last & 31);
    return;
  }
  words[from] = (words[from] as number) & ~maskBetween(first & 31, 31);
  words.fill(0, from + 1, to);
  words[to] = (words[to] as number) & ~maskBetween(0, last & 31);
}

/** Flips the bits `first` to `last`, both included. */
export function bitsetFlipRange(words: Uint32Array, first: number, last: number): void {
  const to = last >>> 5;
  for (let i = first >>> 5; i <= to; i++) {
    const low = i === first >>> 5 ? first & 31 : 0;
    const high = i === to ? last & 31 : 31;
    words[i] = (words[i] as number) ^ maskBetween(low, high);
  }
}

/** Number of set bits. */
export function bitsetCount(words: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < BITSET_WORDS; i++) count += popcount(words[i] as number);
  return count;
}

/** How many maximal sequences of set bits there are, counted no further than past `limit`. */
export function bitsetCountRuns(words: Uint32Array, limit: number): number {
  let runs = 0;
  let carry = 0;
  for (let i = 0; i < BITSET_WORDS && runs <= limit; i++) {
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
 *   `(low >>> 8) + 1` are
 */
export function bitsetRank(words: Uint32Array, indexed: number, low: number): number {
  const block = low >>> 8;
  if (indexed <= block) bitsetIndex(words, indexed, block);
  let count = entry(words, block);
  const last = low >>> 5;
  for (let i = block * BLOCK_WORDS; i < last; i++) count += popcount(words[i] as number);
  return count + popcount((words[last] as number) & (-1 >>> (31 - (low & 31))));
}

function entry(words: Uint32Array, block: number): number {
  return ((words[BITSET_WORDS + (block >>> 1)] as number) >>> ((block & 1) * 16)) & 0xffff;
}

/** Fills the entries `indexed` to `block` of the rank index. */
function bitsetIndex(words: Uint32Array, indexed: number, block: number): void {
  let count = indexed === 0 ? 0 : entry(words, indexed - 1);
  for (let k = indexed; k <= block; k++) {
    for (let i = Math.max(0, (k - 1) * BLOCK_WORDS); i < k * BLOCK_WORDS; i++) {
      count += popcount(words[i] as number);
    }
    const at = BITSET_WORDS + (k >>> 1);
    const other = (words[at] as number) & (0xffff << ((~k & 1) * 16));
    words[at] = other | (count << ((k & 1) * 16));
  }
}

/** The value that has exactly `index` set bits below it; the whole rank index is right afterwards. */
export function bitsetSelect(words: Uint32Array, indexed: number, index: number): number {
  if (indexed < BITSET_BLOCKS) bitsetIndex(words, indexed, BITSET_BLOCKS - 1);
  let block = 0;
  for (let step = BITSET_BLOCKS / 2; step > 0; step >>>= 1) {
    block += step & ~((index - entry(words, block + step)) >> 31);
  }
  let rest = index - entry(words, block);
  for (let i = block * BLOCK_WORDS; ; i++) {
    const word = words[i] as number;
    const count = popcount(word);
    if (rest < count) return i * 32 + selectBit(word, rest);
    rest -= count;
  }
}

/** The lowest set bit that is `low` or more; -1 if there is none. */
export function bitsetNext(words: Uint32Array, low: number): number {
  let i = low >>> 5;
  let word = (words[i] as number) & (-1 << (low & 31));
  while (word === 0) {
    if (++i === BITSET_WORDS) return -1;
    word = words[i] as number;
  }
  return i * 32 + lowestBit(word);
}

/** The lowest clear bit that is `low` or more; 65,536 if there is none. */
export function bitsetNextClear(words: Uint32Array, low: number): number {
  let i = low >>> 5;
  let word = ~(words[i] as number) & (-1 << (low & 31));
  while (word === 0) {
    if (++i === BITSET_WORDS) return BITSET_WORDS * 32;
    word = ~(words[i] as number);
  }
  return i * 32 + lowestBit(word);
}

/** Writes the positions of all set bits to `out`, ascending, and returns their count. */
export function bitsetToArray(words: Uint32Array, out: Uint16Array, outStart: number): number {
  let at = outStart;
  for (let i = 0; i < BITSET_WORDS; i++) {
    for (let word = words[i] as number; word !== 0; word &= word - 1) {
      out[at++] = i * 32 + lowestBit(word);
    }
  }
  return at - outStart;
}

/** Sets the bit of each of `count` values and returns how many of them were clear. */
export function bitsetAddArray(
  words: Uint32Array,
  units: Uint16Array,
  start: number,
  count: number,
): number {
  const end = start + count;
  let added = 0;
  for (let i = start; i < end; i++) {
    const low = units[i] as number;
    const word = words[low >>> 5] as number;
    added += (~word >>> (low & 31)) & 1;
    words[low >>> 5] = word | (1 << (low & 31));
  }
  return added;
}
