import { type LongOptions, throwIfAborted } from "../progress.ts";

/**
 * Passes the group's progress on. It is told synchronously: what a callback promises is not waited for between steps, and a
 * promise that is rejected stops the next step.
 */
export class Steps {
  readonly #options: LongOptions;
  readonly #total: number;
  readonly #promised: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  /** @param total - what `done` grows to */
  constructor(options: LongOptions, total: number) {
    this.#options = options;
    this.#total = total;
  }

  /** @throws PmmrError PMMR_ABORTED; what the callback threw, or a promise of it was rejected with */
  step(done: number): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    const promised = this.#options.onProgress?.({ done, total: this.#total });
    if (promised !== undefined) this.#promised.push(this.#watch(promised));
    throwIfAborted(this.#options.signal, done, this.#total);
  }

  /** Waits for what callbacks promised. It is done; nothing stops it any more. */
  async finish(): Promise<void> {
    await Promise.all(this.#promised);
  }

  async #watch(promised: Promise<void>): Promise<void> {
    try {
      await promised;
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}
