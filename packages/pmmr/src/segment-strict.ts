/**
 * Strict binding of a segment's content: every hash and every record is tied to one node whose hash is returned, and the
 * content has exactly the form that a sender with some set of pruned subtrees makes.
 *
 * Of a prunable range a sender ships each stored node: a record for a leaf, a hash for an inner node. What is not stored
 * lies strictly below the root of a pruned subtree, whole subtrees at a time. Hence, and this is what is checked:
 *
 * 1. Under each inner node shipped, both children were shipped, or nothing was. In the first case its hash must be the hash
 *    of its children; in the second it is a pruned root, no leaf below it is unspent, and its sibling is not one too (two
 *    pruned siblings are one pruned subtree, of which only the root is kept).
 * 2. The trees of the segment are complete: their tops were shipped.
 * 3. Nothing else is there.
 *
 * By 1 the hashes are bound from above once the tops are bound to the root of the range, which the proof does. Dropping any
 * single node breaks 1 or 2; a node more breaks 1 or 3.
 *
 * Time and memory are linear in the content, not in the number of leaves that the identifier claims.
 */

import { equalBytes } from "@x/hash";
import type { IndexSet } from "./backend.ts";
import { PmmrError } from "./errors.ts";
import { type MmrHashing, bagPeaks } from "./hashing.ts";
import { type InnerNode, digestAt, hashInners } from "./levels.ts";
import { familyBranch, heightOf, leafPosition, leafRangeBelow, leftmostLeaf } from "./position.ts";
import { type AnyElementCodec, countMembers, hashSegmentLeaves } from "./segment-leaf.ts";
import { type Segment, type SegmentHash, type SegmentRange, segmentTops } from "./segment.ts";

/** What the content of a segment is bound with. */
export interface BindingContext {
  readonly size: number;
  readonly codec: AnyElementCodec;
  readonly hashing: MmrHashing;
  /** Leaf indexes that are unspent; absent: all. */
  readonly unspent: IndexSet | undefined;
  /** Whether the sender ships inner hashes and may leave out what it pruned. */
  readonly prunable: boolean;
}

/** A node of the subtree walk whose hash is settled, if only by the claim of the sender. */
interface SettledNode {
  readonly pos0: number;
  readonly hash: Uint8Array;
  /** Whether nothing below it was shipped. */
  readonly pruned: boolean;
}

/** An inner node with both children: `hash` is right when it is the hash of the other two. */
interface InnerCheck extends InnerNode {
  readonly hash: Uint8Array;
}

/**
 * Binds all content of a segment to one node: the segment's root, the bag of its peaks (then `pos0` is its last position),
 * or the pruned root that covers it.
 *
 * @param segment - whose hashes have 32 bytes each
 * @throws PmmrError `PMMR_SEGMENT_MISSING`, `PMMR_SEGMENT_SURPLUS`, `PMMR_ROOT_MISMATCH` or `PMMR_MALFORMED`
 */
export function bindSegment(
  segment: Segment,
  range: SegmentRange,
  context: BindingContext,
): SegmentHash {
  checkAscending(segment);
  if (!context.prunable) return bindAllLeaves(segment, range, context);
  return coveringRoot(segment, range, context) ?? bindStored(segment, range, context);
}

/** A segment that is one hash above itself: the whole of it was pruned, together with more. */
function coveringRoot(
  segment: Segment,
  range: SegmentRange,
  { size, unspent }: BindingContext,
): SegmentHash | undefined {
  const [only] = segment.hashes;
  if (segment.leaves.length !== 0 || segment.hashes.length !== 1 || only === undefined) {
    return undefined;
  }
  if (only.pos0 <= range.last) return undefined;
  if (!familyBranch(range.last, size).some(({ parent }) => parent === only.pos0)) {
    throw surplus(only.pos0, "is neither inside the segment nor above it");
  }
  checkAllSpent(only.pos0, unspent);
  return only;
}

function bindStored(
  segment: Segment,
  range: SegmentRange,
  { size, codec, hashing, unspent }: BindingContext,
): SegmentHash {
  checkPlaces(segment, range);
  const leafHashes = hashSegmentLeaves(hashing, codec, segment.leaves);
  const stack: SettledNode[] = [];
  const checks: InnerCheck[] = [];
  let leaf = 0;
  for (const { pos0, hash } of segment.hashes) {
    for (; leaf < segment.leaves.length; leaf++) {
      const leafPos0 = (segment.leaves[leaf] as { readonly pos0: number }).pos0;
      if (pos0 < leafPos0) break;
      stack.push({ pos0: leafPos0, hash: leafHashes[leaf] as Uint8Array, pruned: false });
    }
    const pruned = !joinChildren(stack, pos0, hash, checks);
    if (pruned) checkAllSpent(pos0, unspent);
    stack.push({ pos0, hash, pruned });
  }
  for (; leaf < segment.leaves.length; leaf++) {
    const { pos0 } = segment.leaves[leaf] as { readonly pos0: number };
    stack.push({ pos0, hash: leafHashes[leaf] as Uint8Array, pruned: false });
  }
  checkTops(stack, segmentTops(range, size));
  checkInnerHashes(hashing, checks);
  const tops = stack.map(({ hash }) => hash);
  return { pos0: range.last, hash: bagPeaks(hashing, size, tops) };
}

/**
 * Takes the children of an inner node from the stack, for the check of its hash. Answers whether it has any; what is on the
 * stack and not a child lies to the left.
 */
function joinChildren(
  stack: SettledNode[],
  pos0: number,
  hash: Uint8Array,
  checks: InnerCheck[],
): boolean {
  const right = stack.at(-1);
  const begin = leftmostLeaf(pos0);
  if (right === undefined || right.pos0 < begin) return false;
  const left = stack.at(-2);
  const leftPos0 = pos0 - 2 ** heightOf(pos0);
  if (right.pos0 !== pos0 - 1) throw missing(`the right child of the node at ${pos0}`);
  if (left?.pos0 !== leftPos0) throw missing(`the left child of the node at ${pos0}`);
  if (left.pruned && right.pruned) {
    throw surplus(
      leftPos0,
      "and its sibling are both pruned: their parent alone would stand for them",
    );
  }
  stack.length -= 2;
  checks.push({ pos0, left: left.hash, right: right.hash, hash });
  return true;
}

function checkTops(stack: readonly SettledNode[], tops: readonly number[]): void {
  for (const [i, top] of tops.entries()) {
    if (stack[i]?.pos0 !== top) throw missing(`the node at ${top} or one below it`);
  }
  const extra = stack[tops.length];
  if (extra !== undefined) throw missing(`the parent of the node at ${extra.pos0}`);
}

/** All inner nodes together: no hash of a segment depends on another's check. */
function checkInnerHashes(hashing: MmrHashing, checks: readonly InnerCheck[]): void {
  const digests = hashInners(hashing, checks);
  for (const [i, { pos0, hash }] of checks.entries()) {
    if (equalBytes(digestAt(digests, i), hash)) continue;
    throw new PmmrError(
      "PMMR_ROOT_MISMATCH",
      `segment: the hash at ${pos0} is not the hash of its children`,
    );
  }
}

/** A range that is not prunable: every leaf and nothing else. Level by level, each in packs. */
function bindAllLeaves(
  segment: Segment,
  range: SegmentRange,
  { size, codec, hashing }: BindingContext,
): SegmentHash {
  const [extra] = segment.hashes;
  if (extra !== undefined) throw surplus(extra.pos0, "is not needed: the leaves determine it");
  for (const [i, { pos0 }] of segment.leaves.entries()) {
    if (range.leaves <= i) throw surplus(pos0, "is beyond the segment");
    const want = leafPosition(range.leafBegin + i);
    if (pos0 < want) throw surplus(pos0, "is no leaf of the segment");
    if (pos0 !== want) throw missing(`the leaf at ${want}`);
  }
  if (segment.leaves.length < range.leaves) {
    throw missing(`the leaf at ${leafPosition(range.leafBegin + segment.leaves.length)}`);
  }
  const tops: Uint8Array[] = [];
  let level = hashSegmentLeaves(hashing, codec, segment.leaves);
  for (let height = 0; 0 < level.length; height++) {
    // The node without a right neighbour is a peak, or the root: nothing will be above it here.
    if (level.length % 2 === 1) tops.push(level.pop() as Uint8Array);
    level = hashParents(hashing, level, height + 1, range.leafBegin);
  }
  return { pos0: range.last, hash: bagPeaks(hashing, size, tops.toReversed()) };
}

/** Parents, at `height`, of an even number of neighbours that begin above the leaf with index `leafBegin`. */
function hashParents(
  hashing: MmrHashing,
  children: readonly Uint8Array[],
  height: number,
  leafBegin: number,
): Uint8Array[] {
  const nodes = Array.from({ length: children.length / 2 }, (_, i): InnerNode => ({
    pos0: leafPosition(leafBegin + (i + 1) * 2 ** height - 1) + height,
    left: children[2 * i] as Uint8Array,
    right: children[2 * i + 1] as Uint8Array,
  }));
  const digests = hashInners(hashing, nodes);
  return nodes.map((_, i) => digestAt(digests, i));
}

function checkAscending(segment: Segment): void {
  for (const items of [segment.hashes, segment.leaves]) {
    let previous = -1;
    for (const { pos0 } of items) {
      if (!Number.isSafeInteger(pos0) || pos0 <= previous) {
        throw new PmmrError(
          "PMMR_MALFORMED",
          `segment: position ${pos0} does not follow ${previous}`,
        );
      }
      previous = pos0;
    }
  }
}

/** Every node inside the segment, leaves where leaves are, hashes where none are. */
function checkPlaces(segment: Segment, { first, last }: SegmentRange): void {
  for (const { pos0 } of segment.leaves) {
    if (pos0 < first || last < pos0) throw surplus(pos0, "is outside the segment");
    if (heightOf(pos0) !== 0) throw surplus(pos0, "carries a record and is no leaf");
  }
  for (const { pos0 } of segment.hashes) {
    if (pos0 < first || last < pos0) throw surplus(pos0, "is outside the segment");
    if (heightOf(pos0) === 0) throw surplus(pos0, "is a leaf and carries a hash");
  }
}

function checkAllSpent(pos0: number, unspent: IndexSet | undefined): void {
  const { begin, end } = leafRangeBelow(pos0);
  const count = unspent === undefined ? end - begin : countMembers(unspent, begin, end);
  if (count !== 0) throw missing(`${count} unspent leaves below the node at ${pos0}`);
}

function missing(what: string): PmmrError {
  return new PmmrError("PMMR_SEGMENT_MISSING", `segment lacks ${what}`);
}

function surplus(pos0: number, why: string): PmmrError {
  return new PmmrError("PMMR_SEGMENT_SURPLUS", `segment: the node at ${pos0} ${why}`);
}
