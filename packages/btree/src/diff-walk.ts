import { type Reading } from "@x/store";
import { compareBytes, copyBytes, sameBytes } from "@x/store/adapter";

import { type ChildLink, checkDepth, linkOf, type NodeSource } from "./node-source.ts";
import { at, EMPTY_ROOT, isLink, type LeafValue, type TreeNode } from "./node.ts";
import { isAbove, isBelow, type ResolvedRange } from "./range.ts";
import { type Difference } from "./types.ts";

/** Most differences that are collected before they are given out. */
const PAGE_COUNT_MAX = 256;
/** The first page is small, for walks that are left early. */
const FIRST_PAGE_COUNT = 16;

/** Two values of a key, `undefined` where it has none; not yet read where they are outside their leaves. */
interface RawDifference {
  readonly key: Uint8Array;
  readonly before: LeafValue | undefined;
  readonly after: LeafValue | undefined;
}

/** What is on top of one side: a subtree that has not been opened, or an entry. */
type Top =
  | { readonly kind: "subtree"; readonly link: ChildLink; readonly lower: Uint8Array | undefined }
  | { readonly kind: "entry"; readonly key: Uint8Array; readonly value: LeafValue };

type Subtree = Extract<Top, { kind: "subtree" }>;

/**
 * Walks two trees in step and gives what differs. A subtree that both share is dropped unread, when it is on top of both
 * at once; so what is read is the paths to what differs.
 */
export class DiffWalk {
  readonly #source: NodeSource;
  readonly #before: Side;
  readonly #after: Side;
  readonly #roots: readonly [number, number];
  #remaining: number;
  #pageCount = FIRST_PAGE_COUNT;
  #hasBegun = false;

  constructor(source: NodeSource, from: number, to: number, range: ResolvedRange) {
    this.#source = source;
    this.#before = new Side(range);
    this.#after = new Side(range);
    this.#roots = [from, to];
    this.#remaining = range.limit;
  }

  /**
   * The next differences, one or more; none at the end. Fresh bytes.
   *
   * @yields keys of nodes
   */
  *read(): Reading<readonly Difference[]> {
    if (!this.#hasBegun) yield* this.#begin();
    const count = Math.min(this.#pageCount, this.#remaining);
    this.#pageCount = PAGE_COUNT_MAX;
    const page: Difference[] = [];
    while (page.length < count) {
      const found = yield* this.#collect(count - page.length);
      if (found.length === 0) break;
      for (const one of yield* this.#resolved(found)) page.push(one);
    }
    this.#remaining -= page.length;
    return page;
  }

  *#begin(): Reading<void> {
    this.#hasBegun = true;
    const [from, to] = this.#roots;
    if (from === to) return;
    const roots = [from, to].filter((id) => id !== EMPTY_ROOT);
    yield* this.#source.nodes(roots);
    if (from !== EMPTY_ROOT) this.#before.begin(yield* this.#top(from));
    if (to !== EMPTY_ROOT) this.#after.begin(yield* this.#top(to));
  }

  /**
   * The root; in format 1 with its height, which there is not written down.
   *
   * @yields keys of nodes
   */
  *#top(id: number): Reading<{ readonly node: TreeNode; readonly height: number }> {
    const node = yield* this.#source.root(id);
    if (node.kind === "leaf") return { node, height: 0 };
    if (node.level > 0) return { node, height: node.level };
    let height = 0;
    for (let below: TreeNode = node; below.kind === "inner"; height++) {
      checkDepth(height, id);
      below = yield* this.#source.child(below, 0);
    }
    return { node, height };
  }

  /**
   * Up to `count` keys that may differ; none at the end.
   *
   * @yields keys of nodes
   */
  *#collect(count: number): Reading<RawDifference[]> {
    const found: RawDifference[] = [];
    while (found.length < count) {
      const [a, b] = [this.#before.top(), this.#after.top()];
      if (a === undefined && b === undefined) break;
      if (a?.kind === "subtree" && b?.kind === "subtree") {
        if (a.link.id === b.link.id) this.#skipBoth();
        else yield* this.#openBoth(a, b);
      } else if (a?.kind === "subtree" && !(b?.kind === "entry" && isBefore(b.key, a)))
        yield* this.#open(this.#before, a);
      else if (b?.kind === "subtree" && !(a?.kind === "entry" && isBefore(a.key, b)))
        yield* this.#open(this.#after, b);
      else {
        const one = this.#compared(a, b);
        if (one !== undefined) found.push(one);
      }
    }
    return found;
  }

  #skipBoth(): void {
    this.#before.skip();
    this.#after.skip();
  }

  /**
   * Of two subtrees the higher one; of equally high ones the one that begins first, or both in one read.
   *
   * @yields keys of nodes
   */
  *#openBoth(a: Subtree, b: Subtree): Reading<void> {
    const levels = this.#before.level - this.#after.level;
    const order = levels === 0 ? compareLower(a.lower, b.lower) : -levels;
    if (order === 0) yield* this.#source.nodes([a.link.id, b.link.id]);
    if (order <= 0) yield* this.#open(this.#before, a);
    if (order >= 0) yield* this.#open(this.#after, b);
  }

  *#open(side: Side, { link, lower }: Subtree): Reading<void> {
    const [node] = yield* this.#source.children([link]);
    side.open(node as TreeNode, lower);
  }

  /** Takes the lesser entry, or both of one key. At least one top is an entry, and it is not behind the other. */
  #compared(a: Top | undefined, b: Top | undefined): RawDifference | undefined {
    const before = a?.kind === "entry" ? a : undefined;
    const after = b?.kind === "entry" ? b : undefined;
    const order =
      before === undefined ? 1 : after === undefined ? -1 : compareBytes(before.key, after.key);
    if (order <= 0) this.#before.skip();
    if (order >= 0) this.#after.skip();
    if (order < 0)
      return { key: (before as { key: Uint8Array }).key, before: before?.value, after: undefined };
    const key = (after as { key: Uint8Array }).key;
    if (order > 0) return { key, before: undefined, after: after?.value };
    return sameInLeaf(before?.value, after?.value)
      ? undefined
      : { key, before: before?.value, after: after?.value };
  }

  /**
   * Reads large values, all in one read, and drops what turns out to be equal.
   *
   * @yields keys of nodes
   */
  *#resolved(found: readonly RawDifference[]): Reading<Difference[]> {
    const raw: LeafValue[] = [];
    for (const { before, after } of found) {
      if (before !== undefined) raw.push(before);
      if (after !== undefined) raw.push(after);
    }
    const values = yield* this.#source.values(raw);
    const differences: Difference[] = [];
    let next = 0;
    for (const { key, before, after } of found) {
      const old = before === undefined ? undefined : values[next++];
      const value = after === undefined ? undefined : values[next++];
      if (!sameBytes(old, value)) differences.push(difference(key, old, value));
    }
    return differences;
  }
}

function difference(
  key: Uint8Array,
  old: Uint8Array | undefined,
  value: Uint8Array | undefined,
): Difference {
  const own = copyBytes(key);
  if (value === undefined)
    return { type: "removed", key: own, oldValue: copyBytes(old as Uint8Array) };
  if (old === undefined) return { type: "added", key: own, value: copyBytes(value) };
  return { type: "modified", key: own, oldValue: copyBytes(old), value: copyBytes(value) };
}

/** Equal as far as the leaves tell. */
function sameInLeaf(a: LeafValue | undefined, b: LeafValue | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (isLink(a) || isLink(b)) return isLink(a) && isLink(b) && a.id === b.id;
  return sameBytes(a, b);
}

/** Whether an entry comes before everything in a subtree. */
function isBefore(key: Uint8Array, { lower }: Subtree): boolean {
  return lower !== undefined && compareBytes(key, lower) < 0;
}

/** `undefined` is below every bound. */
function compareLower(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return compareBytes(a, b);
}

/** A node that one side is in, and where. */
interface Frame {
  readonly node: TreeNode;
  readonly height: number;
  /** Bound to the left of the node. */
  readonly lower: Uint8Array | undefined;
  index: number;
}

/** One tree of the two: a path of opened nodes. What is wholly outside the range is never on top. */
class Side {
  readonly #range: ResolvedRange;
  readonly #frames: Frame[] = [];

  constructor(range: ResolvedRange) {
    this.#range = range;
  }

  begin({ node, height }: { readonly node: TreeNode; readonly height: number }): void {
    this.#frames.push({ node, height, lower: undefined, index: 0 });
  }

  /** What comes next; `undefined` at the end. */
  top(): Top | undefined {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const top = frame.node.kind === "leaf" ? this.#entry(frame) : this.#subtree(frame);
      if (top !== undefined) return top;
      this.#frames.pop();
    }
    return undefined;
  }

  /** Level of the subtree on top, leaves being 0. */
  get level(): number {
    return (this.#frames.at(-1)?.height ?? 0) - 1;
  }

  /** Drops what is on top. */
  skip(): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.index++;
  }

  /** Puts the parts of the subtree on top in its place. */
  open(node: TreeNode, lower: Uint8Array | undefined): void {
    const frame = at(this.#frames, this.#frames.length - 1);
    frame.index++;
    checkDepth(this.#frames.length, frame.index);
    this.#frames.push({ node, height: frame.height - 1, lower, index: 0 });
  }

  #entry(frame: Frame): Top | undefined {
    if (frame.node.kind !== "leaf") return undefined;
    const { keys, values } = frame.node;
    for (; frame.index < keys.length; frame.index++) {
      const key = at(keys, frame.index);
      if (isBelow(key, this.#range)) continue;
      if (isAbove(key, this.#range)) return undefined;
      return { kind: "entry", key, value: at(values, frame.index) };
    }
    return undefined;
  }

  #subtree(frame: Frame): Top | undefined {
    if (frame.node.kind !== "inner") return undefined;
    const { keys, children } = frame.node;
    const { lower: from } = this.#range;
    for (; frame.index < children.length; frame.index++) {
      const upper = keys[frame.index];
      if (upper !== undefined && from !== undefined && compareBytes(upper, from.key) <= 0) continue;
      const lower = frame.index === 0 ? frame.lower : keys[frame.index - 1];
      if (lower !== undefined && isAbove(lower, this.#range)) return undefined;
      return { kind: "subtree", link: linkOf(frame.node, frame.index), lower };
    }
    return undefined;
  }
}
