import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type Codec, json, type JsonValue } from "../../src/codec/index.ts";
import { fuzz } from "./fuzz.ts";
import { codeOf, errorOf } from "./support.ts";

const codec = json();
const encoder = new TextEncoder();
const textOf = (value: unknown): string => new TextDecoder().decode(codec.encode(value as never));

/** JSON values without what has two forms: −0, and text without a UTF-8 form. */
const values = fc
  .jsonValue({ stringUnit: "binary" })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
  .filter((value) => !JSON.stringify(value).includes("__proto__"));

/** The same value, with the properties of every object in another order. */
function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([key, property]) => [key, reversed(property)]));
}

describe("canonical JSON", () => {
  test("equal values have equal bytes, whatever the order of their properties", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(textOf(reversed(value))).toBe(textOf(value));
        expect(codec.decode(codec.encode(value))).toEqual(value);
      }),
    );
  });

  test("the example of RFC 8785, section 3.2.3, is in its order", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(Object.values(JSON.parse(textOf(value)) as object).length).toBe(7);
    expect(textOf(value)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  test("numbers are written as ECMAScript does", () => {
    expect(textOf([1 / 3, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      "[0.3333333333333333,1e+30,4.5,0.002,1e-27,0]",
    );
  });

  test("undefined properties are left out", () => {
    expect(textOf({ b: undefined, a: 1 })).toBe('{"a":1}');
  });

  test("what JSON has no form for is the caller's mistake", () => {
    expect(() => textOf(Number.NaN)).toThrow(RangeError);
    expect(() => textOf("\udc00")).toThrow(RangeError);
    expect(() => textOf({ "\udc00": 1 })).toThrow(RangeError);
    expect(() => textOf(1n)).toThrow(TypeError);
    expect(() => textOf([undefined])).toThrow(TypeError);
    expect(() => textOf(Array.from({ length: 1 }))).toThrow(TypeError);
    expect(() => textOf(new Map())).toThrow(TypeError);
    expect(() => textOf(JSON.parse('{"__proto__":1}'))).toThrow(TypeError);
    expect(() => textOf(JSON.parse(`${"[".repeat(257)}${"]".repeat(257)}`))).toThrow(RangeError);
    expect(textOf(JSON.parse(`${"[".repeat(256)}${"]".repeat(256)}`)).length).toBe(512);
  });

  test.each([
    ["white space", '{"a": 1}'],
    ["properties out of order", '{"b":1,"a":2}'],
    ["a property twice", '{"a":1,"a":1}'],
    ["a number in another form", "1.0"],
    ["a number too large", "1e999"],
    ["an escape that need not be", '"\\u0061"'],
    ["a lone surrogate", '"\\ud800"'],
    ["a property named __proto__", '{"__proto__":{}}'],
    ["a depth above 256", `${"[".repeat(50_000)}${"]".repeat(50_000)}`],
    ["no JSON", "{"],
    ["nothing", ""],
  ])("%s is undecodable", (_, text) => {
    expect(codeOf(() => codec.decode(encoder.encode(text)))).toBe("VERMAP_UNDECODABLE");
  });

  test("an error does not quote the bytes", () => {
    const broken = encoder.encode('{"secret');
    const error = errorOf(() => codec.decode(broken));
    expect(error.message).not.toContain("secret");
    expect(error.cause).toBeUndefined();
  });

  test("fuzzed bytes are refused or encode to themselves", () => {
    const valid = fc.sample(values, { numRuns: 50, seed: 3 }).map((value) => codec.encode(value));
    expect(fuzz(codec, valid, 5)).toBeGreaterThan(0);
  });

  test("the type of the values is the caller's", () => {
    expectTypeOf(json<{ readonly a: number }>()).toEqualTypeOf<Codec<{ readonly a: number }>>();
  });
});
