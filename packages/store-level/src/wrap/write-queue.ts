/** A call that waits for its turn. */
interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What became of one call of a group. */
export type Outcome = { readonly error: unknown } | undefined;

/**
 * Writes one group after the other, in the order of the calls. A call that finds nothing under way is a group of its
 * own, and begins at once; those that come meanwhile are the next group: many small writes cost as many syncs as the
 * medium can do one after the other, not one each.
 */
export class WriteQueue<T> {
  readonly #write: (group: readonly T[]) => Promise<readonly Outcome[]>;
  readonly #weightMax: number;
  readonly #weigh: (item: T) => number;
  readonly #waiting: Waiting<T>[] = [];
  #running: Promise<void> | undefined;

  /**
   * @param write - writes a group and tells what became of each call; what it throws is what became of all
   * @param weigh - what an item counts
   * @param weightMax - most a group may count together; an item that counts more is alone
   */
  constructor(
    write: (group: readonly T[]) => Promise<readonly Outcome[]>,
    weigh: (item: T) => number,
    weightMax: number,
  ) {
    this.#write = write;
    this.#weigh = weigh;
    this.#weightMax = weightMax;
  }

  /** Settles when this item was written, or not. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Settles when nothing waits and nothing is under way; never rejects. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#running = undefined;
  }

  async #writeGroup(group: readonly Waiting<T>[]): Promise<void> {
    let outcomes: readonly Outcome[];
    try {
      outcomes = await this.#write(group.map(({ item }) => item));
    } catch (error) {
      outcomes = group.map(() => ({ error }));
    }
    for (const [index, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) resolve();
      else reject(outcome.error);
    }
  }

  #takeGroup(): readonly Waiting<T>[] {
    let count = 0;
    let weight = 0;
    for (const { item } of this.#waiting) {
      weight += this.#weigh(item);
      if (count > 0 && weight > this.#weightMax) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
