import { scaled } from "@x/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

import { snappyDecompress } from "../../src/leveldb/snappy.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const decompressed = (...bytes: number[]): string =>
  new TextDecoder().decode(snappyDecompress(Uint8Array.from(bytes), 0));

test("literals, with their length in the tag or in one to four bytes behind it", () => {
  expect(decompressed(0)).toBe("");
  expect(decompressed(3, (3 - 1) << 2, ...text("abc"))).toBe("abc");
  const sixty = "x".repeat(61);
  expect(decompressed(61, 60 << 2, 60, ...text(sixty))).toBe(sixty);
  expect(decompressed(3, 61 << 2, 2, 0, ...text("abc"))).toBe("abc");
  expect(decompressed(3, 62 << 2, 2, 0, 0, ...text("abc"))).toBe("abc");
  expect(decompressed(3, 63 << 2, 2, 0, 0, 0, ...text("abc"))).toBe("abc");
});

test("copies of all three forms, also into what they write", () => {
  const abc = [(3 - 1) << 2, ...text("abc")];
  // One byte of distance, its high bits in the tag.
  expect(decompressed(7, ...abc, 1 | ((4 - 4) << 2), 3)).toBe("abcabca");
  expect(decompressed(8, ...abc, 1 | ((5 - 4) << 2), 1)).toBe("abcccccc");
  expect(decompressed(5, ...abc, 2 | ((2 - 1) << 2), 3, 0)).toBe("abcab");
  expect(decompressed(5, ...abc, 3 | ((2 - 1) << 2), 3, 0, 0, 0)).toBe("abcab");
  const far = "y".repeat(300);
  expect(decompressed(0xb0, 2, 61 << 2, 43, 1, ...text(far), 1 | (1 << 5), 0x2c).length).toBe(304);
});

test("what would read or write outside is refused", () => {
  const abc = [(3 - 1) << 2, ...text("abc")];
  const refused: number[][] = [
    [],
    [3],
    [4, ...abc],
    [2, ...abc],
    [3, (4 - 1) << 2, ...text("abc")],
    [7, ...abc, 1, 4],
    [7, ...abc, 1, 0],
    [6, ...abc, 1, 3],
    [5, ...abc, 2 | (1 << 2), 3],
    [0xff, 0xff, 0xff, 0xff, 0x0f, ...abc],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  ];
  for (const bytes of refused)
    expect(() => decompressed(...bytes)).toThrow(expect.objectContaining({ name: "Damage" }));
});

test("any bytes are refused or give what they announce", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300, size: "max" }), (bytes) => {
      expect(sizeOrDamage(bytes)).toBeLessThanOrEqual(64 * bytes.length);
    }),
    { numRuns: scaled(20_000) },
  );
});

/** Bytes it gives, or -1 where it is refused. */
function sizeOrDamage(bytes: Uint8Array): number {
  try {
    return snappyDecompress(bytes, 0).length;
  } catch (error) {
    if (error instanceof Error && error.name === "Damage") return -1;
    throw error;
  }
}
