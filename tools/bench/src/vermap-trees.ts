import { type Change, NodePool } from "@x/btree";
import { type Store } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { CountingStore, Random } from "@x/testing";

/** A key and a value, as most of the benchmarks put them. */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const KEY_SIZE = 16;
const VALUE_SIZE = 32;

/** Makes a value for each name once: all benchmarks of one process that want it get the same. */
const made = new Map<string, unknown>();

/** The value of a name. Names are not used twice for different things. */
export function once<T>(name: string, make: () => T): T {
  if (!made.has(name)) made.set(name, make());
  return made.get(name) as T;
}

/** The entries that trees of a size are made of, in random order. */
export function treeEntries(count: number): readonly KeyValue[] {
  return once(`entries ${count}`, () => entriesOf(count, 1));
}

/** The same in the order of their keys. */
export function ascendingEntries(count: number): readonly KeyValue[] {
  return once(`ascending ${count}`, () =>
    treeEntries(count).toSorted((a, b) => Buffer.compare(a.key, b.key)),
  );
}

/** Random entries; the same for the same seed. */
export function entriesOf(count: number, seed: number): KeyValue[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => ({
    key: random.bytes(KEY_SIZE),
    value: random.bytes(VALUE_SIZE),
  }));
}

/** What sets an entry. */
export function put({ key, value }: KeyValue): Change {
  return { type: "put", key, value };
}

/** Lists of entries, each of `size`. */
export function inBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let from = 0; from < items.length; from += size)
    batches.push(items.slice(from, from + size));
  return batches;
}

/** Caches that hold everything, so that what is measured is not their size. */
export const ROOMY: { readonly cacheByteCountMax: number; readonly unsavedByteCountMax: number } = {
  cacheByteCountMax: 2 ** 31,
  unsavedByteCountMax: 2 ** 31,
};

/** A tree in a pool, held, with its store. */
export interface Planted {
  readonly pool: NodePool;
  readonly store: Store;
  readonly root: number;
}

/** A pool without anything, whose store is in memory. */
export function emptyPool(): Promise<NodePool> {
  return NodePool.open(new MemoryStore(), ROOMY);
}

/** A tree of so many entries, inserted in random order, written and held; always the same one. */
export function planted(count: number): Promise<Planted> {
  return once(`tree ${count}`, async () => {
    const store = new CountingStore(new MemoryStore());
    const pool = await NodePool.open(store, ROOMY);
    let root = 0;
    for (const batch of inBatches(treeEntries(count), 10_000))
      root = pool.editSync(root, batch.map(put), { consume: true });
    await pool.write({ hold: [root] });
    return { pool, store, root };
  });
}
