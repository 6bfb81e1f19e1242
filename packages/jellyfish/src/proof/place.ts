import { type Reading } from "@x/store";
import { type Child, childAt } from "../child.ts";
import { type TreeContext } from "../context.ts";
import { heapOf, INNER_SIZE, slotsBelow } from "../inner-hash.ts";
import { checkPlace, isEmptyRoot, loadNode, misplaced } from "../load.ts";
import { type LoadedNode } from "../node-cache.ts";
import { type InternalNode, type LeafNode } from "../node.ts";
import { commonBits, PATH_SIZE, turned } from "../path.ts";
import { isSingle, lowestSlot } from "../slots.ts";

/**
 * A place of the binary tree that proofs speak of, four levels of which are in one internal node. Finding a place costs a read
 * only where it is the first below a node, and no hash: see {@link hashOf}.
 */
export interface Place {
  /** A leaf is at the highest place where it is alone. */
  readonly kind: "empty" | "leaf" | "inner";
  /** Bits from the root. */
  readonly depth: number;
  /** A path that leads through the place. */
  readonly path: Uint8Array;
  /** 32 bytes, where they are known without hashing; a view, or bytes of the scheme. */
  readonly hash: Uint8Array | undefined;
  /** Where an inner place is in its node; `undefined` for others, and for one whose node has not been read. */
  readonly at: HeapEntry | undefined;
}

interface HeapEntry {
  readonly heap: NodeHeap;
  /** From 1 to 15: see `heapOf`. */
  readonly index: number;
}

/** An internal node with its inner hashes, which are taken when first asked for and kept with the node in the cache. */
class NodeHeap {
  readonly node: InternalNode;
  readonly #context: TreeContext;
  readonly #hash: Uint8Array;
  #inner: Uint8Array | undefined;

  constructor(context: TreeContext, { hash, inner }: LoadedNode, node: InternalNode) {
    this.node = node;
    this.#context = context;
    this.#hash = hash;
    this.#inner = inner;
  }

  hashAt(index: number): Uint8Array {
    this.#inner ??= this.#take();
    return this.#inner.subarray(index * PATH_SIZE, (index + 1) * PATH_SIZE);
  }

  #take(): Uint8Array {
    const { scheme, cache } = this.#context;
    const inner = heapOf(this.node, scheme).subarray(0, INNER_SIZE);
    cache?.set({ hash: this.#hash, node: this.node, inner });
    return inner;
  }
}

/** The hash of a place: 32 bytes, a view. The first one that is asked of a node takes up to 15 hashes. */
export function hashOf({ hash, at }: Place): Uint8Array {
  return hash ?? (at as HeapEntry).heap.hashAt((at as HeapEntry).index);
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
  const { node } = loaded;
  if (node.kind === "leaf") return { kind: "leaf", hash: root, depth: 0, path, at: undefined };
  const at = { heap: new NodeHeap(context, loaded, node), index: 1 };
  return { kind: "inner", hash: root, depth: 0, path, at };
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
  const { heap, index } = place.at ?? (yield* enter(context, place));
  const half = (bit: number): Place => {
    const path = turned(place.path, place.depth, bit);
    return placeAt(context, heap, 2 * index + bit, place.depth + 1, path);
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
  const { node } = yield* loadNode(context, hashOf(place));
  checkPlace(node, { depth: place.depth >>> 2, isLeaf: true, path: place.path });
  const leaf = node as LeafNode;
  // What an internal node says of its slots is not under its hash.
  if (commonBits(leaf.path, place.path) < place.depth) {
    throw misplaced(`a leaf does not begin with the ${place.depth} bits walked`);
  }
  return leaf;
}

function* enter(context: TreeContext, place: Place): Reading<HeapEntry> {
  const loaded = yield* loadNode(context, hashOf(place));
  const { node } = loaded;
  checkPlace(node, { depth: place.depth >>> 2, isLeaf: false, path: place.path });
  return { heap: new NodeHeap(context, loaded, node as InternalNode), index: 1 };
}

function placeAt(
  { scheme }: TreeContext,
  heap: NodeHeap,
  index: number,
  depth: number,
  path: Uint8Array,
): Place {
  const { node } = heap;
  const used = node.existence & slotsBelow(index);
  if (used === 0) return { kind: "empty", hash: scheme.placeholder, depth, path, at: undefined };
  const isLeaf = isSingle(used) && (used & node.leaves) !== 0;
  if (!isLeaf && index < 16) {
    return { kind: "inner", hash: undefined, depth, path, at: { heap, index } };
  }
  const { hash } = childAt(node, lowestSlot(used)) as Child;
  return { kind: isLeaf ? "leaf" : "inner", hash, depth, path, at: undefined };
}
