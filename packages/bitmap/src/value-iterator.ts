import { checkValue, U32_MAX, type ValuesOptions } from "./u32-set.ts";

/** Values that are decoded at once, first and later: most iterations are either short or long. */
const FIRST_COUNT = 16;
const NEXT_COUNT = 1024;

/**
 * Writes values from `from` on to `out`, ascending or descending, until it is full or there are no
 * more, and returns how many.
 */
export type Decode = (from: number, reverse: boolean, out: Uint32Array) => number;

/**
 * Values in order, decoded a piece at a time. Each piece begins behind the last value handed out,
 * wherever that is by then, so a set may change under its iterations.
 */
export class ValueIterator implements IterableIterator<number> {
  readonly #decode: Decode;
  readonly #reverse: boolean;
  /** Where the next piece begins; outside of 0 to 2^32 − 1 there is none. */
  #from: number;
  #buffer: Uint32Array = new Uint32Array(FIRST_COUNT);
  #count = 0;
  #at = 0;

  constructor(options: ValuesOptions, decode: Decode) {
    this.#reverse = options.reverse ?? false;
    // Null is no value: only what is left out has a default.
    this.#from = options.from === undefined ? (this.#reverse ? U32_MAX : 0) : options.from;
    checkValue(this.#from);
    this.#decode = decode;
  }

  next(): IteratorResult<number, undefined> {
    if (this.#at === this.#count && !this.#fill()) return { done: true, value: undefined };
    const value = this.#buffer[this.#at++] as number;
    return { done: false, value };
  }

  return(): IteratorResult<number, undefined> {
    this.#from = -1;
    this.#at = this.#count;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Decodes the next piece, and returns whether there is one. */
  #fill(): boolean {
    if (this.#count > 0 && this.#buffer.length < NEXT_COUNT) {
      this.#buffer = new Uint32Array(NEXT_COUNT);
    }
    this.#at = 0;
    this.#count = 0;
    if (this.#from < 0 || this.#from > U32_MAX) return false;
    this.#count = this.#decode(this.#from, this.#reverse, this.#buffer);
    if (this.#count === 0) {
      this.#from = -1;
      return false;
    }
    const last = this.#buffer[this.#count - 1] as number;
    this.#from = this.#reverse ? last - 1 : last + 1;
    return true;
  }
}
