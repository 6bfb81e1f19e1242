import { Buffer as NodeBuffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytes, concatBytes, equalBytes } from "../src/index.ts";
import { bytes } from "./cases.ts";

/** Short arrays of few values: equal ones and prefixes of each other are common. */
const short = fc.uint8Array({ maxLength: 4, max: 2 });

/** The naive order: hex digits sort as bytes do. */
function hex(array: Uint8Array): string {
  return NodeBuffer.from(array).toString("hex");
}

describe("equalBytes", () => {
  test("is true exactly for the same bytes", () => {
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(equalBytes(a, b)).toBe(hex(a) === hex(b));
        expect(equalBytes(a, a.slice())).toBe(true);
      }),
    );
  });

  test("sees a change of any one bit", () => {
    const original = bytes(32);
    for (let bit = 0; bit < 256; bit++) {
      const changed = original.slice();
      changed.set([(original[bit >> 3] ?? 0) ^ (1 << (bit & 7))], bit >> 3);
      expect(equalBytes(original, changed)).toBe(false);
    }
  });
});

describe("compareBytes", () => {
  test("is the order of unsigned bytes, prefixes first", () => {
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(compareBytes(a, b)).toBe(hex(a) === hex(b) ? 0 : hex(a) < hex(b) ? -1 : 1);
      }),
    );
    expect(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBe(-1);
    expect(compareBytes(Uint8Array.of(0xff), Uint8Array.of(0x00, 0x00))).toBe(1);
  });

  test("sorts", () => {
    const sorted = [[2], [], [1, 255], [1], [255], [1, 0]]
      .map((list) => Uint8Array.from(list))
      .toSorted(compareBytes);
    expect(sorted.map(hex)).toEqual(["", "01", "0100", "01ff", "02", "ff"]);
  });
});

describe("concatBytes", () => {
  test("joins parts in order into fresh bytes", () => {
    fc.assert(
      fc.property(fc.array(short), (parts) => {
        expect(hex(concatBytes(parts))).toBe(parts.map(hex).join(""));
      }),
    );
    const only = bytes(4);
    const joined = concatBytes([only]);
    joined.fill(0);
    expect(only).toEqual(bytes(4));
  });
});

test("what is no bytes is refused, never compared or joined", () => {
  // Texts of one length have no digits to tell apart: without a check they would pass for equal.
  const texts: [Uint8Array, Uint8Array] = [
    "deadbeef" as unknown as Uint8Array,
    "cafebabe" as unknown as Uint8Array,
  ];
  const some = Uint8Array.of(1);
  for (const text of texts) {
    for (const [left, right] of [texts, [text, some], [some, text]] as const) {
      expect(() => equalBytes(left, right)).toThrow(TypeError);
      expect(() => compareBytes(left, right)).toThrow(TypeError);
      expect(() => concatBytes([left, right])).toThrow(TypeError);
    }
  }
});
