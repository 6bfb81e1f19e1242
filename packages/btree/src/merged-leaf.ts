import { compareBytes, sameBytes } from "@x/store/adapter";

import { type ChangeList } from "./change-list.ts";
import { firstAtLeast, keyIndexOf } from "./key-index.ts";
import { at, isLink, type Leaf, leafOf, type LeafValue, type ValueLink } from "./node.ts";

/** A large value that may be the one that is there: their sizes are the same. */
export interface Doubtful {
  readonly key: Uint8Array;
  readonly old: ValueLink;
  readonly value: Uint8Array;
}

/** A leaf with changes, but for those that are doubtful. */
export interface MergedLeaf {
  readonly leaf: Leaf;
  readonly doubtful: readonly Doubtful[];
}

/** Changes of one leaf up to which they are made one by one. */
const FEW = 4;

/**
 * A leaf with the changes that belong to it: from, and up to but not including. The same leaf where nothing changes.
 *
 * Where the changes are few, what is known of the leaf is brought up to date, and the keys and values that stay are not looked
 * at: they lie all over the memory, and looking at each of them takes several times as long as copying the lists of them.
 */
export function mergedLeaf(leaf: Leaf, changes: ChangeList, from: number, to: number): MergedLeaf {
  const doubtful: Doubtful[] = [];
  if (to - from > FEW) return { leaf: withMany(leaf, changes, { from, to }, doubtful), doubtful };
  let merged = leaf;
  for (let i = from; i < to; i++)
    merged = withOne(merged, at(changes.keys, i), changes.values[i], doubtful);
  return { leaf: merged, doubtful };
}

/** A leaf with another value for a key that it has. */
export function withNewValue(leaf: Leaf, key: Uint8Array, value: Uint8Array): Leaf {
  return withValue(leaf, firstAtLeast(leaf.index, key), value);
}

/** `undefined`: the key goes. */
function withOne(
  leaf: Leaf,
  key: Uint8Array,
  value: Uint8Array | undefined,
  doubtful: Doubtful[],
): Leaf {
  const place = firstAtLeast(leaf.index, key);
  const old = valueAt(leaf, place, key);
  if (value === undefined) return old === undefined ? leaf : withoutEntry(leaf, place);
  if (old === undefined) return withEntry(leaf, place, key, value);
  return isNew(key, old, value, doubtful) ? withValue(leaf, place, value) : leaf;
}

function withMany(
  leaf: Leaf,
  changes: ChangeList,
  { from, to }: { readonly from: number; readonly to: number },
  doubtful: Doubtful[],
): Leaf {
  const keys: Uint8Array[] = [];
  const values: LeafValue[] = [];
  let isChanged = false;
  let next = 0;
  const keepUpTo = (end: number): void => {
    for (; next < end; next++) {
      keys.push(at(leaf.keys, next));
      values.push(at(leaf.values, next));
    }
  };
  for (let i = from; i < to; i++) {
    const key = at(changes.keys, i);
    const value = changes.values[i];
    const place = firstAtLeast(leaf.index, key);
    const old = valueAt(leaf, place, key);
    keepUpTo(place);
    if (old !== undefined && value !== undefined && !isNew(key, old, value, doubtful)) continue;
    if (old !== undefined) next++;
    isChanged ||= old !== value;
    if (value === undefined) continue;
    keys.push(key);
    values.push(value);
  }
  keepUpTo(leaf.keys.length);
  return isChanged ? leafOf(keys, values) : leaf;
}

/** Whether a value is another than the one that is there, as far as can be said without reading. */
function isNew(key: Uint8Array, old: LeafValue, value: Uint8Array, doubtful: Doubtful[]): boolean {
  if (!isLink(old)) return !sameBytes(old, value);
  if (old.size !== value.length) return true;
  doubtful.push({ key, old, value });
  return false;
}

function withEntry(leaf: Leaf, place: number, key: Uint8Array, value: Uint8Array): Leaf {
  const keys = leaf.keys.toSpliced(place, 0, key);
  return {
    kind: "leaf",
    keys,
    values: leaf.values.toSpliced(place, 0, value),
    index: keyIndexOf(keys),
    keyByteCount: leaf.keyByteCount + key.length,
    linkCount: leaf.linkCount,
    valueByteCount: leaf.valueByteCount + value.length,
  };
}

function withValue(leaf: Leaf, place: number, value: Uint8Array): Leaf {
  const { keys, index, keyByteCount } = leaf;
  const { linkCount, valueByteCount } = without(leaf, place);
  return {
    kind: "leaf",
    keys,
    values: leaf.values.toSpliced(place, 1, value),
    index,
    keyByteCount,
    linkCount,
    valueByteCount: valueByteCount + value.length,
  };
}

function withoutEntry(leaf: Leaf, place: number): Leaf {
  const { linkCount, valueByteCount } = without(leaf, place);
  const keys = leaf.keys.toSpliced(place, 1);
  return {
    kind: "leaf",
    keys,
    values: leaf.values.toSpliced(place, 1),
    index: keyIndexOf(keys),
    keyByteCount: leaf.keyByteCount - at(leaf.keys, place).length,
    linkCount,
    valueByteCount,
  };
}

/** What a leaf counts, without one of its values. */
function without(leaf: Leaf, place: number): { linkCount: number; valueByteCount: number } {
  const { linkCount, valueByteCount } = leaf;
  const value = at(leaf.values, place);
  return isLink(value)
    ? { linkCount: linkCount - 1, valueByteCount }
    : { linkCount, valueByteCount: valueByteCount - value.length };
}

/** The value of a key that belongs at an index, if it is there. */
function valueAt({ keys, values }: Leaf, index: number, key: Uint8Array): LeafValue | undefined {
  const there = keys[index];
  return there !== undefined && compareBytes(there, key) === 0 ? values[index] : undefined;
}
