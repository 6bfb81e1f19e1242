/**
 * A sequence of pages that can be shared with a snapshot of itself: a shared page is copied before it is written.
 *
 * Taking and restoring a snapshot costs one step per page, whatever the pages hold.
 */
export class Pages<P> {
  readonly #create: () => P;
  readonly #copy: (page: P) => P;
  #pages: (P | undefined)[] = [];
  /** Pages that no snapshot holds, by index. */
  #owned = new Set<number>();

  /**
   * @param create - makes an empty page
   * @param copy - makes an independent copy
   */
  constructor(create: () => P, copy: (page: P) => P) {
    this.#create = create;
    this.#copy = copy;
  }

  /** Pages, absent ones included. */
  get count(): number {
    return this.#pages.length;
  }

  /** The page to read from, or `undefined` where nothing was written. Must not be changed. */
  read(index: number): P | undefined {
    return this.#pages[index];
  }

  /** The page to write to: created or copied first where necessary. */
  write(index: number): P {
    const page = this.#pages[index];
    if (page !== undefined && this.#owned.has(index)) return page;
    const writable = page === undefined ? this.#create() : this.#copy(page);
    while (this.#pages.length < index) this.#pages.push(undefined);
    this.#pages[index] = writable;
    this.#owned.add(index);
    return writable;
  }

  /** Forgets what a page holds. */
  drop(index: number): void {
    if (index < this.#pages.length) this.#pages[index] = undefined;
    this.#owned.delete(index);
  }

  /** Forgets the pages from `count` on. */
  truncate(count: number): void {
    for (let index = count; index < this.#pages.length; index++) this.#owned.delete(index);
    this.#pages.length = Math.min(this.#pages.length, count);
  }

  /** What all pages hold now, for {@link restore}. */
  snapshot(): readonly (P | undefined)[] {
    this.#owned.clear();
    return this.#pages.slice();
  }

  /** Goes back to a snapshot, which may be restored again. */
  restore(snapshot: readonly (P | undefined)[]): void {
    this.#pages = snapshot.slice();
    this.#owned.clear();
  }
}
