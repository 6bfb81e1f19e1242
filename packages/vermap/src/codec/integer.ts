import { VerMapError } from "../errors.ts";
import { type OrderedCodec } from "./codec.ts";

/**
 * Integers of a fixed width, in numeric order: big-endian, the least value of the type first. Signed ones have their sign
 * bit flipped, so that −1 comes right before 0.
 */

/** Unsigned, one byte. */
export const u8: OrderedCodec<number> = integer("u8", 1, 0);
/** Unsigned, two bytes. */
export const u16: OrderedCodec<number> = integer("u16", 2, 0);
/** Unsigned, four bytes. */
export const u32: OrderedCodec<number> = integer("u32", 4, 0);
/** Signed, one byte. */
export const i8: OrderedCodec<number> = integer("i8", 1, 0x80);
/** Signed, two bytes. */
export const i16: OrderedCodec<number> = integer("i16", 2, 0x8000);
/** Signed, four bytes. */
export const i32: OrderedCodec<number> = integer("i32", 4, 0x8000_0000);
/** Unsigned, eight bytes. */
export const u64: OrderedCodec<bigint> = bigInteger("u64", 8, 0n);
/** Signed, eight bytes. */
export const i64: OrderedCodec<bigint> = bigInteger("i64", 8, 1n << 63n);
/** Unsigned, sixteen bytes. */
export const u128: OrderedCodec<bigint> = bigInteger("u128", 16, 0n);
/** Signed, sixteen bytes. */
export const i128: OrderedCodec<bigint> = bigInteger("i128", 16, 1n << 127n);
/** The bytes of {@link u64} for numbers, up to 2^53 − 1; a greater one is undecodable. */
export const u64Number: OrderedCodec<number> = safeInteger(u64, 0);
/** The bytes of {@link i64} for numbers, within ±(2^53 − 1); what lies outside is undecodable. */
export const i64Number: OrderedCodec<number> = safeInteger(i64, Number.MIN_SAFE_INTEGER);

/** At most four bytes; `bias` is what the least value lacks to 0. */
function integer(name: string, byteCount: number, bias: number): OrderedCodec<number> {
  const max = 2 ** (8 * byteCount) - 1 - bias;
  return {
    name,
    byteCount,
    encode(value) {
      checkNumber(name, value, -bias, max);
      const encoded = new Uint8Array(byteCount);
      let rest = value + bias;
      for (let index = byteCount - 1; index >= 0; index--) {
        encoded[index] = rest % 0x100;
        rest = Math.floor(rest / 0x100);
      }
      return encoded;
    },
    decode(encoded) {
      checkByteCount(name, encoded, byteCount);
      let value = 0;
      for (const byte of encoded) value = value * 0x100 + byte;
      return value - bias;
    },
  };
}

/** A multiple of eight bytes; `bias` is what the least value lacks to 0. */
function bigInteger(name: string, byteCount: number, bias: bigint): OrderedCodec<bigint> {
  const max = (1n << BigInt(8 * byteCount)) - 1n - bias;
  return {
    name,
    byteCount,
    encode(value) {
      checkBigInt(name, value, -bias, max);
      const encoded = new Uint8Array(byteCount);
      const view = new DataView(encoded.buffer);
      let rest = value + bias;
      for (let offset = byteCount - 8; offset >= 0; offset -= 8) {
        view.setBigUint64(offset, BigInt.asUintN(64, rest), false);
        rest >>= 64n;
      }
      return encoded;
    },
    decode(encoded) {
      checkByteCount(name, encoded, byteCount);
      const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length);
      let value = 0n;
      for (let offset = 0; offset < byteCount; offset += 8) {
        value = (value << 64n) | view.getBigUint64(offset, false);
      }
      return value - bias;
    },
  };
}

function safeInteger(wide: OrderedCodec<bigint>, min: number): OrderedCodec<number> {
  return {
    name: wide.name,
    byteCount: wide.byteCount,
    encode(value) {
      checkNumber(wide.name, value, min, Number.MAX_SAFE_INTEGER);
      return wide.encode(BigInt(value));
    },
    decode(encoded) {
      const value = Number(wide.decode(encoded));
      if (Number.isSafeInteger(value)) return value;
      throw new VerMapError("VERMAP_UNDECODABLE", `${wide.name} is outside ±(2^53 - 1)`);
    },
  };
}

/**
 * Refuses what is no integer of a type.
 *
 * @throws TypeError if it is no number
 * @throws RangeError if it is no integer, or outside `min`…`max`
 */
export function checkNumber(name: string, value: number, min: number, max: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} wants a number, got ${typeof value}`);
  if (Number.isInteger(value) && min <= value && value <= max) return;
  throw new RangeError(`${name} wants an integer in ${min}…${max}`);
}

/**
 * Refuses what is no bigint of a type.
 *
 * @throws TypeError if it is no bigint
 * @throws RangeError if it is outside `min`…`max`
 */
export function checkBigInt(name: string, value: bigint, min: bigint, max: bigint): void {
  if (typeof value !== "bigint") throw new TypeError(`${name} wants a bigint, got ${typeof value}`);
  if (min <= value && value <= max) return;
  throw new RangeError(`${name} wants a bigint in ${min}…${max}`);
}

function checkByteCount(name: string, encoded: Uint8Array, byteCount: number): void {
  if (encoded.length === byteCount) return;
  const message = `${name} is ${encoded.length} bytes, want ${byteCount}`;
  throw new VerMapError("VERMAP_UNDECODABLE", message, { offset: encoded.length });
}
