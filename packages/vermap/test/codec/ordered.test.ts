import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytes,
  i128,
  i16,
  i32,
  i64,
  i64Number,
  i8,
  list,
  type OrderedCodec,
  tuple,
  u128,
  u16,
  u32,
  u64,
  u64Number,
  u8,
  utf8,
} from "../../src/codec/index.ts";
import { fuzz } from "./fuzz.ts";
import { bytesOf, codeOf, compareHex, hexOf } from "./support.ts";

/** A codec with values of it and their order. */
interface Subject<T> {
  readonly codec: OrderedCodec<T>;
  readonly values: fc.Arbitrary<T>;
  readonly compare: (a: T, b: T) => number;
}

/** A claim that hides the type, so that subjects of all types fit one table. */
function subject<T>(
  codec: OrderedCodec<T>,
  values: fc.Arbitrary<T>,
  compare: (a: T, b: T) => number,
): Subject<unknown> {
  return { codec, values, compare: compare as (a: unknown, b: unknown) => number };
}

const byNumber = (a: number, b: number): number => a - b;
const byBigInt = (a: bigint, b: bigint): number => (a < b ? -1 : Number(a > b));
const byCodePoints = (a: string, b: string): number =>
  byItems(byNumber)(
    Array.from(a, (character) => character.codePointAt(0) ?? 0),
    Array.from(b, (character) => character.codePointAt(0) ?? 0),
  );

function byItems<T>(compare: (a: T, b: T) => number): (a: readonly T[], b: readonly T[]) => number {
  return (a, b) => {
    for (let index = 0; index < Math.min(a.length, b.length); index++) {
      const order = compare(a[index] as T, b[index] as T);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  };
}

const integers = (bits: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 2 ** bits - 1 });
const signed = (bits: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const bigs = (bits: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 2n ** bits - 1n });
const signedBigs = (bits: bigint): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n });
const text = fc.string({ unit: "binary", maxLength: 6 });
/** Bytes from where the escapes are. */
const nearZero = fc.uint8Array({ maxLength: 5, max: 2 });

const SUBJECTS: readonly Subject<unknown>[] = [
  subject(u8, integers(8), byNumber),
  subject(u16, integers(16), byNumber),
  subject(u32, integers(32), byNumber),
  subject(i8, signed(8), byNumber),
  subject(i16, signed(16), byNumber),
  subject(i32, signed(32), byNumber),
  subject(u64, bigs(64n), byBigInt),
  subject(i64, signedBigs(64n), byBigInt),
  subject(u128, bigs(128n), byBigInt),
  subject(i128, signedBigs(128n), byBigInt),
  subject(u64Number, fc.maxSafeNat(), byNumber),
  subject(i64Number, fc.maxSafeInteger(), byNumber),
  subject(bytes, fc.uint8Array({ maxLength: 6 }), compareHex),
  subject(utf8, text, byCodePoints),
  subject(list(u16), fc.array(integers(16), { maxLength: 4 }), byItems(byNumber)),
  subject(list(i8, 2), fc.array(signed(8), { minLength: 2, maxLength: 2 }), byItems(byNumber)),
  subject(
    tuple(bytes, i16, utf8),
    fc.tuple(nearZero, signed(16), text),
    (a, b) => compareHex(a[0], b[0]) || byNumber(a[1], b[1]) || byCodePoints(a[2], b[2]),
  ),
  subject(
    tuple(tuple(bytes, bytes), bytes),
    fc.tuple(fc.tuple(nearZero, nearZero), nearZero),
    (a, b) =>
      compareHex(a[0][0], b[0][0]) || compareHex(a[0][1], b[0][1]) || compareHex(a[1], b[1]),
  ),
  subject(
    tuple(u8, u32),
    fc.tuple(integers(8), integers(32)),
    (a, b) => a[0] - b[0] || a[1] - b[1],
  ),
];

describe.each(SUBJECTS)("$codec.name", ({ codec, values, compare }) => {
  test("the order of bytes is the order of values", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const order = compareHex(codec.encode(a), codec.encode(b));
        expect(Math.sign(order)).toBe(Math.sign(compare(a, b)));
      }),
    );
  });

  test("what was encoded is decoded, from any place in a larger buffer, and kept apart from it", () => {
    fc.assert(
      fc.property(values, fc.nat(9), (value, before) => {
        const encoded = codec.encode(value);
        expect(encoded.length).toBe(codec.byteCount ?? encoded.length);
        const larger = new Uint8Array(before + encoded.length + 3).fill(0xee);
        larger.set(encoded, before);
        const decoded = codec.decode(larger.subarray(before, before + encoded.length));
        larger.fill(0);
        expect(decoded).toEqual(value);
      }),
    );
  });

  test("fuzzed bytes are refused or encode to themselves", () => {
    const valid = fc.sample(values, { numRuns: 20, seed: 7 }).map((value) => codec.encode(value));
    expect(fuzz(codec, valid, 11)).toBeGreaterThan(0);
  });
});

describe("caller's mistakes", () => {
  test("a value of another type is a TypeError, one out of range a RangeError", () => {
    expect(() => u8.encode("1" as never)).toThrow(TypeError);
    expect(() => u8.encode(256)).toThrow(RangeError);
    expect(() => u8.encode(-1)).toThrow(RangeError);
    expect(() => u8.encode(1.5)).toThrow(RangeError);
    expect(() => i8.encode(128)).toThrow(RangeError);
    expect(() => u64.encode(1 as never)).toThrow(TypeError);
    expect(() => u64.encode(2n ** 64n)).toThrow(RangeError);
    expect(() => i64.encode(2n ** 63n)).toThrow(RangeError);
    expect(() => u64Number.encode(2 ** 53)).toThrow(RangeError);
    expect(() => u64Number.encode(-1)).toThrow(RangeError);
    expect(() => utf8.encode(1 as never)).toThrow(TypeError);
    expect(() => utf8.encode("\ud800")).toThrow(RangeError);
    expect(() => bytes.encode("a" as never)).toThrow(TypeError);
    expect(() => list(u8).encode(1 as never)).toThrow(TypeError);
    expect(() => list(u8, 2).encode([1])).toThrow(RangeError);
    expect(() => list(u8, -1)).toThrow(RangeError);
    expect(() => list(utf8)).toThrow(RangeError);
    expect(() => tuple()).toThrow(RangeError);
    expect(() => tuple(u8, u8).encode([1] as never)).toThrow(TypeError);
  });
});

describe("strictness", () => {
  test.each([
    ["an integer of another width", u32, "000001"],
    ["a number above 2^53 - 1", u64Number, "0020000000000000"],
    ["text that is no UTF-8", utf8, "ff"],
    ["an overlong form", utf8, "c080"],
    ["a lone surrogate in UTF-8", utf8, "eda080"],
    ["half an item of a list", list(u16), "000100"],
    ["a list of another count", list(u8, 2), "010203"],
    ["a part without an end", tuple(bytes, u8), "61"],
    ["a part that ends in the middle of its end", tuple(bytes, u8), "6100"],
    ["an escape of nothing", tuple(bytes, u8), "61000207"],
    ["a tuple with too few bytes", tuple(u32, u8), "0000"],
    ["a tuple with too many bytes", tuple(u8, u8), "000000"],
  ] as const)("%s is undecodable", (_, codec, hex) => {
    expect(codeOf(() => codec.decode(bytesOf(hex)))).toBe("VERMAP_UNDECODABLE");
  });

  test("a byte order mark is a character like any other", () => {
    expect(hexOf(utf8.encode("\ufeffa"))).toBe("efbbbf61");
    expect(utf8.decode(bytesOf("efbbbf61"))).toBe("\ufeffa");
  });

  test("names say what the bytes mean", () => {
    expect(tuple(utf8, list(u16), list(i8, 3), u64Number).name).toBe("(utf8,u16[],i8[3],u64)");
  });
});
