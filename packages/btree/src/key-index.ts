import { compareBytes } from "@x/store/adapter";

/**
 * Places in a list of ascending keys.
 *
 * From the second search on, the first bytes of the keys lie side by side in a list of their own: keys lie all over the memory, and
 * looking at five of them costs more than all else in a look-up. Among 100,000 entries that were inserted in random order a
 * look-up took 1.0 µs with it and 1.4 without; `npm run bench -- vermap --only btree/get` would show its loss. A node that is made by one edit and
 * replaced by the next is searched once; there the list would cost more than it saves.
 */
export interface KeyIndex {
  readonly keys: readonly Uint8Array[];
  wasSearched: boolean;
  /** How many bytes all keys begin with in common; where there are heads. */
  skip: number;
  /** Of each key the four bytes behind those, as {@link headOf} gives them. */
  heads: readonly number[] | undefined;
}

/**
 * The index of ascending keys, which are kept and must not change.
 *
 * A plain object: of a class with private methods the engine threw away its compiled code again and again.
 */
export function keyIndexOf(keys: readonly Uint8Array[]): KeyIndex {
  return { keys, wasSearched: false, skip: 0, heads: undefined };
}

/** Index of the first key that is not below `key`; the count of keys if there is none. */
export function firstAtLeast(index: KeyIndex, key: Uint8Array): number {
  const { keys } = index;
  const heads = index.heads ?? prepared(index);
  let low = 0;
  let high = keys.length;
  if (heads === undefined) {
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(keys[middle] as Uint8Array, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  const { skip } = index;
  const side = skip === 0 ? 0 : sideOf(keys, key, skip);
  if (side !== 0) return side < 0 ? 0 : high;
  const head = headOf(key, skip);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = heads[middle] as number;
    if (other < head || (other === head && compareBytes(keys[middle] as Uint8Array, key) < 0))
      low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first key that is above `key`; the count of keys if there is none. */
export function firstAbove(index: KeyIndex, key: Uint8Array): number {
  const first = firstAtLeast(index, key);
  const there = index.keys[first];
  return there !== undefined && compareBytes(there, key) === 0 ? first + 1 : first;
}

/** The heads; at the first search none. */
function prepared(index: KeyIndex): readonly number[] | undefined {
  const { keys, wasSearched } = index;
  const [first] = keys;
  index.wasSearched = true;
  if (!wasSearched || first === undefined) return undefined;
  const skip = sharedCount(first, keys.at(-1) as Uint8Array);
  index.skip = skip;
  index.heads = keys.map((key) => headOf(key, skip));
  return index.heads;
}

/** Places of keys in ascending order; of equal ones in the order they are in. */
export function ascendingPlaces(keys: readonly Uint8Array[]): number[] {
  const heads = keys.map((key) => headOf(key, 0));
  const places = keys.map((_, i) => i);
  return places.toSorted((a, b) => {
    const order = (heads[a] as number) - (heads[b] as number);
    return order === 0 ? compareBytes(keys[a] as Uint8Array, keys[b] as Uint8Array) : order;
  });
}

/** Turns the order of unsigned integers into that of signed ones, which the engine keeps in a list without boxes. */
const SIGN = 0x8000_0000 | 0;

/** Four bytes of a key as an integer, in the order of the bytes; zeros where the key ends before. */
function headOf(key: Uint8Array, offset: number): number {
  let head = 0;
  for (let i = offset; i < offset + 4; i++)
    head = (head << 8) | (i < key.length ? byteAt(key, i) : 0);
  return head ^ SIGN;
}

/** Negative: below all keys, positive: above all, 0: among them, as far as the bytes say that all begin with. */
function sideOf(keys: readonly Uint8Array[], key: Uint8Array, skip: number): number {
  const first = keys[0] as Uint8Array;
  for (let i = 0; i < skip; i++) {
    if (i >= key.length) return -1;
    const difference = byteAt(key, i) - byteAt(first, i);
    if (difference !== 0) return difference;
  }
  return 0;
}

function sharedCount(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  let count = 0;
  while (count < size && a[count] === b[count]) count++;
  return count;
}

/** The caller has checked the index. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
