import { type Operation, type Reading } from "@x/store";

import { type CountPage, decodeCountPage, encodeCountPage, pageOf } from "./count-page.ts";
import { BTreeError } from "./errors.ts";
import { type NodeKeys } from "./node-keys.ts";

/** See {@link Counts.change}. */
export interface CountChange {
  readonly pages: ReadonlyMap<number, CountPage>;
  readonly operations: readonly Operation[];
}

const NO_COUNTS: CountPage = new Map();
/** Pages kept in memory. */
const PAGE_COUNT_MAX = 4096;

/**
 * How often saved nodes are referred to, by saved nodes and by the owner's records. Pages are read when they are needed;
 * one writer changes them, so what is in memory holds.
 */
export class Counts {
  readonly #keys: NodeKeys;
  readonly #pages = new Map<number, CountPage>();

  constructor(keys: NodeKeys) {
    this.#keys = keys;
  }

  /**
   * Counts of nodes that are stored, in one read.
   *
   * @param pages - gains the pages of these ids
   * @yields keys of pages
   */
  *read(ids: readonly number[], pages: Map<number, CountPage>): Reading<number[]> {
    const missing: number[] = [];
    for (const id of ids) {
      const page = pageOf(id);
      if (pages.has(page)) continue;
      const known = this.#pages.get(page);
      if (known === undefined) missing.push(page);
      pages.set(page, known ?? NO_COUNTS);
    }
    if (missing.length > 0) {
      const values = yield missing.map((page) => this.#keys.countPage(page));
      for (const [i, page] of missing.entries()) {
        const read = decoded(page, values[i]);
        pages.set(page, read);
        this.#keep(page, read);
      }
    }
    return ids.map((id) => pages.get(pageOf(id))?.get(id) ?? 1);
  }

  /**
   * What changes in the store when nodes have these counts. 1 and 0 (deleted) both leave no entry.
   *
   * @param pages - as read, with the pages of all ids
   */
  change(counts: ReadonlyMap<number, number>, pages: ReadonlyMap<number, CountPage>): CountChange {
    const changed = new Map<number, Map<number, number>>();
    for (const [id, count] of counts) {
      const page = pageOf(id);
      const before = pages.get(page) ?? NO_COUNTS;
      if ((before.get(id) ?? 1) === Math.max(count, 1)) continue;
      const after = changed.get(page) ?? new Map(before);
      changed.set(page, after);
      if (count > 1) after.set(id, count);
      else after.delete(id);
    }
    const operations: Operation[] = [];
    for (const [page, after] of changed) {
      const key = this.#keys.countPage(page);
      if (after.size === 0) operations.push({ type: "del", key });
      else operations.push({ type: "put", key, value: encodeCountPage(page, after) });
    }
    return { pages: changed, operations };
  }

  /** The change was written. */
  accept(pages: ReadonlyMap<number, CountPage>): void {
    for (const [page, counts] of pages) this.#keep(page, counts);
  }

  /** Nothing is known any more: somebody else has written. */
  forget(): void {
    this.#pages.clear();
  }

  #keep(page: number, counts: CountPage): void {
    this.#pages.delete(page);
    this.#pages.set(page, counts);
    if (this.#pages.size <= PAGE_COUNT_MAX) return;
    for (const oldest of this.#pages.keys()) {
      this.#pages.delete(oldest);
      return;
    }
  }
}

function decoded(page: number, bytes: Uint8Array | undefined): CountPage {
  if (bytes === undefined) return NO_COUNTS;
  try {
    return decodeCountPage(page, bytes);
  } catch (cause) {
    throw new BTreeError("BTREE_CORRUPT", `page ${page} of the counts is damaged`, { cause });
  }
}
