import { type Range, type Reading } from "@x/store";
import { copyBytes } from "@x/store/adapter";
import { ByteSlab } from "./byte-slab.ts";
import { childAt } from "./child.ts";
import { type TreeContext } from "./context.ts";
import { checkPlace, isEmptyRoot, loadNodes, type LoadNodesOptions } from "./load.ts";
import { type LoadedNode } from "./node-cache.ts";
import { type LeafNode } from "./node.ts";
import {
  type Edges,
  edgesBelow,
  inPathRange,
  type PathRange,
  resolvePathRange,
  slotsInRange,
  WalkedPath,
} from "./path-range.ts";
import { checkArgument } from "./path.ts";
import { highestSlot, lowestSlot } from "./slots.ts";

/** Leaves of the largest pages: a walk to the end pays for little else than its leaves. */
const PAGE_COUNT_MAX = 128;
const NOTHING: readonly LoadedNode[] = [];

/** The children of one internal node that are still to be walked. */
interface Frame {
  /** Depth of the children. */
  readonly depth: number;
  readonly edges: Edges;
  readonly children: readonly FrameChild[];
  /** Children `from` up to `from + loaded.length` are read. */
  from: number;
  loaded: readonly LoadedNode[];
  /** The next child to be walked. */
  at: number;
}

interface FrameChild {
  readonly slot: number;
  readonly hash: Uint8Array;
  readonly isLeaf: boolean | undefined;
}

/**
 * A walk over the leaves of a range, by path, forwards or backwards, a page at a time.
 *
 * The children of a node are one read, no more of them than the limit leaves. Pages grow to some 128 leaves. Held in
 * memory: a page, and at most sixteen nodes per level. Nodes come from the context's cache where it has them, but are not put there. After an error the walk has ended.
 */
export class LeafWalk {
  readonly #context: TreeContext;
  readonly #range: PathRange;
  readonly #frames: Frame[] = [];
  readonly #walked = new WalkedPath();
  readonly #loading: LoadNodesOptions = { keeps: "none", slab: new ByteSlab() };
  #left: number;
  /** A page that has so many leaves ends before more is read. */
  #pageCount = 1;

  /**
   * @param root - 32 bytes, copied
   * @param range - bounds are paths of 32 bytes, copied
   * @throws TypeError, RangeError if an argument is malformed
   */
  constructor(context: TreeContext, root: Uint8Array, range: Range = {}) {
    this.#context = context;
    this.#range = resolvePathRange(range);
    this.#left = this.#range.limit;
    if (isEmptyRoot(context, root) || this.#range.isEmpty) return;
    const hash = copyBytes(root);
    const edges = { isLower: true, isUpper: true };
    this.#push({ depth: 0, edges, children: [{ slot: 0, hash, isLeaf: undefined }] });
  }

  /**
   * The next leaves, at least one; none at the end, and from then on. They may belong to the cache: read, not changed.
   *
   * @yields the hashes of nodes to read
   * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
   */
  *next(): Reading<readonly LeafNode[]> {
    try {
      return yield* this.#nextPage();
    } catch (error) {
      this.#frames.length = 0;
      throw error;
    }
  }

  *#nextPage(): Reading<readonly LeafNode[]> {
    const page: LeafNode[] = [];
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const child = frame.children[frame.at];
      if (child === undefined || this.#left === 0) {
        this.#frames.pop();
        continue;
      }
      if (frame.at === frame.from + frame.loaded.length) {
        // Whoever wants few leaves does not wait for many.
        if (page.length >= this.#pageCount) break;
        const hashes: Uint8Array[] = [];
        const end = Math.min(frame.children.length, frame.at + this.#left);
        for (let i = frame.at; i < end; i++) hashes.push((frame.children[i] as FrameChild).hash);
        frame.loaded = yield* loadNodes(this.#context, hashes, this.#loading);
        frame.from = frame.at;
      }
      this.#visit(frame, child, page);
    }
    this.#pageCount = Math.min(2 * this.#pageCount, PAGE_COUNT_MAX);
    return page;
  }

  #visit(frame: Frame, { slot, isLeaf }: FrameChild, page: LeafNode[]): void {
    const { depth, edges } = frame;
    const { node } = frame.loaded[frame.at - frame.from] as LoadedNode;
    frame.at++;
    if (depth > 0) this.#walked.set(depth - 1, slot);
    checkPlace(node, { depth, isLeaf, path: this.#walked.path });
    if (node.kind === "leaf") {
      if (!inPathRange(this.#range, node.path)) return;
      page.push(node);
      this.#left--;
      return;
    }
    const below = depth === 0 ? edges : edgesBelow(this.#range, depth - 1, edges, slot);
    const mask = node.existence & slotsInRange(this.#range, depth, below);
    const children: FrameChild[] = [];
    for (let rest = mask; rest !== 0;) {
      const next = this.#range.reverse ? highestSlot(rest) : lowestSlot(rest);
      rest &= ~(1 << next);
      children.push(childAt(node, next) as FrameChild);
    }
    this.#push({ depth: depth + 1, edges: below, children });
  }

  #push({ depth, edges, children }: Pick<Frame, "depth" | "edges" | "children">): void {
    this.#frames.push({ depth, edges, children, from: 0, loaded: NOTHING, at: 0 });
  }
}

/** See {@link listLeaves}. */
export interface ListOptions {
  /** 32 bytes: the list goes on after this path, whether or not it has a leaf. Default: from the first leaf. */
  readonly cursor?: Uint8Array | undefined;
  /** Most leaves. Default: all. */
  readonly limit?: number;
  /**
   * Rooch's way: the first leaf at or after the cursor is left out whatever its path, so that a leaf is lost if the cursor's is
   * gone. Default: false.
   */
  readonly dropsFirst?: boolean;
}

/**
 * One page of leaves by path. The last one's path is the cursor of the next page. Errors as {@link LeafWalk}.
 *
 * @yields the hashes of nodes to read
 */
export function* listLeaves(
  context: TreeContext,
  root: Uint8Array,
  { cursor, limit = Infinity, dropsFirst = false }: ListOptions = {},
): Reading<LeafNode[]> {
  if (cursor === undefined) return yield* allOf(new LeafWalk(context, root, { limit }));
  checkArgument(cursor, "cursor");
  if (!dropsFirst) return yield* allOf(new LeafWalk(context, root, { gt: cursor, limit }));
  const [, ...rest] = yield* allOf(new LeafWalk(context, root, { gte: cursor, limit: limit + 1 }));
  return rest;
}

/**
 * Every leaf by path, all in memory. Errors as {@link LeafWalk}.
 *
 * @yields the hashes of nodes to read
 */
export function dumpLeaves(context: TreeContext, root: Uint8Array): Reading<LeafNode[]> {
  return allOf(new LeafWalk(context, root));
}

function* allOf(walk: LeafWalk): Reading<LeafNode[]> {
  const leaves: LeafNode[] = [];
  for (;;) {
    const page = yield* walk.next();
    if (page.length === 0) return leaves;
    for (const leaf of page) leaves.push(leaf);
  }
}
