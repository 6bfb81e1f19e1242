import { type Reading } from "@x/store";
import { keyText, sameBytes } from "@x/store/adapter";

import { childrenOf } from "../child.ts";
import { type TreeContext } from "../context.ts";
import { loadNodes, misplaced } from "../load.ts";
import { type LeafNode, type Node } from "../node.ts";
import { nibbleAt, PATH_NIBBLES } from "../path.ts";

/**
 * Runs: what says whether a node may be deleted.
 *
 * The retained roots are a chain of versions. A *place* is a position in the tree of a version (and, where leaves carry
 * roots of other trees, a position in such a tree below a leaf's path). A *run* is a longest series of neighbouring
 * versions that have one node at one place. A node is needed by some version exactly while it has a run, so the stored
 * count of its runs is all that has to be kept: 1, which is not written down, until a node comes back while an older version
 * still has it, or stands at two places.
 *
 * A version that joins the chain between two neighbours, or leaves it, changes counts only where it differs from both of
 * them:
 *
 * - a node that neither neighbour has there is a run of its own: one more, or one less;
 * - a node that both neighbours have there, and it has not, is a run cut in two: one more, or one less.
 *
 * Both are found by walking the three trees together and skipping whatever is the same in two of them with the middle.
 * Hashes name places: an internal node's hash fixes the paths below and the depth, a leaf's hash its path. So one
 * comparison of hashes decides for a whole subtree.
 */
export interface Neighbourhood {
  /** Root before, in the chain; `undefined`: none, or empty. */
  readonly before: Uint8Array | undefined;
  /** Root of the version that joins or leaves; `undefined`: empty. */
  readonly middle: Uint8Array | undefined;
  /** Root after, in the chain; `undefined`: none, or empty. */
  readonly after: Uint8Array | undefined;
}

/** How the walk reads. */
export interface RunSource {
  readonly context: TreeContext;
  /** Roots of the trees a leaf carries, `undefined` for an empty one. Default: leaves carry none. */
  readonly nestedRoots: ((leaf: LeafNode) => readonly (Uint8Array | undefined)[]) | undefined;
}

/**
 * Calls `visit` once for each run that the middle version has more than its neighbours alone would have.
 *
 * Reads many differing places at a time, the deepest first: O(differences to the nearer neighbour) nodes, in bounded memory.
 *
 * @yields hashes of nodes
 */
export function* visitRuns(
  source: RunSource,
  { before, middle, after }: Neighbourhood,
  visit: (hash: Uint8Array) => void,
): Reading<void> {
  const places: Place[] = [];
  const roots = { before: rootAt(before), middle: rootAt(middle), after: rootAt(after) };
  pushPlace(places, { depth: 0, ...roots });
  while (places.length > 0) {
    const group = places.splice(-GROUP_SIZE);
    const nodes = yield* readGroup(source, group);
    for (const place of group) descend(source, place, nodes, visit, places);
  }
}

/** A subtree at a place. Whether it is a leaf is not known of a root that was not read. */
interface Subtree {
  readonly hash: Uint8Array;
  readonly isLeaf: boolean | undefined;
}

/** What the three versions have at one place; it differs between the middle and either neighbour. */
interface Place {
  readonly depth: number;
  readonly before: Subtree | undefined;
  readonly middle: Subtree | undefined;
  readonly after: Subtree | undefined;
}

/** Places read together. What waits is at most this many, times 16, for every level. */
const GROUP_SIZE = 1024;

const SIDES = ["before", "middle", "after"] as const;

function rootAt(hash: Uint8Array | undefined): Subtree | undefined {
  return hash === undefined ? undefined : { hash, isLeaf: undefined };
}

/** Keeps a place only if the middle differs from both neighbours there: elsewhere no run changes. */
function pushPlace(places: Place[], place: Place): void {
  const { before, middle, after } = place;
  if (!sameBytes(middle?.hash, before?.hash) && !sameBytes(middle?.hash, after?.hash))
    places.push(place);
}

type NodesByHash = Map<string, Node | undefined>;

// Reads what has to be known of these places: all nodes where a subtree meets another, and leaves that carry trees.
function* readGroup(source: RunSource, places: readonly Place[]): Reading<NodesByHash> {
  const nodes: NodesByHash = new Map();
  const hashes: Uint8Array[] = [];
  for (const place of places) {
    const isDecided = SIDES.every(
      (side) => place[side] === undefined || place[side].isLeaf === true,
    );
    if (isDecided && source.nestedRoots === undefined) continue;
    for (const side of SIDES) {
      const subtree = place[side];
      if (subtree === undefined || nodes.has(keyText(subtree.hash))) continue;
      nodes.set(keyText(subtree.hash), undefined);
      hashes.push(subtree.hash);
    }
  }
  const loaded = yield* loadNodes(source.context, hashes, { keeps: "none" });
  for (const { hash, node } of loaded) nodes.set(keyText(hash), node);
  return nodes;
}

function descend(
  source: RunSource,
  place: Place,
  nodes: NodesByHash,
  visit: (hash: Uint8Array) => void,
  next: Place[],
): void {
  const [before, middle, after] = SIDES.map((side) => nodeOf(place[side], nodes));
  const isMeeting = [before, middle, after].some((node) => node?.kind === "internal");
  // Where subtrees meet, a leaf is passed down: it may stand below, in another version.
  if (place.middle !== undefined && (!isMeeting || middle?.kind === "internal"))
    visit(place.middle.hash);
  if (
    place.before !== undefined &&
    sameBytes(place.before.hash, place.after?.hash) &&
    (!isMeeting || before?.kind === "internal")
  )
    visit(place.before.hash);
  if (isMeeting) pushChildren(place, { before, middle, after }, next);
  else if (source.nestedRoots !== undefined)
    pushNested(source.nestedRoots, { before, middle, after }, next);
}

function nodeOf(subtree: Subtree | undefined, nodes: NodesByHash): Node | undefined {
  return subtree === undefined ? undefined : nodes.get(keyText(subtree.hash));
}

type Sides<T> = Readonly<Record<(typeof SIDES)[number], T | undefined>>;

function pushChildren(place: Place, nodes: Sides<Node>, next: Place[]): void {
  if (place.depth >= PATH_NIBBLES)
    throw misplaced(`an internal node lies ${place.depth} nibbles deep`);
  const children = {
    before: subtreesOf(place.before, nodes.before, place.depth),
    middle: subtreesOf(place.middle, nodes.middle, place.depth),
    after: subtreesOf(place.after, nodes.after, place.depth),
  };
  for (let slot = 0; slot < 16; slot++)
    pushPlace(next, {
      depth: place.depth + 1,
      before: children.before[slot],
      middle: children.middle[slot],
      after: children.after[slot],
    });
}

/** The subtrees one nibble further down; a leaf is the only child of its place. */
function subtreesOf(
  subtree: Subtree | undefined,
  node: Node | undefined,
  depth: number,
): readonly (Subtree | undefined)[] {
  const children: (Subtree | undefined)[] = Array.from({ length: 16 }, () => undefined);
  if (node === undefined || subtree === undefined) return children;
  if (node.kind === "leaf") {
    children[nibbleAt(node.path, depth)] = { hash: subtree.hash, isLeaf: true };
    return children;
  }
  for (const child of childrenOf(node)) children[child.slot] = child;
  return children;
}

/** The trees that leaves carry are places below the leaf's path, numbered in the order in which the leaf names them. */
function pushNested(
  nestedRoots: (leaf: LeafNode) => readonly (Uint8Array | undefined)[],
  nodes: Sides<Node>,
  next: Place[],
): void {
  const leaves = SIDES.map((side) => leafOf(nodes[side]));
  const paths = leaves.flatMap((leaf) => (leaf === undefined ? [] : [leaf.path]));
  for (const [index, path] of paths.entries()) {
    if (paths.findIndex((other) => sameBytes(other, path)) < index) continue;
    const roots = leaves.map((leaf) =>
      leaf !== undefined && sameBytes(leaf.path, path) ? nestedRoots(leaf) : [],
    );
    const count = Math.max(...roots.map((list) => list.length));
    for (let at = 0; at < count; at++)
      pushPlace(next, {
        depth: 0,
        before: rootAt(roots[0]?.[at]),
        middle: rootAt(roots[1]?.[at]),
        after: rootAt(roots[2]?.[at]),
      });
  }
}

function leafOf(node: Node | undefined): LeafNode | undefined {
  return node?.kind === "leaf" ? node : undefined;
}
