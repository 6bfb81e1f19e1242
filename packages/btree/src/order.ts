import { type Reading } from "@x/store";

import { BTreeError } from "./errors.ts";
import { firstAtLeast } from "./key-index.ts";
import { checkDepth, type NodeSource } from "./node-source.ts";
import { at, EMPTY_ROOT, entryCountOf, type LeafValue } from "./node.ts";
import { type Bounds } from "./range.ts";

/**
 * How many entries a tree has.
 *
 * @yields the key of the root
 */
export function* sizeOf(source: NodeSource, root: number): Reading<number> {
  assertCounted(source);
  return root === EMPTY_ROOT ? 0 : entryCountOf(yield* source.root(root));
}

/**
 * How many keys are below `key`; or not above it, where it is `isInclusive`.
 *
 * @yields keys of nodes
 */
export function* rankOf(
  source: NodeSource,
  root: number,
  { key, isInclusive }: { readonly key: Uint8Array; readonly isInclusive: boolean },
): Reading<number> {
  assertCounted(source);
  if (root === EMPTY_ROOT) return 0;
  // The smallest key above `key` is `key` and a zero byte.
  const bound = isInclusive ? successor(key) : key;
  let node = yield* source.root(root);
  let rank = 0;
  for (let depth = 0; node.kind === "inner"; depth++) {
    checkDepth(depth, root);
    const index = firstAtLeast(node.index, bound);
    for (let i = 0; i < index; i++) rank += at(node.counts, i);
    node = yield* source.child(node, index);
  }
  return rank + firstAtLeast(node.index, bound);
}

/**
 * How many keys are in a range.
 *
 * @yields keys of nodes
 */
export function* countIn(source: NodeSource, root: number, bounds: Bounds): Reading<number> {
  const { lower, upper } = bounds;
  const below =
    lower === undefined
      ? 0
      : yield* rankOf(source, root, { key: lower.key, isInclusive: !lower.isInclusive });
  const to = upper === undefined ? yield* sizeOf(source, root) : yield* rankOf(source, root, upper);
  return Math.max(to - below, 0);
}

/**
 * The entry before which there are `index` others; `undefined` behind the last.
 *
 * @yields keys of nodes
 */
export function* entryAt(
  source: NodeSource,
  root: number,
  index: number,
): Reading<{ readonly key: Uint8Array; readonly value: LeafValue } | undefined> {
  assertCounted(source);
  if (root === EMPTY_ROOT) return undefined;
  let node = yield* source.root(root);
  let rest = index;
  if (rest >= entryCountOf(node)) return undefined;
  for (let depth = 0; node.kind === "inner"; depth++) {
    checkDepth(depth, root);
    let child = 0;
    for (; rest >= at(node.counts, child); child++) rest -= at(node.counts, child);
    node = yield* source.child(node, child);
  }
  return { key: at(node.keys, rest), value: at(node.values, rest) };
}

function assertCounted(source: NodeSource): void {
  if (source.format === 1)
    throw new BTreeError("BTREE_UNCOUNTED", "nodes of format 1 do not count their entries");
}

function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
