import { loadRoaring, printCounts, printSkip, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { NativeBitmap, nativeBitmaps, type RoaringModule } from "../src/native/index.ts";
import { argumentErrors } from "./arguments.ts";
import { setActsLikeModel, setIterates } from "./laws.ts";

const roaring = (await loadRoaring()) as RoaringModule | undefined;

// Without the addon, what does not need it still runs; the rest is one line that says so.
if (roaring === undefined) {
  printSkip("laws of NativeBitmap", "the native addon roaring is not installed; 1 suite skipped");
} else {
  describeNative(nativeBitmaps(roaring));
}

function describeNative(sets: ReturnType<typeof nativeBitmaps>): void {
  describe("a bitmap of the addon", () => {
    test("answers as a plain model does, whatever was done to it", { timeout: 600_000 }, () => {
      const counts = setActsLikeModel({ name: "NativeBitmap", ...sets }, scaled(60));
      expect(counts.steps).toBeGreaterThanOrEqual(counts.histories);
      printCounts("laws of NativeBitmap", counts);
    });

    test("is iterated like any other", () => {
      expect(setIterates(sets)).toBeGreaterThan(0);
    });

    test("checks its arguments as any other does", () => {
      expect(argumentErrors(sets)).toEqual(argumentErrors(ownSets));
    });

    test("is written as our own bitmap of the same values is", () => {
      const values = [1, 2, 3, 65_536, 4_000_000_000];
      const native = sets.from(values);
      expect(native).toBeInstanceOf(NativeBitmap);
      for (const runs of [true, false]) {
        expect(native.serialize({ runs })).toEqual(Bitmap.from(values).serialize({ runs }));
        expect(native.serializedSize({ runs })).toBe(native.serialize({ runs }).length);
      }
      expect(native.toBitmap().equals(Bitmap.from(values))).toBe(true);
      expect(String(native)).toBe("NativeBitmap(5) {1, 2, 3, 65536, 4000000000}");
    });

    test("never shows the addon bytes that break a rule", () => {
      const bytes = Bitmap.from(Array.from({ length: 5000 }, (_, i) => 2 * i)).serialize();
      // The bitset then has a bit less than its cardinality: the addon alone would believe it.
      bytes[100] = 0;
      expect(() => sets.deserialize(bytes)).toThrow(
        expect.objectContaining({ code: "BITMAP_CORRUPT" }),
      );
      expect(() => sets.deserialize(Uint8Array.of(1, 2, 3))).toThrow(
        expect.objectContaining({ code: "BITMAP_TRUNCATED" }),
      );
    });

    test("is combined with itself, though the addon dies of it", () => {
      // The addon frees memory that it then reads, so the process mostly dies: hence the repetition.
      for (let i = 0; i < 300; i++) {
        const native = sets.from([1, 2, 70_000, 2 ** 31]);
        native.addRange(200_000, 400_000);
        const size = native.size;
        expect(native.andInPlace(native).size).toBe(size);
        expect(native.orInPlace(native).size).toBe(size);
        expect(native.clone().andNotInPlace(native).size).toBe(0);
        expect(native.clone().xorInPlace(native).size).toBe(0);
        const twin = native.clone();
        expect(twin.andNotInPlace(twin).size).toBe(0);
        expect(native.xorInPlace(native).size).toBe(0);
        expect(native.add(i)).toBe(true);
      }
    });

    test("hands out a bitmap that is independent afterwards", () => {
      const native = sets.from([1, 2]);
      const own = native.toBitmap();
      native.add(3);
      own.add(4);
      expect([[...native], [...own]]).toEqual([
        [1, 2, 3],
        [1, 2, 4],
      ]);
    });
  });
}

const ownSets = {
  create: () => new Bitmap(),
  from: (values: Iterable<number>) => Bitmap.from(values),
  deserialize: (bytes: Uint8Array) => Bitmap.deserialize(bytes),
};

test("what is not the addon is refused", () => {
  expect(() => nativeBitmaps({} as RoaringModule)).toThrow(TypeError);
});
