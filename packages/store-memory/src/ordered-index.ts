/**
 * The entries of a map in the order of their keys, as a list of chunks.
 *
 * Invariants
 * 1. Nothing is ever changed in place: a snapshot is a reference.
 * 2. Chunks are not empty, hold at most {@link CHUNK_COUNT_MAX} entries, and ascend: within and between.
 */
export type OrderedIndex = readonly Chunk[];

/** Neighbouring entries; key i belongs to value i. */
export interface Chunk {
  readonly keys: readonly string[];
  readonly values: readonly Uint8Array[];
}

/** Entries in a chunk as it is made; a chunk that grew past twice as many is cut. */
const CHUNK_COUNT = 256;
export const CHUNK_COUNT_MAX: number = 2 * CHUNK_COUNT;

/** Sorts all entries: O(n log n). */
export function buildIndex(entries: ReadonlyMap<string, Uint8Array>): OrderedIndex {
  // Without a comparator strings are compared by their characters, and a good deal faster.
  const keys = [...entries.keys()].toSorted();
  const chunks: Chunk[] = [];
  appendChunks(
    chunks,
    keys,
    keys.map((key) => entries.get(key) as Uint8Array),
  );
  return chunks;
}

/**
 * A new index with some keys brought up to date: O(k log k) for the keys, the chunks they touch copied, and one
 * reference per chunk.
 *
 * @param changed - keys that may have been set or removed
 * @param entries - what holds now
 */
export function updateIndex(
  index: OrderedIndex,
  changed: Iterable<string>,
  entries: ReadonlyMap<string, Uint8Array>,
): OrderedIndex {
  const keys = [...changed].toSorted();
  const updated: Chunk[] = [];
  let position = 0;
  for (const [at, chunk] of index.entries()) {
    const next = index[at + 1]?.keys[0];
    const from = position;
    position = next === undefined ? keys.length : firstAtLeast(keys, next, from);
    if (position === from) appendChunk(updated, chunk);
    else mergeChunk(updated, chunk, keys.slice(from, position), entries);
  }
  if (index.length === 0) mergeChunk(updated, { keys: [], values: [] }, keys, entries);
  return updated;
}

/** Place of the first key that is not below `key`, searched from `low` on. */
export function firstAtLeast(keys: readonly string[], key: string, low = 0): number {
  let high = keys.length;
  let from = low;
  while (from < high) {
    const middle = (from + high) >>> 1;
    if (itemAt(keys, middle) < key) from = middle + 1;
    else high = middle;
  }
  return from;
}

function mergeChunk(
  into: Chunk[],
  chunk: Chunk,
  changed: readonly string[],
  entries: ReadonlyMap<string, Uint8Array>,
): void {
  const keys: string[] = [];
  const values: Uint8Array[] = [];
  let old = 0;
  for (const key of changed) {
    for (; old < chunk.keys.length && itemAt(chunk.keys, old) < key; old++) keep();
    if (chunk.keys[old] === key) old++;
    const value = entries.get(key);
    if (value === undefined) continue;
    keys.push(key);
    values.push(value);
  }
  for (; old < chunk.keys.length; old++) keep();
  appendChunks(into, keys, values);

  function keep(): void {
    keys.push(itemAt(chunk.keys, old));
    values.push(itemAt(chunk.values, old));
  }
}

function appendChunks(into: Chunk[], keys: readonly string[], values: readonly Uint8Array[]): void {
  if (keys.length <= CHUNK_COUNT_MAX) {
    if (keys.length > 0) appendChunk(into, { keys, values });
    return;
  }
  for (let from = 0; from < keys.length; from += CHUNK_COUNT) {
    const to = from + CHUNK_COUNT;
    appendChunk(into, { keys: keys.slice(from, to), values: values.slice(from, to) });
  }
}

/** Joins a small chunk with the one before it, so that removals do not leave many of them. */
function appendChunk(into: Chunk[], chunk: Chunk): void {
  const last = into.at(-1);
  if (last === undefined || last.keys.length + chunk.keys.length > CHUNK_COUNT) {
    into.push(chunk);
    return;
  }
  into[into.length - 1] = {
    keys: [...last.keys, ...chunk.keys],
    values: [...last.values, ...chunk.values],
  };
}

/** The caller has checked the index. */
function itemAt<T>(items: readonly T[], index: number): T {
  return items[index] as T;
}
