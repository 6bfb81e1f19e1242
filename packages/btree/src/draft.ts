import { compareBytes } from "@x/store/adapter";

import { BTreeError } from "./errors.ts";
import {
  at,
  type Inner,
  KEY_COUNT_MAX,
  KEY_COUNT_MIN,
  type Leaf,
  leafOf,
  type TreeNode,
} from "./node.ts";

/**
 * A node that an edit is making. Nothing of a draft is seen outside until the whole edit has been worked out; so an edit
 * that fails has changed nothing.
 */
export type Draft = LeafDraft | InnerDraft | PatchedDraft;

/** What both kinds have. */
interface DraftBase {
  /** Bound to the left of it, where it is a part that was split off; the first part takes its place under the old bound. */
  lower: Uint8Array | undefined;
  /** The node it comes from with its place and its neighbours unchanged; `undefined`: it is a new one. */
  readonly source: number | undefined;
  /** Given at once where ids must be those of the original, else when the edit is complete. */
  readonly id: number | undefined;
}

export interface LeafDraft extends DraftBase {
  readonly kind: "leaf";
  readonly leaf: Leaf;
}

export interface InnerDraft extends DraftBase {
  readonly kind: "inner";
  readonly level: number;
  /** Separators: one fewer than there are slots. */
  readonly keys: Uint8Array[];
  readonly slots: Slot[];
  /** Children of the source that are not among the slots as they were. */
  readonly consumed: number[];
}

/** An inner node of which some children changed, each in its place, and nothing else: what most edits make of it. */
export interface PatchedDraft extends DraftBase {
  readonly kind: "patched";
  readonly node: Inner;
  readonly parts: readonly { readonly index: number; readonly draft: Draft }[];
}

/** A child of a draft: one that stays as it is, or another draft. */
export interface Slot {
  readonly id: number;
  readonly count: number;
  readonly draft: Draft | undefined;
}

/** Items: entries of a leaf, children of an inner node. */
export function itemCountOf(draft: Draft): number {
  if (draft.kind === "patched") return draft.node.children.length;
  return draft.kind === "leaf" ? draft.leaf.keys.length : draft.slots.length;
}

/** Most items of a draft of this kind. */
export function itemCountMax(draft: Draft): number {
  return draft.kind === "leaf" ? KEY_COUNT_MAX : KEY_COUNT_MAX + 1;
}

/** Fewest, but for the root. */
export function itemCountMin(draft: Draft): number {
  return draft.kind === "leaf" ? KEY_COUNT_MIN : KEY_COUNT_MIN + 1;
}

/** A draft of a node as it is, to be joined with others. */
export function draftOf(node: TreeNode, lower: Uint8Array | undefined): LeafDraft | InnerDraft {
  const base = { lower, source: undefined, id: undefined };
  return node.kind === "leaf"
    ? { ...base, kind: "leaf", leaf: node }
    : {
        ...base,
        kind: "inner",
        level: node.level,
        keys: [...node.keys],
        slots: slotsOf(node),
        consumed: [],
      };
}

/** The children of a node as they are. */
export function slotsOf({ children, counts }: Inner): Slot[] {
  return children.map((id, i) => ({ id, count: counts[i] ?? 0, draft: undefined }));
}

/** How a draft is cut, and what its parts are called. */
export interface Cutting {
  /** An id for a part, where it must be given at once. */
  readonly newId: () => number | undefined;
  /** Whether a bound between leaves may be shorter than the key to its right. */
  readonly shortBounds: boolean;
}

/** A draft that can be joined and cut. */
export function whole(draft: Draft): LeafDraft | InnerDraft {
  if (draft.kind !== "patched") return draft;
  const { node, parts, lower } = draft;
  const slots = slotsOf(node);
  for (const one of parts) slots[one.index] = slotOf(one.draft);
  const { level, keys } = node;
  const base = { lower, source: undefined, id: undefined };
  return { ...base, kind: "inner", level, keys: [...keys], slots, consumed: [] };
}

/** Two neighbours as one: items one after the other, with `bound` between them. */
export function join(a: Draft, b: Draft, bound: Uint8Array): LeafDraft | InnerDraft {
  const [left, right] = [whole(a), whole(b)];
  const base = { lower: left.lower, source: undefined, id: undefined };
  if (left.kind === "leaf" && right.kind === "leaf")
    return {
      ...base,
      kind: "leaf",
      leaf: leafOf(
        [...left.leaf.keys, ...right.leaf.keys],
        [...left.leaf.values, ...right.leaf.values],
      ),
    };
  if (left.kind === "leaf" || right.kind === "leaf")
    throw new BTreeError("BTREE_CORRUPT", "a leaf and an inner node are neighbours");
  return {
    ...base,
    kind: "inner",
    level: left.level,
    keys: [...left.keys, bound, ...right.keys],
    slots: [...left.slots, ...right.slots],
    consumed: [],
  };
}

/** Cuts a draft into parts of these sizes. The first keeps its bound. */
export function cut(
  draft: LeafDraft | InnerDraft,
  sizes: readonly number[],
  cutting: Cutting,
): Draft[] {
  const parts: Draft[] = [];
  let from = 0;
  for (const size of sizes) {
    const lower = from === 0 ? draft.lower : boundAt(draft, from, cutting.shortBounds);
    parts.push(part(draft, { from, to: from + size, lower, id: cutting.newId() }));
    from += size;
  }
  return parts;
}

function part(
  draft: LeafDraft | InnerDraft,
  {
    from,
    to,
    lower,
    id,
  }: { from: number; to: number; lower: Uint8Array | undefined; id: number | undefined },
): Draft {
  const base = { lower, source: undefined, id };
  return draft.kind === "leaf"
    ? {
        ...base,
        kind: "leaf",
        leaf: leafOf(draft.leaf.keys.slice(from, to), draft.leaf.values.slice(from, to)),
      }
    : {
        ...base,
        kind: "inner",
        level: draft.level,
        keys: draft.keys.slice(from, to - 1),
        slots: draft.slots.slice(from, to),
        consumed: [],
      };
}

function boundAt(draft: LeafDraft | InnerDraft, index: number, isShort: boolean): Uint8Array {
  if (draft.kind === "inner") return at(draft.keys, index - 1);
  const { keys } = draft.leaf;
  const right = at(keys, index);
  return isShort ? shortestBound(at(keys, index - 1), right) : right;
}

/** The shortest byte string above `left` and not above `right`; a view of `right`. */
export function shortestBound(left: Uint8Array, right: Uint8Array): Uint8Array {
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared++;
  const bound = right.subarray(0, shared + 1);
  // A view would keep the whole of a longer buffer alive no more than the key itself does.
  return compareBytes(left, bound) < 0 ? bound : right;
}

/** Sizes for a draft that has too many items, as even as they can be, the larger ones last. */
export function evenSizes(total: number, max: number): number[] {
  const count = Math.ceil(total / max);
  const size = Math.floor(total / count);
  const larger = total % count;
  return Array.from({ length: count }, (_, i) => (i < count - larger ? size : size + 1));
}

/** Sizes with every part full but the last two, which share what is left where the last were too small. */
export function fullSizes(total: number, max: number, min: number): number[] {
  const sizes: number[] = [];
  for (let rest = total; rest > 0; rest -= max) sizes.push(Math.min(rest, max));
  const last = sizes.at(-1) ?? 0;
  if (sizes.length > 1 && last < min) {
    const shared = max + last;
    sizes.splice(-2, 2, Math.ceil(shared / 2), Math.floor(shared / 2));
  }
  return sizes;
}

/** A slot that holds a draft. */
export function slotOf(draft: Draft): Slot {
  return { id: draft.source ?? 0, count: 0, draft };
}
