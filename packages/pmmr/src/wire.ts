import { PmmrError } from "./errors.ts";

/** Bytes in every hash of a mountain range. */
export const HASH_SIZE = 32;
/** 2^32: what the high word of a 64-bit integer is worth. */
const WORD = 4_294_967_296;
/** Largest high word of a 64-bit integer that is at most 2^53 - 1. */
const HIGH_WORD_MAX = 0x1f_ffff;

/**
 * Reads big-endian fields from bytes that may come from an enemy.
 *
 * Every read checks that its bytes are there before anything is allocated, so memory stays a small multiple of the input.
 * Errors carry the offset at which the field begins, and never its content. What is returned does not alias the input.
 *
 * Codes: `PMMR_TRUNCATED` (the input ends inside a field, or a count cannot be true), `PMMR_OUT_OF_RANGE` (a 64-bit integer
 * above 2^53 - 1), `PMMR_TOO_LARGE` (a count above its limit), `PMMR_NON_CANONICAL` (bytes after the end).
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** What is being read, for messages: a noun such as `"proof"`. */
  readonly #what: string;
  #offset = 0;

  /**
   * @param bytes - read, not kept beyond the reader
   * @param what - noun for messages
   * @throws TypeError if `bytes` is not a Uint8Array
   */
  constructor(bytes: Uint8Array, what: string) {
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`${what} must be a Uint8Array, got ${typeof bytes}`);
    }
    // Not the argument itself: it may be a Buffer, whose `slice` aliases.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  /** Bytes read so far: where the next field begins. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), false);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), false);
  }

  /** A 64-bit unsigned integer; above 2^53 - 1 it is refused with `PMMR_OUT_OF_RANGE`. */
  u64(): number {
    const offset = this.#advance(8);
    const high = this.#view.getUint32(offset, false);
    if (high > HIGH_WORD_MAX) {
      throw new PmmrError(
        "PMMR_OUT_OF_RANGE",
        `${this.#what}: integer at offset ${offset} is above 2^53 - 1`,
      );
    }
    return high * WORD + this.#view.getUint32(offset + 4, false);
  }

  /** A 64-bit unsigned integer of any value. */
  u64big(): bigint {
    return this.#view.getBigUint64(this.#advance(8), false);
  }

  /** A 64-bit two's complement integer of any value. */
  i64big(): bigint {
    return this.#view.getBigInt64(this.#advance(8), false);
  }

  /** Fresh copy of the next `length` bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const offset = this.#advance(length);
    return this.#bytes.slice(offset, offset + length);
  }

  /** The next `length` bytes as a view of the input: for readers of a private copy. */
  view(length: number): Uint8Array {
    const offset = this.#advance(length);
    return this.#bytes.subarray(offset, offset + length);
  }

  /** Fresh copy of one hash. */
  hash(): Uint8Array<ArrayBuffer> {
    return this.bytes(HASH_SIZE);
  }

  /** `count` hashes as one fresh packed array. */
  hashes(count: number): Uint8Array<ArrayBuffer> {
    this.need(count, HASH_SIZE);
    return this.bytes(count * HASH_SIZE);
  }

  /**
   * A 64-bit count of items that follow.
   *
   * @param itemBytesMin - fewest bytes one item takes, 1 or more
   * @param countMax - limit of the format; default: none but the input's own length
   * @throws PmmrError `PMMR_TOO_LARGE` above the limit, `PMMR_TRUNCATED` when so many items cannot be in the rest of the input
   */
  count(itemBytesMin: number, countMax: number = Number.MAX_SAFE_INTEGER): number {
    const offset = this.#offset;
    const count = this.u64();
    if (count > countMax) {
      throw new PmmrError(
        "PMMR_TOO_LARGE",
        `${this.#what}: count ${count} at offset ${offset} is above the limit of ${countMax}`,
      );
    }
    this.need(count, itemBytesMin);
    return count;
  }

  /** Refuses with `PMMR_TRUNCATED` unless `count` items of `itemBytes` bytes can be in the rest of the input. */
  need(count: number, itemBytes: number): void {
    if (count > Math.floor(this.remaining / itemBytes)) {
      throw new PmmrError(
        "PMMR_TRUNCATED",
        `${this.#what}: ${count} items of ${itemBytes} bytes or more do not fit into the ${this.remaining} bytes after offset ${this.#offset}`,
      );
    }
  }

  /** Ends the reading; any byte left over is refused with `PMMR_NON_CANONICAL`. */
  finish(): void {
    if (this.remaining !== 0) {
      throw new PmmrError(
        "PMMR_NON_CANONICAL",
        `${this.#what}: ${this.remaining} bytes after the end at offset ${this.#offset}`,
      );
    }
  }

  /** Moves past `length` bytes and returns where they begin. */
  #advance(length: number): number {
    const offset = this.#offset;
    if (length > this.remaining) {
      throw new PmmrError(
        "PMMR_TRUNCATED",
        `${this.#what}: want ${length} bytes at offset ${offset}, have ${this.remaining}`,
      );
    }
    this.#offset = offset + length;
    return offset;
  }
}

/**
 * Writes big-endian fields into a growing buffer.
 *
 * Values that do not fit their field are the caller's mistake and throw RangeError; nothing wraps.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** @param sizeHint - bytes to reserve; an exact one saves every copy */
  constructor(sizeHint = 256) {
    this.#bytes = new Uint8Array(Math.max(sizeHint, 16));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    checkInteger(value, 0xff, "u8");
    // The offset is taken first: reserving may replace the view.
    const offset = this.#reserve(1);
    this.#view.setUint8(offset, value);
  }

  u16(value: number): void {
    checkInteger(value, 0xffff, "u16");
    const offset = this.#reserve(2);
    this.#view.setUint16(offset, value, false);
  }

  u32(value: number): void {
    checkInteger(value, WORD - 1, "u32");
    const offset = this.#reserve(4);
    this.#view.setUint32(offset, value, false);
  }

  /** A 64-bit unsigned integer from a safe integer. */
  u64(value: number): void {
    checkInteger(value, Number.MAX_SAFE_INTEGER, "u64");
    const offset = this.#reserve(8);
    const high = Math.floor(value / WORD);
    this.#view.setUint32(offset, high, false);
    this.#view.setUint32(offset + 4, value - high * WORD, false);
  }

  /** A 64-bit unsigned integer of any value. */
  u64big(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`u64 cannot hold ${value}`);
    const offset = this.#reserve(8);
    this.#view.setBigUint64(offset, value, false);
  }

  /** A 64-bit two's complement integer of any value. */
  i64big(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`i64 cannot hold ${value}`);
    const offset = this.#reserve(8);
    this.#view.setBigInt64(offset, value, false);
  }

  /** Copies `bytes`. */
  bytes(bytes: Uint8Array): void {
    const offset = this.#reserve(bytes.length);
    this.#bytes.set(bytes, offset);
  }

  /** One hash, exactly 32 bytes. */
  hash(hash: Uint8Array): void {
    if (hash.length !== HASH_SIZE) {
      throw new RangeError(`hash must be ${HASH_SIZE} bytes, got ${hash.length}`);
    }
    this.bytes(hash);
  }

  /** Fresh copy of everything written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `length` more bytes and returns where they begin. */
  #reserve(length: number): number {
    const offset = this.#length;
    const end = offset + length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, offset));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return offset;
  }
}

function checkInteger(value: number, max: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${field} cannot hold ${value}`);
  }
}
