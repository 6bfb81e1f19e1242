/** Where a reading gets its bytes from: memory, or pieces that arrive one after the other. */
import { type ByteReading, type DeserializeOptions, refuse, type Window } from "./reader.ts";

/** Begins a reading over a window. */
export type Begin<T> = (window: Window, options: DeserializeOptions) => ByteReading<T>;

const NO_BYTES = new Uint8Array(0);

/** Runs a reading over bytes that are all there. */
export function readWhole<T>(bytes: Uint8Array, options: DeserializeOptions, begin: Begin<T>): T {
  checkOptions(options);
  checkBytes(bytes);
  const window = { bytes, at: 0 };
  const reading = begin(window, options);
  let at = 0;
  let step = reading.next();
  while (step.done !== true) {
    const end = at + step.value;
    if (end > bytes.length) throw truncated(bytes.length, end);
    window.at = at;
    at = end;
    step = reading.next();
  }
  if (at < bytes.length && options.trailing !== "ignore") throw trailing(bytes.length - at, at);
  return step.value;
}

/** Runs a reading over pieces of the input, of any lengths. */
export function readPieces<T>(
  pieces: Iterable<Uint8Array>,
  options: DeserializeOptions,
  begin: Begin<T>,
): T {
  const assembly = new Assembly(options, begin);
  for (const piece of pieces) {
    if (assembly.push(piece)) break;
  }
  return assembly.finish();
}

/** Runs a reading over pieces of the input that are waited for. */
export async function readPiecesAsync<T>(
  pieces: AsyncIterable<Uint8Array>,
  options: DeserializeOptions,
  begin: Begin<T>,
): Promise<T> {
  const assembly = new Assembly(options, begin);
  for await (const piece of pieces) {
    if (assembly.push(piece)) break;
  }
  return assembly.finish();
}

/**
 * A reading in progress. Bytes that it has not asked for yet are kept in a buffer, which is never more
 * than twice as long as they are; pieces are not kept.
 */
class Assembly<T> {
  readonly #ignoresTrailing: boolean;
  readonly #window: Window = { bytes: NO_BYTES, at: 0 };
  readonly #reading: ByteReading<T>;
  #step: IteratorResult<number, T>;
  #pending: Uint8Array = NO_BYTES;
  #pendingCount = 0;
  /** Bytes that the reading has had. */
  #taken = 0;

  constructor(options: DeserializeOptions, begin: Begin<T>) {
    checkOptions(options);
    this.#ignoresTrailing = options.trailing === "ignore";
    this.#reading = begin(this.#window, options);
    this.#step = this.#reading.next();
  }

  /** Takes the next piece, and returns whether no more are needed. */
  push(piece: Uint8Array): boolean {
    checkBytes(piece);
    let at = 0;
    if (this.#pendingCount > 0) {
      // Bytes left over go first, with as many of the piece as make them enough for one request.
      while (this.#step.done !== true && this.#pendingCount > 0) {
        const missing = this.#step.value - this.#pendingCount;
        const end = Math.min(piece.length, at + missing);
        this.#keep(piece, at, end);
        at = end;
        if (this.#pendingCount < this.#step.value) return false;
        this.#pendingCount = 0;
        this.#give(this.#pending, 0);
      }
    }
    while (this.#step.done !== true && piece.length - at >= this.#step.value) {
      const count = this.#step.value;
      this.#give(piece, at);
      at += count;
    }
    if (this.#step.done !== true) {
      this.#keep(piece, at, piece.length);
      return false;
    }
    if (at === piece.length) return false;
    if (!this.#ignoresTrailing) throw trailing(piece.length - at, this.#taken);
    return true;
  }

  /** What was read, once there are no more pieces. */
  finish(): T {
    if (this.#step.done === true) return this.#step.value;
    throw truncated(this.#taken + this.#pendingCount, this.#taken + this.#step.value);
  }

  #give(bytes: Uint8Array, at: number): void {
    this.#window.bytes = bytes;
    this.#window.at = at;
    this.#taken += this.#step.done === true ? 0 : this.#step.value;
    this.#step = this.#reading.next();
  }

  #keep(piece: Uint8Array, from: number, end: number): void {
    const needed = this.#pendingCount + end - from;
    if (needed > this.#pending.length) {
      const longer = new Uint8Array(Math.max(needed, this.#pendingCount * 2));
      longer.set(this.#pending.subarray(0, this.#pendingCount));
      this.#pending = longer;
    }
    this.#pending.set(piece.subarray(from, end), this.#pendingCount);
    this.#pendingCount = needed;
  }
}

function checkOptions({ bytesMax, trailing: rule }: DeserializeOptions): void {
  if (bytesMax !== undefined && (!Number.isSafeInteger(bytesMax) || bytesMax < 0)) {
    throw new RangeError(`bytesMax is ${bytesMax}, want an integer of 0 or more`);
  }
  if (rule !== undefined && rule !== "refuse" && rule !== "ignore") {
    throw new TypeError(`trailing is neither "refuse" nor "ignore"`);
  }
}

function checkBytes(bytes: unknown): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("bytes are not a Uint8Array");
}

function truncated(length: number, needed: number): Error {
  const message = `input ends after ${length} bytes, ${needed} are needed`;
  return refuse("BITMAP_TRUNCATED", message, length);
}

function trailing(count: number, at: number): Error {
  return refuse("BITMAP_TRAILING_BYTES", `${count} or more bytes follow the bitmap`, at);
}
