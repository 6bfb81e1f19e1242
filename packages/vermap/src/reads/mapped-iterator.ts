/** Another iterator's items, each turned into something else. One that failed goes on failing; what it goes over is released. */
export class MappedIterator<T, U> implements AsyncIterableIterator<U, undefined> {
  readonly #source: AsyncIterator<T, undefined>;
  readonly #turn: (item: T) => U;
  #failure: { readonly cause: unknown } | undefined;

  constructor(source: AsyncIterator<T, undefined>, turn: (item: T) => U) {
    this.#source = source;
    this.#turn = turn;
  }

  async next(): Promise<IteratorResult<U, undefined>> {
    const step = await this.#source.next();
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (step.done === true) return step;
    try {
      return { done: false, value: this.#turn(step.value) };
    } catch (cause) {
      this.#failure = { cause };
      await this.#source.return?.();
      throw cause;
    }
  }

  async return(): Promise<IteratorResult<U, undefined>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** As {@link MappedIterator}, without waiting. */
export class SyncMappedIterator<T, U> implements IterableIterator<U, undefined> {
  readonly #source: Iterator<T, undefined>;
  readonly #turn: (item: T) => U;
  #failure: { readonly cause: unknown } | undefined;

  constructor(source: Iterator<T, undefined>, turn: (item: T) => U) {
    this.#source = source;
    this.#turn = turn;
  }

  next(): IteratorResult<U, undefined> {
    if (this.#failure !== undefined) throw this.#failure.cause;
    const step = this.#source.next();
    if (step.done === true) return step;
    try {
      return { done: false, value: this.#turn(step.value) };
    } catch (cause) {
      this.#failure = { cause };
      this.#source.return?.();
      throw cause;
    }
  }

  return(): IteratorResult<U, undefined> {
    this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
