/** Versions somebody is reading: they stay while pinned, whatever is released. Lives with the handle, not in the store. */
export class Pins {
  readonly #counts = new Map<number, number>();
  readonly #abandoned = new FinalizationRegistry<Pin>((pin) => pin.release());

  /** Pins a version; the pin ends by `release`, or when `owner` is collected as garbage. */
  pin(sequence: number, owner?: object): Pin {
    this.#counts.set(sequence, this.countOf(sequence) + 1);
    const pin = new Pin(() => this.#release(sequence));
    if (owner !== undefined) this.#abandoned.register(owner, pin);
    return pin;
  }

  countOf(sequence: number): number {
    return this.#counts.get(sequence) ?? 0;
  }

  /** Pins that have not ended. */
  get count(): number {
    let count = 0;
    for (const one of this.#counts.values()) count += one;
    return count;
  }

  #release(sequence: number): void {
    const count = this.countOf(sequence) - 1;
    if (count > 0) this.#counts.set(sequence, count);
    else this.#counts.delete(sequence);
  }
}

/** See {@link Pins.pin}. */
export class Pin {
  #release: (() => void) | undefined;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** Whether it has ended. */
  get isReleased(): boolean {
    return this.#release === undefined;
  }

  /** Ends the pin; again does nothing. */
  release(): void {
    this.#release?.();
    this.#release = undefined;
  }
}
