import { StoreError } from "../errors.ts";
import { type Entry, type StoreIterator } from "../store.ts";
import { BufferedIterator, type EntrySource } from "./buffered-iterator.ts";

/** Iterators a store holds open at once, where its options do not say otherwise. */
export const ITERATOR_COUNT_MAX = 10_000;

/**
 * The iterators a store has open: bounds their number, releases their snapshots when they end, when the store closes,
 * and when nobody holds them any more.
 */
export class OpenIterators {
  readonly #countMax: number;
  readonly #sources = new Set<TrackedSource>();
  // Holds the iterator weakly and its source strongly, so that a forgotten walk gives its snapshot back.
  readonly #forgotten: FinalizationRegistry<TrackedSource> = new FinalizationRegistry((source) => {
    void giveBack(source);
  });

  /**
   * @param countMax - most iterators open at once
   * @throws RangeError if it is not a positive count
   */
  constructor(countMax: number = ITERATOR_COUNT_MAX) {
    if (!(Number.isSafeInteger(countMax) && countMax > 0))
      throw new RangeError(`iteratorCountMax is ${countMax}, not a positive count`);
    this.#countMax = countMax;
  }

  /** Iterators open now. */
  get count(): number {
    return this.#sources.size;
  }

  /**
   * Opens one.
   *
   * @param openSource - takes the snapshot; not called where there are too many
   * @throws StoreError STORE_ITERATOR_LIMIT
   */
  open(openSource: () => EntrySource): StoreIterator {
    if (this.#sources.size >= this.#countMax)
      throw new StoreError("STORE_ITERATOR_LIMIT", `${this.#sources.size} iterators are open`);
    const source = new TrackedSource(openSource(), this.#sources);
    const iterator = new BufferedIterator(source);
    this.#forgotten.register(iterator, source);
    return iterator;
  }

  /** Releases all; each fails with STORE_CLOSED when it is used again. Resolves when all are released. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#sources, (source) => source.close()));
  }
}

class TrackedSource implements EntrySource {
  readonly #source: EntrySource;
  readonly #open: Set<TrackedSource>;
  #isClosed = false;

  constructor(source: EntrySource, open: Set<TrackedSource>) {
    this.#source = source;
    this.#open = open;
    open.add(this);
  }

  check(): void {
    if (this.#isClosed) throw closed();
    this.#source.check?.();
  }

  async read(): Promise<Entry[]> {
    try {
      return await this.#source.read();
    } catch (error) {
      // What a walk meets when its snapshot is taken away under it is not the cause.
      throw this.#isClosed ? closed() : error;
    }
  }

  async release(): Promise<void> {
    if (this.#open.delete(this)) await this.#source.release();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.release();
  }
}

function closed(): StoreError {
  return new StoreError("STORE_CLOSED", "the store of this iterator is closed");
}

/** Nobody is left who could be told that it failed. */
async function giveBack(source: TrackedSource): Promise<void> {
  try {
    await source.release();
  } catch {
    // The store's own close releases it again, and says so.
  }
}
