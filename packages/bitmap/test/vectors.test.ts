import { readFileSync } from "node:fs";
import { blake2b } from "@noble/hashes/blake2.js";
import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { bytesFromHex, hexFromBytes } from "./hex.ts";

const FOLDER = new URL("vectors/", import.meta.url);

interface PortableVector {
  readonly values: string;
  readonly runOptimized: boolean;
  readonly length: number;
  readonly hex?: string;
  readonly hexOtherTieBreak?: string;
  readonly blake2b256?: string;
}

const { roaringPortable } = JSON.parse(
  readFileSync(new URL("roaring-portable.json", FOLDER), "utf8"),
) as { readonly roaringPortable: readonly PortableVector[] };

function valuesOf(text: string): number[] {
  if (text === "-") return [];
  const range = /^(\d+)\.\.(\d+)$/.exec(text);
  if (range !== null) {
    const [begin, end] = [Number(range[1]), Number(range[2])];
    return Array.from({ length: end - begin }, (_, i) => begin + i);
  }
  const odd = /^odd numbers from 1 to (\d+)$/.exec(text);
  if (odd !== null) return Array.from({ length: (Number(odd[1]) + 1) / 2 }, (_, i) => 2 * i + 1);
  return text.split(",").map(Number);
}

describe("bitmaps as Grin's node writes them", () => {
  test.each(roaringPortable)("{ $values } is written byte for byte and read back", (vector) => {
    const values = valuesOf(vector.values);
    const bytes = Bitmap.from(values).serialize({ runs: vector.runOptimized });
    expect(bytes.length).toBe(vector.length);
    // Long ones are given by their digest.
    const digest = (): string => hexFromBytes(blake2b(bytes, { dkLen: 32 }));
    expect(vector.hex === undefined ? digest() : hexFromBytes(bytes)).toBe(
      vector.hex ?? vector.blake2b256 ?? "no expected bytes",
    );
    expect([...Bitmap.deserialize(bytes, { canonical: true })]).toEqual(values);
  });

  test("the other tie break is read as the same set, and is not canonical", () => {
    const others = roaringPortable.filter((vector) => vector.hexOtherTieBreak !== undefined);
    expect(others).toHaveLength(1);
    for (const { values, hexOtherTieBreak } of others) {
      const bytes = bytesFromHex(hexOtherTieBreak ?? "");
      expect([...Bitmap.deserialize(bytes)]).toEqual(valuesOf(values));
      expect(() => Bitmap.deserialize(bytes, { canonical: true })).toThrow(
        expect.objectContaining({ code: "BITMAP_NON_CANONICAL" }),
      );
    }
  });
});

describe("the published files of the format", () => {
  const values: number[] = [];
  for (let i = 0; i < 100_000; i += 1000) values.push(i);
  for (let i = 100_000; i < 200_000; i++) values.push(3 * i);
  for (let i = 700_000; i < 800_000; i++) values.push(i);
  const expected = Uint32Array.from(values);

  test.each([
    { file: "bitmapwithruns.bin", runs: true, length: 48_056 },
    { file: "bitmapwithoutruns.bin", runs: false, length: 72_616 },
  ])("$file holds the published values and is what we write", ({ file, runs, length }) => {
    const bytes = new Uint8Array(readFileSync(new URL(file, FOLDER)));
    expect(bytes.length).toBe(length);
    const bitmap = Bitmap.deserialize(bytes);
    expect(bitmap.toArray()).toEqual(expected);
    expect(Bitmap.from(expected).serialize({ runs })).toEqual(bytes);
  });
});
