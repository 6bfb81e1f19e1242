import { type Range, type Reading, together } from "@x/store";
import { compareBytes } from "@x/store/adapter";
import { type Child, childAt, childrenOf } from "./child.ts";
import { type TreeContext } from "./context.ts";
import { JellyfishError } from "./errors.ts";
import { checkPlace, isEmptyRoot, loadNode } from "./load.ts";
import { type InternalNode, type LeafNode } from "./node.ts";
import { checkArgument, nibbleAt } from "./path.ts";
import { resolvePathRange, WalkedPath } from "./path-range.ts";

/**
 * Number of leaves: one read.
 *
 * @yields the root's hash
 * @throws TypeError, RangeError if an argument is malformed
 * @throws JellyfishError JELLYFISH_NO_COUNTS if the node format does not count; JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT
 */
export function* countLeaves(context: TreeContext, root: Uint8Array): Reading<number> {
  checkCounts(context);
  if (isEmptyRoot(context, root)) return 0;
  const { node } = yield* loadNode(context, root);
  return node.kind === "leaf" ? 1 : sumOf(childrenOf(node));
}

/**
 * Number of leaves before a path, whether or not it has one: at most one read per level. Errors as {@link countLeaves}, and
 * JELLYFISH_NODE_MISPLACED.
 *
 * @yields the hashes of nodes to read
 */
export function* rankOf(context: TreeContext, root: Uint8Array, path: Uint8Array): Reading<number> {
  checkArgument(path, "path");
  return yield* countUpTo(context, root, path, false);
}

/**
 * Number of leaves before a path, and on request at it.
 *
 * @yields the hashes of nodes to read
 */
function* countUpTo(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
  isInclusive: boolean,
): Reading<number> {
  checkCounts(context);
  if (isEmptyRoot(context, root)) return 0;
  let hash = root;
  let isLeaf: boolean | undefined;
  let count = 0;
  for (let depth = 0; ; depth++) {
    const { node } = yield* loadNode(context, hash);
    checkPlace(node, { depth, isLeaf, path });
    if (node.kind === "leaf")
      return count + Number(compareBytes(node.path, path) < Number(isInclusive));
    const slot = nibbleAt(path, depth);
    count += sumOf(childrenOf(node).filter((child) => child.slot < slot));
    const child = childAt(node, slot);
    if (child === undefined) return count;
    ({ hash, isLeaf } = child);
  }
}

/**
 * The leaf with `index` leaves before it; `undefined` if there are not so many. Cost and errors as {@link rankOf}.
 *
 * @yields the hashes of nodes to read
 * @throws RangeError if `index` is not a count
 */
export function* leafAtIndex(
  context: TreeContext,
  root: Uint8Array,
  index: number,
): Reading<LeafNode | undefined> {
  checkCounts(context);
  if (!Number.isSafeInteger(index) || index < 0)
    throw new RangeError(`index is ${index}, not a count`);
  if (isEmptyRoot(context, root)) return undefined;
  let hash = root;
  let isLeaf: boolean | undefined;
  let rest = index;
  const walked = new WalkedPath();
  for (let depth = 0; ; depth++) {
    const { node } = yield* loadNode(context, hash);
    checkPlace(node, { depth, isLeaf, path: walked.path });
    if (node.kind === "leaf") return rest === 0 ? node : undefined;
    const below = findChild(node, rest);
    if (below === undefined) return undefined;
    rest -= below.rank;
    ({ hash, isLeaf } = below.child);
    walked.set(depth, below.child.slot);
  }
}

/**
 * Number of leaves in a range: at most one read per level, for both ends together. Errors as {@link rankOf}.
 *
 * @param range - bounds are paths of 32 bytes; the count is at most `limit`
 * @yields the hashes of nodes to read
 */
export function* countRange(
  context: TreeContext,
  root: Uint8Array,
  range: Range = {},
): Reading<number> {
  const resolved = resolvePathRange(range);
  const { lower, upper, limit } = resolved;
  checkCounts(context);
  if (resolved.isEmpty) return 0;
  const [before = 0, upTo = 0] = yield* together([
    countUpTo(context, root, lower, false),
    countUpTo(context, root, upper, true),
  ]);
  return Math.min(upTo - before, limit);
}

function checkCounts({ format }: TreeContext): void {
  if (!format.counts)
    throw new JellyfishError(
      "JELLYFISH_NO_COUNTS",
      `nodes of format ${format.name} hold no counts`,
    );
}

/** The child that has the leaf number `index` below it, and how many leaves are before the child. */
function findChild(
  node: InternalNode,
  index: number,
): { readonly child: Child; readonly rank: number } | undefined {
  let rank = 0;
  for (const child of childrenOf(node)) {
    const next = rank + (child.count as number);
    if (index < next) return { child, rank };
    rank = next;
  }
  return undefined;
}

function sumOf(children: readonly Child[]): number {
  return children.reduce((sum, { count }) => sum + (count as number), 0);
}
