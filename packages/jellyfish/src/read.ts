import { type Reading } from "@x/store";
import { compareBytes, sameBytes } from "@x/store/adapter";
import { childAt } from "./child.ts";
import { type TreeContext } from "./context.ts";
import { checkPlace, isEmptyRoot, loadNode, loadNodes } from "./load.ts";
import { type LoadedNode } from "./node-cache.ts";
import { type InternalNode, type LeafNode } from "./node.ts";
import { checkArgument, nibbleAt } from "./path.ts";

/**
 * The leaf of a path, found without making a proof: one read per level that is not cached. The leaf and its bytes may belong to
 * the cache: they are read, not changed.
 *
 * @yields the hashes of nodes to read
 * @throws TypeError, RangeError if an argument is malformed
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 */
export function* getLeaf(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<LeafNode | undefined> {
  checkArgument(path, "path");
  if (isEmptyRoot(context, root)) return undefined;
  let hash = root;
  let isLeaf: boolean | undefined;
  for (let depth = 0; ; depth++) {
    const { node } = yield* loadNode(context, hash);
    checkPlace(node, { depth, isLeaf, path });
    if (node.kind === "leaf") return sameBytes(node.path, path) ? node : undefined;
    const child = childAt(node, nibbleAt(path, depth));
    if (child === undefined) return undefined;
    ({ hash, isLeaf } = child);
  }
}

/**
 * Whether a path has a leaf. Cost and errors as {@link getLeaf}.
 *
 * @yields the hashes of nodes to read
 */
export function* hasLeaf(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<boolean> {
  return (yield* getLeaf(context, root, path)) !== undefined;
}

/**
 * The leaves of many paths, in their order: one read per level for all of them. Errors as {@link getLeaf}.
 *
 * @yields the hashes of nodes to read
 * @param paths - in any order, doubles allowed; must not change while the reading runs
 */
export function* getLeaves(
  context: TreeContext,
  root: Uint8Array,
  paths: readonly Uint8Array[],
): Reading<(LeafNode | undefined)[]> {
  for (const path of paths) checkArgument(path, "path");
  const found: (LeafNode | undefined)[] = paths.map(() => undefined);
  if (isEmptyRoot(context, root) || paths.length === 0) return found;
  const sorted = paths.map((path, index) => ({ path, index }));
  sorted.sort((a, b) => compareBytes(a.path, b.path));
  let frames: Frame[] = [{ hash: root, isLeaf: undefined, asked: sorted }];
  for (let depth = 0; frames.length > 0; depth++) {
    const loaded = yield* loadNodes(
      context,
      frames.map(({ hash }) => hash),
    );
    const next: Frame[] = [];
    for (const [i, { isLeaf, asked }] of frames.entries()) {
      const { node } = loaded[i] as LoadedNode;
      checkPlace(node, { depth, isLeaf, path: (asked[0] as Asked).path });
      if (node.kind === "internal") splitAsked(node, asked, depth, next);
      else for (const { path, index } of asked) if (sameBytes(node.path, path)) found[index] = node;
    }
    frames = next;
  }
  return found;
}

/** A path, and where its leaf goes in the result. */
interface Asked {
  readonly path: Uint8Array;
  readonly index: number;
}

/** The paths that go through one place, ascending. */
interface Frame {
  readonly hash: Uint8Array;
  readonly isLeaf: boolean | undefined;
  readonly asked: readonly Asked[];
}

function splitAsked(
  node: InternalNode,
  asked: readonly Asked[],
  depth: number,
  next: Frame[],
): void {
  for (let start = 0, end = 0; start < asked.length; start = end) {
    const slot = nibbleAt((asked[start] as Asked).path, depth);
    end = start + 1;
    while (end < asked.length && nibbleAt((asked[end] as Asked).path, depth) === slot) end++;
    const child = childAt(node, slot);
    if (child !== undefined)
      next.push({ hash: child.hash, isLeaf: child.isLeaf, asked: asked.slice(start, end) });
  }
}
