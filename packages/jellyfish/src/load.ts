import { type Reading } from "@x/store";
import { copyBytes, sameBytes } from "@x/store/adapter";
import { type TreeContext } from "./context.ts";
import { JellyfishError } from "./errors.ts";
import { type LoadedNode } from "./node-cache.ts";
import { type LeafNode, type Node } from "./node.ts";
import { checkArgument, commonBits, PATH_NIBBLES } from "./path.ts";

/**
 * The node of a hash, from the cache or with one read. Its bytes may be the cache's, those of an internal node the store's:
 * they are read, not changed.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT
 */
export function* loadNode(context: TreeContext, hash: Uint8Array): Reading<LoadedNode> {
  const known = context.cache?.get(hash);
  if (known !== undefined) return known;
  const [bytes] = yield [hash];
  return decodeLoaded(context, hash, bytes, {});
}

/** See {@link loadNodes}. */
export interface LoadNodesOptions {
  /**
   * Which nodes that were read go to the cache. Default: all. A walk over everything would only empty it; an update has no use
   * for the leaves it replaces or moves.
   */
  readonly keeps?: "all" | "internals" | "none";
  /** Gives the memory for what was read. Default: leaves have their own, internal nodes are the store's. */
  readonly slab?: { copy(bytes: Uint8Array): Uint8Array } | undefined;
}

/**
 * The nodes of hashes, in their order: one read for all that are not cached. Errors as {@link loadNode}.
 *
 * @yields the hashes of nodes to read
 */
export function* loadNodes(
  context: TreeContext,
  hashes: readonly Uint8Array[],
  { keeps = "all", slab }: LoadNodesOptions = {},
): Reading<LoadedNode[]> {
  const loaded: (LoadedNode | undefined)[] = hashes.map((hash) => context.cache?.get(hash));
  const missing = hashes.filter((_, index) => loaded[index] === undefined);
  if (missing.length > 0) {
    const values = yield missing;
    for (let index = 0, at = 0; index < hashes.length; index++)
      loaded[index] ??= decodeLoaded(context, hashes[index] as Uint8Array, values[at++], {
        keeps,
        slab,
      });
  }
  return loaded as LoadedNode[];
}

function decodeLoaded(
  { cache, format, scheme }: TreeContext,
  hash: Uint8Array,
  bytes: Uint8Array | undefined,
  { keeps = "all", slab }: LoadNodesOptions,
): LoadedNode {
  if (sameBytes(hash, scheme.placeholder)) throw misplaced("an empty tree lies below the root");
  if (bytes === undefined)
    throw new JellyfishError(
      "JELLYFISH_MISSING_NODE",
      `node ${hexStart(hash)}… is not stored; its root may be unknown or collected`,
    );
  const node = format.decodeView(slab?.copy(bytes) ?? bytes);
  if (node === null)
    throw new JellyfishError("JELLYFISH_NODE_FORMAT", `node ${hexStart(hash)}… is null`);
  const isKept = keeps === "all" || (keeps === "internals" && node.kind === "internal");
  const isShared = node.kind === "leaf" && slab === undefined;
  const loaded = { hash, node: isShared ? ownLeaf(node) : node, inner: undefined };
  if (isKept) cache?.set(loaded);
  return loaded;
}

/** Leaves are handed out, so they do not share the store's memory. */
function ownLeaf({ path, value, key }: LeafNode): LeafNode {
  return {
    kind: "leaf",
    path: copyBytes(path),
    value: copyBytes(value),
    key: key && copyBytes(key),
  };
}

/** Where a node was found. */
export interface NodePlace {
  /** Nibbles from the root. */
  readonly depth: number;
  /** What the parent says; `undefined` for a root. */
  readonly isLeaf: boolean | undefined;
  /** Any path that goes through the place. */
  readonly path: Uint8Array;
}

/**
 * Refuses a node that cannot stand where it was found: a leaf whose path does not begin with the path walked, a node that is not
 * of the kind its parent says, an internal node below the last nibble.
 *
 * @throws JellyfishError JELLYFISH_NODE_MISPLACED
 */
export function checkPlace(node: Node, { depth, isLeaf, path }: NodePlace): void {
  if (isLeaf !== undefined && isLeaf !== (node.kind === "leaf"))
    throw misplaced(`the child at depth ${depth} is of another kind than its parent says`);
  if (node.kind === "internal") {
    if (depth >= PATH_NIBBLES) throw misplaced(`an internal node lies ${depth} nibbles deep`);
  } else if (depth > 0 && commonBits(node.path, path) < 4 * depth)
    throw misplaced(`a leaf at depth ${depth} does not begin with the path walked`);
}

export function misplaced(message: string): JellyfishError {
  return new JellyfishError("JELLYFISH_NODE_MISPLACED", message);
}

/** The first eight digits of a hash, for messages. */
export function hexStart(hash: Uint8Array): string {
  return Array.from(hash.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether a root is that of the empty tree, which no store holds. @throws TypeError, RangeError if it is not 32 bytes */
export function isEmptyRoot({ scheme }: TreeContext, root: Uint8Array): boolean {
  checkArgument(root, "root");
  return sameBytes(root, scheme.placeholder);
}
