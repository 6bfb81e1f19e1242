import { type Reading } from "@x/store";
import { copyBytes } from "@x/store/adapter";

import { DiffWalk } from "./diff-walk.ts";
import { find, findInMemory } from "./lookup.ts";
import { type NodeSource } from "./node-source.ts";
import { countIn, rankOf, sizeOf } from "./order.ts";
import { RangeWalk } from "./range-walk.ts";
import { assertKey, checkedKey, checkedKeys, resolveRange } from "./range.ts";
import { type Reader } from "./reader.ts";
import {
  entriesOf,
  entryOf,
  firstOf,
  type Giver,
  isThere,
  keysOf,
  leafValuesOf,
  page,
  valueOf,
  valuesOf,
} from "./readings.ts";
import {
  type Bytes,
  type Difference,
  type DiffRange,
  type Entry,
  type KeyRange,
  type SyncTreeIterator,
  type TreeIterator,
  type TreeRange,
} from "./types.ts";
import { AsyncWalkIterator, SyncWalkIterator } from "./walk-iterator.ts";

/** A pool as readers of its trees see it. Only a pool makes one. */
export interface ReadContext {
  pin(root: number): void;
  unpin(root: number): void;
}

/** What reads of a tree need: nodes, a way to run readings, and pins. */
export interface TreeContext extends ReadContext {
  readonly source: NodeSource;
  readonly reader: Reader;
  /** Walks that nobody can go on with any more give up their pins, if not at once. */
  readonly abandoned: FinalizationRegistry<() => void>;
}

/**
 * Reading one tree. Every call reads the root of the time of the call, pinned for as long as it takes. Calls that end in
 * `Sync` do not wait; they need a store with synchronous reads. Bytes given out are the caller's.
 *
 * Errors of all: BTreeError BTREE_CORRUPT, BTREE_MISSING, BTREE_CLOSED; TypeError and RangeError for malformed arguments,
 * and where a store cannot read synchronously; whatever the store throws.
 */
export abstract class TreeReads {
  protected abstract context(): ReadContext;
  protected abstract currentRoot(): number;

  /** Every context is one of these: nobody else makes them. */
  #context(): TreeContext {
    return this.context() as TreeContext;
  }

  /** The value of a key. O(log n). */
  get(key: Uint8Array): Promise<Bytes | undefined> {
    return this.#run((source, root) => valueOf(source, find(source, root, checkedKey(key))));
  }

  getSync(key: Uint8Array): Bytes | undefined {
    assertKey(key);
    const { source, reader } = this.#context();
    reader.assertOpen();
    // Most keys are found without reading, and so without a reading.
    const found = findInMemory(source, this.currentRoot(), key);
    if (found === undefined) return undefined;
    if (found instanceof Uint8Array) return copyBytes(found);
    return this.#runSync((_, root) => valueOf(source, find(source, root, key)));
  }

  /** The values of many keys, each in its place; one read for each level of the tree. */
  getMany(keys: readonly Uint8Array[]): Promise<(Bytes | undefined)[]> {
    return this.#run((source, root) => valuesOf(source, root, checkedKeys(keys)));
  }

  getManySync(keys: readonly Uint8Array[]): (Bytes | undefined)[] {
    return this.#runSync((source, root) => valuesOf(source, root, checkedKeys(keys)));
  }

  /** Whether there is a value; it is not read where it is outside its leaf. */
  async has(key: Uint8Array): Promise<boolean> {
    return this.#run((source, root) => isThere(find(source, root, checkedKey(key))));
  }

  hasSync(key: Uint8Array): boolean {
    assertKey(key);
    return this.#runSync((source, root) => isThere(find(source, root, key)));
  }

  /** The entry with the least key. */
  first(range: KeyRange = {}): Promise<Entry | undefined> {
    return this.#one({ ...range, reverse: false });
  }

  firstSync(range: KeyRange = {}): Entry | undefined {
    return this.#oneSync({ ...range, reverse: false });
  }

  /** The entry with the greatest key. */
  last(range: KeyRange = {}): Promise<Entry | undefined> {
    return this.#one({ ...range, reverse: true });
  }

  lastSync(range: KeyRange = {}): Entry | undefined {
    return this.#oneSync({ ...range, reverse: true });
  }

  /** The entry with the greatest key that is not above `key`. */
  floor(key: Uint8Array): Promise<Entry | undefined> {
    return this.#one({ lte: key, reverse: true });
  }

  floorSync(key: Uint8Array): Entry | undefined {
    return this.#oneSync({ lte: key, reverse: true });
  }

  /** The entry with the least key that is not below `key`. */
  ceiling(key: Uint8Array): Promise<Entry | undefined> {
    return this.#one({ gte: key, reverse: false });
  }

  ceilingSync(key: Uint8Array): Entry | undefined {
    return this.#oneSync({ gte: key, reverse: false });
  }

  /** The entries of a range, in order, as they were at the call. */
  entries(range?: TreeRange): TreeIterator<Entry> {
    return this.#walk(range, entriesOf);
  }

  entriesSync(range?: TreeRange): SyncTreeIterator<Entry> {
    return this.#walkSync(range, entriesOf);
  }

  /** Their keys; values outside their leaves are not read. */
  keys(range?: TreeRange): TreeIterator<Bytes> {
    return this.#walk(range, keysOf);
  }

  keysSync(range?: TreeRange): SyncTreeIterator<Bytes> {
    return this.#walkSync(range, keysOf);
  }

  /** Their values. */
  values(range?: TreeRange): TreeIterator<Bytes> {
    return this.#walk(range, leafValuesOf);
  }

  valuesSync(range?: TreeRange): SyncTreeIterator<Bytes> {
    return this.#walkSync(range, leafValuesOf);
  }

  /**
   * How many entries there are. One node.
   *
   * @throws BTreeError BTREE_UNCOUNTED in format 1, as do all that count
   */
  size(): Promise<number> {
    return this.#run(sizeOf);
  }

  sizeSync(): number {
    return this.#runSync(sizeOf);
  }

  /** How many keys are below `key`, whether it is there or not. O(log n). */
  rank(key: Uint8Array): Promise<number> {
    const bound = { key: checkedKey(key), isInclusive: false };
    return this.#run((source, root) => rankOf(source, root, bound));
  }

  rankSync(key: Uint8Array): number {
    assertKey(key);
    return this.#runSync((source, root) => rankOf(source, root, { key, isInclusive: false }));
  }

  /** The entry with `index` others before it; `undefined` behind the last. O(log n). */
  at(index: number): Promise<Entry | undefined> {
    checkIndex(index);
    return this.#run((source, root) => entryOf(source, root, index));
  }

  atSync(index: number): Entry | undefined {
    checkIndex(index);
    return this.#runSync((source, root) => entryOf(source, root, index));
  }

  /** How many keys are in a range. O(log n), however many there are. */
  count(range: KeyRange = {}): Promise<number> {
    const bounds = resolveRange(range);
    return this.#run((source, root) => countIn(source, root, bounds));
  }

  countSync(range: KeyRange = {}): number {
    const bounds = resolveRange(range);
    return this.#runSync((source, root) => countIn(source, root, bounds));
  }

  /** What changes on the way from here to another root of the same pool, in the order of keys. Costs what differs. */
  diff(to: number, range?: DiffRange): TreeIterator<Difference> {
    const { context, root, walk } = this.#diffWalk(to, range);
    return pinned(
      context,
      [root, to],
      (release) => new AsyncWalkIterator({ next: () => context.reader.run(walk.read()), release }),
    );
  }

  diffSync(to: number, range?: DiffRange): SyncTreeIterator<Difference> {
    const { context, root, walk } = this.#diffWalk(to, range);
    return pinned(
      context,
      [root, to],
      (release) =>
        new SyncWalkIterator({ next: () => context.reader.runSync(walk.read()), release }),
    );
  }

  #diffWalk(
    to: number,
    range: DiffRange = {},
  ): { context: TreeContext; root: number; walk: DiffWalk } {
    const context = this.#context();
    const root = this.currentRoot();
    const resolved = resolveRange(range);
    if (resolved.isReverse) throw new TypeError("differences are ascending only");
    context.reader.assertOpen();
    return { context, root, walk: new DiffWalk(context.source, root, to, resolved) };
  }

  #walk<T>(range: TreeRange | undefined, give: Giver<T>): TreeIterator<T> {
    const { context, root, walk } = this.#rangeWalk(range);
    return pinned(
      context,
      [root],
      (release) =>
        new AsyncWalkIterator({
          next: () => context.reader.run(page(context.source, walk, give)),
          release,
        }),
    );
  }

  #walkSync<T>(range: TreeRange | undefined, give: Giver<T>): SyncTreeIterator<T> {
    const { context, root, walk } = this.#rangeWalk(range);
    return pinned(
      context,
      [root],
      (release) =>
        new SyncWalkIterator({
          next: () => context.reader.runSync(page(context.source, walk, give)),
          release,
        }),
    );
  }

  #rangeWalk(range: TreeRange | undefined): {
    context: TreeContext;
    root: number;
    walk: RangeWalk;
  } {
    const context = this.#context();
    const root = this.currentRoot();
    const walk = new RangeWalk(context.source, root, resolveRange(range));
    context.reader.assertOpen();
    return { context, root, walk };
  }

  #one(range: TreeRange): Promise<Entry | undefined> {
    const resolved = resolveRange({ ...range, limit: 1 });
    return this.#run((source, root) => firstOf(source, new RangeWalk(source, root, resolved)));
  }

  #oneSync(range: TreeRange): Entry | undefined {
    const resolved = resolveRange({ ...range, limit: 1 });
    return this.#runSync((source, root) => firstOf(source, new RangeWalk(source, root, resolved)));
  }

  async #run<T>(make: (source: NodeSource, root: number) => Reading<T>): Promise<T> {
    const context = this.#context();
    const root = this.currentRoot();
    const reading = make(context.source, root);
    context.pin(root);
    try {
      return await context.reader.run(reading);
    } finally {
      context.unpin(root);
    }
  }

  #runSync<T>(make: (source: NodeSource, root: number) => Reading<T>): T {
    const context = this.#context();
    return context.reader.runSync(make(context.source, this.currentRoot()));
  }
}

function checkIndex(index: number): void {
  if (!Number.isSafeInteger(index) || index < 0)
    throw new RangeError(`index is ${index}, not a count`);
}

/** An iterator that keeps roots pinned until it calls `release`, or until it is collected as garbage. */
function pinned<T extends object>(
  context: TreeContext,
  roots: readonly number[],
  make: (release: () => void) => T,
): T {
  const token = {};
  const release = (): void => {
    for (const root of roots) context.unpin(root);
  };
  for (const root of roots) context.pin(root);
  const iterator = make(() => {
    context.abandoned.unregister(token);
    release();
  });
  context.abandoned.register(iterator, release, token);
  return iterator;
}
