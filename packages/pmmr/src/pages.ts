/**
 * Pages by number, that can be shared with a snapshot of themselves: a shared page is copied before it is written.
 *
 * Taking and restoring a snapshot costs one step per page, whatever the pages hold. Numbers may be far apart.
 */
export class Pages<P> {
  readonly #create: () => P;
  readonly #copy: (page: P) => P;
  #pages = new Map<number, P>();
  /** Numbers of pages that no snapshot holds. */
  readonly #owned = new Set<number>();
  /** No page has this number or a larger one. */
  #end = 0;

  /**
   * @param create - makes an empty page
   * @param copy - makes an independent copy
   */
  constructor(create: () => P, copy: (page: P) => P) {
    this.#create = create;
    this.#copy = copy;
  }

  /** No page has this number or a larger one; there may be none directly below either. */
  get end(): number {
    return this.#end;
  }

  /** The page to read from, or `undefined` where nothing was written. Must not be changed. */
  read(number: number): P | undefined {
    return this.#pages.get(number);
  }

  /** The page to write to: created or copied first where necessary. */
  write(number: number): P {
    const page = this.#pages.get(number);
    if (page !== undefined && this.#owned.has(number)) return page;
    const writable = page === undefined ? this.#create() : this.#copy(page);
    this.#pages.set(number, writable);
    this.#owned.add(number);
    this.#end = Math.max(this.#end, number + 1);
    return writable;
  }

  /** Forgets the pages numbered from `begin` up to, and without, `end`. */
  drop(begin: number, end: number): void {
    if (end - begin > this.#pages.size) {
      for (const number of this.#pages.keys()) {
        if (begin <= number && number < end) this.#forget(number);
      }
    } else {
      for (let number = begin; number < end; number++) this.#forget(number);
    }
    this.#end = this.#end <= end ? Math.min(this.#end, begin) : this.#end;
  }

  /** @yields number and page, in no particular order */
  *entries(): Generator<[number: number, page: P], void, undefined> {
    yield* this.#pages;
  }

  /** What all pages hold now, for {@link restore}. */
  snapshot(): ReadonlyMap<number, P> {
    this.#owned.clear();
    return new Map(this.#pages);
  }

  /** Goes back to a snapshot, which may be restored again. */
  restore(snapshot: ReadonlyMap<number, P>): void {
    this.#pages = new Map(snapshot);
    this.#owned.clear();
    this.#end = 0;
    for (const number of snapshot.keys()) this.#end = Math.max(this.#end, number + 1);
  }

  #forget(number: number): void {
    this.#pages.delete(number);
    this.#owned.delete(number);
  }
}
