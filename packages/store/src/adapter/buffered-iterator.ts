import { type Entry, type StoreIterator } from "../store.ts";

/** What a {@link BufferedIterator} walks over. */
export interface EntrySource {
  /** Throws where the walk may not go on. Called before each entry is given. Default: it always may. */
  check?(): void;
  /** The next entries in order, at least one; none: the end. Not called again after that, nor while a call runs. */
  read(): Entry[] | Promise<Entry[]>;
  /**
   * Releases the snapshot: at the end, after an error, when the walk is given up. May be called more than once, and
   * while `read` runs.
   */
  release(): void | Promise<void>;
}

/**
 * An iterator over a source that gives many entries at a time: answers overlapping calls in order, releases the source
 * when it ends, and goes on failing after a failure.
 */
export class BufferedIterator implements StoreIterator {
  readonly #source: EntrySource;
  #entries: readonly Entry[] = [];
  #position = 0;
  /** The last call that could not be answered at once; never rejects. */
  #turn: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;
  #failure: { readonly error: unknown } | undefined;
  #released: Promise<void> | undefined;

  constructor(source: EntrySource) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    // An entry that was read already, and nobody waiting: without a turn, `#advance` does not wait either.
    const isBuffered = this.#position < this.#entries.length;
    return isBuffered && this.#waitingCount === 0
      ? this.#advance()
      : this.#inTurn(() => this.#advance());
  }

  return(): Promise<IteratorResult<Entry, undefined>> {
    return this.#inTurn(async () => {
      await this.#release();
      return { done: true, value: undefined };
    });
  }

  [Symbol.asyncIterator](): StoreIterator {
    return this;
  }

  /** Runs one call after those before it, whether they failed or not. */
  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#waitingCount === 0 ? call() : this.#turn.then(call);
    this.#waitingCount++;
    this.#turn = this.#settled(result);
    return result;
  }

  async #settled(result: Promise<unknown>): Promise<void> {
    try {
      await result;
    } catch {
      // The caller has it; the next call goes on.
    } finally {
      this.#waitingCount--;
    }
  }

  async #advance(): Promise<IteratorResult<Entry, undefined>> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#released !== undefined) return { done: true, value: undefined };
    try {
      this.#source.check?.();
      if (this.#position === this.#entries.length) {
        this.#entries = await this.#source.read();
        this.#position = 0;
      }
    } catch (error) {
      this.#failure = { error };
      await this.#release().catch(ignore);
      throw error;
    }
    const entry = this.#entries[this.#position++];
    if (entry !== undefined) return { done: false, value: entry };
    await this.#release();
    return { done: true, value: undefined };
  }

  #release(): Promise<void> {
    this.#entries = [];
    this.#position = 0;
    this.#released ??= (async () => this.#source.release())();
    return this.#released;
  }
}

function ignore(): void {}
