import { type Entry } from "@x/store";
import {
  compareBytes,
  type EntrySource,
  inRange,
  isEmptyRange,
  keyText,
  type ResolvedRange,
  textKey,
} from "@x/store/adapter";

import { readError } from "./database-errors.ts";
import { isFormatKey } from "./format-record.ts";
import { type LevelDatabase } from "./level-database.ts";
import { levelRange, type Unseal } from "./snapshot-walk.ts";

/** Entries per read. */
const READ_COUNT = 100;

/** What a database without snapshots stores for a key; `undefined`: nothing. */
type Stored = Uint8Array | undefined;

/** The walks over a database that has no snapshots, and what they need to know before each write. */
export class UndoWalks {
  readonly #walks = new Set<UndoWalk>();

  add(walk: UndoWalk): void {
    this.#walks.add(walk);
  }

  delete(walk: UndoWalk): void {
    this.#walks.delete(walk);
  }

  /** Before a write: tells every walk what these keys hold, read only where there is a walk. */
  async remember(
    keys: readonly Uint8Array[],
    read: (keys: Uint8Array[]) => Promise<Stored[]>,
  ): Promise<void> {
    if (this.#walks.size === 0) return;
    const values = await read([...keys]);
    for (const walk of this.#walks) walk.remember(keys, values);
  }
}

/**
 * Walks over the state of its beginning in a database that has no snapshots (IndexedDB): reads what is there now, piece
 * by piece, and puts back what was changed since.
 *
 * Invariants
 * 1. Before a write of the store reaches the database, `#undo` has what each of its keys held, unless an earlier write
 *    put it there. So a piece, read before or after the write, becomes what it was when `#undo` is applied.
 * 2. A write that was under way when the walk began is not in `#undo`; the walk waits for its end, and shows it.
 */
export class UndoWalk implements EntrySource {
  readonly #database: LevelDatabase;
  readonly #walks: UndoWalks;
  readonly #unseal: Unseal;
  readonly #undo = new Map<string, Stored>();
  readonly #began: Promise<void>;
  /** What is left of the range. */
  #range: ResolvedRange;
  #isAtEnd: boolean;

  /** @param writing - settles when the write under way has ended; does not reject */
  constructor(
    database: LevelDatabase,
    range: ResolvedRange,
    unseal: Unseal,
    walks: UndoWalks,
    writing: Promise<void>,
  ) {
    this.#database = database;
    this.#range = range;
    this.#unseal = unseal;
    this.#walks = walks;
    this.#began = writing;
    this.#isAtEnd = isEmptyRange(range);
    walks.add(this);
  }

  remember(keys: readonly Uint8Array[], values: readonly Stored[]): void {
    for (const [index, key] of keys.entries()) {
      const text = keyText(key);
      if (!this.#undo.has(text)) this.#undo.set(text, values[index]);
    }
  }

  async read(): Promise<Entry[]> {
    try {
      await this.#began;
      while (!this.#isAtEnd) {
        const entries = await this.#readPiece();
        if (entries.length > 0) return entries;
      }
      return [];
    } catch (error) {
      throw readError(error);
    }
  }

  release(): void {
    this.#isAtEnd = true;
    this.#walks.delete(this);
    this.#undo.clear();
  }

  async #readPiece(): Promise<Entry[]> {
    const { reverse, limit } = this.#range;
    const found = await this.#readNow(READ_COUNT);
    const last = found.length < READ_COUNT ? undefined : found.at(-1)?.[0];
    const piece = last === undefined ? this.#range : upTo(this.#range, last);
    const before = [
      ...found.filter(([key]) => !this.#undo.has(keyText(key))),
      ...this.#undone(piece),
    ]
      .toSorted(([a], [b]) => (reverse ? compareBytes(b, a) : compareBytes(a, b)))
      .slice(0, limit);
    const entries = before.map(([key, stored]): Entry => [
      new Uint8Array(key),
      this.#unseal(key, stored),
    ]);
    if (last === undefined) this.#isAtEnd = true;
    else this.#range = { ...behind(this.#range, last), limit: limit - entries.length };
    this.#isAtEnd ||= this.#range.limit === 0;
    return entries;
  }

  /** Up to `count` entries that are there now, in the order of the walk; fewer: all that are left. */
  async #readNow(count: number): Promise<[Uint8Array, Uint8Array][]> {
    const iterator = this.#database.iterator(levelRange({ ...this.#range, limit: Infinity }));
    const found: [Uint8Array, Uint8Array][] = [];
    try {
      while (found.length < count) {
        const read = await iterator.nextv(count - found.length);
        if (read.length === 0) break;
        found.push(...read.filter(([key]) => !isFormatKey(key)));
      }
    } finally {
      await iterator.close();
    }
    return found;
  }

  /** What keys of the range held that were changed since. */
  #undone(range: ResolvedRange): [Uint8Array, Uint8Array][] {
    const undone: [Uint8Array, Uint8Array][] = [];
    for (const [text, stored] of this.#undo) {
      const key = textKey(text);
      if (stored !== undefined && inRange(key, range)) undone.push([key, stored]);
    }
    return undone;
  }
}

/** The part of a range up to a key of it, in the direction of the walk. */
function upTo(range: ResolvedRange, key: Uint8Array): ResolvedRange {
  const bound = { key: new Uint8Array(key), inclusive: true };
  return range.reverse ? { ...range, lower: bound } : { ...range, upper: bound };
}

/** The rest. */
function behind(range: ResolvedRange, key: Uint8Array): ResolvedRange {
  const bound = { key: new Uint8Array(key), inclusive: false };
  return range.reverse ? { ...range, upper: bound } : { ...range, lower: bound };
}
