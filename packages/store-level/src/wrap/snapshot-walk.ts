import { type Bytes, type Entry } from "@x/store";
import { type EntrySource, isEmptyRange, type ResolvedRange } from "@x/store/adapter";

import { readError } from "./database-errors.ts";
import { isFormatKey } from "./format-record.ts";
import {
  type LevelDatabase,
  type LevelIterator,
  type LevelRange,
  type LevelSnapshot,
  VIEWS,
} from "./level-database.ts";

/** Entries of the first read, for walks that are left early, and of the later ones. */
const FIRST_READ_COUNT = 8;
const READ_COUNT = 256;

/** Turns what the database gives for a key into a value of the caller's own. */
export type Unseal = (key: Uint8Array, stored: Uint8Array) => Bytes;

/** Walks over a snapshot that the database holds. */
export class SnapshotWalk implements EntrySource {
  readonly #snapshot: LevelSnapshot | undefined;
  readonly #iterator: LevelIterator | undefined;
  readonly #unseal: Unseal;
  #remaining: number;
  #readCount = FIRST_READ_COUNT;

  constructor(database: LevelDatabase, range: ResolvedRange, unseal: Unseal) {
    this.#unseal = unseal;
    this.#remaining = range.limit;
    if (isEmptyRange(range)) return;
    // An iterator without it holds one of its own; where both are possible, the one that is asked for by name.
    this.#snapshot = database.supports.explicitSnapshots === true ? database.snapshot() : undefined;
    this.#iterator = database.iterator({
      ...levelRange(range),
      ...(this.#snapshot === undefined ? {} : { snapshot: this.#snapshot }),
    });
  }

  async read(): Promise<Entry[]> {
    const count = this.#readCount;
    this.#readCount = READ_COUNT;
    try {
      while (this.#iterator !== undefined && this.#remaining > 0) {
        const read = await this.#iterator.nextv(count);
        if (read.length === 0) break;
        const entries = toEntries(read, this.#unseal).slice(0, this.#remaining);
        this.#remaining -= entries.length;
        // What was read may have been the store's own record alone.
        if (entries.length > 0) return entries;
      }
      return [];
    } catch (error) {
      throw readError(error);
    }
  }

  async release(): Promise<void> {
    await this.#iterator?.close();
    await this.#snapshot?.close();
  }
}

/** Largest limit a database can be handed; classic-level takes 32 bits. Above it the walk itself counts. */
const LIMIT_MAX = 2 ** 31 - 1;

/** A range as abstract-level takes it. One entry more than the limit, which may be the store's own record. */
export function levelRange({ lower, upper, reverse, limit }: ResolvedRange): LevelRange {
  return {
    ...VIEWS,
    ...(lower === undefined ? {} : { [lower.inclusive ? "gte" : "gt"]: lower.key }),
    ...(upper === undefined ? {} : { [upper.inclusive ? "lte" : "lt"]: upper.key }),
    reverse,
    limit: limit < LIMIT_MAX ? limit + 1 : -1,
  };
}

/** Entries of the caller's own, without the store's record. */
function toEntries(read: readonly [Uint8Array, Uint8Array][], unseal: Unseal): Entry[] {
  const entries: Entry[] = [];
  for (const [key, stored] of read)
    if (!isFormatKey(key)) entries.push([new Uint8Array(key), unseal(key, stored)]);
  return entries;
}
