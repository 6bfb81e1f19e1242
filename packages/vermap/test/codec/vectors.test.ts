import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  bytes,
  type Codec,
  i128,
  i16,
  i32,
  i64,
  i8,
  list,
  u128,
  u16,
  u32,
  u64,
  u8,
  utf8,
} from "../../src/codec/index.ts";
import * as postcard from "../../src/postcard/index.ts";
import { bytesOf, compareHex, hexOf } from "./support.ts";

interface Item {
  readonly type: string;
  readonly value: string;
  readonly bytes: string;
}

interface Vectors {
  readonly typedKeys: readonly Item[];
  readonly typedValues: readonly Item[];
  readonly typedMaps: readonly {
    readonly name: string;
    readonly entries: readonly (readonly [string, string])[];
  }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/encodings.json", import.meta.url), "utf8"),
) as Vectors;

/** A codec, and how the vectors write its values. */
interface Typed {
  readonly codec: Codec<unknown>;
  readonly parse: (text: string) => unknown;
}

const text = (value: string): string => value;
const hex = (value: string): Uint8Array => bytesOf(value.slice(2));

const KEYS: ReadonlyMap<string, Typed> = new Map<string, Typed>([
  ["u8", { codec: u8, parse: Number }],
  ["i8", { codec: i8, parse: Number }],
  ["u16", { codec: u16, parse: Number }],
  ["i16", { codec: i16, parse: Number }],
  ["u32", { codec: u32, parse: Number }],
  ["i32", { codec: i32, parse: Number }],
  ["u64", { codec: u64, parse: BigInt }],
  ["i64", { codec: i64, parse: BigInt }],
  ["u128", { codec: u128, parse: BigInt }],
  ["i128", { codec: i128, parse: BigInt }],
  ["string", { codec: utf8, parse: text }],
  ["bytes", { codec: bytes, parse: hex }],
  ["u32[]", { codec: list(u32), parse: JSON.parse }],
  ["i16[]", { codec: list(i16), parse: JSON.parse }],
  ["u16[2]", { codec: list(u16, 2), parse: JSON.parse }],
]);

const VALUES: ReadonlyMap<string, Typed> = new Map<string, Typed>([
  ["bool", { codec: postcard.bool, parse: (value) => value === "true" }],
  ["u8", { codec: postcard.u8, parse: Number }],
  ["i8", { codec: postcard.i8, parse: Number }],
  ["u16", { codec: postcard.u16, parse: Number }],
  ["i16", { codec: postcard.i16, parse: Number }],
  ["u32", { codec: postcard.u32, parse: Number }],
  ["i32", { codec: postcard.i32, parse: Number }],
  ["u64", { codec: postcard.u64, parse: BigInt }],
  ["i64", { codec: postcard.i64, parse: BigInt }],
  ["u128", { codec: postcard.u128, parse: BigInt }],
  ["i128", { codec: postcard.i128, parse: BigInt }],
  ["f32", { codec: postcard.f32, parse: Number }],
  ["f64", { codec: postcard.f64, parse: Number }],
  ["string", { codec: postcard.string, parse: text }],
  ["char", { codec: postcard.char, parse: text }],
  ["bytes", { codec: postcard.bytes, parse: hex }],
  ["unit", { codec: postcard.unit, parse: () => undefined }],
  ["u32[]", { codec: postcard.sequence(postcard.u32), parse: JSON.parse }],
  ["[u8;3]", { codec: postcard.array(postcard.u8, 3), parse: JSON.parse }],
  [
    "(u32,string)",
    {
      codec: postcard.tuple(postcard.u32, postcard.string),
      parse: (value) => JSON.parse(`[${value.slice(1, -1)}]`) as unknown,
    },
  ],
  ["option<u32>", { codec: postcard.option(postcard.u32), parse: parseOption }],
]);

function parseOption(value: string): number | undefined {
  return value === "none" ? undefined : Number(value.slice("some(".length, -1));
}

const BLOCKS = [
  { block: "keys", codecs: KEYS, items: vectors.typedKeys },
  { block: "values", codecs: VALUES, items: vectors.typedValues },
];

describe.each(BLOCKS)("$block", ({ codecs, items }) => {
  test.each(items)("$type $value is $bytes", (item) => {
    const { codec, parse } = codecs.get(item.type) as Typed;
    const value = parse(item.value);
    expect(hexOf(codec.encode(value))).toBe(item.bytes);
    expect(codec.decode(bytesOf(item.bytes))).toEqual(value);
  });

  test("every type of the vectors is known, and no other", () => {
    expect(new Set(items.map(({ type }) => type))).toEqual(new Set(codecs.keys()));
  });
});

describe("maps", () => {
  test.each(vectors.typedMaps)("the entries of $name decode, and are in order", (map) => {
    const [key = "", value = ""] = (map.name.split(" {")[0] ?? "").split(" -> ");
    const keys = KEYS.get(key) as Typed;
    const values: Codec<unknown> =
      value === "option<i64>" ? postcard.option(postcard.i64) : (VALUES.get(value) as Typed).codec;
    const encoded = map.entries.map(([k]) => bytesOf(k));
    expect(encoded.toSorted(compareHex)).toEqual(encoded);
    for (const [k, v] of map.entries) {
      expect(hexOf(keys.codec.encode(keys.codec.decode(bytesOf(k))))).toBe(k);
      expect(hexOf(values.encode(values.decode(bytesOf(v))))).toBe(v);
    }
  });
});
