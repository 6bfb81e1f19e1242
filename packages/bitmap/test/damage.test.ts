import { printCounts, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";
import { Bitmap, BitmapError } from "../src/index.ts";
import { expectSameNumbers } from "./laws.ts";
import { type ChooseKind, numbersFrom, plainKind, readPlain, writePlain } from "./portable.ts";
import { RangeModel } from "./range-model.ts";

/** Small files with every form of container; the last one has a bitset. */
const FILES: readonly { readonly name: string; readonly bytes: Uint8Array }[] = [
  { name: "nothing", bytes: file([]) },
  { name: "one value", bytes: file([1]) },
  { name: "an array", bytes: file([1, 5, 9, 4000, 65_535]) },
  { name: "one run", bytes: file(numbersFrom(100, 300)) },
  {
    name: "three containers, of two kinds",
    bytes: file([1, ...numbersFrom(65_536, 65_600), 131_080]),
  },
  {
    name: "six containers with runs",
    bytes: file(
      numbersFrom(0, 6).flatMap((key) => numbersFrom(key * 65_536, key * 65_536 + 9 * key + 1)),
      () => "run",
    ),
  },
  {
    name: "both ends of the values",
    bytes: file([0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1], plainKind),
  },
  {
    name: "a bitset between arrays",
    bytes: file([7, ...numbersFrom(0, 4097).map((i) => 65_536 + 2 * i), 200_000]),
  },
];

function file(values: readonly number[], choose?: ChooseKind): Uint8Array {
  return writePlain(RangeModel.of(values), choose);
}

/** The set in the bytes, or `undefined` for a typed refusal; anything else is thrown on. */
function read(bytes: Uint8Array): Bitmap | undefined {
  try {
    return Bitmap.deserialize(bytes);
  } catch (error) {
    if (error instanceof BitmapError && 0 <= error.offset && error.offset <= bytes.length)
      return undefined;
    throw error;
  }
}

/** Everything a set says about itself fits together, and is what a plain reading of the bytes says. */
function checkConsistent(bitmap: Bitmap, bytes: Uint8Array): void {
  const plain = readPlain(bytes);
  if (!plain.ok) throw new Error(`accepted, but plainly broken: ${plain.rule}`);
  const values = plain.model.toArray();
  expectSameNumbers(bitmap.toArray(), values);
  expectSameNumbers([...bitmap], values);
  expectSameNumbers([...bitmap.values({ reverse: true })], values.toReversed());
  expect(bitmap.size).toBe(values.length);
  expect([bitmap.min(), bitmap.max()]).toEqual([values[0], values.at(-1)]);
  const stride = Math.max(1, Math.floor(values.length / 50));
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i] ?? -1;
    if (!bitmap.has(value) || bitmap.rank(value) !== i + 1 || bitmap.select(i) !== value) {
      throw new Error(`inconsistent at value ${value}, index ${i}`);
    }
  }
  expectSameNumbers(bitmap.serialize(), writePlain(plain.model));
}

describe.each(FILES)("a file with $name", ({ name, bytes }) => {
  test("with any one bit flipped is refused or is another valid set", { timeout: 600_000 }, () => {
    const before = Bitmap.deserialize(bytes);
    let refused = 0;
    let other = 0;
    const damaged = Uint8Array.from(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const byte = bytes[bit >>> 3] ?? 0;
      damaged[bit >>> 3] = byte ^ (1 << (bit & 7));
      const bitmap = read(damaged);
      const flipped = bitmap === undefined ? damaged : Uint8Array.from(damaged);
      damaged[bit >>> 3] = byte;
      if (bitmap === undefined) {
        refused++;
        continue;
      }
      // A bit says something about the values, so no flip is without effect.
      if (bitmap.equals(before)) throw new Error(`the flip of bit ${bit} changes nothing`);
      checkConsistent(bitmap, flipped);
      other++;
    }
    expect(refused + other).toBe(bytes.length * 8);
    // Of a lone key or value any bit may be another; of the cookie and the counts none may.
    expect(refused).toBeGreaterThan(32);
    printCounts(`T-DAMAGE ${name}`, { bits: bytes.length * 8, refused, "other sets": other });
  });

  test("cut short anywhere is truncated, where it ends", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => Bitmap.deserialize(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: "BITMAP_TRUNCATED", offset: length }),
      );
    }
  });

  test("with one byte more anywhere is refused or is another valid set", () => {
    for (let at = 0; at <= bytes.length; at++) {
      for (const byte of [0, 1, 255]) {
        const longer = Uint8Array.from([...bytes.subarray(0, at), byte, ...bytes.subarray(at)]);
        const bitmap = read(longer);
        if (bitmap !== undefined) checkConsistent(bitmap, longer);
      }
      if (bytes.length > 1000) at += 100;
    }
    expect(read(Uint8Array.of(...bytes, 0))).toBeUndefined();
  });
});

test(
  "random damage to a large file is refused or gives a consistent set",
  { timeout: 600_000 },
  () => {
    const bitmap = Bitmap.from(numbersFrom(0, 20_000).map((i) => 40 * i + (i % 5)));
    bitmap.addRange(2 ** 31, 2 ** 31 + 70_000);
    const bytes = bitmap.serialize();
    let refused = 0;
    const flips = scaled(100);
    for (let i = 0; i < flips; i++) {
      const random = new Random(seedOf("damage", i));
      const damaged = Uint8Array.from(bytes);
      const at = random.below(damaged.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8));
      const found = read(damaged);
      if (found === undefined) refused++;
      else if (found.equals(bitmap)) throw new Error(`damage at byte ${at} changes nothing`);
      else checkConsistent(found, damaged);
    }
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(flips);
    printCounts("T-DAMAGE large", { bytes: bytes.length, flips, refused });
  },
);
