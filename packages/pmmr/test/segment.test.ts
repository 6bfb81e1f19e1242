import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { heightOf, isValidSize, leafCount, leafPosition } from "../src/position.ts";
import {
  SEGMENT_HEIGHT_MAX,
  nextSegmentIndex,
  segmentCapacity,
  segmentRange,
  segmentTops,
  segmentsRequired,
  segmentsSize,
} from "../src/segment.ts";

interface RangeVector {
  readonly height: number;
  readonly idx: number;
  readonly mmrSize: number;
  readonly first: number;
  readonly last: number;
  readonly leaves: number;
  readonly full: boolean;
  readonly segmentsRequired: number;
}

const vectors: { readonly segmentRanges: readonly RangeVector[] } = JSON.parse(
  readFileSync(new URL("vectors/pmmr.json", import.meta.url), "utf8"),
);

describe("ranges", () => {
  test("the original's ranges", () => {
    expect(vectors.segmentRanges.length).toBe(13);
    for (const vector of vectors.segmentRanges) {
      const { height, idx, mmrSize, first, last, leaves, full } = vector;
      const range = segmentRange({ height, index: idx }, mmrSize);
      expect(range).toEqual({ first, last, leaves, full, leafBegin: idx * 2 ** height });
      expect(segmentsRequired(mmrSize, height)).toBe(vector.segmentsRequired);
    }
  });

  test("the segments of a height tile the range, each leaf and each tree once", () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(11), (leaves, height) => {
        const size = leafPosition(leaves);
        const required = segmentsRequired(size, height);
        let leaf = 0;
        for (let index = 0; index < required; index++) {
          const range = segmentRange({ height, index }, size);
          if (range === undefined) throw new Error(`segment ${index} is missing`);
          expect(range.first).toBe(leafPosition(leaf));
          expect(range.leafBegin).toBe(leaf);
          expect(range.full).toBe(range.leaves === segmentCapacity(height));
          expect(range.full || index === required - 1).toBe(true);
          const tops = segmentTops(range, size);
          expect(tops.reduce((sum, top) => sum + 2 ** heightOf(top), 0)).toBe(range.leaves);
          expect(tops.at(-1)).toBe(range.last);
          leaf += range.leaves;
        }
        expect(leaf).toBe(leaves);
        expect(segmentRange({ height, index: required }, size)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("identifiers far beyond the end are answered, not computed with", () => {
    for (const index of [2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      for (const height of [0, 13, SEGMENT_HEIGHT_MAX]) {
        expect(segmentRange({ height, index }, leafPosition(1000))).toBeUndefined();
      }
    }
    expect(segmentRange({ height: SEGMENT_HEIGHT_MAX, index: 0 }, 7)).toEqual({
      first: 0,
      last: 6,
      leafBegin: 0,
      leaves: 4,
      full: false,
    });
  });

  test("what is no identifier or size is refused", () => {
    for (const height of [-1, 0.5, SEGMENT_HEIGHT_MAX + 1, 64, Number.NaN]) {
      expect(() => segmentRange({ height, index: 0 }, 7)).toThrow(RangeError);
      expect(() => segmentCapacity(height)).toThrow(RangeError);
    }
    for (const index of [-1, 0.5, 2 ** 53]) {
      expect(() => segmentRange({ height: 0, index }, 7)).toThrow(RangeError);
      expect(() => segmentRange({ height: 0, index: 0 }, index)).toThrow(RangeError);
      expect(() => segmentsSize(index, 0)).toThrow(RangeError);
    }
  });
});

describe("going on", () => {
  test("the next segment is the first that is not wholly there", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(11), (leaves, height) => {
        const size = leafPosition(leaves);
        const next = nextSegmentIndex(size, height);
        expect(next).toBe(leaves === 1 ? 0 : Math.floor(leaves / 2 ** height));
      }),
    );
  });

  test("a size is that of whole segments when the next begins at its end", () => {
    for (let count = 0; count < 50; count++) {
      for (const height of [0, 1, 4, 9]) {
        const size = segmentsSize(count, height);
        expect(isValidSize(size)).toBe(true);
        expect(leafCount(size)).toBe(count * 2 ** height);
      }
    }
  });
});
