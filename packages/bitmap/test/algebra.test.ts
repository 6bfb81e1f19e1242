import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { expectSameNumbers } from "./laws.ts";
import { numbersFrom } from "./portable.ts";
import { KEEPS, RangeModel } from "./range-model.ts";

/** One container each, at and around the limits of every form. */
const SHAPES: { readonly [name: string]: readonly number[] } = {
  "one value": [4096],
  "the first value": [0],
  "the last value": [65_535],
  "few values": [0, 1, 100, 4095, 4096, 40_000, 65_535],
  "an array with one place left": numbersFrom(0, 4095).map((i) => 2 * i),
  "a full array": numbersFrom(0, 4096).map((i) => 16 * i),
  "the smallest bitset": numbersFrom(0, 4097).map((i) => 2 * i + 1),
  "the even values": numbersFrom(0, 32_768).map((i) => 2 * i),
  "the odd values": numbersFrom(0, 32_768).map((i) => 2 * i + 1),
  "a bitset with one value missing": numbersFrom(0, 65_536).filter((v) => v !== 777),
  "one run": numbersFrom(100, 10_000),
  "all values": numbersFrom(0, 65_536),
  "the lower half": numbersFrom(0, 32_768),
  "the upper half": numbersFrom(32_768, 65_536),
  "as many runs as pay": numbersFrom(0, 65_536).filter((v) => v % 32 < 5),
  "2,047 runs": numbersFrom(0, 2047 * 4).filter((v) => v % 4 !== 3),
  "2,048 runs": numbersFrom(0, 2048 * 4).filter((v) => v % 4 !== 3),
};

const shapes = Object.entries(SHAPES).map(([name, values]) => ({
  name,
  model: RangeModel.of(values),
  // As the writer would store it, and without runs.
  bitmaps: (): Bitmap[] => {
    const optimized = Bitmap.from(values);
    optimized.runOptimize();
    return [Bitmap.from(values), optimized];
  },
}));

describe.each(shapes)("$name", (first) => {
  test.each(["and", "or", "xor", "andNot"] as const)("%s every other shape", (operation) => {
    for (const second of shapes) {
      const expected = first.model.combine(second.model, KEEPS[operation]).toArray();
      for (const a of first.bitmaps()) {
        for (const b of second.bitmaps()) {
          expectSameNumbers(a[operation](b).toArray(), expected);
          const changed = a.or(new Bitmap());
          const before = b.toArray();
          expect(changed[`${operation}InPlace`](b)).toBe(changed);
          expectSameNumbers(changed.toArray(), expected);
          expect(changed.size).toBe(expected.length);
          expect(changed.rank(65_535)).toBe(expected.length);
          expectSameNumbers(b.toArray(), before);
        }
      }
    }
  });

  test("is compared with every other shape", () => {
    for (const second of shapes) {
      const common = first.model.combine(second.model, KEEPS.and).size;
      for (const a of first.bitmaps()) {
        for (const b of second.bitmaps()) {
          expect(a.intersects(b)).toBe(common > 0);
          expect(a.isSubsetOf(b)).toBe(common === a.size);
          expect(a.equals(b)).toBe(common === a.size && common === b.size);
        }
      }
    }
  });

  test("takes a range and gives it back", () => {
    for (const [begin, end] of [
      [0, 1],
      [0, 65_536],
      [50, 5000],
      [4095, 4097],
      [60_000, 65_536],
      [65_535, 65_537],
    ] as const) {
      for (const bitmap of first.bitmaps()) {
        const range = RangeModel.range(begin, end);
        bitmap.addRange(begin, end);
        const more = first.model.combine(range, KEEPS.or).toArray();
        expectSameNumbers(bitmap.toArray(), more);
        bitmap.deleteRange(begin, end);
        expectSameNumbers(bitmap.toArray(), first.model.combine(range, KEEPS.andNot).toArray());
        expect(bitmap.countRange(begin, end)).toBe(0);
      }
    }
  });
});

describe("a set with itself", () => {
  test.each(shapes)("$name", ({ bitmaps }) => {
    for (const bitmap of bitmaps()) {
      const size = bitmap.size;
      expect(bitmap.and(bitmap).equals(bitmap)).toBe(true);
      expect(bitmap.or(bitmap).equals(bitmap)).toBe(true);
      expect(bitmap.xor(bitmap).size).toBe(0);
      expect(bitmap.andNot(bitmap).size).toBe(0);
      expect(bitmap.equals(bitmap)).toBe(true);
      expect(bitmap.isSubsetOf(bitmap)).toBe(true);
      expect(bitmap.intersects(bitmap)).toBe(true);
      expect(bitmap.andInPlace(bitmap).size).toBe(size);
      expect(bitmap.orInPlace(bitmap).size).toBe(size);
      expect(bitmap.clone().xorInPlace(bitmap).size).toBe(0);
      expect(bitmap.andNotInPlace(bitmap).size).toBe(0);
      expect(bitmap.add(3)).toBe(true);
    }
  });
});

describe("a set with nothing", () => {
  test.each(shapes)("$name", ({ model, bitmaps }) => {
    const nothing = new Bitmap();
    for (const bitmap of bitmaps()) {
      expect(bitmap.and(nothing).size).toBe(0);
      expect(nothing.andNot(bitmap).size).toBe(0);
      expectSameNumbers(nothing.or(bitmap).toArray(), model.toArray());
      expectSameNumbers(bitmap.xor(nothing).toArray(), model.toArray());
      expect(bitmap.andNot(nothing).equals(bitmap)).toBe(true);
      expect(nothing.isSubsetOf(bitmap)).toBe(true);
      expect(bitmap.isSubsetOf(nothing)).toBe(false);
      expect(bitmap.intersects(nothing)).toBe(false);
      expect(bitmap.andInPlace(nothing).size).toBe(0);
    }
    expect(nothing.equals(new Bitmap())).toBe(true);
    expect(nothing.intersects(nothing)).toBe(false);
  });
});

test("many containers that alternate between two sets are combined in order", () => {
  const even = Bitmap.from(numbersFrom(0, 100).map((i) => i * 131_072));
  const odd = Bitmap.from(numbersFrom(0, 100).map((i) => i * 131_072 + 65_536));
  const both = numbersFrom(0, 200).map((i) => i * 65_536);
  expect([...even.or(odd)]).toEqual(both);
  expect([...even.clone().orInPlace(odd)]).toEqual(both);
  expect([...even.clone().xorInPlace(odd)]).toEqual(both);
  expect(even.and(odd).size).toBe(0);
  expect(even.clone().andInPlace(odd).size).toBe(0);
  expect(even.clone().andNotInPlace(odd).equals(even)).toBe(true);
});
