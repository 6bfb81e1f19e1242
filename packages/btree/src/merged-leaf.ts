import { compareBytes, sameBytes } from "@x/store/adapter";

import { type ChangeList } from "./change-list.ts";
import { at, firstAtLeast, isLink, type Leaf, type LeafValue } from "./node.ts";

/** A large value that may be the one that is there: their sizes are the same. */
export interface Doubtful {
  readonly index: number;
  readonly old: LeafValue;
  readonly value: Uint8Array;
}

interface Effect {
  /** As far as can be said without reading. */
  readonly isChanged: boolean;
  readonly doubtful: readonly Doubtful[];
}

/** A leaf's entries with changes. */
export interface MergedLeaf extends Effect {
  readonly keys: Uint8Array[];
  readonly values: LeafValue[];
}

const NO_DOUBT: readonly Doubtful[] = [];

/** A leaf with the changes that belong to it: from, and up to but not including. */
export function mergedLeaf(leaf: Leaf, changes: ChangeList, from: number, to: number): MergedLeaf {
  return to - from === 1 ? withOne(leaf, changes, from) : withMany(leaf, changes, from, to);
}

/** A single change needs no merging. */
function withOne(leaf: Leaf, changes: ChangeList, change: number): MergedLeaf {
  const key = at(changes.keys, change);
  const value = changes.values[change];
  const index = firstAtLeast(leaf.keys, key);
  const old = valueAt(leaf, index, key);
  const keys = leaf.keys.slice();
  const values = leaf.values.slice();
  if (value === undefined) {
    keys.splice(index, old === undefined ? 0 : 1);
    values.splice(index, old === undefined ? 0 : 1);
  } else if (old === undefined) {
    keys.splice(index, 0, key);
    values.splice(index, 0, value);
  } else values[index] = value;
  const { isChanged, doubtful } = effectOf(old, value, index);
  return { keys, values, isChanged, doubtful };
}

function withMany(leaf: Leaf, changes: ChangeList, from: number, to: number): MergedLeaf {
  const keys: Uint8Array[] = [];
  const values: LeafValue[] = [];
  const doubtful: Doubtful[] = [];
  let isChanged = false;
  let next = 0;
  for (let i = from; i < to; i++) {
    const key = at(changes.keys, i);
    const value = changes.values[i];
    const index = firstAtLeast(leaf.keys, key);
    for (; next < index; next++) {
      keys.push(at(leaf.keys, next));
      values.push(at(leaf.values, next));
    }
    const old = valueAt(leaf, index, key);
    if (old !== undefined) next++;
    const effect = effectOf(old, value, keys.length);
    isChanged ||= effect.isChanged;
    for (const one of effect.doubtful) doubtful.push(one);
    if (value === undefined) continue;
    keys.push(key);
    values.push(value);
  }
  for (; next < leaf.keys.length; next++) {
    keys.push(at(leaf.keys, next));
    values.push(at(leaf.values, next));
  }
  return { keys, values, isChanged, doubtful };
}

/** What one change does to the value at an index; `undefined`: there is none. */
function effectOf(
  old: LeafValue | undefined,
  value: Uint8Array | undefined,
  index: number,
): Effect {
  if (old === undefined || value === undefined)
    return { isChanged: old !== value, doubtful: NO_DOUBT };
  if (!isLink(old)) return { isChanged: !sameBytes(old, value), doubtful: NO_DOUBT };
  if (old.size !== value.length) return { isChanged: true, doubtful: NO_DOUBT };
  return { isChanged: false, doubtful: [{ index, old, value }] };
}

/** The value of a key that belongs at an index, if it is there. */
function valueAt({ keys, values }: Leaf, index: number, key: Uint8Array): LeafValue | undefined {
  const there = keys[index];
  return there !== undefined && compareBytes(there, key) === 0 ? values[index] : undefined;
}
