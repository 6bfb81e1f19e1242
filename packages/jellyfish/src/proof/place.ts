import { type Reading } from "@x/store";
import { childAt } from "../child.ts";
import { type TreeContext } from "../context.ts";
import { heapOf, INNER_SIZE, slotsBelow } from "../inner-hash.ts";
import { checkPlace, isEmptyRoot, loadNode, misplaced } from "../load.ts";
import { type LoadedNode } from "../node-cache.ts";
import { type InternalNode, type LeafNode } from "../node.ts";
import { bitAt, commonBits, PATH_SIZE } from "../path.ts";
import { isSingle, lowestSlot } from "../slots.ts";

/**
 * A place of the binary tree that proofs speak of, four levels of which are in one internal node. Finding a place costs a read
 * only where it is the first below a node.
 */
export interface Place {
  /** A leaf is at the highest place where it is alone. */
  readonly kind: "empty" | "leaf" | "inner";
  /** 32 bytes; a view, or bytes of the scheme. */
  readonly hash: Uint8Array;
  /** Bits from the root. */
  readonly depth: number;
  /** A path that leads through the place. */
  readonly path: Uint8Array;
  /** Where an inner place is; `undefined` for others, and for one whose node has not been read. */
  readonly at: HeapEntry | undefined;
}

/** An entry of the heap of an internal node: see `heapOf`. */
interface HeapEntry {
  readonly node: InternalNode;
  /** Entries 1…15 at least. */
  readonly hashes: Uint8Array;
  readonly index: number;
}

/**
 * The place of a whole tree.
 *
 * @yields the hash of the root's node
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT
 */
export function* rootPlace(context: TreeContext, root: Uint8Array): Reading<Place> {
  const path = new Uint8Array(PATH_SIZE);
  if (isEmptyRoot(context, root))
    return { kind: "empty", hash: root, depth: 0, path, at: undefined };
  const loaded = yield* loadNode(context, root);
  if (loaded.node.kind === "leaf") {
    return { kind: "leaf", hash: root, depth: 0, path, at: undefined };
  }
  return { kind: "inner", hash: root, depth: 0, path, at: topOf(context, loaded, loaded.node) };
}

/**
 * Both halves of an inner place, the one of bit 0 first.
 *
 * @yields the hash of a node, where the place is a node that has not been read
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 */
export function* halvesOf(
  context: TreeContext,
  place: Place,
): Reading<readonly [left: Place, right: Place]> {
  const { node, hashes, index } = place.at ?? (yield* enter(context, place));
  const half = (bit: number): Place => {
    const path = turned(place.path, place.depth, bit);
    return placeAt(context, node, hashes, 2 * index + bit, place.depth + 1, path);
  };
  return [half(0), half(1)];
}

/**
 * The leaf of a leaf place.
 *
 * @yields its hash
 * @throws as {@link halvesOf}
 */
export function* leafOf(context: TreeContext, place: Place): Reading<LeafNode> {
  const { node } = yield* loadNode(context, place.hash);
  checkPlace(node, { depth: place.depth >>> 2, isLeaf: true, path: place.path });
  const leaf = node as LeafNode;
  // What an internal node says of its slots is not under its hash.
  if (commonBits(leaf.path, place.path) < place.depth) {
    throw misplaced(`a leaf does not begin with the ${place.depth} bits walked`);
  }
  return leaf;
}

function* enter(context: TreeContext, place: Place): Reading<HeapEntry> {
  const loaded = yield* loadNode(context, place.hash);
  const { node } = loaded;
  checkPlace(node, { depth: place.depth >>> 2, isLeaf: false, path: place.path });
  return topOf(context, loaded, node as InternalNode);
}

/** The top of a node's heap. The inner hashes that it takes are kept with the node, where there is a cache. */
function topOf(
  { scheme, cache }: TreeContext,
  { hash, inner }: LoadedNode,
  node: InternalNode,
): HeapEntry {
  if (inner !== undefined) return { node, hashes: inner, index: 1 };
  const hashes = heapOf(node, scheme);
  cache?.set({ hash, node, inner: hashes.subarray(0, INNER_SIZE) });
  return { node, hashes, index: 1 };
}

function placeAt(
  { scheme }: TreeContext,
  node: InternalNode,
  hashes: Uint8Array,
  index: number,
  depth: number,
  path: Uint8Array,
): Place {
  const used = node.existence & slotsBelow(index);
  if (used === 0) return { kind: "empty", hash: scheme.placeholder, depth, path, at: undefined };
  const isLeaf = isSingle(used) && (used & node.leaves) !== 0;
  const isChild = index * PATH_SIZE >= INNER_SIZE;
  const hash =
    isLeaf || isChild
      ? (childAt(node, lowestSlot(used))?.hash as Uint8Array)
      : hashes.subarray(index * PATH_SIZE, (index + 1) * PATH_SIZE);
  if (isLeaf) return { kind: "leaf", hash, depth, path, at: undefined };
  return { kind: "inner", hash, depth, path, at: isChild ? undefined : { node, hashes, index } };
}

/** A path with a certain bit at `depth`: the same bytes if it has it. */
function turned(path: Uint8Array, depth: number, bit: number): Uint8Array {
  if (bitAt(path, depth) === bit) return path;
  const copy = new Uint8Array(path);
  copy[depth >>> 3] = (copy[depth >>> 3] as number) ^ (128 >>> (depth & 7));
  return copy;
}
