import { compareBytes } from "@x/store/adapter";

import { checkBigInt, checkNumber } from "../codec/integer.ts";
import { decodeText, encodeText } from "../codec/text.ts";
import { type ByteReader } from "../codec/byte-reader.ts";
import { type Schema, schemaOf } from "./schema.ts";

/** One raw byte, unsigned. */
export const u8: Schema<number> = byte("u8", 0, 0xff);
/** One raw byte, signed, in two's complement. */
export const i8: Schema<number> = byte("i8", -0x80, 0x7f);
/** Unsigned LEB128, 16 bits. */
export const u16: Schema<number> = unsigned("u16", 0xffff);
/** Unsigned LEB128, 32 bits. */
export const u32: Schema<number> = unsigned("u32", 0xffff_ffff);
/** Unsigned LEB128, 64 bits. */
export const u64: Schema<bigint> = unsignedBig("u64", 64);
/** Unsigned LEB128, 128 bits. */
export const u128: Schema<bigint> = unsignedBig("u128", 128);
/** The bytes of {@link u64} for numbers, up to 2^53 − 1; a greater one is undecodable. */
export const u64Number: Schema<number> = unsigned("u64", Number.MAX_SAFE_INTEGER);
/** Zigzag, then LEB128, 16 bits. */
export const i16: Schema<number> = signed("i16", 16);
/** Zigzag, then LEB128, 32 bits. */
export const i32: Schema<number> = signed("i32", 32);
/** Zigzag, then LEB128, 64 bits. */
export const i64: Schema<bigint> = signedBig("i64", 64);
/** Zigzag, then LEB128, 128 bits. */
export const i128: Schema<bigint> = signedBig("i128", 128);

/** One byte, 00 or 01. */
export const bool: Schema<boolean> = schemaOf({
  shape: "bool",
  byteCountMin: 1,
  compare: (a, b) => Number(a) - Number(b),
  write(value, writer) {
    if (typeof value !== "boolean")
      throw new TypeError(`bool wants a boolean, got ${typeof value}`);
    writer.u8(value ? 1 : 0);
  },
  read: (reader) => readFlag(reader),
});

/** Four bytes, little-endian; a number with more precision is a RangeError. Only one NaN. */
export const f32: Schema<number> = schemaOf({
  shape: "f32",
  byteCountMin: 4,
  write(value, writer) {
    checkFloat("f32", value);
    if (!Object.is(Math.fround(value), value)) throw new RangeError("f32 would lose precision");
    writer.f32(value);
  },
  read(reader) {
    const { offset } = reader;
    const encoded = reader.view(4);
    const view = new DataView(encoded.buffer, encoded.byteOffset, 4);
    const isNaN = (view.getUint32(0, true) & 0x7fff_ffff) > 0x7f80_0000;
    if (isNaN && view.getUint32(0, true) !== 0x7fc0_0000)
      throw reader.damage("a false NaN", offset);
    return view.getFloat32(0, true);
  },
});

/** Eight bytes, little-endian. Only one NaN. */
export const f64: Schema<number> = schemaOf({
  shape: "f64",
  byteCountMin: 8,
  write(value, writer) {
    checkFloat("f64", value);
    writer.f64(value);
  },
  read(reader) {
    const { offset } = reader;
    const encoded = reader.view(8);
    const view = new DataView(encoded.buffer, encoded.byteOffset, 8);
    const value = view.getFloat64(0, true);
    const isTheNaN = view.getBigUint64(0, true) === 0x7ff8_0000_0000_0000n;
    if (Number.isNaN(value) && !isTheNaN) throw reader.damage("a false NaN", offset);
    return value;
  },
});

/** A varint of the length in bytes, then UTF-8. A lone surrogate is a RangeError. */
export const string: Schema<string> = schemaOf({
  shape: "string",
  byteCountMin: 1,
  compare: (a, b) => compareBytes(encodeText(a), encodeText(b)),
  write: (value, writer) => writer.putSized(encodeText(value)),
  read: readText,
});

/** One code point, written as a string. */
export const char: Schema<string> = schemaOf({
  shape: "char",
  byteCountMin: 2,
  compare: (a, b) => compareBytes(encodeText(a), encodeText(b)),
  write(value, writer) {
    const encoded = encodeText(value);
    if (!isOneCodePoint(value)) throw new RangeError("char wants one code point");
    writer.putSized(encoded);
  },
  read(reader) {
    const { offset } = reader;
    const text = readText(reader);
    if (!isOneCodePoint(text)) throw reader.damage("not one code point", offset);
    return text;
  },
});

/** A varint of the length, then the bytes. */
export const bytes: Schema<Uint8Array> = schemaOf<Uint8Array>({
  shape: "bytes",
  byteCountMin: 1,
  compare: compareBytes,
  write(value, writer) {
    if (!(value instanceof Uint8Array)) throw new TypeError(`bytes wants a Uint8Array`);
    writer.putSized(value);
  },
  read: (reader) => reader.take(reader.count(1)),
});

/** Nothing, written as no bytes. */
export const unit: Schema<undefined> = schemaOf<undefined>({
  shape: "unit",
  byteCountMin: 0,
  compare: () => 0,
  write(value) {
    if (value !== undefined) throw new TypeError(`unit wants undefined, got ${typeof value}`);
  },
  read: () => undefined,
});

/** A byte that is 00 or 01. */
export function readFlag(reader: ByteReader): boolean {
  const { offset } = reader;
  const flag = reader.u8();
  if (flag > 1) throw reader.damage("a flag that is neither 0 nor 1", offset);
  return flag === 1;
}

/** LEB128 in its shortest form, up to `max`. */
function readNumber(reader: ByteReader, max: number): number {
  const { offset } = reader;
  const value = reader.varint();
  if (value > max) throw reader.damage("too large an integer", offset);
  return value;
}

function readText(reader: ByteReader): string {
  const { offset } = reader;
  const encoded = reader.view(reader.count(1));
  try {
    return decodeText(encoded);
  } catch (cause) {
    throw reader.damage("text that is no UTF-8", offset, cause);
  }
}

function isOneCodePoint(text: string): boolean {
  const first = text.codePointAt(0);
  return first !== undefined && text.length === (first > 0xffff ? 2 : 1);
}

function checkFloat(name: string, value: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} wants a number, got ${typeof value}`);
}

function byte(shape: string, min: number, max: number): Schema<number> {
  return schemaOf({
    shape,
    byteCountMin: 1,
    compare: (a, b) => a - b,
    write(value, writer) {
      checkNumber(shape, value, min, max);
      writer.u8(value & 0xff);
    },
    read(reader) {
      const value = reader.u8();
      return value > max ? value - 0x100 : value;
    },
  });
}

function unsigned(shape: string, max: number): Schema<number> {
  return schemaOf({
    shape,
    byteCountMin: 1,
    compare: (a, b) => a - b,
    write(value, writer) {
      checkNumber(shape, value, 0, max);
      writer.varint(value);
    },
    read: (reader) => readNumber(reader, max),
  });
}

/** Up to 32 bits, so that twice the value is a safe integer. */
function signed(shape: string, bitCount: number): Schema<number> {
  const half = 2 ** (bitCount - 1);
  return schemaOf({
    shape,
    byteCountMin: 1,
    compare: (a, b) => a - b,
    write(value, writer) {
      checkNumber(shape, value, -half, half - 1);
      writer.varint(value < 0 ? -2 * value - 1 : 2 * value);
    },
    read(reader) {
      const zigzag = readNumber(reader, 2 * half - 1);
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    },
  });
}

function unsignedBig(shape: string, bitCount: number): Schema<bigint> {
  const max = (1n << BigInt(bitCount)) - 1n;
  return schemaOf<bigint>({
    shape,
    byteCountMin: 1,
    compare: compareBig,
    write(value, writer) {
      checkBigInt(shape, value, 0n, max);
      writer.varintBig(value);
    },
    read: (reader) => reader.varintBig(bitCount),
  });
}

function signedBig(shape: string, bitCount: number): Schema<bigint> {
  const half = 1n << BigInt(bitCount - 1);
  return schemaOf<bigint>({
    shape,
    byteCountMin: 1,
    compare: compareBig,
    write(value, writer) {
      checkBigInt(shape, value, -half, half - 1n);
      writer.varintBig(value < 0n ? -2n * value - 1n : 2n * value);
    },
    read(reader) {
      const zigzag = reader.varintBig(bitCount);
      return zigzag % 2n === 0n ? zigzag / 2n : -(zigzag + 1n) / 2n;
    },
  });
}

function compareBig(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
