import { type Reading } from "@x/store";
import { compareBytes, sameBytes } from "@x/store/adapter";
import { childAt } from "./child.ts";
import { type SortedChanges } from "./change.ts";
import { type TreeContext } from "./context.ts";
import { Draft, NewLeaf, type Parent, type PlacedLeaf } from "./draft.ts";
import { checkPlace, loadNodes } from "./load.ts";
import { type LoadedNode } from "./node-cache.ts";
import { type InternalNode, type LeafNode } from "./node.ts";
import { nibbleAt } from "./path.ts";

/** A run of changes on its way down: all of one place. */
interface Frame {
  readonly parent: Parent;
  readonly slot: number;
  readonly depth: number;
  readonly hash: Uint8Array;
  readonly isLeaf: boolean | undefined;
  /** The changes from `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
}

/**
 * What a batch will change, found by reading the touched nodes breadth first, one read for a level.
 *
 * Internal nodes are judged by place: a draft is made for each that may change. Leaves are judged by path: a leaf is new if its
 * path was absent or had another value, stale if it was removed or overwritten; one that only moves is neither.
 */
export class UpdatePlan {
  /** Drafts by depth. A draft that no change reached stays untouched. */
  readonly levels: Draft[][] = [];
  readonly newLeaves: NewLeaf[] = [];
  readonly staleLeaves: Uint8Array[] = [];
  readonly #changes: SortedChanges;

  constructor(changes: SortedChanges) {
    this.#changes = changes;
  }

  /**
   * Reads from a root that is not that of the empty tree.
   *
   * @yields the hashes of a level's touched nodes
   */
  *read(context: TreeContext, root: Uint8Array, parent: Parent): Reading<void> {
    const to = this.#changes.length;
    let frames: Frame[] = [
      { parent, slot: 0, depth: 0, hash: root, isLeaf: undefined, from: 0, to },
    ];
    while (frames.length > 0) {
      const loaded = yield* loadNodes(
        context,
        frames.map(({ hash }) => hash),
        { keeps: "internals" },
      );
      const next: Frame[] = [];
      for (let i = 0; i < frames.length; i++)
        this.#descend(frames[i] as Frame, loaded[i] as LoadedNode, next);
      frames = next;
    }
  }

  /** The whole batch, where there was nothing. */
  growAll(parent: Parent): void {
    const leaves = this.#putsOf(0, this.#changes.length);
    if (leaves.length > 0) this.#grow(parent, { slot: 0, depth: 0 }, leaves, 0, leaves.length);
  }

  #descend(frame: Frame, loaded: LoadedNode, next: Frame[]): void {
    const { depth, isLeaf, from } = frame;
    if (from === this.#changes.length) return;
    checkPlace(loaded.node, { depth, isLeaf, path: this.#pathAt(from) });
    if (loaded.node.kind === "leaf") this.#meetLeaf(frame, loaded.hash, loaded.node);
    else this.#splitChanges(frame, loaded, loaded.node, next);
  }

  /** Sends each run of changes to its child, or grows a subtree where there is none. */
  #splitChanges(frame: Frame, loaded: LoadedNode, node: InternalNode, next: Frame[]): void {
    const { depth, to } = frame;
    const draft = this.#draft(frame.parent, frame.slot, depth, loaded);
    for (let from = frame.from, end = from; from < to; from = end) {
      const slot = nibbleAt(this.#pathAt(from), depth);
      end = from + 1;
      while (end < to && nibbleAt(this.#pathAt(end), depth) === slot) end++;
      const child = childAt(node, slot);
      if (child !== undefined) {
        const { hash, isLeaf } = child;
        next.push({ parent: draft, slot, depth: depth + 1, hash, isLeaf, from, to: end });
        continue;
      }
      const leaves = this.#putsOf(from, end);
      if (leaves.length > 0)
        this.#grow(draft, { slot, depth: depth + 1 }, leaves, 0, leaves.length);
    }
  }

  /** A leaf stands where the changes go: it may stay, go, be replaced, or have to share its place. */
  #meetLeaf({ parent, slot, depth, from, to }: Frame, hash: Uint8Array, leaf: LeafNode): void {
    const own = this.#find(leaf.path, from, to);
    const change = own === undefined ? undefined : this.#changes[own];
    const stays =
      change === undefined || (change.value !== undefined && sameBytes(change.value, leaf.value));
    if (!stays) this.staleLeaves.push(hash);
    const leaves = this.#putsOf(from, to, stays ? own : undefined);
    if (stays && leaves.length === 0) return;
    if (stays) {
      const at = leaves.findIndex((other) => compareBytes(other.path, leaf.path) > 0);
      const old: PlacedLeaf = { hash, isLeaf: true, count: 1, path: leaf.path };
      leaves.splice(at === -1 ? leaves.length : at, 0, old);
    }
    this.#grow(parent, { slot, depth }, leaves, 0, leaves.length);
  }

  /** Makes the canonical subtree of leaves `from` up to `to`, ascending by path. */
  #grow(
    parent: Parent,
    place: { readonly slot: number; readonly depth: number },
    leaves: readonly PlacedLeaf[],
    from: number,
    to: number,
  ): void {
    const { slot, depth } = place;
    if (to - from < 2) {
      parent.settle(slot, leaves[from]);
      return;
    }
    const draft = this.#draft(parent, slot, depth, undefined);
    for (let start = from, end = from; start < to; start = end) {
      const nibble = nibbleAt((leaves[start] as PlacedLeaf).path, depth);
      end = start + 1;
      while (end < to && nibbleAt((leaves[end] as PlacedLeaf).path, depth) === nibble) end++;
      this.#grow(draft, { slot: nibble, depth: depth + 1 }, leaves, start, end);
    }
  }

  #draft(parent: Parent, slot: number, depth: number, old: LoadedNode | undefined): Draft {
    const draft = new Draft(parent, slot, old);
    while (this.levels.length <= depth) this.levels.push([]);
    (this.levels[depth] as Draft[]).push(draft);
    return draft;
  }

  /** New leaves for the puts of a run, but for the one at `except`. */
  #putsOf(from: number, to: number, except?: number): PlacedLeaf[] {
    const leaves: PlacedLeaf[] = [];
    for (let at = from; at < to; at++) {
      const { path, value, key } = this.#changes[at] as SortedChanges[number];
      if (value === undefined || at === except) continue;
      const leaf = new NewLeaf(path, value, key);
      this.newLeaves.push(leaf);
      leaves.push(leaf);
    }
    return leaves;
  }

  /** The change for a path, in a run. */
  #find(path: Uint8Array, from: number, to: number): number | undefined {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = compareBytes(this.#pathAt(middle), path);
      if (difference === 0) return middle;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  #pathAt(index: number): Uint8Array {
    return (this.#changes[index] as SortedChanges[number]).path;
  }
}
