import { StoreError } from "@x/store";
import { type Crc32, sameBytes } from "@x/store/adapter";

/** What the store says about itself in its database. Layout: FORMAT.md, "Format record". */
export interface FormatRecord {
  /** Whether every value is followed by a checksum. */
  readonly checksums: boolean;
  /** When the store was made, as the caller told, in milliseconds since 1970; 0: it did not. */
  readonly createdMs: number;
  /** Batches written so far, this one included. */
  readonly sequence: number;
  /** Batches that were durable when this one was written: what is missing of the others may be lost to a power cut. */
  readonly durable: number;
}

/** Where the record is stored: a zero byte, `store-level`, a zero byte. */
export const FORMAT_KEY: Uint8Array<ArrayBuffer> = Uint8Array.from("\0store-level\0", (character) =>
  character.charCodeAt(0),
);

const MAGIC: Uint8Array = Uint8Array.from("xstorlvl", (character) => character.charCodeAt(0));
const VERSION = 1;
/** Bytes in an encoded record. */
const RECORD_SIZE = 44;
const CREATED_OFFSET = 16;
const SEQUENCE_OFFSET = 24;
const DURABLE_OFFSET = 32;
const CRC_OFFSET = 40;
/** First number that needs a 33rd bit. */
const HIGH = 2 ** 32;

/** Whether a key is the one the store keeps for itself. */
export function isFormatKey(key: Uint8Array): boolean {
  return key[0] === 0 && key.length === FORMAT_KEY.length && sameBytes(key, FORMAT_KEY);
}

/** Fresh bytes. */
export function encodeFormat(record: FormatRecord, crc32: Crc32): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(RECORD_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  bytes.set(MAGIC);
  bytes[8] = VERSION;
  bytes[9] = record.checksums ? 1 : 0;
  setUint64(view, CREATED_OFFSET, record.createdMs);
  setUint64(view, SEQUENCE_OFFSET, record.sequence);
  setUint64(view, DURABLE_OFFSET, record.durable);
  view.setUint32(CRC_OFFSET, crcOf(bytes, crc32));
  return bytes;
}

/**
 * Reads a record back.
 *
 * @throws StoreError STORE_FORMAT if a newer version wrote it, STORE_CORRUPT if it is not what `encodeFormat` writes
 */
export function decodeFormat(bytes: Uint8Array, crc32: Crc32): FormatRecord {
  if (bytes.length !== RECORD_SIZE)
    throw corrupt(`format record is ${bytes.length} bytes, want ${RECORD_SIZE}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!sameBytes(bytes.subarray(0, MAGIC.length), MAGIC))
    throw corrupt("format record does not begin as one");
  if (view.getUint32(CRC_OFFSET) !== crcOf(bytes, crc32))
    throw corrupt("checksum of the format record does not match");
  if (bytes[8] !== VERSION)
    throw new StoreError("STORE_FORMAT", `format version is ${bytes[8]}, want ${VERSION}`);
  const flags = bytes[9] as number;
  if (flags > 1 || bytes.subarray(10, CREATED_OFFSET).some((byte) => byte !== 0))
    throw corrupt("reserved bytes of the format record are not zero");
  const sequence = getUint64(view, SEQUENCE_OFFSET);
  const durable = getUint64(view, DURABLE_OFFSET);
  if (durable > sequence)
    throw corrupt(`format record of batch ${sequence} says that ${durable} are durable`);
  return { checksums: flags === 1, createdMs: getUint64(view, CREATED_OFFSET), sequence, durable };
}

function crcOf(bytes: Uint8Array, crc32: Crc32): number {
  return crc32(bytes.subarray(0, CRC_OFFSET), crc32(FORMAT_KEY, 0));
}

function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / HIGH));
  view.setUint32(offset + 4, value % HIGH);
}

function getUint64(view: DataView, offset: number): number {
  const value = view.getUint32(offset) * HIGH + view.getUint32(offset + 4);
  if (!Number.isSafeInteger(value))
    throw corrupt(`number at ${offset} of the format record is too large`);
  return value;
}

function corrupt(message: string): StoreError {
  return new StoreError("STORE_CORRUPT", message);
}
