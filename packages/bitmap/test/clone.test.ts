import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { expectSameNumbers } from "./laws.ts";
import { numbersFrom } from "./portable.ts";

/** An array, a bitset and a run container, and one that is about to become another kind. */
function mixed(): Bitmap {
  const bitmap = Bitmap.from([1, 5, 9]);
  bitmap.addMany(numbersFrom(0, 5000).map((i) => 65_536 + 3 * i));
  bitmap.addRange(131_072, 190_000);
  bitmap.addMany(numbersFrom(0, 4096).map((i) => 196_608 + 2 * i));
  return bitmap;
}

const CHANGES: { readonly [name: string]: (bitmap: Bitmap) => void } = {
  "a value added to an array": (b) => void b.add(7),
  "a value deleted from an array": (b) => void b.delete(5),
  "the array deleted": (b) => b.deleteRange(0, 10),
  "a value added to a bitset": (b) => void b.add(65_537),
  "a value deleted from a bitset": (b) => void b.delete(65_536),
  "a value added to runs": (b) => void b.add(190_001),
  "a value deleted from runs": (b) => void b.delete(150_000),
  "an array that becomes a bitset": (b) => void b.add(196_609),
  "a range over several containers": (b) => b.addRange(8, 140_000),
  "a range deleted from several containers": (b) => b.deleteRange(8, 140_000),
  "a new container at the front and at the end": (b) => b.addMany([2 ** 32 - 1, 10, 2 ** 20]),
  "and in place": (b) => void b.andInPlace(Bitmap.from([5, 65_539, 140_000, 196_608])),
  "or in place": (b) => void b.orInPlace(Bitmap.from([4, 65_538, 131_071, 196_609])),
  "xor in place": (b) => void b.xorInPlace(Bitmap.from([5, 65_539, 140_000, 196_609])),
  "and-not in place": (b) => void b.andNotInPlace(Bitmap.from([5, 65_539, 140_000, 196_608])),
  "run optimisation": (b) => b.runOptimize(),
  clearing: (b) => b.clear(),
  "many values one by one": (b) => {
    for (let i = 0; i < 6000; i++) b.add(262_144 + 2 * i);
    for (let i = 0; i < 4000; i++) b.delete(65_536 + 3 * i);
  },
};

describe.each(Object.entries(CHANGES))("%s", (_, change) => {
  test("changes the original and not the clone", () => {
    const original = mixed();
    const before = original.toArray();
    const copy = original.clone();
    change(original);
    expectSameNumbers(copy.toArray(), before);
    expect(copy.equals(mixed())).toBe(true);
    // The ranks, which are indexed, too.
    expect(copy.rank(2 ** 32 - 1)).toBe(before.length);
  });

  test("changes the clone and not the original", () => {
    const original = mixed();
    const before = original.toArray();
    original.rank(80_000);
    const copy = original.clone();
    change(copy);
    expectSameNumbers(original.toArray(), before);
    expect(original.rank(2 ** 32 - 1)).toBe(before.length);
  });

  test("does to a clone what it does to a set that was never shared", () => {
    const alone = mixed();
    change(alone);
    const original = mixed();
    const copies = [original.clone(), original.clone(), original];
    for (const copy of copies) change(copy);
    for (const copy of copies) expect(copy.serialize()).toEqual(alone.serialize());
  });
});

test("clones of clones part for good, in any order", () => {
  const first = mixed();
  const second = first.clone();
  const third = second.clone();
  second.add(3);
  first.delete(1);
  const fourth = second.clone();
  fourth.add(4);
  third.addRange(0, 3);
  expect([first, second, third, fourth].map((b) => [...b].slice(0, 5))).toEqual([
    [5, 9, 65_536, 65_539, 65_542],
    [1, 3, 5, 9, 65_536],
    [0, 1, 2, 5, 9],
    [1, 3, 4, 5, 9],
  ]);
});

test("the result of a set operation is independent of its operands", () => {
  for (const operation of ["and", "or", "xor", "andNot"] as const) {
    const a = mixed();
    const b = Bitmap.from([5, 65_539, 300_000]);
    const result = a[operation](b);
    const before = result.toArray();
    a.clear();
    b.addRange(0, 400_000);
    expectSameNumbers(result.toArray(), before);
    result.addRange(0, 1000);
    expect(a.size).toBe(0);
    expect(b.size).toBe(400_000);
  }
});

test("an empty set that takes over another one's values does not share them", () => {
  for (const operation of ["orInPlace", "xorInPlace"] as const) {
    const source = mixed();
    const target = new Bitmap()[operation](source);
    source.add(7);
    target.delete(5);
    expect([...target].slice(0, 3)).toEqual([1, 9, 65_536]);
    expect([...source].slice(0, 4)).toEqual([1, 5, 7, 9]);
  }
});
