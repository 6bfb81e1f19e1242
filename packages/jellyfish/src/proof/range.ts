import { compareBytes, copyBytes, sameBytes } from "@x/store/adapter";
import { toHex } from "@x/hash";
import { type Reading, together } from "@x/store";
import { type TreeContext } from "../context.ts";
import { misplaced } from "../load.ts";
import { type LeafNode } from "../node.ts";
import { bitAt, checkArgument, commonBits } from "../path.ts";
import { type ProvenEntry } from "../verify/proof.ts";
import { type RangeProof } from "../verify/range-proof.ts";
import { namedLeaf } from "./named-leaf.ts";
import { getWithProof, presentKey, proveInclusion } from "./path.ts";
import { halvesOf, hashOf, leafOf, type Place, rootPlace } from "./place.ts";

/** Which entries to prove. */
export interface RangeQuery {
  /** The smallest path, 32 bytes. Default: the range begins with the tree. */
  readonly from?: Uint8Array | undefined;
  /** The largest path, 32 bytes. Default: the range ends with the tree. */
  readonly to?: Uint8Array | undefined;
  /** Most entries, 1 or more; the range then ends with the last of them. Default: no limit. */
  readonly limit?: number;
}

/** All entries of a range, with the proof that there are no others. */
export interface EntriesWithProof {
  /** Ascending; fresh bytes. */
  readonly entries: ProvenEntry[];
  /** Where the proven range begins: as asked. */
  readonly from: Uint8Array | undefined;
  /** Where the proven range ends: as asked, or at the last entry if there are more than the limit. */
  readonly to: Uint8Array | undefined;
  readonly proof: RangeProof;
}

/**
 * The entries between two paths, both included, with the proof that they are all.
 *
 * One read per level of nodes; holds the entries and not many places more. O(n) hashes.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 * @throws TypeError, RangeError if root or bounds are not 32 bytes, `to` is before `from`, or the limit is no count from 1
 */
export function* proveRange(
  context: TreeContext,
  root: Uint8Array,
  { from, to, limit = Number.MAX_SAFE_INTEGER }: RangeQuery = {},
): Reading<EntriesWithProof> {
  if (from !== undefined) checkArgument(from, "from");
  if (to !== undefined) checkArgument(to, "to");
  if (from !== undefined && to !== undefined && compareBytes(to, from) < 0) {
    throw new RangeError("to must not be before from");
  }
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`limit must be a count from 1, got ${limit}`);
  }
  // One more than asked says whether there are more.
  const found = yield* leavesBetween(context, root, from, to, limit + 1);
  const leaves = found.slice(0, limit);
  const end = limit < found.length ? copyBytes((leaves.at(-1) as LeafNode).path) : to;
  const proof = yield* proveLeaves(context, root, leaves, from, end);
  const entries = leaves.map(({ path, value }) => ({
    path: copyBytes(path),
    value: copyBytes(value),
  }));
  return { entries, from, to: end, proof };
}

/**
 * The proof that a path has no value, by the leaves on both sides of it.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_KEY_PRESENT if it has one, and as {@link proveRange}
 */
export function* proveExclusionByNeighbours(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<RangeProof> {
  const { entries, proof } = yield* proveRange(context, root, { from: path, to: path });
  if (entries.length > 0) throw presentKey();
  return proof;
}

/**
 * The right-hand siblings of a leaf, from the leaf up: what Rooch proves a range from the first leaf up to that one with.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_KEY_ABSENT if the path has no value, and as {@link proveRange}
 * @see FORMAT.md, "BCS"
 */
export function* proveRightSiblings(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<Uint8Array[]> {
  const { siblings } = yield* proveInclusion(context, root, path);
  return siblings.filter((_, i) => bitAt(path, siblings.length - 1 - i) === 0);
}

/**
 * The leaf next to a path: the largest before it (`bit` 0) or the smallest after it (`bit` 1). It may belong to the cache: it is
 * read, not changed.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 * @throws TypeError, RangeError if root or path are not 32 bytes, or the bit is neither 0 nor 1
 */
export function* neighbourOf(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
  bit: 0 | 1,
): Reading<LeafNode | undefined> {
  checkArgument(path, "path");
  if (bit !== 0 && bit !== 1) throw new RangeError("bit must be 0 or 1");
  let place = yield* rootPlace(context, root);
  let beside: Place | undefined;
  while (place.kind === "inner") {
    const halves = yield* halvesOf(context, place);
    const turn = bitAt(path, place.depth) as 0 | 1;
    if (turn !== bit && halves[bit].kind !== "empty") beside = halves[bit];
    place = halves[turn];
  }
  if (place.kind === "leaf") {
    const leaf = yield* leafOf(context, place);
    const order = compareBytes(leaf.path, path);
    if (bit === 0 ? order < 0 : 0 < order) return leaf;
  }
  while (beside?.kind === "inner") {
    const halves: readonly [Place, Place] = yield* halvesOf(context, beside);
    const near = halves[bit === 0 ? 1 : 0];
    beside = near.kind === "empty" ? halves[bit] : near;
  }
  return beside && (yield* leafOf(context, beside));
}

function* proveLeaves(
  context: TreeContext,
  root: Uint8Array,
  leaves: readonly LeafNode[],
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
): Reading<RangeProof> {
  const [first] = leaves;
  const last = leaves.at(-1);
  const startsAtBound = first !== undefined && from !== undefined && sameBytes(first.path, from);
  const endsAtBound = last !== undefined && to !== undefined && sameBytes(last.path, to);
  const [before, after] = yield* together([
    from === undefined || startsAtBound ? none() : neighbourOf(context, root, from, 0),
    to === undefined || endsAtBound ? none() : neighbourOf(context, root, to, 1),
  ]);
  const [leftSiblings, rightSiblings] = yield* together([
    siblingsOf(context, root, before ?? first ?? after, 1),
    siblingsOf(context, root, after ?? last ?? before, 0),
  ]);
  return {
    before: before && namedLeaf(context, before),
    after: after && namedLeaf(context, after),
    leftSiblings,
    rightSiblings,
  };
}

/**
 * A reading that reads nothing and finds nothing.
 *
 * @yields nothing
 */
// oxlint-disable-next-line require-yield -- it has the type of those that do
function* none(): Reading<undefined> {
  return undefined;
}

/**
 * The siblings of a leaf at those bits of its path, from the leaf up; `undefined` if all are empty.
 *
 * @yields the hashes of nodes to read
 */
function* siblingsOf(
  context: TreeContext,
  root: Uint8Array,
  leaf: LeafNode | undefined,
  bit: 0 | 1,
): Reading<Uint8Array[] | undefined> {
  if (leaf === undefined) return undefined;
  const { proof } = yield* getWithProof(context, root, leaf.path);
  const { siblings } = proof;
  const outside = siblings.filter((_, i) => bitAt(leaf.path, siblings.length - 1 - i) === bit);
  const { placeholder } = context.scheme;
  return outside.every((sibling) => sameBytes(sibling, placeholder)) ? undefined : outside;
}

/**
 * The first leaves of a range, ascending. Goes down with all places at once, keeping no more of them than leaves are wanted:
 * every place has a leaf in the range, but for those at its ends.
 *
 * @yields the hashes of nodes to read
 */
function* leavesBetween(
  context: TreeContext,
  root: Uint8Array,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
  limit: number,
): Reading<LeafNode[]> {
  let found: (Place | LeafNode)[] = [yield* rootPlace(context, root)];
  while (found.some(isPlace)) {
    checkDistinct(found);
    const next = yield* together(found.map((item) => openItem(context, item, from, to)));
    found = next.flat().slice(0, limit + 2);
  }
  return (found as LeafNode[]).slice(0, limit);
}

/** Refuses one node at two places, which no tree has: in a damaged store, one that leads to itself would double without end. */
function checkDistinct(items: readonly (Place | LeafNode)[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (!isPlace(item) || item.kind !== "inner" || item.at !== undefined) continue;
    const hash = toHex(hashOf(item));
    if (seen.has(hash)) throw misplaced(`a node lies at two places, ${item.depth} bits deep`);
    seen.add(hash);
  }
}

function* openItem(
  context: TreeContext,
  item: Place | LeafNode,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
): Reading<(Place | LeafNode)[]> {
  if (!isPlace(item)) return [item];
  switch (item.kind) {
    case "empty":
      return [];
    case "leaf": {
      const leaf = yield* leafOf(context, item);
      const isBefore = from !== undefined && compareBytes(leaf.path, from) < 0;
      const isAfter = to !== undefined && 0 < compareBytes(leaf.path, to);
      return isBefore || isAfter ? [] : [leaf];
    }
    case "inner": {
      const halves = yield* halvesOf(context, item);
      return halves.filter(
        (half) => half.kind !== "empty" && !isBeside(half, from, 0) && !isBeside(half, to, 1),
      );
    }
  }
}

function isPlace(item: Place | LeafNode): item is Place {
  return "depth" in item;
}

/** Whether a place lies wholly before a bound (`bit` 0) or after it (`bit` 1). */
function isBeside({ path, depth }: Place, bound: Uint8Array | undefined, bit: 0 | 1): boolean {
  if (bound === undefined) return false;
  const shared = commonBits(path, bound);
  return shared < depth && bitAt(path, shared) === bit;
}
