import { concatBytes } from "@x/hash";
import { PATH_SIZE } from "../../path.ts";
import { failure } from "../checks.ts";

/** What a decoder takes at most. */
export interface ProofLimits {
  /** Bytes of the whole proof; Infinity: any number. */
  readonly bytesMax?: number;
}

/**
 * Reads big-endian fields from bytes that may come from an enemy. Nothing is allocated before its bytes are there; what is
 * returned does not alias the input.
 *
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT where the input ends inside a field, with the offset
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  /**
   * @throws TypeError, RangeError if `bytes` is no Uint8Array, or the limit no count
   * @throws JellyfishError JELLYFISH_PROOF_TOO_LARGE above the limit
   */
  constructor(bytes: Uint8Array, bytesMax: number) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("proof must be a Uint8Array");
    if (!(0 <= bytesMax)) throw new RangeError("bytesMax must be a count of bytes");
    if (bytesMax < bytes.length) {
      throw failure("TOO_LARGE", `has ${bytes.length} bytes, want at most ${bytesMax}`);
    }
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#view(1)[0] as number;
  }

  /** An unsigned integer of so many bytes, at most 4. */
  uint(size: number): number {
    return this.#view(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** The next bytes, as a fresh copy. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view(length));
  }

  /** 32 fresh bytes. */
  hash(): Uint8Array<ArrayBuffer> {
    return this.bytes(PATH_SIZE);
  }

  /** @throws JellyfishError JELLYFISH_PROOF_FORMAT if bytes are left over */
  finish(): void {
    if (this.#offset < this.#bytes.length) throw this.refusal("has bytes left over");
  }

  /** The error of a field that no encoder writes, with the offset behind it. */
  refusal(what: string): Error {
    return failure("FORMAT", `${what} at byte ${this.#offset}`);
  }

  #view(length: number): Uint8Array {
    const end = this.#offset + length;
    if (this.#bytes.length < end) throw this.refusal(`ends inside a field of ${length} bytes`);
    const view = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return view;
  }
}

/** Gathers fields, big-endian. */
export class WireWriter {
  readonly #parts: Uint8Array[] = [];

  /** An unsigned integer in so many bytes. */
  uint(value: number, size: number): void {
    const field = new Uint8Array(size);
    for (let i = size - 1, rest = value; 0 <= i; i--, rest = Math.floor(rest / 256))
      field[i] = rest;
    this.#parts.push(field);
  }

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  /** Everything so far; fresh bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    return concatBytes(this.#parts);
  }
}
