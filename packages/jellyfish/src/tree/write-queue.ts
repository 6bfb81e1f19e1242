/** Runs writes one after another, in the order of the calls; one that fails does not stop those behind it. */
export class WriteQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(write: () => Promise<T>): Promise<T> {
    const result = this.#last.then(write);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** When everything that was queued so far has ended. Never rejects. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
