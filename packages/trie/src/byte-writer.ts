const SIZE_START = 64;

/** Gathers fields in one growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SIZE_START);
  #size = 0;

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#size++] = value;
  }

  /** Two bytes, the low one first. */
  u16(value: number): void {
    this.u8(value & 255);
    this.u8(value >>> 8);
  }

  /** Unsigned LEB128. */
  varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.u8((rest % 128) | 128);
    this.u8(rest);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** A varint, then so many bytes. */
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  /** Everything so far; fresh bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#size);
  }

  #reserve(size: number): void {
    const want = this.#size + size;
    if (want <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(want, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
