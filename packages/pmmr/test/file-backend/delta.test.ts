import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmmrError } from "../../src/errors.ts";
import { decodeSetDelta, encodeSetDelta } from "../../src/file-backend/delta.ts";
import { decodeStateMeta, encodeStateMeta } from "../../src/file-backend/state-meta.ts";
import { toHex } from "@x/hash";

function code(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof PmmrError) return error.code;
    return error instanceof Error ? error.name : "unknown";
  }
  return "none";
}

/** Disjoint ascending lists: each position goes to one of them. */
const delta = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.boolean()), {
    selector: ([pos1]) => pos1,
  })
  .map((marked) => {
    const sorted = marked.toSorted(([a], [b]) => a - b);
    return {
      added: sorted.flatMap(([pos1, isAdded]) => (isAdded ? [pos1] : [])),
      removed: sorted.flatMap(([pos1, isAdded]) => (isAdded ? [] : [pos1])),
    };
  });

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return bytes;
}

describe("a set delta", () => {
  test("reads back as it was written", () => {
    fc.assert(
      fc.property(delta, (written) => {
        expect(decodeSetDelta(encodeSetDelta(written))).toEqual(written);
      }),
    );
  });

  test("is counts and big-endian positions, added before removed", () => {
    expect(toHex(encodeSetDelta({ added: [1, 4], removed: [2 ** 32 - 1] }))).toBe(
      "00000002000000010000000400000001ffffffff",
    );
    expect(toHex(encodeSetDelta({ added: [], removed: [] }))).toBe("0000000000000000");
  });

  test("is refused unless both lists ascend strictly, are apart, and end with the bytes", () => {
    expect(code(() => decodeSetDelta(words(1)))).toBe("PMMR_TRUNCATED");
    expect(code(() => decodeSetDelta(words(2, 1, 0)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => decodeSetDelta(words(0xffff_ffff, 1, 0)))).toBe("PMMR_TRUNCATED");
    expect(code(() => decodeSetDelta(words(1, 0, 0)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => decodeSetDelta(words(2, 5, 5, 0)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => decodeSetDelta(words(2, 5, 4, 0)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => decodeSetDelta(words(1, 5, 1, 5)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => decodeSetDelta(words(2, 4, 6, 2, 5, 6)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => decodeSetDelta(words(0, 0, 0)))).toBe("PMMR_NON_CANONICAL");
    expect(code(() => encodeSetDelta({ added: [2 ** 32], removed: [] }))).toBe("RangeError");
  });

  test("from any bytes gives a typed error or a value that writes the same bytes", () => {
    const scale = Number(process.env["TEST_SCALE"] ?? "1");
    const mutated = fc
      .tuple(delta, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat())
      .map(([value, edits, cut]) => {
        const bytes = encodeSetDelta(value);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        return cut % 3 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
      });
    const few = fc.array(fc.nat(5), { maxLength: 8 }).map((values) => words(...values));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated, few), (bytes) => {
        try {
          expect(encodeSetDelta(decodeSetDelta(bytes))).toEqual(new Uint8Array(bytes));
        } catch (error) {
          if (!(error instanceof PmmrError)) throw error;
        }
      }),
      { numRuns: 20_000 * scale },
    );
  });
});

describe("the identity of a state", () => {
  const root = new Uint8Array(32).fill(7);

  test("reads back as it was written", () => {
    for (const size of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const bytes = encodeStateMeta({ size, root });
      expect(bytes.length).toBe(40);
      expect(decodeStateMeta(bytes)).toEqual({ size, root });
    }
  });

  test("is refused in any other length and above 2^53 - 1", () => {
    expect(code(() => decodeStateMeta(new Uint8Array(39)))).toBe("PMMR_TRUNCATED");
    expect(code(() => decodeStateMeta(new Uint8Array(41)))).toBe("PMMR_NON_CANONICAL");
    const bytes = new Uint8Array(40);
    bytes[1] = 0x20;
    expect(code(() => decodeStateMeta(bytes))).toBe("PMMR_OUT_OF_RANGE");
    expect(code(() => encodeStateMeta({ size: 1, root: new Uint8Array(31) }))).toBe("RangeError");
  });

  test("from any bytes gives a typed error or a value that writes the same bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 42 }), (bytes) => {
        try {
          expect(encodeStateMeta(decodeStateMeta(bytes))).toEqual(bytes);
        } catch (error) {
          if (!(error instanceof PmmrError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
