import { type Reading } from "@x/store";
import { compareBytes } from "@x/store/adapter";

import { firstAtLeast } from "./key-index.ts";
import { type ChildLink, checkDepth, linkOf, type NodeSource } from "./node-source.ts";
import {
  at,
  childIndexOf,
  EMPTY_ROOT,
  type Leaf,
  type LeafValue,
  LEVEL_COUNT_MAX,
  type TreeNode,
} from "./node.ts";

/**
 * The value of a key. A view.
 *
 * @yields keys of nodes
 */
export function* find(
  source: NodeSource,
  root: number,
  key: Uint8Array,
): Reading<LeafValue | undefined> {
  if (root === EMPTY_ROOT) return undefined;
  let node = descended(source, yield* source.root(root), key);
  for (let depth = 0; node.kind === "inner"; depth++) {
    checkDepth(depth, root);
    node = descended(source, yield* source.child(node, childIndexOf(node, key)), key);
  }
  return valueIn(node, key);
}

/** The same, if all it needs is in memory; `missing` if not. */
export function findInMemory(
  source: NodeSource,
  root: number,
  key: Uint8Array,
): LeafValue | "missing" | undefined {
  if (root === EMPTY_ROOT) return undefined;
  const top = source.peek(root);
  if (top === undefined || top.kind === "value") return "missing";
  const node = descended(source, top, key);
  return node.kind === "leaf" ? valueIn(node, key) : "missing";
}

/** As far down as memory goes: a leaf, or the node whose child is missing. */
function descended(source: NodeSource, from: TreeNode, key: Uint8Array): TreeNode {
  let node = from;
  for (let depth = 0; node.kind === "inner" && depth < LEVEL_COUNT_MAX; depth++) {
    const child = source.peekChild(node, childIndexOf(node, key));
    if (child === undefined) return node;
    node = child;
  }
  return node;
}

/**
 * The values of many keys, each in its place: one read for each level of the tree.
 *
 * @yields keys of nodes
 */
export function* findMany(
  source: NodeSource,
  root: number,
  keys: readonly Uint8Array[],
): Reading<(LeafValue | undefined)[]> {
  if (root === EMPTY_ROOT || keys.length === 0) return keys.map(() => undefined);
  const top = yield* source.root(root);
  let nodes: TreeNode[] = keys.map(() => top);
  for (let depth = 0; nodes.some((node) => node.kind === "inner"); depth++) {
    checkDepth(depth, root);
    const links = nodes.map((node, i) => linkTo(node, at(keys, i)));
    const wanted = new Map<number, ChildLink>();
    for (const link of links) if (link !== undefined) wanted.set(link.id, link);
    const children = yield* source.children([...wanted.values()]);
    const byId = new Map([...wanted.keys()].map((id, i) => [id, at(children, i)]));
    nodes = nodes.map((node, i) => byId.get(links[i]?.id ?? EMPTY_ROOT) ?? node);
  }
  return nodes.map((node, i) => valueIn(node as Leaf, at(keys, i)));
}

function linkTo(node: TreeNode, key: Uint8Array): ChildLink | undefined {
  return node.kind === "leaf" ? undefined : linkOf(node, childIndexOf(node, key));
}

function valueIn(leaf: Leaf, key: Uint8Array): LeafValue | undefined {
  const index = firstAtLeast(leaf.index, key);
  const found = leaf.keys[index];
  return found !== undefined && compareBytes(found, key) === 0 ? leaf.values[index] : undefined;
}
