import {
  type Draft,
  type InnerDraft,
  type LeafDraft,
  type PatchedDraft,
  type Slot,
} from "./draft.ts";
import {
  at,
  EMPTY_ROOT,
  entryCountOf,
  forEachLink,
  type Inner,
  innerOf,
  isLink,
  type Leaf,
  leafOf,
  type LeafValue,
  type TreeNode,
} from "./node.ts";
import { type PoolState } from "./pool-state.ts";

/** A node as its parent refers to it. */
export interface Registered {
  readonly id: number;
  readonly count: number;
}

/** What an edit worked out, made unsaved nodes. Nothing in it waits or fails; so the workspace changes at one stroke. */
export class Registration {
  readonly #state: PoolState;
  readonly #inlineByteCountMax: number;

  constructor(state: PoolState, inlineByteCountMax: number) {
    this.#state = state;
    this.#inlineByteCountMax = inlineByteCountMax;
  }

  /**
   * The new root, referred to once more by the caller.
   *
   * @param oldRoot - what the edit began with
   * @param isConsumed - whether the caller's reference to the old root goes over
   */
  register(top: Slot | "empty" | undefined, oldRoot: number, isConsumed: boolean): number {
    const { workspace } = this.#state;
    const root = this.#root(top, oldRoot, isConsumed);
    if (root === oldRoot && isConsumed) return root;
    if (root !== EMPTY_ROOT) workspace.refer(root);
    if (isConsumed && oldRoot !== EMPTY_ROOT) workspace.unrefer(oldRoot);
    return root;
  }

  #root(top: Slot | "empty" | undefined, oldRoot: number, isConsumed: boolean): number {
    if (top === undefined) return oldRoot;
    if (top === "empty") return EMPTY_ROOT;
    if (top.draft === undefined) return top.id;
    // A top from further down may be owned by a root that is not.
    return this.add(top.draft, isConsumed && top.draft.source === oldRoot).id;
  }

  /**
   * A draft as an unsaved node; nothing refers to it yet.
   *
   * @param mayOwn - whether everything above the draft's source is owned
   */
  add(draft: Draft, mayOwn: boolean): Registered {
    const { source, id } = draft;
    const isFree = mayOwn && source !== undefined && id === undefined;
    const owned = isFree && this.#state.workspace.isOwned(source) ? source : undefined;
    if (draft.kind === "leaf") return this.#addLeaf(draft, owned);
    return draft.kind === "inner" ? this.#addInner(draft, owned) : this.#addPatched(draft, owned);
  }

  #addPatched(draft: PatchedDraft, owned: number | undefined): Registered {
    const { node, parts } = draft;
    const children = [...node.children];
    const counts = [...node.counts];
    const made: number[] = [];
    const consumed: number[] = [];
    for (const { index, draft: part } of parts) {
      const child = this.add(part, owned !== undefined);
      if (children[index] !== child.id) {
        consumed.push(at(children, index));
        made.push(child.id);
        children[index] = child.id;
      }
      if (counts.length > 0) counts[index] = child.count;
    }
    const patched: Inner = { ...node, children, counts };
    const count = entryCountOf(patched);
    if (owned === undefined) return { id: this.#new(draft, patched), count };
    this.#replaceInner(owned, patched, made, consumed);
    return { id: owned, count };
  }

  #addLeaf(draft: LeafDraft, owned: number | undefined): Registered {
    const { workspace } = this.#state;
    const node = this.#withLinks(draft.leaf);
    const count = node.keys.length;
    if (owned === undefined) return { id: this.#new(draft, node), count };
    const before = workspace.unsaved(owned)?.node;
    workspace.replace(owned, node);
    forEachLink(node, (id) => workspace.refer(id));
    if (before !== undefined) forEachLink(before, (id) => workspace.unrefer(id));
    return { id: owned, count };
  }

  /** Large values become nodes of their own. */
  #withLinks(leaf: Leaf): Leaf {
    const max = this.#inlineByteCountMax;
    const isLarge = (value: LeafValue): boolean => !isLink(value) && value.length > max;
    if (leaf.valueByteCount <= max || !leaf.values.some(isLarge)) return leaf;
    const values = leaf.values.map((value) => {
      if (isLink(value) || value.length <= max) return value;
      const id = this.#state.ids.take();
      this.#state.workspace.add(id, { kind: "value", bytes: value });
      return { id, size: value.length };
    });
    return leafOf(leaf.keys, values);
  }

  #addInner(draft: InnerDraft, owned: number | undefined): Registered {
    const children: number[] = [];
    const counts: number[] = [];
    const made: number[] = [];
    const isCounted = this.#state.source.format === 2;
    for (const slot of draft.slots) {
      const child = slot.draft === undefined ? slot : this.add(slot.draft, owned !== undefined);
      children.push(child.id);
      if (isCounted) counts.push(child.count);
      if (slot.draft !== undefined) made.push(child.id);
    }
    const node = innerOf({ level: draft.level, keys: draft.keys, children, counts });
    const count = entryCountOf(node);
    if (owned === undefined) return { id: this.#new(draft, node), count };
    this.#replaceInner(owned, node, made, draft.consumed);
    return { id: owned, count };
  }

  /** Only what came and went changes its references; a child that was edited in place is in both lists. */
  #replaceInner(
    id: number,
    node: TreeNode,
    made: readonly number[],
    consumed: readonly number[],
  ): void {
    const { workspace } = this.#state;
    workspace.replace(id, node);
    for (const child of made) if (!consumed.includes(child)) workspace.refer(child);
    for (const child of consumed) if (!made.includes(child)) workspace.unrefer(child);
  }

  #new(draft: Draft, node: TreeNode): number {
    const id = draft.id ?? this.#state.ids.take();
    this.#state.workspace.add(id, node);
    return id;
  }
}
