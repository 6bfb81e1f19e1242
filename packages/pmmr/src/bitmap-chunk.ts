import type { ElementCodec } from "./codec.ts";
import { PmmrError } from "./errors.ts";

/** Bits in one leaf of a bitmap accumulator. */
export const CHUNK_BITS = 1024;
/** Bytes in one leaf of a bitmap accumulator. */
export const CHUNK_SIZE: number = CHUNK_BITS / 8;

/**
 * Leaves of a bitmap accumulator: 128 bytes, stored and hashed alike, without a length. Index `1024 c + i` is bit
 * `0x80 >> (i mod 8)` of byte `floor(i / 8)` of chunk c. Layout: FORMAT.md, "Bitmap chunk".
 *
 * `load` refuses another length with `PMMR_MALFORMED`.
 */
export const bitmapChunkCodec: ElementCodec<Uint8Array> = {
  recordSize: CHUNK_SIZE,
  store: (chunk) => checked(chunk, new RangeError(`chunk must be ${CHUNK_SIZE} bytes`)),
  hashForm: (chunk) => checked(chunk, new RangeError(`chunk must be ${CHUNK_SIZE} bytes`)),
  load: (record) =>
    checked(record, new PmmrError("PMMR_MALFORMED", `chunk of ${record.length} bytes`)),
  storedHashForm: (chunk) => chunk,
};

/** Bits set in a byte array. */
export function popCount(bytes: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) count += BYTE_BITS[bytes[i] as number] as number;
  return count;
}

/** Bits set in each byte value. */
const BYTE_BITS: Uint8Array = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll("0", "").length,
);

/** Whether the bit with this number is set; bits are counted from the most significant of the first byte. */
export function hasBit(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[Math.floor(bit / 8)] as number) & (0x80 >> (bit % 8))) !== 0;
}

/** Sets a bit; see {@link hasBit}. */
export function setBit(bytes: Uint8Array, bit: number): void {
  const index = Math.floor(bit / 8);
  bytes[index] = (bytes[index] as number) | (0x80 >> (bit % 8));
}

function checked(chunk: Uint8Array, error: Error): Uint8Array<ArrayBuffer> {
  if (chunk.length !== CHUNK_SIZE) throw error;
  return new Uint8Array(chunk);
}
