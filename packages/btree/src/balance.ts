import { type Reading } from "@x/store";

import {
  cut,
  type Cutting,
  type Draft,
  draftOf,
  type InnerDraft,
  itemCountMin,
  itemCountOf,
  join,
  slotOf,
} from "./draft.ts";
import { type NodeSource } from "./node-source.ts";
import { at } from "./node.ts";

/**
 * Gives every child of a draft enough items: from the left neighbour if that has enough for both, else from the right one,
 * else by joining with the left one, or with the right one where there is no left one. A single child is left as it is.
 *
 * @yields keys of neighbours
 */
export function* balance(draft: InnerDraft, source: NodeSource, cutting: Cutting): Reading<void> {
  let index = 0;
  while (index < draft.slots.length && draft.slots.length > 1) {
    const child = draft.slots[index]?.draft;
    if (child === undefined || itemCountOf(child) >= itemCountMin(child)) index++;
    else index = yield* refill(draft, index, source, cutting);
  }
}

/**
 * The child at an index as a draft. One that was not touched is read, and is no longer what it was.
 *
 * @yields keys of nodes
 */
export function* opened(draft: InnerDraft, index: number, source: NodeSource): Reading<Draft> {
  const slot = at(draft.slots, index);
  if (slot.draft !== undefined) return slot.draft;
  const link = { id: slot.id, parentLevel: draft.level, count: slot.count };
  return draftOf(at(yield* source.children([link]), 0), draft.keys[index - 1]);
}

/**
 * Returns where to look next.
 *
 * @yields keys of neighbours
 */
function* refill(
  draft: InnerDraft,
  index: number,
  source: NodeSource,
  cutting: Cutting,
): Reading<number> {
  const child = yield* opened(draft, index, source);
  const enough = 2 * itemCountMin(child);
  const left = index > 0 ? yield* opened(draft, index - 1, source) : undefined;
  if (left !== undefined && itemCountOf(left) + itemCountOf(child) >= enough)
    return yield* combine({ draft, index: index - 1, left, right: child, source, cutting });
  const right =
    index + 1 < draft.slots.length ? yield* opened(draft, index + 1, source) : undefined;
  if (right !== undefined && itemCountOf(child) + itemCountOf(right) >= enough)
    return yield* combine({ draft, index, left: child, right, source, cutting });
  if (left !== undefined)
    return yield* combine({ draft, index: index - 1, left, right: child, source, cutting });
  return yield* combine({ draft, index, left: child, right: right as Draft, source, cutting });
}

/** Neighbours at `index` and behind it. */
interface Pair {
  readonly draft: InnerDraft;
  readonly index: number;
  readonly left: Draft;
  readonly right: Draft;
  readonly source: NodeSource;
  readonly cutting: Cutting;
}

/**
 * Joins two neighbours; and, where that is enough for two, cuts them so that the poorer one has just enough.
 *
 * @yields keys of nodes
 */
function* combine({ draft, index, left, right, source, cutting }: Pair): Reading<number> {
  const joined = join(left, right, at(draft.keys, index));
  // What was an only child, and so had too little, has neighbours now.
  if (joined.kind === "inner") yield* balance(joined, source, cutting);
  const min = itemCountMin(joined);
  const total = itemCountOf(joined);
  const isLeftPoorer = itemCountOf(left) < itemCountOf(right);
  const sizes = total < 2 * min ? [total] : isLeftPoorer ? [min, total - min] : [total - min, min];
  const parts = cut(joined, sizes, cutting);
  for (const { id, draft: known } of draft.slots.slice(index, index + 2))
    if (known === undefined) draft.consumed.push(id);
  draft.slots.splice(index, 2, ...parts.map(slotOf));
  draft.keys.splice(index, 1, ...parts.slice(1).map((one) => one.lower as Uint8Array));
  return index;
}
