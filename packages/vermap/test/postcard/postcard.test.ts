import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import * as postcard from "../../src/postcard/index.ts";
import { fuzz } from "../codec/fuzz.ts";
import { bytesOf, codeOf, hexOf } from "../codec/support.ts";

const { option, sequence, struct, taggedUnion, tuple, map, array } = postcard;

/** A schema with values of it. */
interface Subject<T> {
  readonly schema: postcard.Schema<T>;
  readonly values: fc.Arbitrary<T>;
}

function subject<T>(schema: postcard.Schema<T>, values: fc.Arbitrary<T>): Subject<unknown> {
  return { schema, values };
}

const text = fc.string({ unit: "binary", maxLength: 8 });
const u32s = fc.integer({ min: 0, max: 0xffff_ffff });
const limits = (bits: bigint): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n });
const floats = fc.double().filter((value) => !Object.is(value, -0));
const shape = taggedUnion({ none: postcard.unit, circle: postcard.f64, name: postcard.string });
const person = struct({
  id: postcard.u32,
  name: postcard.string,
  age: option(postcard.i16),
  tags: sequence(postcard.string),
});

const SUBJECTS: readonly Subject<unknown>[] = [
  subject(postcard.u8, fc.integer({ min: 0, max: 255 })),
  subject(postcard.i8, fc.integer({ min: -128, max: 127 })),
  subject(postcard.u16, fc.integer({ min: 0, max: 0xffff })),
  subject(postcard.i16, fc.integer({ min: -0x8000, max: 0x7fff })),
  subject(postcard.u32, u32s),
  subject(postcard.i32, fc.integer()),
  subject(postcard.u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  subject(postcard.i64, limits(64n)),
  subject(postcard.u128, fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })),
  subject(postcard.i128, limits(128n)),
  subject(postcard.u64Number, fc.maxSafeNat()),
  subject(postcard.bool, fc.boolean()),
  subject(postcard.f32, fc.float()),
  subject(postcard.f64, fc.double()),
  subject(postcard.string, text),
  subject(postcard.char, fc.string({ unit: "binary", minLength: 1, maxLength: 1 })),
  subject(postcard.bytes, fc.uint8Array({ maxLength: 9 })),
  subject(postcard.unit, fc.constant(undefined)),
  subject(option(postcard.u32), fc.option(u32s, { nil: undefined })),
  subject(sequence(sequence(postcard.i32)), fc.array(fc.array(fc.integer()))),
  subject(array(postcard.u16, 3), fc.array(fc.nat(0xffff), { minLength: 3, maxLength: 3 })),
  subject(tuple(postcard.u8, postcard.string), fc.tuple(fc.nat(255), text)),
  subject(
    person,
    fc.record({
      id: u32s,
      name: text,
      age: fc.option(fc.integer({ min: -0x8000, max: 0x7fff }), { nil: undefined }),
      tags: fc.array(text, { maxLength: 3 }),
    }),
  ),
  subject(
    shape,
    fc.oneof(
      fc.constant({ type: "none", value: undefined } as const),
      fc.record({ type: fc.constant("circle" as const), value: floats }),
      fc.record({ type: fc.constant("name" as const), value: text }),
    ),
  ),
  subject(
    map(postcard.string, postcard.u32),
    fc.array(fc.tuple(text, u32s), { maxLength: 6 }).map((entries) => new Map(entries)),
  ),
  subject(
    map(tuple(postcard.i32, option(postcard.bool)), postcard.unit),
    fc
      .uniqueArray(fc.tuple(fc.integer(), fc.option(fc.boolean(), { nil: undefined })), {
        selector: (key) => JSON.stringify(key),
        maxLength: 6,
      })
      .map((keys) => new Map(keys.map((key) => [key, undefined]))),
  ),
];

describe.each(SUBJECTS)("$schema.name", ({ schema, values }) => {
  test("what was encoded is decoded, and takes at least what the schema says", () => {
    fc.assert(
      fc.property(values, fc.nat(9), (value, before) => {
        const encoded = schema.encode(value);
        expect(encoded.length).toBeGreaterThanOrEqual(schema.byteCountMin);
        const larger = new Uint8Array(before + encoded.length + 3).fill(0xee);
        larger.set(encoded, before);
        const decoded = schema.decode(larger.subarray(before, before + encoded.length));
        larger.fill(0);
        expect(hexOf(schema.encode(decoded))).toBe(hexOf(encoded));
        expect(decoded).toEqual(value);
      }),
    );
  });

  test("fuzzed bytes are refused or encode to themselves", () => {
    const valid = fc.sample(values, { numRuns: 30, seed: 7 }).map((value) => schema.encode(value));
    expect(fuzz(schema, valid, 13)).toBeGreaterThan(0);
  });
});

describe.each(SUBJECTS.filter(({ schema }) => schema.isOrdered))(
  "$schema.name",
  ({ schema, values }) => {
    test("the order of values is a total one", () => {
      fc.assert(
        fc.property(values, values, (a, b) => {
          const order = Math.sign(schema.compare(a, b));
          expect(order).toBe(0 - Math.sign(schema.compare(b, a)));
          expect(order === 0).toBe(hexOf(schema.encode(a)) === hexOf(schema.encode(b)));
        }),
      );
    });
  },
);

describe.each(SUBJECTS.filter(({ schema }) => !schema.isOrdered))("$schema.name", ({ schema }) => {
  test("values without an order are not compared", () => {
    expect(() => schema.compare(0, 0)).toThrow(TypeError);
  });
});

describe("order of maps", () => {
  test("keys are written in the order of their values, not of their bytes", () => {
    const numbers = map(postcard.u32, postcard.bool);
    const encoded = numbers.encode(
      new Map([
        [300, true],
        [5, false],
        [128, true],
      ]),
    );
    expect(hexOf(encoded)).toBe("030500800101ac0201");
    const strings = map(postcard.string, postcard.u8);
    const words = new Map([
      ["b", 1],
      ["aa", 2],
    ]);
    expect(hexOf(strings.encode(words))).toBe("0202616102016201");
  });

  test("cases of a union are ordered by their place, then by what they carry", () => {
    const either = taggedUnion({ later: postcard.u32, earlier: postcard.u32 });
    const sign = (a: postcard.ValueOf<typeof either>, b: typeof a): number =>
      Math.sign(either.compare(a, b));
    expect(sign({ type: "later", value: 9 }, { type: "earlier", value: 1 })).toBe(-1);
    expect(sign({ type: "later", value: 9 }, { type: "later", value: 1 })).toBe(1);
  });
});

describe("strictness", () => {
  test.each([
    ["an integer longer than need be", postcard.u32, "8000"],
    ["an integer above its type", postcard.u16, "808004"],
    ["an integer above 2^53 - 1", postcard.u64Number, "8080808080808010"],
    ["a wide integer above its type", postcard.u64, "ffffffffffffffffff02"],
    ["a wide integer longer than need be", postcard.u64, "8000"],
    ["an integer without an end", postcard.u64, "ffffffffffffffffffff01"],
    ["an integer cut short", postcard.i32, "ff"],
    ["bytes after the end", postcard.u8, "0000"],
    ["a flag that is neither", postcard.bool, "02"],
    ["an option that is neither", option(postcard.u8), "0200"],
    ["text that is no UTF-8", postcard.string, "01ff"],
    ["text longer than the input", postcard.string, "0561"],
    ["a count that cannot be", sequence(postcard.u8), "ffffffffffffff0f"],
    ["an unknown case", shape, "03"],
    ["a char of two code points", postcard.char, "026162"],
    ["a char of none", postcard.char, "00"],
    ["another NaN in 32 bits", postcard.f32, "0100c07f"],
    ["another NaN in 64 bits", postcard.f64, "010000000000f87f"],
    ["keys of a map out of order", map(postcard.u8, postcard.u8), "0202000100"],
    ["a key twice", map(postcard.u8, postcard.u8), "0201000100"],
  ] as const)("%s is undecodable", (_, schema, hex) => {
    expect(codeOf(() => schema.decode(bytesOf(hex)))).toBe("VERMAP_UNDECODABLE");
  });

  test("an error says where, and does not quote the bytes", () => {
    const input = Uint8Array.of(1, 6, ...new TextEncoder().encode("secre\xff"));
    expect(() => tuple(postcard.u8, postcard.string).decode(input.fill(0xff, 7))).toThrow(
      expect.objectContaining({ code: "VERMAP_UNDECODABLE", offset: 1 }) as Error,
    );
    expect(() => postcard.string.decode(input.subarray(1))).not.toThrow(/secre/);
  });
});

describe("caller's mistakes", () => {
  test("a value of another type is a TypeError, one that has no form a RangeError", () => {
    expect(() => postcard.u8.encode(256)).toThrow(RangeError);
    expect(() => postcard.u64.encode(1 as never)).toThrow(TypeError);
    expect(() => postcard.bool.encode(1 as never)).toThrow(TypeError);
    expect(() => postcard.f32.encode(0.1)).toThrow(RangeError);
    expect(() => postcard.f64.encode("1" as never)).toThrow(TypeError);
    expect(() => postcard.string.encode("\ud800")).toThrow(RangeError);
    expect(() => postcard.char.encode("ab")).toThrow(RangeError);
    expect(() => postcard.bytes.encode("ab" as never)).toThrow(TypeError);
    expect(() => postcard.unit.encode(null as never)).toThrow(TypeError);
    expect(() => sequence(postcard.u8).encode(1 as never)).toThrow(TypeError);
    expect(() => array(postcard.u8, 2).encode([1])).toThrow(RangeError);
    expect(() => person.encode(null as never)).toThrow(TypeError);
    expect(() => shape.encode(null as never)).toThrow(TypeError);
    expect(() => shape.encode({ type: "toString" } as never)).toThrow(TypeError);
    expect(() => map(postcard.u8, postcard.u8).encode({} as never)).toThrow(TypeError);
  });

  test("a field too many is refused, so that none is lost", () => {
    const fields = { id: 1, name: "", age: undefined, tags: [] };
    expect(() => person.encode({ ...fields, more: 1 } as never)).toThrow(TypeError);
  });

  test("a map with equal keys that are not the same is refused", () => {
    const twice = new Map([
      [Uint8Array.of(1), 1],
      [Uint8Array.of(1), 2],
    ]);
    expect(() => map(postcard.bytes, postcard.u8).encode(twice)).toThrow(RangeError);
  });

  test("schemas that would have two forms, or stand for endless values, cannot be made", () => {
    expect(() => option(option(postcard.u8))).toThrow(RangeError);
    expect(() => option(postcard.unit)).toThrow(RangeError);
    expect(() => sequence(postcard.unit)).toThrow(RangeError);
    expect(() => map(postcard.unit, postcard.u8)).toThrow(RangeError);
    expect(() => map(postcard.f64, postcard.u8)).toThrow(RangeError);
    expect(() => array(postcard.u8, -1)).toThrow(RangeError);
    expect(() => taggedUnion({})).toThrow(RangeError);
    expect(() => struct({ 1: postcard.u8 })).toThrow(RangeError);
    expect(() => struct({ ["__proto__"]: postcard.u8 })).toThrow(RangeError);
  });
});

describe("names and types", () => {
  test("a name spells the whole schema", () => {
    expect(map(postcard.string, person).name).toBe(
      "postcard:map<string,{id:u32,name:string,age:option<i16>,tags:string[]}>",
    );
    expect(shape.name).toBe("postcard:<none:unit|circle:f64|name:string>");
  });

  test("the type of the values follows from the schema", () => {
    expectTypeOf<postcard.ValueOf<typeof person>>().toEqualTypeOf<{
      readonly id: number;
      readonly name: string;
      readonly age: number | undefined;
      readonly tags: readonly string[];
    }>();
    expectTypeOf<postcard.ValueOf<typeof shape>>().toEqualTypeOf<
      | { readonly type: "none"; readonly value: undefined }
      | { readonly type: "circle"; readonly value: number }
      | { readonly type: "name"; readonly value: string }
    >();
    const pair = tuple(postcard.u8, postcard.u64);
    expectTypeOf<postcard.ValueOf<typeof pair>>().toEqualTypeOf<readonly [number, bigint]>();
  });
});
