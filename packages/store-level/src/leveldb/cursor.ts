import { Damage } from "./damage.ts";

/** Reads LevelDB's little-endian numbers and length-prefixed strings one after the other. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  #offset = 0;

  /** @param base - offset of `bytes` in its file, for messages */
  constructor(bytes: Uint8Array, base: number) {
    this.#bytes = bytes;
    this.#base = base;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Offset in the file. */
  get offset(): number {
    return this.#base + this.#offset;
  }

  /** A view of the next bytes. */
  take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#offset)
      throw new Damage(this.offset, `${size} bytes are announced and not there`);
    const taken = this.#bytes.subarray(this.#offset, this.#offset + size);
    this.#offset += size;
    return taken;
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  uint32(): number {
    const four = this.take(4);
    return new DataView(four.buffer, four.byteOffset, four.length).getUint32(0, true);
  }

  uint64(): number {
    const low = this.uint32();
    return this.#checked(low + this.uint32() * 2 ** 32);
  }

  /** Seven bits per byte, the lowest first; at most 64 bits, of which 53 are taken. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 64; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return this.#checked(value);
    }
    throw new Damage(this.offset, "a number does not end");
  }

  /** Bytes preceded by their count. */
  prefixed(): Uint8Array {
    return this.take(this.varint());
  }

  #checked(value: number): number {
    if (!Number.isSafeInteger(value)) throw new Damage(this.offset, "a number is too large");
    return value;
  }
}
