import { type Allocate } from "./medium.ts";

/** Bytes per page. */
export const PAGE_BYTES = 4096;

/** Reads of at least this many bytes go past the cache: they would only push out what is asked for often. */
const BYPASS_BYTES_MIN = 64 * 1024;

/** More files than this would share page keys. */
const SOURCES_MAX = 16;

/** What pages are read from: the part of a file that does not change unless {@link PageCache.invalidate} is told. */
export interface PageSource {
  /** From 0 to 15, different for each source of a cache. */
  readonly id: number;
  /** Where readable bytes end; only ever grows between invalidations. */
  readonly end: number;
  /** Fills `into`, or throws. */
  load(at: number, into: Uint8Array): void;
}

interface Page {
  readonly bytes: Uint8Array;
  /** How many of the bytes are known. The last page of a growing file is only partly full. */
  length: number;
}

/**
 * The least recently used pages of several files, bounded.
 *
 * Invariants
 * 1. A page holds what its source gave in one complete read; a failed or short read leaves nothing behind.
 * 2. At most `pagesMax` pages are kept.
 * 3. Bytes at or beyond the offset of an invalidation are never served again.
 */
export class PageCache {
  readonly #pagesMax: number;
  readonly #allocate: Allocate;
  // Insertion order is order of use: a hit moves its page to the end.
  readonly #pages = new Map<number, Page>();
  #newest = -1;
  #spare: Uint8Array | undefined;
  #hits = 0;
  #misses = 0;

  /** @param pagesMax - pages kept; 0 reads everything from the source */
  constructor(pagesMax: number, allocate: Allocate = (bytes) => new Uint8Array(bytes)) {
    this.#pagesMax = pagesMax;
    this.#allocate = allocate;
  }

  /** Pages found. */
  get hits(): number {
    return this.#hits;
  }

  /** Pages read from a source. */
  get misses(): number {
    return this.#misses;
  }

  /** Pages held now. */
  get size(): number {
    return this.#pages.size;
  }

  /** Fills `into` from `at`; the range lies within `source.end`. */
  read(source: PageSource, at: number, into: Uint8Array): void {
    if (into.length >= BYPASS_BYTES_MIN || this.#pagesMax === 0) {
      source.load(at, into);
      return;
    }
    let done = 0;
    while (done < into.length) {
      const index = Math.floor((at + done) / PAGE_BYTES);
      const from = at + done - index * PAGE_BYTES;
      const to = Math.min(PAGE_BYTES, from + into.length - done);
      const page = this.#page(source, index, to);
      copy(page.bytes, from, to, into, done);
      done += to - from;
    }
  }

  /** Forgets everything of a source from byte `from` on. */
  invalidate(source: PageSource, from = 0): void {
    const first = Math.floor(from / PAGE_BYTES);
    for (const [key, page] of this.#pages) {
      if (key % SOURCES_MAX !== source.id) continue;
      const index = Math.floor(key / SOURCES_MAX);
      if (index < first) continue;
      const kept = index === first ? from % PAGE_BYTES : 0;
      if (kept === 0) this.#pages.delete(key);
      else page.length = Math.min(page.length, kept);
    }
    this.#newest = -1;
  }

  #page(source: PageSource, index: number, lengthMin: number): Page {
    const key = index * SOURCES_MAX + source.id;
    const found = this.#pages.get(key);
    if (found !== undefined && found.length >= lengthMin) {
      this.#hits++;
      if (key !== this.#newest) {
        this.#pages.delete(key);
        this.#pages.set(key, found);
        this.#newest = key;
      }
      return found;
    }
    this.#misses++;
    const length = Math.min(PAGE_BYTES, source.end - index * PAGE_BYTES);
    const bytes = found?.bytes ?? this.#takeBuffer();
    this.#pages.delete(key);
    this.#spare = bytes;
    source.load(index * PAGE_BYTES, bytes.subarray(0, length));
    this.#spare = undefined;
    const page = { bytes, length };
    this.#pages.set(key, page);
    this.#newest = key;
    return page;
  }

  /** A buffer no page uses: the spare one, a new one, or that of the page not used for longest. */
  #takeBuffer(): Uint8Array {
    if (this.#spare !== undefined) return this.#spare;
    if (this.#pages.size < this.#pagesMax) return this.#allocate(PAGE_BYTES);
    for (const [key, page] of this.#pages) {
      this.#pages.delete(key);
      return page.bytes;
    }
    return this.#allocate(PAGE_BYTES);
  }
}

/** Below this, copying byte by byte is faster than making a view to copy from. */
const LOOP_BYTES_MAX = 128;

function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  if (to - from > LOOP_BYTES_MAX) {
    target.set(source.subarray(from, to), at);
    return;
  }
  for (let i = from; i < to; i++) target[at + i - from] = source[i] ?? 0;
}
