import { type Reading, together } from "@x/store";
import { compareBytes, sameBytes } from "@x/store/adapter";

import { balance, opened } from "./balance.ts";
import { type ChangeList } from "./change-list.ts";
import {
  cut,
  type Cutting,
  type Draft,
  evenSizes,
  fullSizes,
  type InnerDraft,
  itemCountMax,
  itemCountMin,
  itemCountOf,
  join,
  type LeafDraft,
  type PatchedDraft,
  type Slot,
  slotOf,
  whole,
} from "./draft.ts";
import { mergedLeaf, withNewValue } from "./merged-leaf.ts";
import { checkDepth, linkOf, type NodeSource } from "./node-source.ts";
import { at, childIndexOf, type Inner, type Leaf, leafOf, type TreeNode } from "./node.ts";

/** How an {@link Editor} makes its drafts. */
export interface EditorOptions extends Cutting {
  /** As the original does it: every change makes nodes, a full leaf is cut in the middle wherever the key belongs. */
  readonly isCompatible: boolean;
}

/** A node to change, and what is known of its place. */
interface Place {
  readonly id: number;
  readonly depth: number;
  /** Whether no entry of the tree is to the right of it. */
  readonly isLast: boolean;
  /** The changes that belong here: from, and up to but not including. */
  readonly from: number;
  readonly to: number;
}

/** What became of a node: its parts, none where nothing is left. `undefined`: it is as it was. */
type Outcome = { readonly parts: Draft[]; readonly isAppend: boolean } | undefined;

/** A child that changes belong to, and which: from, and up to but not including. */
interface Touched {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

const EMPTY_LEAF = leafOf([], []);

/** Works out what a sorted list of changes makes of a tree. Each node that a change belongs to is read and drafted once. */
export class Editor {
  readonly #source: NodeSource;
  readonly #changes: ChangeList;
  readonly #options: EditorOptions;

  constructor(source: NodeSource, changes: ChangeList, options: EditorOptions) {
    this.#source = source;
    this.#changes = changes;
    this.#options = options;
  }

  /**
   * @param root - its id; 0 for the empty tree
   * @yields keys of nodes
   * @returns the top of the new tree; `undefined`: nothing changes
   */
  *run(root: number): Reading<Slot | "empty" | undefined> {
    const to = this.#changes.keys.length;
    const place = { depth: 0, isLast: true, from: 0, to };
    const outcome =
      root === 0
        ? yield* this.#edit({ ...place, id: 0 }, EMPTY_LEAF)
        : yield* this.#edit({ ...place, id: root }, yield* this.#source.root(root));
    return outcome === undefined ? undefined : this.#top(outcome.parts);
  }

  /** New levels above the parts, or fewer where a root is left with one child. */
  #top(parts: Draft[]): Slot | "empty" {
    let top = parts;
    // Format 1 does not record levels.
    for (
      let level = topLevel(parts, this.#source.format);
      top.length > 1;
      level += Math.sign(level)
    ) {
      const keys = top.slice(1).map((one) => one.lower as Uint8Array);
      top = this.#fitted(
        { ...NEW, kind: "inner", level, keys, slots: top.map(slotOf), consumed: [] },
        true,
      );
    }
    let [draft] = top;
    while (draft?.kind === "inner" && draft.slots.length === 1) {
      const only = at(draft.slots, 0);
      if (only.draft === undefined) return only;
      draft = only.draft;
    }
    return draft === undefined || itemCountOf(draft) === 0 ? "empty" : slotOf(draft);
  }

  *#edit(place: Place, node: TreeNode): Reading<Outcome> {
    checkDepth(place.depth, place.id);
    return node.kind === "leaf"
      ? at(yield* this.#editLeaves([place], [node]), 0)
      : yield* this.#editInner(place, node);
  }

  *#editLeaves(places: readonly Place[], leaves: readonly Leaf[]): Reading<Outcome[]> {
    const merged = places.map(({ from, to }, i) =>
      mergedLeaf(at(leaves, i), this.#changes, from, to),
    );
    const doubtful = merged.flatMap((one) => one.doubtful);
    // Most leaves need nothing read, and all that others need is one read.
    const olds =
      doubtful.length === 0 ? [] : yield* this.#source.values(doubtful.map(({ old }) => old));
    let next = 0;
    return merged.map((one, i) => {
      let { leaf } = one;
      for (const { key, value } of one.doubtful)
        if (!sameBytes(value, olds[next++])) leaf = withNewValue(leaf, key, value);
      return this.#leafOutcome(at(places, i), at(leaves, i), leaf);
    });
  }

  #leafOutcome(place: Place, before: Leaf, leaf: Leaf): Outcome {
    // The original makes nodes for a value that is there already; it makes one change at a time.
    const isRewrite = this.#options.isCompatible && this.#changes.values[place.from] !== undefined;
    if (leaf === before && !isRewrite) return undefined;
    const last = before.keys.at(-1);
    const isAppend =
      place.isLast &&
      (last === undefined || compareBytes(at(this.#changes.keys, place.from), last) > 0);
    if (leaf.keys.length === 0 && !this.#options.isCompatible) return { parts: [], isAppend };
    const source = place.id === 0 ? undefined : place.id;
    const draft: LeafDraft = { kind: "leaf", leaf, lower: undefined, source, id: undefined };
    return { parts: this.#fitted(draft, isAppend), isAppend };
  }

  *#editInner(place: Place, node: Inner): Reading<Outcome> {
    const touched = this.#touched(place, node);
    const outcomes = yield* this.#editChildren(place, node, touched);
    if (outcomes.every((one) => one === undefined)) return undefined;
    const patched = this.#patched(place.id, node, touched, outcomes);
    if (patched !== undefined) return { parts: [patched], isAppend: false };
    const draft = this.#composed(place.id, node, touched, outcomes);
    const last = outcomes.at(-1);
    const isAppend =
      place.isLast &&
      last?.isAppend === true &&
      touched.at(-1)?.index === node.children.length - 1 &&
      last.parts.length > 1;
    if (isAppend && !this.#options.isCompatible) yield* this.#fillLeft(draft, last.parts);
    yield* balance(draft, this.#source, this.#options);
    return { parts: this.#fitted(draft, isAppend), isAppend };
  }

  /** Which children have changes, and which changes. */
  #touched({ from, to }: Place, node: Inner): Touched[] {
    const { keys } = this.#changes;
    const touched: Touched[] = [];
    let next = from;
    while (next < to) {
      const index = childIndexOf(node, at(keys, next));
      const bound = node.keys[index];
      let end = bound === undefined ? to : next + 1;
      if (bound !== undefined) while (end < to && compareBytes(at(keys, end), bound) < 0) end++;
      touched.push({ index, from: next, to: end });
      next = end;
    }
    return touched;
  }

  *#editChildren(place: Place, node: Inner, touched: readonly Touched[]): Reading<Outcome[]> {
    const places = touched.map(({ index, from, to }) => ({
      id: at(node.children, index),
      depth: place.depth + 1,
      isLast: place.isLast && index === node.children.length - 1,
      from,
      to,
    }));
    const children = yield* this.#children(node, touched);
    if (isAllLeaves(children)) {
      checkDepth(place.depth + 1, place.id);
      return yield* this.#editLeaves(places, children);
    }
    const edits = places.map((one, i) => this.#edit(one, at(children, i)));
    // In step, so that all nodes of one level that are missing are one read.
    return edits.length === 1 ? [yield* at(edits, 0)] : yield* together(edits);
  }

  /**
   * Most are in memory, and then nothing need be said of what to read.
   *
   * @yields keys of nodes
   */
  *#children(node: Inner, touched: readonly Touched[]): Reading<readonly TreeNode[]> {
    const known: TreeNode[] = [];
    for (const { index } of touched) {
      const child = this.#source.peekChild(node, index);
      if (child === undefined)
        return yield* this.#source.children(touched.map((one) => linkOf(node, one.index)));
      known.push(child);
    }
    return known;
  }

  /** The node with changed children, where each is still one, with enough items. */
  #patched(
    source: number,
    node: Inner,
    touched: readonly Touched[],
    outcomes: readonly Outcome[],
  ): PatchedDraft | undefined {
    const parts: { index: number; draft: Draft }[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome === undefined) continue;
      const [draft] = outcome.parts;
      if (draft === undefined || outcome.parts.length > 1) return undefined;
      if (itemCountOf(draft) < itemCountMin(draft)) return undefined;
      parts.push({ index: at(touched, i).index, draft });
    }
    return { kind: "patched", node, parts, lower: undefined, source, id: this.#options.newId() };
  }

  /** The node with the parts of its changed children in their place. */
  #composed(
    id: number,
    node: Inner,
    touched: readonly Touched[],
    outcomes: readonly Outcome[],
  ): InnerDraft {
    const keys: Uint8Array[] = [];
    const slots: Slot[] = [];
    const consumed: number[] = [];
    let next = 0;
    for (const [i, child] of node.children.entries()) {
      const isTouched = touched[next]?.index === i;
      const parts = isTouched ? outcomes[next]?.parts : undefined;
      if (isTouched) next++;
      const bound = node.keys[i - 1];
      if (parts === undefined) {
        if (slots.length > 0) keys.push(bound as Uint8Array);
        slots.push({ id: child, count: node.counts[i] ?? 0, draft: undefined });
        continue;
      }
      consumed.push(child);
      for (const [j, part] of parts.entries()) {
        part.lower = j === 0 ? bound : part.lower;
        if (slots.length > 0) keys.push(part.lower as Uint8Array);
        slots.push(slotOf(part));
      }
    }
    return { ...NEW, kind: "inner", level: node.level, keys, slots, consumed, source: id };
  }

  /**
   * Where the last child was cut because entries were added behind all others, its left neighbour is filled up first: so
   * ascending insertions leave full nodes behind.
   *
   * @yields keys of nodes
   */
  *#fillLeft(draft: InnerDraft, parts: readonly Draft[]): Reading<void> {
    const index = draft.slots.length - parts.length - 1;
    if (index < 0) return;
    const { id, draft: known } = at(draft.slots, index);
    const left = yield* opened(draft, index, this.#source);
    const max = itemCountMax(left);
    if (itemCountOf(left) >= max) return;
    let joined = whole(left);
    for (const one of parts) joined = join(joined, one, one.lower as Uint8Array);
    const sizes = fullSizes(itemCountOf(joined), max, itemCountMin(joined));
    const filled = cut(joined, sizes, this.#options);
    if (known === undefined) draft.consumed.push(id);
    draft.slots.splice(index, parts.length + 1, ...filled.map(slotOf));
    draft.keys.splice(
      index,
      parts.length,
      ...filled.slice(1).map((one) => one.lower as Uint8Array),
    );
  }

  /** One draft, or as many as its items need. */
  #fitted(draft: Draft, isAppend: boolean): Draft[] {
    const max = itemCountMax(draft);
    const total = itemCountOf(draft);
    if (total <= max) {
      const id = this.#options.newId();
      return [id === undefined ? draft : { ...draft, id }];
    }
    const sizes =
      isAppend && !this.#options.isCompatible
        ? fullSizes(total, max, itemCountMin(draft))
        : evenSizes(total, max);
    return cut(whole(draft), sizes, this.#options);
  }
}

/** A draft that is nobody's successor yet. */
const NEW = { lower: undefined, source: undefined, id: undefined } as const;

/** The level above these parts, where levels are recorded. */
function topLevel([first]: readonly Draft[], format: number): number {
  if (format === 1) return 0;
  if (first?.kind === "patched") return first.node.level + 1;
  return first?.kind === "inner" ? first.level + 1 : 1;
}

/** Children are leaves all of them or none; if one is not, its depth will be found wrong. */
function isAllLeaves(nodes: readonly TreeNode[]): nodes is readonly Leaf[] {
  return nodes.every((node) => node.kind === "leaf");
}
