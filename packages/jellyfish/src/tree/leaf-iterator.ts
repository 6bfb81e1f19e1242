import { type Reading } from "@x/store";

import { type LeafNode } from "../node.ts";

/** What an iterator walks: pages of leaves, an empty one at the end. */
export interface LeafPages {
  next(): Reading<readonly LeafNode[]>;
}

/** What an iterator needs of its tree. */
export interface LeafSource {
  /** Pins what is walked for as long as `owner` does not release it, or is forgotten. */
  readonly pin: (owner: object) => { release(): void };
  readonly pages: LeafPages;
}

/**
 * Items of one root, one after the other. The root stays readable until the end, `return()`, or an error; `break` and an
 * exception in a `for await` call `return`. Calls may overlap; they are answered in order. After an error every call fails
 * with it.
 */
export interface TreeIterator<T> extends AsyncIterableIterator<T, undefined> {
  next(): Promise<IteratorResult<T, undefined>>;
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): TreeIterator<T>;
}

/** {@link TreeIterator} over a store that reads synchronously. */
export interface SyncTreeIterator<T> extends IterableIterator<T, undefined> {
  next(): IteratorResult<T, undefined>;
  return(): IteratorResult<T, undefined>;
  [Symbol.iterator](): SyncTreeIterator<T>;
}

/** Walks pages of leaves, and keeps what they are of readable meanwhile. */
export class LeafIterator<T> implements TreeIterator<T> {
  readonly #read: (reading: Reading<readonly LeafNode[]>) => Promise<readonly LeafNode[]>;
  readonly #itemOf: (leaf: LeafNode) => T;
  readonly #cursor: Cursor;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    source: LeafSource,
    read: (reading: Reading<readonly LeafNode[]>) => Promise<readonly LeafNode[]>,
    itemOf: (leaf: LeafNode) => T,
  ) {
    this.#read = read;
    this.#itemOf = itemOf;
    this.#cursor = new Cursor(source.pages, source.pin(this));
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#turn.then(() => this.#step());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.#turn;
    this.#cursor.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): LeafIterator<T> {
    return this;
  }

  async #step(): Promise<IteratorResult<T, undefined>> {
    try {
      if (this.#cursor.needsPage) this.#cursor.take(await this.#read(this.#cursor.nextPage()));
      return this.#cursor.step(this.#itemOf);
    } catch (error) {
      throw this.#cursor.fail(error);
    }
  }
}

/** {@link LeafIterator}, without waiting. */
export class SyncLeafIterator<T> implements SyncTreeIterator<T> {
  readonly #read: (reading: Reading<readonly LeafNode[]>) => readonly LeafNode[];
  readonly #itemOf: (leaf: LeafNode) => T;
  readonly #cursor: Cursor;

  constructor(
    source: LeafSource,
    read: (reading: Reading<readonly LeafNode[]>) => readonly LeafNode[],
    itemOf: (leaf: LeafNode) => T,
  ) {
    this.#read = read;
    this.#itemOf = itemOf;
    this.#cursor = new Cursor(source.pages, source.pin(this));
  }

  next(): IteratorResult<T, undefined> {
    try {
      if (this.#cursor.needsPage) this.#cursor.take(this.#read(this.#cursor.nextPage()));
      return this.#cursor.step(this.#itemOf);
    } catch (error) {
      throw this.#cursor.fail(error);
    }
  }

  return(): IteratorResult<T, undefined> {
    this.#cursor.end();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): SyncLeafIterator<T> {
    return this;
  }
}

/** Where a walk stands: what both iterators do but the waiting. */
class Cursor {
  readonly #pages: LeafPages;
  readonly #pin: { release(): void };
  #page: readonly LeafNode[] = [];
  #at = 0;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(pages: LeafPages, pin: { release(): void }) {
    this.#pages = pages;
    this.#pin = pin;
  }

  get needsPage(): boolean {
    if (this.#failure !== undefined) throw this.#failure.error;
    return !this.#isEnded && this.#at === this.#page.length;
  }

  nextPage(): Reading<readonly LeafNode[]> {
    return this.#pages.next();
  }

  take(page: readonly LeafNode[]): void {
    this.#page = page;
    this.#at = 0;
    if (page.length === 0) this.end();
  }

  step<T>(itemOf: (leaf: LeafNode) => T): IteratorResult<T, undefined> {
    const leaf = this.#isEnded ? undefined : this.#page[this.#at++];
    return leaf === undefined
      ? { done: true, value: undefined }
      : { done: false, value: itemOf(leaf) };
  }

  end(): void {
    this.#isEnded = true;
    this.#page = [];
    this.#pin.release();
  }

  /** The error that every further call gets too. */
  fail(error: unknown): unknown {
    this.#failure ??= { error };
    this.end();
    return error;
  }
}
