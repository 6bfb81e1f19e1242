/** Bytes per page. Small, because a write after a fork copies the pages it touches. */
const PAGE = 1024;

interface Page {
  readonly owner: object;
  readonly bytes: Uint8Array;
}

/**
 * The bytes of a file, in pages that copies share until one of them is written.
 *
 * Invariant: every byte at or beyond `length` that was not put there by {@link poke} is zero.
 */
export class Content {
  #pages: (Page | undefined)[];
  #length: number;
  // Pages with another owner may be seen by a copy and are replaced, never changed.
  #owner: object = {};

  constructor(pages: (Page | undefined)[] = [], length = 0) {
    this.#pages = pages;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /** A copy that costs one pointer per page. */
  share(): Content {
    this.#owner = {};
    return new Content(this.#pages.slice(), this.#length);
  }

  /** Copies bytes from `at` into `into`; returns how many there were before the end. */
  read(at: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.#length - at));
    for (let done = 0; done < count;) {
      const offset = (at + done) % PAGE;
      const part = Math.min(PAGE - offset, count - done);
      const page = this.#pages[Math.floor((at + done) / PAGE)];
      if (page === undefined) into.fill(0, done, done + part);
      else into.set(page.bytes.subarray(offset, offset + part), done);
      done += part;
    }
    return count;
  }

  /** Writes at an offset; a gap before it reads as zeros. */
  write(at: number, from: Uint8Array): void {
    this.poke(at, from);
    if (from.length > 0) this.#length = Math.max(this.#length, at + from.length);
  }

  /** Writes without moving the end: what lies beyond it appears when the end moves there. */
  poke(at: number, from: Uint8Array): void {
    for (let done = 0; done < from.length;) {
      const offset = (at + done) % PAGE;
      const part = Math.min(PAGE - offset, from.length - done);
      this.#writable(Math.floor((at + done) / PAGE)).set(from.subarray(done, done + part), offset);
      done += part;
    }
  }

  /** Moves the end, without touching bytes. */
  setEnd(length: number): void {
    this.#length = length;
  }

  /** Makes everything beyond the end zero. */
  clearBeyondEnd(): void {
    const first = Math.ceil(this.#length / PAGE);
    if (this.#pages.length > first) this.#pages.length = first;
    const offset = this.#length % PAGE;
    const last = this.#pages[first - 1];
    if (offset === 0 || last === undefined || isZero(last.bytes, offset)) return;
    this.#writable(first - 1).fill(0, offset);
  }

  /** Cuts, or extends with zeros. */
  resize(length: number): void {
    this.#length = length;
    this.clearBeyondEnd();
  }

  /** All bytes, fresh. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    this.read(0, bytes);
    return bytes;
  }

  #writable(index: number): Uint8Array {
    const page = this.#pages[index];
    if (page?.owner === this.#owner) return page.bytes;
    const bytes = page === undefined ? new Uint8Array(PAGE) : page.bytes.slice();
    while (this.#pages.length < index) this.#pages.push(undefined);
    this.#pages[index] = { owner: this.#owner, bytes };
    return bytes;
  }
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
