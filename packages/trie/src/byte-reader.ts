import { TrieError, type TrieErrorCode } from "./errors.ts";

/** Bytes of the longest varint: 64 bits in groups of 7. */
const VARINT_SIZE_MAX = 10;

/** How a {@link ByteReader} refuses and what it lets pass. */
export interface ReaderOptions {
  /** Code of every error. */
  readonly code: TrieErrorCode;
  /** Takes varints that are longer than they need be. Default: false. */
  readonly lenient?: boolean;
}

/**
 * Reads fields from bytes that may come from an enemy. Nothing is allocated before its bytes are there; no length can run over.
 *
 * @throws TrieError of the given code where the input ends inside a field or a field is not as an encoder writes it
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #code: TrieErrorCode;
  readonly #lenient: boolean;
  #offset = 0;

  constructor(bytes: Uint8Array, { code, lenient = false }: ReaderOptions) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("bytes must be a Uint8Array");
    this.#bytes = bytes;
    this.#code = code;
    this.#lenient = lenient;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    if (this.remaining < 1) throw this.refusal("ends inside a field");
    return this.#bytes[this.#offset++] as number;
  }

  /** Two bytes, the low one first. */
  u16(): number {
    const low = this.u8();
    return low + 256 * this.u8();
  }

  /** Unsigned LEB128 of at most 64 bits; what is above 2^53 - 1 is refused. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < VARINT_SIZE_MAX; index++) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte > 127) continue;
      if (byte === 0 && index > 0 && !this.#lenient) throw this.refusal("has a long varint");
      if (byte > 1 && index === VARINT_SIZE_MAX - 1) break;
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw this.refusal("has a varint out of range");
  }

  /** The next bytes, as a view of the input. */
  view(size: number): Uint8Array {
    if (this.remaining < size) throw this.refusal(`ends inside a field of ${size} bytes`);
    this.#offset += size;
    return this.#bytes.subarray(this.#offset - size, this.#offset);
  }

  /** The next bytes, as a fresh copy. */
  bytes(size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view(size));
  }

  /** A varint, then so many bytes, as a fresh copy. */
  sized(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.varint());
  }

  /** Refuses what is left over. */
  finish(): void {
    if (this.remaining > 0) throw this.refusal("has bytes left over");
  }

  /** The error of a field that no encoder writes, with the offset behind it. */
  refusal(what: string): TrieError {
    return new TrieError(this.#code, `input ${what} at byte ${this.#offset}`);
  }
}
