import { describe, expect, test } from "vitest";

import { Random, seedOf } from "../src/index.ts";

describe("random numbers", () => {
  test("follow from the seed, as published for mulberry32", () => {
    const random = new Random(0);
    expect([random.next(), random.next(), random.next()]).toEqual([1144304738, 1416247, 958946056]);
  });

  test("stay in their bounds and reach both ends", () => {
    const random = new Random(1);
    const seen = new Set(Array.from({ length: 1000 }, () => random.between(3, 6)));
    expect(seen).toEqual(new Set([3, 4, 5, 6]));
    expect(random.below(1)).toBe(0);
  });

  test("a clone goes on alike without disturbing its origin", () => {
    const random = new Random(9);
    random.next();
    const clone = random.clone();
    const bytes = clone.bytes(10);
    expect(random.bytes(10)).toEqual(bytes);
  });

  test("nothing can be picked from an empty list", () => {
    expect(() => new Random(0).pick([])).toThrow(RangeError);
  });

  test("mixed seeds depend on every part and its place", () => {
    const seeds = [
      seedOf(1, 2),
      seedOf(2, 1),
      seedOf(1, 2, 0),
      seedOf("ab", "c"),
      seedOf("a", "bc"),
      seedOf(2 ** 32 + 1, 2),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});
