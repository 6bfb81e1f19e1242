import { Pages } from "./pages.ts";

const PAGE_LEAVES = 1024;
const PAGE_WORDS: number = PAGE_LEAVES / 32;

/** Records and spending of 1024 neighbouring leaves. */
interface LeafPage {
  readonly records: (Uint8Array | undefined)[];
  /** Bit i % 32 of word i / 32 is set when leaf i of the page is unspent. */
  readonly unspent: Uint32Array;
  /** Bits set in `unspent`. */
  unspentCount: number;
}

/**
 * What a backend in memory knows of each leaf, by leaf index: its record, and whether it is unspent.
 *
 * A page that was never written, or that was dropped as a whole, holds no record and no unspent leaf.
 */
export class LeafPages {
  readonly #pages = new Pages<LeafPage>(
    () => ({ records: [], unspent: new Uint32Array(PAGE_WORDS), unspentCount: 0 }),
    (page) => ({
      records: page.records.slice(),
      unspent: page.unspent.slice(),
      unspentCount: page.unspentCount,
    }),
  );

  /** The record as stored, not a copy. */
  record(index: number): Uint8Array | undefined {
    return this.#pages.read(pageOf(index))?.records[index % PAGE_LEAVES];
  }

  isUnspent(index: number): boolean {
    const page = this.#pages.read(pageOf(index));
    return page !== undefined && hasBit(page, index % PAGE_LEAVES);
  }

  /** Unspent leaves below `indexEnd`; one step per page and per 32 leaves of the last one. */
  unspentCount(indexEnd: number): number {
    let count = 0;
    const pageEnd = pageOf(indexEnd);
    for (const [number, whole] of this.#pages.entries()) {
      if (number < pageEnd) count += whole.unspentCount;
    }
    const page = this.#pages.read(pageEnd);
    if (page === undefined) return count;
    for (let slot = 0; slot < indexEnd % PAGE_LEAVES; slot++) if (hasBit(page, slot)) count++;
    return count;
  }

  /**
   * @yields indexes of unspent leaves in `[indexBegin, indexEnd)`, ascending; as of each step
   */
  *unspentIndexes(indexBegin: number, indexEnd: number): Generator<number, void, undefined> {
    for (let index = indexBegin; index < indexEnd;) {
      const page = this.#pages.read(pageOf(index));
      const slot = index % PAGE_LEAVES;
      if (page === undefined || page.unspentCount === 0) {
        if (this.#pages.end <= pageOf(index)) return;
        index += PAGE_LEAVES - slot;
      } else {
        if (hasBit(page, slot)) yield index;
        index++;
      }
    }
  }

  /** Puts an unspent leaf at `index`. */
  set(index: number, record: Uint8Array | undefined): void {
    const page = this.#pages.write(pageOf(index));
    page.records[index % PAGE_LEAVES] = record;
    setBit(page, index % PAGE_LEAVES);
  }

  /** Marks a leaf spent; whether it was unspent. */
  spend(index: number): boolean {
    if (!this.isUnspent(index)) return false;
    clearBit(this.#pages.write(pageOf(index)), index % PAGE_LEAVES);
    return true;
  }

  /** Marks a leaf unspent. */
  restore(index: number): void {
    setBit(this.#pages.write(pageOf(index)), index % PAGE_LEAVES);
  }

  /** Forgets the leaves in `[indexBegin, indexEnd)`. */
  drop(indexBegin: number, indexEnd: number): void {
    const pageBegin = Math.ceil(indexBegin / PAGE_LEAVES);
    const pageEnd = pageOf(indexEnd);
    if (pageBegin < pageEnd) this.#pages.drop(pageBegin, pageEnd);
    const headEnd = Math.min(indexEnd, pageBegin * PAGE_LEAVES);
    this.#clear(indexBegin, headEnd);
    this.#clear(Math.max(headEnd, pageEnd * PAGE_LEAVES), indexEnd);
  }

  /** Forgets the leaves from `indexEnd` on. */
  truncate(indexEnd: number): void {
    const pageEnd = Math.ceil(indexEnd / PAGE_LEAVES);
    this.#pages.drop(pageEnd, Infinity);
    this.#clear(indexEnd, pageEnd * PAGE_LEAVES);
  }

  /** What all leaves are now, for {@link restoreAll}. */
  snapshot(): ReadonlyMap<number, LeafPage> {
    return this.#pages.snapshot();
  }

  /** Goes back to a snapshot, which may be restored again. */
  restoreAll(snapshot: ReadonlyMap<number, LeafPage>): void {
    this.#pages.restore(snapshot);
  }

  /** Forgets leaves of one page. */
  #clear(indexBegin: number, indexEnd: number): void {
    if (indexEnd <= indexBegin || this.#pages.read(pageOf(indexBegin)) === undefined) return;
    const page = this.#pages.write(pageOf(indexBegin));
    for (let index = indexBegin; index < indexEnd; index++) clearSlot(page, index % PAGE_LEAVES);
  }
}

function pageOf(index: number): number {
  return Math.floor(index / PAGE_LEAVES);
}

function hasBit(page: LeafPage, slot: number): boolean {
  return (((page.unspent[slot >> 5] ?? 0) >>> (slot & 31)) & 1) === 1;
}

function setBit(page: LeafPage, slot: number): void {
  if (hasBit(page, slot)) return;
  page.unspent[slot >> 5] = (page.unspent[slot >> 5] ?? 0) | (1 << (slot & 31));
  page.unspentCount++;
}

function clearBit(page: LeafPage, slot: number): void {
  if (!hasBit(page, slot)) return;
  page.unspent[slot >> 5] = (page.unspent[slot >> 5] ?? 0) & ~(1 << (slot & 31));
  page.unspentCount--;
}

function clearSlot(page: LeafPage, slot: number): void {
  clearBit(page, slot);
  if (slot < page.records.length) page.records[slot] = undefined;
}
