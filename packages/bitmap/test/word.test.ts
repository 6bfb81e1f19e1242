import { Random } from "@x/testing";
import { expect, test } from "vitest";
import { highestBit, lowestBit, maskBetween, popcount, selectBit } from "../src/word.ts";

const random = new Random(1);
const WORDS = Array.from({ length: 1000 }, () => (random.next() & random.next()) >>> 0).concat(
  0,
  1,
  2,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  0x55555555,
  0xaaaaaaaa,
  0x80000001,
);

/** Positions of the set bits, found by asking for each of 32. */
function bitsOf(word: number): number[] {
  return Array.from({ length: 32 }, (_, k) => k).filter((k) => ((word >>> k) & 1) === 1);
}

test("bits of a word are counted and found as one by one, also of words taken as signed", () => {
  for (const word of [...WORDS, ...WORDS.map((each) => each | 0)]) {
    const bits = bitsOf(word);
    expect(popcount(word)).toBe(bits.length);
    expect(lowestBit(word)).toBe(bits[0] ?? 32);
    expect(highestBit(word)).toBe(bits.at(-1) ?? -1);
    expect(bits.map((_, i) => selectBit(word, i))).toEqual(bits);
  }
});

test("a mask has the bits from one to another", () => {
  for (let low = 0; low < 32; low++) {
    for (let high = low; high < 32; high++) {
      const want = Array.from({ length: high - low + 1 }, (_, i) => low + i);
      expect(bitsOf(maskBetween(low, high))).toEqual(want);
    }
  }
});
