import fc from "fast-check";
import { expect, test } from "vitest";
import { KEEPS, RangeModel } from "./range-model.ts";

// The model judges the bitmaps, so a plain `Set` judges the model.

const TOP = 2 ** 32 - 40;
const some = fc.uniqueArray(
  fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: TOP, max: 2 ** 32 - 1 })),
  { maxLength: 60 },
);

test("the model of ranges answers as a Set and a sorted list do", () => {
  fc.assert(
    fc.property(some, some, (first, second) => {
      const set = new Set(first);
      const other = new Set(second);
      const model = RangeModel.of(first);
      for (const keeps of Object.values(KEEPS)) {
        const union = [...new Set([...first, ...second])];
        const kept = union.filter((value) => keeps(set.has(value), other.has(value)));
        expect([...model.combine(RangeModel.of(second), keeps).toArray()]).toEqual(
          kept.toSorted((a, b) => a - b),
        );
      }
      const sorted = first.toSorted((a, b) => a - b);
      expect([...model.toArray()]).toEqual(sorted);
      expect(model.size).toBe(sorted.length);
      for (const value of [0, 1, 20, 40, 41, TOP - 1, TOP, 2 ** 32 - 1]) {
        expect(model.has(value)).toBe(set.has(value));
        expect(model.rank(value)).toBe(sorted.filter((x) => x <= value).length);
        expect(model.few(value, false, 5)).toEqual(sorted.filter((x) => x >= value).slice(0, 5));
        expect(model.few(value, true, 5)).toEqual(
          sorted
            .filter((x) => x <= value)
            .toReversed()
            .slice(0, 5),
        );
        expect(model.countRange(10, value + 1)).toBe(
          sorted.filter((x) => 10 <= x && x <= value).length,
        );
      }
      for (let i = 0; i <= sorted.length; i++) expect(model.select(i)).toBe(sorted[i]);
    }),
    { numRuns: 300 },
  );
});

test("ranges that touch are one range, and the whole space is one too", () => {
  const halves = RangeModel.range(0, 2 ** 31).combine(RangeModel.range(2 ** 31, 2 ** 32), KEEPS.or);
  expect(halves.ranges).toEqual([{ begin: 0, end: 2 ** 32 }]);
  expect(halves.size).toBe(2 ** 32);
  expect(RangeModel.range(7, 7).ranges).toEqual([]);
});
