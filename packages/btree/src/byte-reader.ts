import { BTreeError } from "./errors.ts";

/** Reads a record from its beginning to its end; anything that is not there, or too much, is damage. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  /** @param bytes - kept, not copied; what `take` returns are views of it */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    this.#need(1);
    return this.#view.getUint8(this.#offset++);
  }

  u32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.#offset, true);
    this.#offset += 4;
    return value;
  }

  /** Eight bytes, little-endian; more than 2^53 − 1 is refused. */
  u64(): number {
    this.#need(8);
    const low = this.#view.getUint32(this.#offset, true);
    const high = this.#view.getUint32(this.#offset + 4, true);
    if (high > 0x1f_ffff) throw this.damage("an integer above 2^53 - 1");
    this.#offset += 8;
    return high * 0x1_0000_0000 + low;
  }

  /** Seven bits a byte, lowest first, the highest bit where another follows; only the shortest form. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) throw this.damage("an integer longer than it need be");
        if (value > Number.MAX_SAFE_INTEGER) throw this.damage("an integer above 2^53 - 1");
        return value;
      }
      factor *= 0x80;
    }
    throw this.damage("an integer above 2^53 - 1");
  }

  /** A view of the next bytes. */
  take(size: number): Uint8Array {
    this.#need(size);
    const taken = this.#bytes.subarray(this.#offset, this.#offset + size);
    this.#offset += size;
    return taken;
  }

  /** Refuses bytes after the last field. */
  end(): void {
    if (this.remaining > 0) throw this.damage(`${this.remaining} bytes after the end`);
  }

  /** An error that says where. */
  damage(found: string): BTreeError {
    return new BTreeError("BTREE_CORRUPT", `record holds ${found} at byte ${this.#offset}`, {
      offset: this.#offset,
    });
  }

  #need(size: number): void {
    if (size > this.remaining) throw this.damage(`${this.remaining} bytes where ${size} belong`);
  }
}
