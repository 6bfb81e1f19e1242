import { compareBytes, copyBytes, sameBytes } from "@x/store/adapter";
import { type Reading, together } from "@x/store";
import { type Change } from "../change.ts";
import { type TreeContext } from "../context.ts";
import { bitAt, checkArgument } from "../path.ts";
import { type PartialTree } from "../verify/partial-tree.ts";
import { carriesValues, namedLeaf, revealedLeaf } from "./named-leaf.ts";
import { halvesOf, hashOf, leafOf, type Place, rootPlace } from "./place.ts";

const EMPTY: PartialTree = Object.freeze({ kind: "empty" });

/**
 * What many paths lead to, in one proof with every shared hash once; the leaves of asked paths show their values. One read per
 * level of nodes.
 *
 * @yields the hashes of nodes to read
 * @param paths - 32 bytes each, in any order; must not change while the reading runs
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 * @throws TypeError, RangeError if root or paths are not 32 bytes
 */
export function* proveBatch(
  context: TreeContext,
  root: Uint8Array,
  paths: readonly Uint8Array[],
): Reading<PartialTree> {
  for (const path of paths) checkArgument(path, "path");
  return yield* showPaths(context, yield* rootPlace(context, root), paths);
}

/**
 * What some changes meet, so that the new root can be computed from the old one without the tree: with
 * `update`, the proof of the step. One read per level of nodes.
 *
 * @yields the hashes of nodes to read
 * @param changes - in any order; of several for one path the last counts; must not change while the reading runs
 * @throws as {@link proveBatch}
 */
export function* proveUpdate(
  context: TreeContext,
  root: Uint8Array,
  changes: readonly Change[],
): Reading<PartialTree> {
  for (const { path } of changes) checkArgument(path, "path");
  const sorted = changes.toSorted((a, b) => compareBytes(a.path, b.path));
  const merged = sorted.filter(({ path }, i) => {
    const next = sorted[i + 1];
    return next === undefined || !sameBytes(next.path, path);
  });
  const { tree } = yield* showChanges(context, yield* rootPlace(context, root), merged);
  return tree;
}

function* showPaths(
  context: TreeContext,
  place: Place,
  paths: readonly Uint8Array[],
): Reading<PartialTree> {
  if (place.kind === "empty" || paths.length === 0) return hidden(place);
  if (place.kind === "leaf") {
    const leaf = yield* leafOf(context, place);
    const isAsked = paths.some((path) => sameBytes(path, leaf.path));
    return { kind: "leaf", leaf: isAsked ? revealedLeaf(leaf) : namedLeaf(context, leaf) };
  }
  const halves = yield* halvesOf(context, place);
  const [left, right] = yield* together(
    halves.map((half, bit) => {
      const asked = paths.filter((path) => bitAt(path, place.depth) === bit);
      return showPaths(context, half, asked);
    }),
  );
  return { kind: "inner", left: left as PartialTree, right: right as PartialTree };
}

/** A place as an update shows it. */
interface Shown {
  readonly tree: PartialTree;
  /** Nothing is left in it. */
  readonly isEmptied: boolean;
}

function* showChanges(
  context: TreeContext,
  place: Place,
  changes: readonly Change[],
): Reading<Shown> {
  const isPut = changes.some(({ value }) => value !== undefined);
  if (place.kind === "empty") return { tree: EMPTY, isEmptied: !isPut };
  if (changes.length === 0) return { tree: hidden(place), isEmptied: false };
  if (place.kind === "leaf") {
    const leaf = yield* leafOf(context, place);
    const isChanged = changes.some(({ path }) => sameBytes(path, leaf.path));
    return {
      tree: { kind: "leaf", leaf: namedLeaf(context, leaf) },
      isEmptied: isChanged && !isPut,
    };
  }
  const halves = yield* halvesOf(context, place);
  const parts = halves.map((_, bit) =>
    changes.filter(({ path }) => bitAt(path, place.depth) === bit),
  );
  const shown = yield* together(
    halves.map((half, bit) => showChanges(context, half, parts[bit] as Change[])),
  );
  const trees = shown.map(({ tree }) => tree);
  for (const bit of [0, 1] as const) {
    const other = bit === 0 ? 1 : 0;
    // What is left beside a cleared place moves up if it is a leaf.
    const isCleared = halves[other].kind !== "empty" && (shown[other] as Shown).isEmptied;
    if (isCleared && parts[bit]?.length === 0) {
      trees[bit] = yield* showKind(context, halves[bit]);
    }
  }
  const [left, right] = trees as [PartialTree, PartialTree];
  return { tree: { kind: "inner", left, right }, isEmptied: shown.every((half) => half.isEmptied) };
}

/**
 * A place so far that one sees whether it is a leaf: see `hashOfKnownKind` of the verifier.
 *
 * @yields the hashes of nodes to read
 */
function* showKind(context: TreeContext, place: Place): Reading<PartialTree> {
  if (place.kind === "empty") return EMPTY;
  if (place.kind === "leaf") {
    return { kind: "leaf", leaf: namedLeaf(context, yield* leafOf(context, place)) };
  }
  const [left, right] = yield* halvesOf(context, place);
  if (!carriesValues(context)) return { kind: "inner", left: hidden(left), right: hidden(right) };
  if (left.kind === "empty") {
    return { kind: "inner", left: EMPTY, right: yield* showKind(context, right) };
  }
  return { kind: "inner", left: yield* showKind(context, left), right: hidden(right) };
}

function hidden(place: Place): PartialTree {
  return place.kind === "empty" ? EMPTY : { kind: "hash", hash: copyBytes(hashOf(place)) };
}
