import { type Store } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { type Child, childrenOf } from "../child.ts";
import { type TreeContext } from "../context.ts";
import { hashInternal } from "../inner-hash.ts";
import { type InternalNode, type LeafNode, type Node } from "../node.ts";
import { nibbleAt, PATH_NIBBLES } from "../path.ts";
import { mayKeepKey } from "../tree/leaf-key.ts";
import { type RunSource } from "./runs.ts";

/** What is wrong with a stored record, and where it was met. */
export interface BadRecord {
  /**
   * `record`: a tree record or version that does not decode. `missing`: a node that something points to. `format`: a node that does
   * not decode. `hash`: a node that is not what it is stored under. `place`: a node that misplaces a child. `count`: a node that
   * miscounts its leaves. `key`: a leaf whose key is not that of its path. `leaf-count`: a version that miscounts.
   * `run-count`: a count beside a node that recounting does not give. `orphan`: a node that no root needs. `total`: a tree
   * record that miscounts the others.
   */
  readonly kind:
    | "record"
    | "missing"
    | "format"
    | "hash"
    | "place"
    | "count"
    | "key"
    | "leaf-count"
    | "run-count"
    | "orphan"
    | "total";
  /** Key of the record in the store. */
  readonly at: Uint8Array;
  /** Nibbles from the root, in hexadecimal; behind a slash those in a nested tree, after its number. Empty for what is no node of a tree. */
  readonly path: string;
  /** What should be there, and what is: counts, or kinds. Never content. */
  readonly expected?: string;
  readonly found?: string;
}

/** Thrown by the walk to end it, and caught by who began it. */
export class BadRecordFound extends Error {
  readonly record: BadRecord;

  constructor(record: BadRecord, options?: ErrorOptions) {
    super("a bad record was found", options);
    this.record = record;
  }
}

/** What the walk needs, and whom it tells. */
export interface VerifyWalk {
  readonly store: Pick<Store, "getMany">;
  readonly source: RunSource;
  /** Which keys leaves may keep. */
  readonly keys: "hashed" | "paths";
  /** Called with each node that was looked at; throws to stop the walk. */
  readonly onNode: (byteCount: number) => void;
}

/** A subtree at a place, with what stood there in a tree that is known to be right. */
interface Place {
  readonly hash: Uint8Array;
  readonly depth: number;
  readonly path: string;
  readonly known: Node | undefined;
}

/**
 * Looks at every node of a tree, in the order of paths, a node before its children: that it is there, decodes, hashes to its
 * name, has its children where and as they are, and counts its leaves. Subtrees that `knownRoot` has at the same place are right
 * already.
 *
 * @param knownRoot - root of a tree that was looked at
 * @returns leaves of the tree, where its nodes count them or all were looked at
 * @throws BadRecordFound the first that is wrong
 */
export async function checkTree(
  walk: VerifyWalk,
  root: Uint8Array,
  knownRoot: Uint8Array | undefined,
  path = "",
): Promise<number | undefined> {
  const isKnown = knownRoot !== undefined && !sameBytes(knownRoot, root);
  const [bytes, knownBytes] = await walk.store.getMany(isKnown ? [root, knownRoot] : [root]);
  const known = knownBytes === undefined ? undefined : decode(walk.source.context, knownBytes);
  const place = { hash: root, depth: 0, path, known };
  return checkNode(walk, place, checkBytes(walk, place, bytes));
}

/** That a node is there, decodes and hashes to its name. */
function checkBytes(walk: VerifyWalk, place: Place, bytes: Uint8Array | undefined): Node {
  const { context } = walk.source;
  if (bytes === undefined) throw bad("missing", place);
  walk.onNode(place.hash.length + bytes.length);
  let node: Node | undefined;
  try {
    node = decode(context, bytes);
  } catch {
    throw bad("format", place);
  }
  if (node === undefined) throw bad("format", place);
  if (!sameBytes(hashOf(context, node), place.hash)) throw bad("hash", place);
  return node;
}

async function checkNode(walk: VerifyWalk, place: Place, node: Node): Promise<number | undefined> {
  return node.kind === "leaf" ? checkLeaf(walk, place, node) : checkInternal(walk, place, node);
}

async function checkLeaf(walk: VerifyWalk, place: Place, leaf: LeafNode): Promise<number> {
  const { context, nestedRoots } = walk.source;
  if (!mayKeepKey({ keys: walk.keys, scheme: context.scheme }, leaf)) throw bad("key", place);
  if (nestedRoots === undefined) return 1;
  const { known } = place;
  const isSame = known?.kind === "leaf" && sameBytes(known.path, leaf.path);
  const knownRoots = isSame ? nestedRoots(known) : [];
  for (const [index, root] of nestedRoots(leaf).entries()) {
    if (root === undefined || sameBytes(root, knownRoots[index])) continue;
    await checkTree(walk, root, knownRoots[index], `${place.path}/${index}:`);
  }
  return 1;
}

async function checkInternal(
  walk: VerifyWalk,
  place: Place,
  node: InternalNode,
): Promise<number | undefined> {
  if (place.depth >= PATH_NIBBLES) throw bad("place", place);
  const children = childrenOf(node);
  const knownChildren = childrenKnownAt(place);
  const isNew = (child: Child) => !sameBytes(knownChildren[child.slot]?.hash, child.hash);
  const fresh = children.filter((child) => isNew(child));
  const nodes = await readChildren(walk, place, fresh, knownChildren);
  let total: number | undefined = 0;
  for (const child of children) {
    const at = fresh.indexOf(child);
    const count =
      at === -1 ? checkKnown(place, child, knownChildren[child.slot] as Child) : await nodes(at);
    if (child.count !== undefined && count !== undefined && child.count !== count)
      throw bad("count", place, String(count), String(child.count));
    total = total === undefined || count === undefined ? undefined : total + count;
  }
  return total;
}

/** Reads the children that are not known to be right, with what stood in their places; checks one when asked. */
async function readChildren(
  walk: VerifyWalk,
  place: Place,
  fresh: readonly Child[],
  knownChildren: readonly (Child | undefined)[],
): Promise<(at: number) => Promise<number | undefined>> {
  const known = fresh.map(({ slot }) => knownChildren[slot]);
  const read = known.flatMap((child) => (child === undefined ? [] : [child.hash]));
  const values = await walk.store.getMany([...fresh.map(({ hash }) => hash), ...read]);
  return async (at) => {
    const child = fresh[at] as Child;
    const knownAt = known.slice(0, at).filter((one) => one !== undefined).length + fresh.length;
    const knownBytes = known[at] === undefined ? undefined : values[knownAt];
    const below: Place = {
      hash: child.hash,
      depth: place.depth + 1,
      path: place.path + child.slot.toString(16),
      known: knownBytes === undefined ? undefined : decode(walk.source.context, knownBytes),
    };
    const node = checkBytes(walk, below, values[at]);
    if ((node.kind === "leaf") !== child.isLeaf)
      throw bad("place", place, child.isLeaf ? "leaf" : "internal", node.kind);
    if (node.kind === "leaf" && !isBelow(node.path, below)) throw bad("place", place);
    return checkNode(walk, below, node);
  };
}

/** The children of what stood at a place, by slot; a leaf that stood there is looked at again, wherever it is now. */
function childrenKnownAt({ known }: Place): readonly (Child | undefined)[] {
  const children: (Child | undefined)[] = [];
  if (known?.kind === "internal")
    for (const child of childrenOf(known)) children[child.slot] = child;
  return children;
}

/** That a child which is right is described as its former parent did. */
function checkKnown(place: Place, child: Child, known: Child): number | undefined {
  if (child.isLeaf !== known.isLeaf) throw bad("place", place);
  return child.isLeaf ? 1 : known.count;
}

/** Whether the nibbles walked in this tree begin a path. */
function isBelow(path: Uint8Array, { depth, path: walked }: Place): boolean {
  const own = walked.slice(walked.length - depth);
  for (let at = 0; at < depth; at++) if (nibbleAt(path, at).toString(16) !== own[at]) return false;
  return true;
}

function decode({ format }: TreeContext, bytes: Uint8Array): Node | undefined {
  return format.decode(bytes) ?? undefined;
}

/** The hash a node should be stored under. */
export function hashOf({ scheme }: TreeContext, node: Node): Uint8Array {
  if (node.kind === "internal") return hashInternal(node, scheme);
  const pair = new Uint8Array(64);
  pair.set(node.path);
  pair.set(scheme.hashValue(node.value), 32);
  const hash = new Uint8Array(32);
  scheme.hashLeaves(pair, 1, hash);
  return hash;
}

function bad(
  kind: BadRecord["kind"],
  { hash, path }: Place,
  expected?: string,
  found?: string,
): BadRecordFound {
  return new BadRecordFound({
    kind,
    at: hash.slice(),
    path,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  });
}
