/** Bytes of a fresh writer. */
const CAPACITY_START = 64;

/** Writes fields one after another; grows as they come. */
export class ByteWriter {
  #bytes = new Uint8Array(CAPACITY_START);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    const offset = this.#reserve(1);
    this.#bytes[offset] = value;
  }

  f32(value: number): void {
    const offset = this.#reserve(4);
    this.#view.setFloat32(offset, value, true);
  }

  f64(value: number): void {
    const offset = this.#reserve(8);
    this.#view.setFloat64(offset, value, true);
  }

  /** Unsigned LEB128; `value` is an integer in 0…2^53 − 1. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  /** Unsigned LEB128; `value` is not negative. */
  varintBig(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.u8(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.u8(Number(rest));
  }

  put(bytes: Uint8Array): void {
    const offset = this.#reserve(bytes.length);
    this.#bytes.set(bytes, offset);
  }

  /** A varint of the length, then the bytes. */
  putSized(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.put(bytes);
  }

  /** Fresh bytes: all that was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Takes a place. Growing gives the writer other memory, so this comes before looking at it. */
  #reserve(size: number): number {
    const offset = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) this.#grow();
    return offset;
  }

  #grow(): void {
    const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
