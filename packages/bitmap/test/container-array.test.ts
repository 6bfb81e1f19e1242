import { Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";
import {
  arrayAnd,
  arrayAndNot,
  arrayCountRuns,
  arrayHas,
  arrayInsert,
  arrayLowerBound,
  arrayOr,
  arrayRank,
  arrayRemove,
  arrayXor,
} from "../src/container-array.ts";

/** Ascending values spread in one of the ways that a search by guessing likes or does not. */
function someValues(random: Random, count: number): number[] {
  const shape = random.below(5);
  const values = new Set<number>();
  while (values.size < count) {
    const x = random.fraction();
    if (shape === 0) values.add(random.below(65_536));
    else if (shape === 1) values.add(Math.floor(x ** 8 * 65_536));
    else if (shape === 2) values.add(65_535 - Math.floor(x ** 8 * 65_536));
    else if (shape === 3) values.add(random.pick([0, 30_000, 57_000]) + random.below(2 * count));
    else values.add((random.below(2 * count) + 65_536 - count) % 65_536);
  }
  return [...values].toSorted((a, b) => a - b);
}

const START = 5;

/** Values inside of other memory, whose content would be noticed. */
function body(values: readonly number[], room = 0): Uint16Array {
  const units = new Uint16Array(START + values.length + room + 3).fill(0xaaaa);
  units.set(values, START);
  return units;
}

describe("a search in an array", () => {
  test("finds what a walk finds, however the values are spread", () => {
    const random = new Random(1);
    for (let run = 0; run < scaled(300); run++) {
      const values = someValues(random, random.pick([1, 2, 16, 17, 32, 33, 40, 655, 4096]));
      const units = body(values);
      const near = values.flatMap((value) => [value - 1, value, value + 1]);
      const queries = [0, 65_535, ...near.filter((low) => 0 <= low && low < 65_536)];
      const wrong = queries.filter((low) => {
        const below = values.findIndex((value) => value >= low);
        const want = below < 0 ? values.length : below;
        const isThere = values[want] === low;
        return (
          arrayLowerBound(units, START, values.length, low) !== want ||
          arrayHas(units, START, values.length, low) !== isThere ||
          arrayRank(units, START, values.length, low) !== want + (isThere ? 1 : 0)
        );
      });
      expect(wrong).toEqual([]);
    }
  });
});

describe("a change of an array", () => {
  test("moves the values behind it and nothing else", () => {
    const random = new Random(2);
    for (let run = 0; run < scaled(300); run++) {
      const values = someValues(random, random.pick([2, 3, 33, 34, 35, 100]));
      const index = random.below(values.length);
      const rest = values.toSpliced(index, 1);
      const units = body(values);
      arrayRemove(units, START, values.length, index);
      const end = START + rest.length;
      expect(units.slice(0, end)).toEqual(body(rest).slice(0, end));
      arrayInsert(units, START, rest.length, index, values[index] ?? 0);
      expect(units).toEqual(body(values));
    }
  });
});

describe("a merge of arrays", () => {
  const merges = [
    { name: "or", merge: arrayOr, keeps: (a: boolean, b: boolean) => a || b },
    { name: "and", merge: arrayAnd, keeps: (a: boolean, b: boolean) => a && b },
    { name: "xor", merge: arrayXor, keeps: (a: boolean, b: boolean) => a !== b },
    { name: "and-not", merge: arrayAndNot, keeps: (a: boolean, b: boolean) => a && !b },
  ];

  test.each(merges)("by $name keeps what it says, in order", ({ merge, keeps }) => {
    const random = new Random(3);
    for (let run = 0; run < scaled(100); run++) {
      const a = someValues(random, random.pick([1, 5, 300, 2000]));
      // Half of the second are of the first, so that all cases occur.
      const half = a.filter(() => random.chance(0.5));
      const more = someValues(random, random.pick([1, 5, 300]));
      const b = [...new Set([...half, ...more])].toSorted((x, y) => x - y);
      const out = new Uint16Array(START + a.length + b.length);
      const count = merge(out, START, body(a), START, a.length, body(b), START, b.length);
      const [inA, inB] = [new Set(a), new Set(b)];
      const want = [...new Set([...a, ...b])]
        .filter((value) => keeps(inA.has(value), inB.has(value)))
        .toSorted((x, y) => x - y);
      expect(Array.from(out.slice(START, START + count))).toEqual(want);
    }
  });
});

test("runs are counted as far as asked", () => {
  const units = body([1, 2, 3, 5, 9, 10, 65_534, 65_535]);
  expect(arrayCountRuns(units, START, 8, 100)).toBe(4);
  expect(arrayCountRuns(units, START, 8, 2)).toBe(3);
  expect(arrayCountRuns(units, START, 1, 0)).toBe(1);
});
