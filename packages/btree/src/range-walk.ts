import { type Reading } from "@x/store";
import { compareBytes } from "@x/store/adapter";

import { firstAtLeast } from "./key-index.ts";
import { checkDepth, linkOf, type NodeSource } from "./node-source.ts";
import {
  at,
  childIndexOf,
  EMPTY_ROOT,
  type Inner,
  type Leaf,
  type LeafValue,
  type TreeNode,
} from "./node.ts";
import { isAbove, isBelow, type ResolvedRange } from "./range.ts";

/** Most nodes that are read ahead of a walk in one read. */
const READ_AHEAD_MAX = 16;

/** An entry as it is in its leaf. Views. */
export interface LeafEntry {
  readonly key: Uint8Array;
  readonly value: LeafValue;
}

/** An inner node that the walk is in, the child it is at, and the next children where they have been read already. */
interface Frame {
  readonly node: Inner;
  index: number;
  ahead: TreeNode[];
}

/**
 * Walks over the entries of a range, leaf by leaf, from either end. The further it gets, the more leaves it reads at
 * once. It does not pin its root.
 */
export class RangeWalk {
  readonly #source: NodeSource;
  readonly #root: number;
  readonly #range: ResolvedRange;
  readonly #step: 1 | -1;
  readonly #frames: Frame[] = [];
  #remaining: number;
  #readAhead = 1;
  #hasBegun = false;

  constructor(source: NodeSource, root: number, range: ResolvedRange) {
    this.#source = source;
    this.#root = root;
    this.#range = range;
    this.#step = range.isReverse ? -1 : 1;
    this.#remaining = range.limit;
  }

  /**
   * The next entries, one or more; none at the end.
   *
   * @yields keys of nodes
   */
  *read(): Reading<readonly LeafEntry[]> {
    while (this.#remaining > 0) {
      const leaf = this.#hasBegun ? yield* this.#nextLeaf() : yield* this.#firstLeaf();
      this.#hasBegun = true;
      if (leaf === undefined) break;
      const entries = this.#entriesOf(leaf);
      this.#remaining -= entries.length;
      if (entries.length > 0) return entries;
    }
    this.#remaining = 0;
    return [];
  }

  *#firstLeaf(): Reading<Leaf | undefined> {
    if (this.#root === EMPTY_ROOT) return undefined;
    let node = yield* this.#source.root(this.#root);
    while (node.kind === "inner") {
      const index = this.#firstIndex(node);
      this.#enter(node, index);
      node = yield* this.#source.child(node, index);
    }
    return node;
  }

  #firstIndex(node: Inner): number {
    const { lower, upper } = this.#range;
    if (this.#step === 1) return lower === undefined ? 0 : childIndexOf(node, lower.key);
    if (upper === undefined) return node.keys.length;
    return upper.isInclusive ? childIndexOf(node, upper.key) : firstAtLeast(node.index, upper.key);
  }

  *#nextLeaf(): Reading<Leaf | undefined> {
    for (let isLeafParent = true; this.#frames.length > 0; isLeafParent = false) {
      const frame = at(this.#frames, this.#frames.length - 1);
      if (this.#isExhausted(frame)) {
        this.#frames.pop();
        continue;
      }
      frame.index += this.#step;
      let node = frame.ahead.shift() ?? (yield* this.#readOn(frame, isLeafParent));
      while (node.kind === "inner") {
        const index = this.#step === 1 ? 0 : node.keys.length;
        this.#enter(node, index);
        node = yield* this.#source.child(node, index);
      }
      return node;
    }
    return undefined;
  }

  #enter(node: Inner, index: number): void {
    checkDepth(this.#frames.length, this.#root);
    this.#frames.push({ node, index, ahead: [] });
  }

  /** Whether the next child in the walk's direction is not there, or wholly outside the range. */
  #isExhausted({ node, index }: Frame): boolean {
    const bound = this.#step === 1 ? node.keys[index] : node.keys[index - 1];
    if (bound === undefined) return true;
    const { lower } = this.#range;
    if (this.#step === 1) return isAbove(bound, this.#range);
    return lower !== undefined && compareBytes(bound, lower.key) <= 0;
  }

  /**
   * Reads the child a frame is at, and those behind it.
   *
   * @yields keys of nodes
   */
  *#readOn(frame: Frame, isLeafParent: boolean): Reading<TreeNode> {
    const links = [linkOf(frame.node, frame.index)];
    if (isLeafParent) this.#readAhead = Math.min(2 * this.#readAhead, READ_AHEAD_MAX);
    const count = isLeafParent ? Math.min(this.#readAhead, Math.ceil(this.#remaining / 16)) : 1;
    const place = { ...frame };
    while (links.length < count && !this.#isExhausted(place)) {
      place.index += this.#step;
      links.push(linkOf(frame.node, place.index));
    }
    const [node, ...ahead] = yield* this.#source.children(links);
    frame.ahead = ahead;
    return node as TreeNode;
  }

  #entriesOf({ keys, values }: Leaf): LeafEntry[] {
    const entries: LeafEntry[] = [];
    const isForward = this.#step === 1;
    for (let i = isForward ? 0 : keys.length - 1; i >= 0 && i < keys.length; i += this.#step) {
      const key = at(keys, i);
      if (isForward ? isBelow(key, this.#range) : isAbove(key, this.#range)) continue;
      if (isForward ? isAbove(key, this.#range) : isBelow(key, this.#range)) break;
      if (entries.length === this.#remaining) break;
      entries.push({ key, value: at(values, i) });
    }
    return entries;
  }
}
