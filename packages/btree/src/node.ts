import { firstAbove, type KeyIndex, keyIndexOf } from "./key-index.ts";

/** Most keys in any node, leaf or inner. */
export const KEY_COUNT_MAX = 32;
/** Fewest keys in any node but the root. */
export const KEY_COUNT_MIN = 16;
/** The empty tree; never stored. */
export const EMPTY_ROOT = 0;
/** Most levels of a tree. 17^63 entries fit below; a deeper one is damaged. */
export const LEVEL_COUNT_MAX = 64;

/** A tree's node, or a value that is kept outside its leaf. Never changed once it is made. */
export type Node = Leaf | Inner | ValueNode;
/** A node that is part of the tree's shape. */
export type TreeNode = Leaf | Inner;

/** Entries in ascending order; key i belongs to value i. */
export interface Leaf {
  readonly kind: "leaf";
  readonly keys: readonly Uint8Array[];
  readonly values: readonly LeafValue[];
  readonly index: KeyIndex;
  /** Bytes of the keys; how many of the values are links; bytes of the others. Nobody then has to look at each of them. */
  readonly keyByteCount: number;
  readonly linkCount: number;
  readonly valueByteCount: number;
}

/**
 * Subtrees in ascending order: every key under child i is below `keys[i]`, every key under child i + 1 is not. A
 * separator is a bound; the tree need not hold it as a key.
 */
export interface Inner {
  readonly kind: "inner";
  /** Steps down to the leaves, 1 or more; 0 in format 1, which does not record it. */
  readonly level: number;
  readonly keys: readonly Uint8Array[];
  readonly index: KeyIndex;
  readonly keyByteCount: number;
  readonly children: readonly number[];
  /** Entries under each child; empty in format 1. */
  readonly counts: readonly number[];
}

/** A value too large for its leaf. */
export interface ValueNode {
  readonly kind: "value";
  readonly bytes: Uint8Array;
}

/** A value in a leaf: its bytes, or where they are. */
export type LeafValue = Uint8Array | ValueLink;

/** Where a large value is. */
export interface ValueLink {
  readonly id: number;
  /** Bytes of the value. */
  readonly size: number;
}

/** Whether a leaf's value is kept outside of it. */
export function isLink(value: LeafValue): value is ValueLink {
  // An own property decides faster than the class does, and this runs for every value of a leaf.
  return (value as ValueLink).id !== undefined;
}

/** A leaf of ascending keys and their values, which are kept. */
export function leafOf(keys: readonly Uint8Array[], values: readonly LeafValue[]): Leaf {
  let linkCount = 0;
  let valueByteCount = 0;
  for (const value of values) {
    if (isLink(value)) linkCount++;
    else valueByteCount += value.length;
  }
  const keyByteCount = byteCountOf(keys);
  return {
    kind: "leaf",
    keys,
    values,
    index: keyIndexOf(keys),
    keyByteCount,
    linkCount,
    valueByteCount,
  };
}

/** An inner node; the lists are kept. */
export function innerOf({
  level,
  keys,
  children,
  counts,
}: Pick<Inner, "level" | "keys" | "children" | "counts">): Inner {
  const keyByteCount = byteCountOf(keys);
  return { kind: "inner", level, keys, index: keyIndexOf(keys), keyByteCount, children, counts };
}

function byteCountOf(keys: readonly Uint8Array[]): number {
  let count = 0;
  for (const key of keys) count += key.length;
  return count;
}

/** Index of the child under which `key` belongs: how many separators are not above it. */
export function childIndexOf({ index }: Inner, key: Uint8Array): number {
  return firstAbove(index, key);
}

/** Entries under a node; of an inner node of format 1, which does not count, 0. */
export function entryCountOf(node: TreeNode): number {
  if (node.kind === "leaf") return node.keys.length;
  let count = 0;
  for (const one of node.counts) count += one;
  return count;
}

/** Calls `visit` with the id of every record that a node refers to; twice if it does so twice. */
export function forEachLink(node: Node, visit: (id: number) => void): void {
  if (node.kind === "inner") for (const id of node.children) visit(id);
  else if (node.kind === "leaf" && node.linkCount > 0) {
    for (const value of node.values) if (isLink(value)) visit(value.id);
  }
}

/** The caller has checked the index. */
export function at<T>(items: readonly T[], index: number): T {
  return items[index] as T;
}
