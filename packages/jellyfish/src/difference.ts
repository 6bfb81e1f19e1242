import { type Range, type Reading } from "@x/store";
import { compareBytes, copyBytes, sameBytes } from "@x/store/adapter";
import { childAt } from "./child.ts";
import { type TreeContext } from "./context.ts";
import { checkPlace, isEmptyRoot, loadNodes } from "./load.ts";
import { type LeafNode, type Node } from "./node.ts";
import { nibbleAt } from "./path.ts";
import {
  type Edges,
  edgesBelow,
  inPathRange,
  orderedSlots,
  type PathRange,
  resolvePathRange,
  slotsInRange,
  WalkedPath,
} from "./path-range.ts";

/** One path at which two trees differ; one side at least has a leaf. */
export interface Difference {
  readonly path: Uint8Array;
  readonly before: LeafNode | undefined;
  readonly after: LeafNode | undefined;
}

/** What one tree has at a place. */
interface Subtree {
  readonly hash: Uint8Array;
  readonly isLeaf: boolean | undefined;
  /** Set once it is read. A leaf that stands higher than the place is passed down with its node. */
  node: Node | undefined;
}

/** A place where the trees differ. */
interface Place {
  readonly slot: number;
  readonly before: Subtree | undefined;
  readonly after: Subtree | undefined;
}

/** Differing places below one place that are still to be walked. */
interface Frame {
  readonly depth: number;
  readonly edges: Edges;
  readonly places: readonly Place[];
  /** Places before this one are read. */
  loadedEnd: number;
  /** The next place to be walked. */
  at: number;
}

/**
 * A walk over the paths at which two trees differ, in order, a page at a time; equal subtrees are skipped by their hash.
 *
 * Costs the size of the difference, whatever the size of the trees. The differing children of a place are one read, for both
 * trees, no more of them than the limit leaves. Held in memory: at most 32 nodes per level. To resume, walk again from
 * `{ gt: path }` of the last difference. After an error the walk has ended.
 */
export class DifferenceWalk {
  readonly #context: TreeContext;
  readonly #range: PathRange;
  readonly #frames: Frame[] = [];
  readonly #walked = new WalkedPath();
  #left: number;

  /**
   * @param roots - of two trees of one scheme, 32 bytes each, copied
   * @param range - bounds are paths of 32 bytes, copied
   * @throws TypeError, RangeError if an argument is malformed
   */
  constructor(
    context: TreeContext,
    roots: { readonly before: Uint8Array; readonly after: Uint8Array },
    range: Range = {},
  ) {
    this.#context = context;
    this.#range = resolvePathRange(range);
    this.#left = this.#range.limit;
    const before = rootSubtree(context, roots.before);
    const after = rootSubtree(context, roots.after);
    if (this.#range.isEmpty || sameBytes(before?.hash, after?.hash)) return;
    const edges = { isLower: true, isUpper: true };
    this.#push(0, edges, [{ slot: 0, before, after }]);
  }

  /**
   * The next differences, at least one; none at the end, and from then on. Their leaves are read, not changed.
   *
   * @yields the hashes of nodes to read
   * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
   */
  *next(): Reading<readonly Difference[]> {
    try {
      return yield* this.#nextPage();
    } catch (error) {
      this.#frames.length = 0;
      throw error;
    }
  }

  *#nextPage(): Reading<readonly Difference[]> {
    const page: Difference[] = [];
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const place = frame.places[frame.at];
      if (place === undefined || this.#left === 0) {
        this.#frames.pop();
        if (page.length > 0) return page;
        continue;
      }
      if (frame.at === frame.loadedEnd) {
        if (page.length > 0) return page;
        yield* this.#load(frame);
      }
      frame.at++;
      this.#visit(frame, place, page);
    }
    return page;
  }

  /**
   * Every differing place holds a difference at least, so a limit bounds the places that are read.
   *
   * @yields the hashes of nodes to read
   */
  *#load(frame: Frame): Reading<void> {
    const places = frame.places.slice(frame.at, frame.at + this.#left);
    const wanted = places
      .flatMap(({ before, after }) => [before, after])
      .filter((subtree) => subtree !== undefined && subtree.node === undefined) as Subtree[];
    const hashes = wanted.map(({ hash }) => hash);
    const loaded = yield* loadNodes(this.#context, hashes, { keeps: "none" });
    for (const [index, { node }] of loaded.entries()) (wanted[index] as Subtree).node = node;
    frame.loadedEnd = frame.at + places.length;
  }

  #visit(frame: Frame, place: Place, page: Difference[]): void {
    const { depth } = frame;
    const { slot, before, after } = place;
    if (depth > 0) this.#walked.set(depth - 1, slot);
    for (const subtree of [before, after])
      if (subtree?.node !== undefined)
        checkPlace(subtree.node, { depth, isLeaf: subtree.isLeaf, path: this.#walked.path });
    const isMeeting = before?.node?.kind === "internal" || after?.node?.kind === "internal";
    if (!isMeeting) {
      this.#compareLeaves(
        before?.node as LeafNode | undefined,
        after?.node as LeafNode | undefined,
        page,
      );
      return;
    }
    const edges = depth === 0 ? frame.edges : edgesBelow(this.#range, depth - 1, frame.edges, slot);
    const places: Place[] = [];
    const slots = orderedSlots(slotsInRange(this.#range, depth, edges), this.#range.reverse);
    for (const at of slots) {
      const left = childSubtree(before, depth, at);
      const right = childSubtree(after, depth, at);
      if (!sameBytes(left?.hash, right?.hash))
        places.push({ slot: at, before: left, after: right });
    }
    this.#push(depth + 1, edges, places);
  }

  #compareLeaves(
    before: LeafNode | undefined,
    after: LeafNode | undefined,
    page: Difference[],
  ): void {
    if (before !== undefined && after !== undefined && sameBytes(before.path, after.path)) {
      this.#add({ path: before.path, before, after }, page);
      return;
    }
    const found: Difference[] = [];
    if (before !== undefined) found.push({ path: before.path, before, after: undefined });
    if (after !== undefined) found.push({ path: after.path, before: undefined, after });
    const sign = this.#range.reverse ? -1 : 1;
    found.sort((a, b) => sign * compareBytes(a.path, b.path));
    for (const one of found) this.#add(one, page);
  }

  #add(difference: Difference, page: Difference[]): void {
    if (this.#left === 0 || !inPathRange(this.#range, difference.path)) return;
    page.push(difference);
    this.#left--;
  }

  #push(depth: number, edges: Edges, places: readonly Place[]): void {
    this.#frames.push({ depth, edges, places, loadedEnd: 0, at: 0 });
  }
}

function rootSubtree(context: TreeContext, root: Uint8Array): Subtree | undefined {
  if (isEmptyRoot(context, root)) return undefined;
  return { hash: copyBytes(root), isLeaf: undefined, node: undefined };
}

/** What a subtree has in a slot; a leaf is the only child of its place. */
function childSubtree(
  subtree: Subtree | undefined,
  depth: number,
  slot: number,
): Subtree | undefined {
  const node = subtree?.node;
  if (node === undefined) return undefined;
  if (node.kind === "leaf") return nibbleAt(node.path, depth) === slot ? subtree : undefined;
  const child = childAt(node, slot);
  return child && { hash: child.hash, isLeaf: child.isLeaf, node: undefined };
}
