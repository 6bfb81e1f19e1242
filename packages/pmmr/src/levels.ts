import { INNER_ROW_SIZE, type MmrHashing, POSITION_SIZE, writePosition } from "./hashing.ts";
import { leafCount, leafPosition } from "./position.ts";
import { HASH_SIZE } from "./wire.ts";

/** Rows hashed in one call, at most: enough for any engine's lanes, little enough to stay in a cache. */
const ROWS_MAX = 1024;
/** Bytes in one call's rows, at most; a single row may be longer. */
const ROWS_BYTES_MAX = 262_144;
/** 32-bit words per hash, for copying. */
const HASH_WORDS: number = HASH_SIZE / 4;

/**
 * Hashes of all nodes that new leaves add, level by level: a whole level goes through the hash function in packs. Gives the
 * same bytes as appending the leaves one by one.
 *
 * @param size - of the range so far; valid
 * @param hashForms - of the new leaves, in order
 * @param readPeak - hash of an existing peak
 * @returns 32 bytes per node, in position order from `size`
 */
export function hashNewNodes(
  hashing: MmrHashing,
  size: number,
  hashForms: readonly Uint8Array[],
  readPeak: (pos0: number) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const leafBegin = leafCount(size);
  const leafEnd = leafBegin + hashForms.length;
  const [first] = hashForms;
  if (first !== undefined && hashForms.length === 1) {
    return hashOneLeaf(hashing, size, leafPosition(leafEnd), first, readPeak);
  }
  const hashes = new Uint8Array((leafPosition(leafEnd) - size) * HASH_SIZE);
  const level: Level = { hashing, size, hashes, words: new Int32Array(hashes.buffer) };
  hashLeafLevel(level, leafBegin, hashForms);
  for (let height = 1, leaves = 2; leaves <= leafEnd; height++, leaves *= 2) {
    const begin = Math.floor(leafBegin / leaves);
    const end = Math.floor(leafEnd / leaves);
    // Where a level gets no new node, no level above it does.
    if (begin === end) break;
    hashInnerLevel(level, height, begin, end, readPeak);
  }
  return hashes;
}

/**
 * The same for a single leaf, without packs. With a hash that costs nothing a push then takes 2.7 µs instead of 4.5; the
 * appends in batches of 1 of `npm run bench -- pmmr` would show its loss.
 */
function hashOneLeaf(
  hashing: MmrHashing,
  size: number,
  sizeAfter: number,
  hashForm: Uint8Array,
  readPeak: (pos0: number) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  const hashes = new Uint8Array((sizeAfter - size) * HASH_SIZE);
  let hash = hashing.hashLeaf(size, hashForm);
  hashes.set(hash, 0);
  for (let pos0 = size + 1, leaves = 2; pos0 < sizeAfter; pos0++, leaves *= 2) {
    hash = hashing.hashInner(pos0, readPeak(pos0 - leaves), hash);
    hashes.set(hash, (pos0 - size) * HASH_SIZE);
  }
  return hashes;
}

interface Level {
  readonly hashing: MmrHashing;
  readonly size: number;
  /** Hashes from position `size` on. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** The same bytes. */
  readonly words: Int32Array<ArrayBuffer>;
}

function hashLeafLevel(level: Level, leafBegin: number, hashForms: readonly Uint8Array[]): void {
  for (let first = 0; first < hashForms.length; first += ROWS_MAX) {
    const forms = hashForms.slice(first, first + ROWS_MAX);
    const positions = forms.map((_, i) => leafPosition(leafBegin + first + i));
    const words = new Int32Array(hashLeaves(level.hashing, positions, forms).buffer);
    for (const [i, pos0] of positions.entries()) copyHash(words, i, level.words, pos0 - level.size);
  }
}

/**
 * Hashes leaves in packs: as many neighbours at a time as have hash forms of one length.
 *
 * @param positions - of the leaves, as many as `hashForms`
 * @returns 32 bytes per leaf
 */
export function hashLeaves(
  hashing: MmrHashing,
  positions: readonly number[],
  hashForms: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const digests = new Uint8Array(hashForms.length * HASH_SIZE);
  for (let first = 0; first < hashForms.length;) {
    const end = endOfRun(hashForms, first);
    const rowSize = POSITION_SIZE + at(hashForms, first).length;
    const rows = new Uint8Array(rowSize * (end - first));
    for (let i = first; i < end; i++) {
      const row = (i - first) * rowSize;
      writePosition(rows, row, at(positions, i));
      rows.set(at(hashForms, i), row + POSITION_SIZE);
    }
    hashing.hashLeaves(rows, rowSize, end - first, digests.subarray(first * HASH_SIZE));
    first = end;
  }
  return digests;
}

/** An inner node and the hashes of its children. */
export interface InnerNode {
  readonly pos0: number;
  readonly left: Uint8Array;
  readonly right: Uint8Array;
}

/**
 * Hashes inner nodes in packs. None may need the hash of another.
 *
 * @returns 32 bytes per node
 */
export function hashInners(
  hashing: MmrHashing,
  nodes: readonly InnerNode[],
): Uint8Array<ArrayBuffer> {
  const digests = new Uint8Array(nodes.length * HASH_SIZE);
  const rows = new Uint8Array(Math.min(ROWS_MAX, nodes.length) * INNER_ROW_SIZE);
  for (let first = 0; first < nodes.length; first += ROWS_MAX) {
    const pack = nodes.slice(first, first + ROWS_MAX);
    for (const [i, { pos0, left, right }] of pack.entries()) {
      const row = i * INNER_ROW_SIZE;
      writePosition(rows, row, pos0);
      rows.set(left, row + POSITION_SIZE);
      rows.set(right, row + POSITION_SIZE + HASH_SIZE);
    }
    hashing.hashInners(rows, pack.length, digests.subarray(first * HASH_SIZE));
  }
  return digests;
}

/** One of many digests side by side, as a view. */
export function digestAt(digests: Uint8Array<ArrayBuffer>, index: number): Uint8Array<ArrayBuffer> {
  return digests.subarray(index * HASH_SIZE, (index + 1) * HASH_SIZE);
}

/** End of the hash forms from `first` on that have one length and fit into one call. */
function endOfRun(hashForms: readonly Uint8Array[], first: number): number {
  const { length } = at(hashForms, first);
  const countMax = Math.max(1, Math.floor(ROWS_BYTES_MAX / (POSITION_SIZE + length)));
  const endMax = Math.min(hashForms.length, first + Math.min(ROWS_MAX, countMax));
  let end = first + 1;
  while (end < endMax && at(hashForms, end).length === length) end++;
  return end;
}

/** Hashes the nodes number `begin` to `end` of one height, all of which are new. */
function hashInnerLevel(
  level: Level,
  height: number,
  begin: number,
  end: number,
  readPeak: (pos0: number) => Uint8Array,
): void {
  const leaves = 2 ** height;
  const rows = new Uint8Array(Math.min(ROWS_MAX, end - begin) * INNER_ROW_SIZE);
  const rowWords = new Int32Array(rows.buffer);
  const digests = new Uint8Array(Math.min(ROWS_MAX, end - begin) * HASH_SIZE);
  const digestWords = new Int32Array(digests.buffer);
  const positionOf = (index: number): number => leafPosition((index + 1) * leaves - 1) + height;
  for (let first = begin; first < end; first += ROWS_MAX) {
    const count = Math.min(ROWS_MAX, end - first);
    for (let i = 0; i < count; i++) {
      const pos0 = positionOf(first + i);
      const left = pos0 - leaves;
      const row = i * INNER_ROW_SIZE;
      writePosition(rows, row, pos0);
      const word = (row + POSITION_SIZE) / 4;
      if (left < level.size) {
        rows.set(readPeak(left), row + POSITION_SIZE);
      } else {
        copyWords(level.words, (left - level.size) * HASH_WORDS, rowWords, word);
      }
      // The right child comes right before its parent, so it is always new.
      copyWords(level.words, (pos0 - 1 - level.size) * HASH_WORDS, rowWords, word + HASH_WORDS);
    }
    level.hashing.hashInners(rows, count, digests);
    for (let i = 0; i < count; i++) {
      copyHash(digestWords, i, level.words, positionOf(first + i) - level.size);
    }
  }
}

function copyHash(
  source: Int32Array,
  sourceIndex: number,
  target: Int32Array,
  index: number,
): void {
  copyWords(source, sourceIndex * HASH_WORDS, target, index * HASH_WORDS);
}

function copyWords(source: Int32Array, from: number, target: Int32Array, to: number): void {
  for (let i = 0; i < HASH_WORDS; i++) target[to + i] = source[from + i] as number;
}

/** `items[index]`, where the caller knows that the index is below the length. */
function at<T>(items: readonly T[], index: number): T {
  return items[index] as T;
}
