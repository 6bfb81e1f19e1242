import { Buffer as NodeBuffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromHex, HashError, type HashErrorCode, toHex } from "../src/index.ts";
import { bytes } from "./cases.ts";

function codeOf(run: () => unknown): HashErrorCode | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof HashError) return error.code;
    throw error;
  }
  return undefined;
}

describe("hex", () => {
  test("written is what Node writes, and reads back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (array) => {
        const text = toHex(array);
        expect(text).toBe(NodeBuffer.from(array).toString("hex"));
        expect(fromHex(text)).toEqual(array);
        expect(fromHex(text, array.length)).toEqual(array);
      }),
    );
  });

  test("reads either case", () => {
    expect(fromHex("00aBCdeFfF")).toEqual(Uint8Array.of(0x00, 0xab, 0xcd, 0xef, 0xff));
  });

  test("of every single byte reads back", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(fromHex(toHex(all).toUpperCase(), 256)).toEqual(all);
  });

  test("with any character that is not a digit is refused: HASH_HEX_DIGIT", () => {
    for (let code = 0; code < 0x3000; code++) {
      const character = String.fromCharCode(code);
      const isDigit = /^[0-9a-fA-F]$/.test(character);
      const expected = isDigit ? undefined : "HASH_HEX_DIGIT";
      expect(
        codeOf(() => fromHex(`0${character}`)),
        `U+${code.toString(16)}`,
      ).toBe(expected);
      expect(
        codeOf(() => fromHex(`${character}0`)),
        `U+${code.toString(16)}`,
      ).toBe(expected);
    }
    for (const text of ["0x00", " 00 ", "00\n0", "٣٣", "🌱"]) {
      expect(
        codeOf(() => fromHex(text)),
        `text ${text}`,
      ).toBe("HASH_HEX_DIGIT");
    }
  });

  test("of an odd or unexpected length is refused: HASH_HEX_LENGTH", () => {
    expect(codeOf(() => fromHex("0"))).toBe("HASH_HEX_LENGTH");
    expect(codeOf(() => fromHex("000"))).toBe("HASH_HEX_LENGTH");
    for (const text of ["", "00".repeat(31), "00".repeat(33), "0".repeat(63), "0".repeat(65)]) {
      expect(codeOf(() => fromHex(text, 32))).toBe("HASH_HEX_LENGTH");
    }
    expect(fromHex("", 0)).toEqual(new Uint8Array(0));
  });

  test("errors name what was found and hold no content", () => {
    const text = `${toHex(bytes(8))}zz`;
    expect(() => fromHex(text)).toThrow(
      expect.objectContaining({
        name: "HashError",
        message: expect.stringMatching(/^hex text .* 16 /) as unknown,
      }) as Error,
    );
  });

  test("refuses the caller's mistakes with TypeError and RangeError", () => {
    expect(() => fromHex(7 as unknown as string)).toThrow(TypeError);
    for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => fromHex("00", size)).toThrow(RangeError);
    }
  });
});

test("an error keeps its cause", () => {
  const cause = new Error("inner");
  expect(new HashError("HASH_HEX_DIGIT", "outer", { cause }).cause).toBe(cause);
});

test("what is no bytes has no hex", () => {
  for (const value of ["ff", [300], undefined]) {
    expect(() => toHex(value as unknown as Uint8Array)).toThrow(TypeError);
  }
});
