import { VerMapError, type VerMapErrorCode } from "../errors.ts";

/**
 * Reads bytes that may come from anywhere, from their beginning to their end.
 *
 * Every read checks that its bytes are there before anything is allocated. Errors carry the offset, never the content.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #code: VerMapErrorCode;
  readonly #noun: string;
  #offset = 0;

  /**
   * @param bytes - kept while reading, not copied
   * @param code - of the errors
   * @param noun - what is read, for messages
   * @throws TypeError if `bytes` is not a Uint8Array
   */
  constructor(bytes: Uint8Array, code: VerMapErrorCode, noun: string) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`${noun} must be a Uint8Array`);
    // Not the argument itself: it may be a Buffer, whose `slice` aliases.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#code = code;
    this.#noun = noun;
  }

  /** Where the next field begins. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** An unsigned LEB128 integer up to 2^53 − 1, in its shortest form. */
  varint(): number {
    const offset = this.#offset;
    let value = 0;
    let factor = 1;
    for (let index = 0; index < 8; index++) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (byte === 0 && index > 0) throw this.damage("an integer longer than need be", offset);
        if (value > Number.MAX_SAFE_INTEGER) throw this.damage("too large an integer", offset);
        return value;
      }
      factor *= 0x80;
    }
    throw this.damage("too large an integer", offset);
  }

  /** An unsigned LEB128 integer of at most `bitCount` bits, in its shortest form. */
  varintBig(bitCount: number): bigint {
    const offset = this.#offset;
    let value = 0n;
    for (let shift = 0; shift < bitCount; shift += 7) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte >= 0x80) continue;
      if (byte === 0 && shift > 0) throw this.damage("an integer longer than need be", offset);
      if (value >> BigInt(bitCount) > 0n) break;
      return value;
    }
    throw this.damage("too large an integer", offset);
  }

  /**
   * A count of items that follow.
   *
   * @param itemByteCountMin - fewest bytes of an item, 1 or more, so that a false count is refused before it costs anything
   */
  count(itemByteCountMin: number): number {
    const offset = this.#offset;
    const count = this.varint();
    if (count * itemByteCountMin <= this.remaining) return count;
    throw this.damage(`${count} items where ${this.remaining} bytes are left`, offset);
  }

  /** A fresh copy of the next bytes. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const offset = this.#advance(size);
    return this.#bytes.slice(offset, offset + size);
  }

  /** A view of the next bytes, which the caller does not hand out. */
  view(size: number): Uint8Array {
    const offset = this.#advance(size);
    return this.#bytes.subarray(offset, offset + size);
  }

  /** Refuses bytes after the last field. */
  end(): void {
    if (this.remaining > 0) throw this.damage(`${this.remaining} bytes after its end`);
  }

  /** An error that says where; `offset` is that of the next field unless given. */
  damage(found: string, offset: number = this.#offset, cause?: unknown): VerMapError {
    const message = `${this.#noun} holds ${found} at byte ${offset}`;
    return new VerMapError(this.#code, message, { offset, cause });
  }

  #advance(size: number): number {
    const offset = this.#offset;
    if (size > this.remaining) throw this.damage(`${this.remaining} bytes where ${size} belong`);
    this.#offset += size;
    return offset;
  }
}
