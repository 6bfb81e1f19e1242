import { type SyncTreeIterator, type TreeIterator } from "./types.ts";

/** What an iterator goes over, a few at a time; nothing at the end. */
export interface AsyncPages<T> {
  next(): Promise<readonly T[]>;
  /** Called once, whatever the end. */
  release(): void;
}

/** The same without waiting. */
export interface SyncPages<T> {
  next(): readonly T[];
  release(): void;
}

/**
 * Goes over pages one item at a time. Calls may overlap; they are answered in order. What it holds is released at the end, by
 * `return()` (which `break` and an exception in a `for await` call), and by an error; one that failed goes on failing.
 */
export class AsyncWalkIterator<T> implements TreeIterator<T> {
  readonly #pages: AsyncPages<T>;
  #page: readonly T[] = [];
  #index = 0;
  #isOver = false;
  #failure: { readonly cause: unknown } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(pages: AsyncPages<T>) {
    this.#pages = pages;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#queue(async () => {
      if (this.#failure !== undefined) throw this.#failure.cause;
      if (this.#index >= this.#page.length && !this.#isOver) await this.#turn();
      if (this.#isOver) return { done: true, value: undefined };
      return { done: false, value: this.#page[this.#index++] as T };
    });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    return this.#queue(async () => {
      this.#end();
      return { done: true, value: undefined };
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #turn(): Promise<void> {
    try {
      this.#page = await this.#pages.next();
      this.#index = 0;
      if (this.#page.length === 0) this.#end();
    } catch (cause) {
      this.#failure = { cause };
      this.#end();
      throw cause;
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#page = [];
    this.#pages.release();
  }

  #queue<R>(call: () => Promise<R>): Promise<R> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** As {@link AsyncWalkIterator}, without waiting. */
export class SyncWalkIterator<T> implements SyncTreeIterator<T> {
  readonly #pages: SyncPages<T>;
  #page: readonly T[] = [];
  #index = 0;
  #isOver = false;
  #failure: { readonly cause: unknown } | undefined;

  constructor(pages: SyncPages<T>) {
    this.#pages = pages;
  }

  next(): IteratorResult<T, undefined> {
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (this.#index >= this.#page.length && !this.#isOver) this.#turn();
    if (this.#isOver) return { done: true, value: undefined };
    return { done: false, value: this.#page[this.#index++] as T };
  }

  return(): IteratorResult<T, undefined> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  #turn(): void {
    try {
      this.#page = this.#pages.next();
      this.#index = 0;
      if (this.#page.length === 0) this.#end();
    } catch (cause) {
      this.#failure = { cause };
      this.#end();
      throw cause;
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#page = [];
    this.#pages.release();
  }
}
