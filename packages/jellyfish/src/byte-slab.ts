import { type Bytes } from "@x/store";

const CHUNK_SIZE_MIN = 2048;
const CHUNK_SIZE_MAX = 32_768;

/**
 * Gives out byte arrays, all but the largest as views of common chunks: what is made together and dropped together costs one allocation
 * in many. A chunk lives as long as any view of it.
 */
export class ByteSlab {
  #chunk: Bytes = new Uint8Array(0);
  #at = 0;

  /** Zeroed bytes, whose buffer may hold others' as well. */
  take(size: number): Bytes {
    if (size > CHUNK_SIZE_MAX / 4) return new Uint8Array(size);
    if (this.#at + size > this.#chunk.length) {
      const doubled = Math.min(2 * this.#chunk.length, CHUNK_SIZE_MAX);
      this.#chunk = new Uint8Array(Math.max(CHUNK_SIZE_MIN, doubled, size));
      this.#at = 0;
    }
    const bytes = this.#chunk.subarray(this.#at, this.#at + size);
    // Eight bytes at a time keep what follows aligned.
    this.#at += (size + 7) & ~7;
    return bytes;
  }

  /** A copy. */
  copy(bytes: Uint8Array): Bytes {
    const copied = this.take(bytes.length);
    copied.set(bytes);
    return copied;
  }
}
