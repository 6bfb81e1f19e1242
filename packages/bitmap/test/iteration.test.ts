import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { setIterates } from "./laws.ts";
import { numbersFrom } from "./portable.ts";

function* failing(): Generator<number> {
  yield 1;
  throw new Error("no more");
}

describe("an iteration", () => {
  test("comes in order from any value on, both ways, also while the set changes", () => {
    expect(setIterates(Bitmap)).toBeGreaterThan(0);
  });

  test("of the full set begins and ends where it should", () => {
    const full = new Bitmap();
    full.addRange(0, 2 ** 32);
    const top = 2 ** 32 - 1;
    expect([...full.values({ from: top - 2 })]).toEqual([top - 2, top - 1, top]);
    expect([...full.values({ from: 2, reverse: true })]).toEqual([2, 1, 0]);
    expect(full.values({ reverse: true }).next().value).toBe(top);
    expect(full.values().next().value).toBe(0);
  });

  test("goes over gaps of whole containers", () => {
    const sparse = Bitmap.from(numbersFrom(0, 60).map((i) => i * 70_000_000));
    expect([...sparse.values({ from: 1 })].slice(0, 2)).toEqual([70_000_000, 140_000_000]);
    expect([...sparse.values({ from: 69_999_999, reverse: true })]).toEqual([0]);
  });

  test("that stops early can be begun again", () => {
    const bitmap = Bitmap.from(numbersFrom(0, 100));
    for (const expected of [0, 0]) {
      for (const value of bitmap) {
        expect(value).toBe(expected);
        break;
      }
    }
  });
});

describe("the text of a bitmap", () => {
  test("is its size and the first few values", () => {
    expect(String(new Bitmap())).toBe("Bitmap(0) {}");
    expect(String(Bitmap.from([3, 1]))).toBe("Bitmap(2) {1, 3}");
    expect(String(Bitmap.from(numbersFrom(0, 8)))).toBe("Bitmap(8) {0, 1, 2, 3, 4, 5, 6, 7}");
    expect(String(Bitmap.from(numbersFrom(0, 9)))).toBe("Bitmap(9) {0, 1, 2, 3, 4, 5, 6, 7, …}");
  });

  test("stays short however many values there are", () => {
    const full = new Bitmap();
    full.addRange(0, 2 ** 32);
    expect(String(full)).toBe("Bitmap(4294967296) {0, 1, 2, 3, 4, 5, 6, 7, …}");
  });
});

describe("adding many values", () => {
  test("takes any iterable, in any order, with repetitions", () => {
    const values = [7, 3, 3, 2 ** 32 - 1, 0, 7];
    const sorted = [0, 3, 7, 2 ** 32 - 1];
    expect([...Bitmap.from(values)]).toEqual(sorted);
    expect([...Bitmap.from(new Set(values))]).toEqual(sorted);
    expect([...Bitmap.from(Uint32Array.from(values))]).toEqual(sorted);
    expect([...Bitmap.from(values.values())]).toEqual(sorted);
    expect([...Bitmap.from(Bitmap.from(values))]).toEqual(sorted);
  });

  test("of a set to itself changes nothing", () => {
    const bitmap = Bitmap.from(numbersFrom(0, 500));
    bitmap.addMany(bitmap);
    expect(bitmap.size).toBe(500);
  });

  test.each([63, 64, 65, 5000])("of %i to a set with some gives the union", (count) => {
    const values = numbersFrom(0, count).map((i) => 3 * i);
    const bitmap = Bitmap.from([1, 3, 80_000]);
    bitmap.addMany(values.toReversed());
    expect([...bitmap]).toEqual([...new Set([1, 3, 80_000, ...values])].toSorted((a, b) => a - b));
  });

  test("whose iteration throws adds none", () => {
    const bitmap = Bitmap.from([9]);
    expect(() => bitmap.addMany(failing())).toThrow("no more");
    expect([...bitmap]).toEqual([9]);
  });
});
