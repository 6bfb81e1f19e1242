/**
 * Memory for the bodies of containers: a few large typed arrays instead of one per container.
 *
 * A typed array of its own costs an engine some 200 bytes, more than most bodies. Bodies are
 * therefore cut from chunks of up to 128 KiB. Space is measured in units of 16 bits; an address is
 * `chunk index * 65536 + units from the start of the chunk`.
 *
 * Invariants
 * 1. Space is only ever taken from the end of the last chunk, and never given out twice. What is
 *    released is only counted; the owner copies the live bodies into a new arena when too much of
 *    the old one is dead.
 * 2. A chunk that was shared is never written again, by anyone: sharing cannot be taken back.
 * 3. Every address is even, so a body can hold 32-bit words.
 */

/** Units in the largest chunk. Sixteen bits of an address say where in a chunk a body starts. */
const CHUNK_UNITS_MAX = 0x10000;

/** Units in the first chunk of an arena that nobody reserved space in. */
const CHUNK_UNITS_MIN = 16;

/** One piece of memory, seen as 16-bit and as 32-bit numbers. */
export interface Chunk {
  readonly units: Uint16Array;
  readonly words: Uint32Array;
  /** Units given out, counted from the start. */
  used: number;
  /** More than one arena lists this chunk, so its content is frozen. */
  shared: boolean;
}

/** A list of chunks from which bodies are cut. */
export class Arena {
  readonly chunks: Chunk[];
  /** Units in all chunks, used or not. */
  held = 0;
  /** Units in bodies that were allocated and not released. */
  live = 0;
  /** Units in chunks that are not shared. */
  #own = 0;
  #reserved = 0;

  constructor(chunks: Chunk[] = []) {
    this.chunks = chunks;
    for (const chunk of chunks) this.held += chunk.units.length;
  }

  /** The chunk that an address lies in. */
  chunkAt(address: number): Chunk {
    return this.chunks[address >>> 16] as Chunk;
  }

  /** The `count` 32-bit words of a body, in place. */
  words(address: number, count: number): Uint32Array {
    const start = (address & 0xffff) >>> 1;
    return this.chunkAt(address).words.subarray(start, start + count);
  }

  /** Copies `length` units of a body of any arena to a body of this one. */
  copy(target: number, arena: Arena, source: number, length: number): void {
    const from = arena.chunkAt(source).units;
    const to = this.chunkAt(target).units;
    const fromStart = source & 0xffff;
    const toStart = target & 0xffff;
    if (length > 16) {
      to.set(from.subarray(fromStart, fromStart + length), toStart);
    } else {
      for (let i = 0; i < length; i++) to[toStart + i] = from[fromStart + i] as number;
    }
  }

  /** Announces that `units` more units will be needed, so that chunks are opened no larger than that. */
  reserve(units: number): void {
    this.#reserved = units;
  }

  /** Takes `units` units, rounded up to an even count. Their content is arbitrary. */
  allocate(units: number): number {
    const count = roundUp(units);
    let chunk = this.chunks.at(-1);
    if (chunk === undefined || chunk.shared || chunk.units.length - chunk.used < count) {
      chunk = this.#open(count);
    }
    const address = (this.chunks.length - 1) * CHUNK_UNITS_MAX + chunk.used;
    chunk.used += count;
    this.live += count;
    this.#reserved -= count;
    return address;
  }

  /** Gives `units` units back: they are counted as dead, and may not be used any more. */
  release(units: number): void {
    this.live -= roundUp(units);
  }

  /**
   * Changes the size of a body in place, from `unitsBefore` to `unitsAfter`, if it is the last one
   * that was allocated and there is room. Returns whether it did.
   */
  resize(address: number, unitsBefore: number, unitsAfter: number): boolean {
    const chunk = this.chunkAt(address);
    const start = address & 0xffff;
    if (address >>> 16 !== this.chunks.length - 1 || chunk.shared) return false;
    if (start + roundUp(unitsBefore) !== chunk.used) return false;
    if (start + roundUp(unitsAfter) > chunk.units.length) return false;
    chunk.used = start + roundUp(unitsAfter);
    this.live += roundUp(unitsAfter) - roundUp(unitsBefore);
    return true;
  }

  /** Whether so much is dead, or cut so small, that the live bodies had better be copied together. */
  get isWasteful(): boolean {
    const { held, live, chunks } = this;
    return held > live * 1.5 + 1024 || chunks.length > 256 + (live >>> 14);
  }

  /** A second arena over the same chunks, which neither of the two writes from now on. */
  share(): Arena {
    for (const chunk of this.chunks) chunk.shared = true;
    this.#own = 0;
    const twin = new Arena([...this.chunks]);
    twin.live = this.live;
    return twin;
  }

  #open(count: number): Chunk {
    // After sharing chunks are small again: a clone that changes little should not hold much.
    const wanted = this.#reserved > 0 ? this.#reserved : Math.max(CHUNK_UNITS_MIN, this.#own >>> 2);
    const length = Math.max(count, Math.min(CHUNK_UNITS_MAX, roundUp(wanted)));
    const buffer = new ArrayBuffer(length * 2);
    const chunk: Chunk = {
      units: new Uint16Array(buffer),
      words: new Uint32Array(buffer),
      used: 0,
      shared: false,
    };
    this.chunks.push(chunk);
    this.held += length;
    this.#own += length;
    return chunk;
  }
}

/** The next even number. */
function roundUp(units: number): number {
  return units + (units & 1);
}
