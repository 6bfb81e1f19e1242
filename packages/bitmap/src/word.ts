/** Bits of one 32-bit word. Every function takes any number and looks at its low 32 bits. */

/** Number of set bits, 0 to 32. */
export function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Position of the lowest set bit, 0 to 31; 32 for zero. */
export function lowestBit(word: number): number {
  return word === 0 ? 32 : 31 - Math.clz32(word & -word);
}

/** Position of the highest set bit, 0 to 31; -1 for zero. */
export function highestBit(word: number): number {
  return 31 - Math.clz32(word);
}

/** Position of the set bit that has exactly `index` set bits below it; the word must have more than `index`. */
export function selectBit(word: number, index: number): number {
  let rest = word;
  for (let skipped = 0; skipped < index; skipped++) rest &= rest - 1;
  return lowestBit(rest);
}

/** A word whose bits `low` to `high` are set, both included, `0 <= low <= high <= 31`. */
export function maskBetween(low: number, high: number): number {
  return (-1 << low) & (-1 >>> (31 - high));
}
