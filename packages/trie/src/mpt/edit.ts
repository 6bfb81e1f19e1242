import { equalBytes } from "@x/hash";
import type { Reading } from "@x/store";
import { type Link, linkTo } from "../link.ts";
import { load } from "../load.ts";
import { commonNibbles, joinNibbles, type Nibbles } from "../nibbles.ts";
import type { TrieScheme } from "../scheme.ts";
import {
  countParts,
  type MptBranch,
  type MptExtension,
  type MptLink,
  type MptNode,
  stepMpt,
  valueAtMpt,
} from "./node.ts";

type Decoder = Pick<TrieScheme<MptNode, never>, "decode">;

/** A node on the way down, and the nibble taken where it is a branch. */
type Above =
  | { readonly node: MptExtension }
  | { readonly node: MptBranch; readonly nibble: number };

/**
 * @see TrieScheme.set
 *
 * @yields the hashes of nodes to read
 */
export function* setMpt(
  decoder: Decoder,
  root: MptLink | undefined,
  path: Nibbles,
  value: Uint8Array,
): Reading<MptLink> {
  if (root === undefined) return linkTo<MptNode>({ kind: "leaf", path, value });
  const above: Above[] = [];
  let link = root;
  let at = 0;
  for (;;) {
    const node = link.node ?? (yield* load(decoder, link));
    const step = stepMpt(node, path, at);
    if (step === undefined) {
      const known = valueAtMpt(node, path, at);
      if (known !== undefined && equalBytes(known, value)) return root;
      return rebuild(above, insertHere(node, path.subarray(at), value));
    }
    above.push(aboveOf(node, path, at));
    ({ link, at } = step);
  }
}

/** The node where a walk ends, with the entry of the rest of its path. */
function insertHere(node: MptNode, rest: Nibbles, value: Uint8Array): MptNode {
  if (node.kind === "branch") {
    if (rest.length === 0) return { ...node, value };
    return withChild(node, rest[0] as number, linkTo(leafOf(rest.subarray(1), value)));
  }
  const common = commonNibbles(rest, 0, node.path);
  if (node.kind === "leaf" && common === rest.length && common === node.path.length)
    return leafOf(rest, value);
  const children: (MptLink | undefined)[] = Array.from({ length: 16 });
  let ownValue: Uint8Array | undefined;
  if (common === rest.length) ownValue = value;
  else children[rest[common] as number] = linkTo(leafOf(rest.subarray(common + 1), value));
  if (common === node.path.length) ownValue = (node as { value: Uint8Array }).value;
  else children[node.path[common] as number] = remainder(node, common + 1);
  return extend(node.path.subarray(0, common), { kind: "branch", children, value: ownValue });
}

/** A leaf or extension without the first nibbles of its path. */
function remainder(node: Exclude<MptNode, MptBranch>, from: number): MptLink {
  const path = node.path.subarray(from);
  if (node.kind === "leaf") return linkTo(leafOf(path, node.value));
  return path.length === 0 ? node.child : linkTo<MptNode>({ ...node, path });
}

/**
 * @see TrieScheme.delete
 *
 * @yields the hashes of nodes to read
 */
export function* deleteMpt(
  decoder: Decoder,
  root: MptLink | undefined,
  path: Nibbles,
): Reading<MptLink | undefined> {
  if (root === undefined) return root;
  const above: Above[] = [];
  let link = root;
  let at = 0;
  for (;;) {
    const node = link.node ?? (yield* load(decoder, link));
    const step = stepMpt(node, path, at);
    if (step !== undefined) {
      above.push(aboveOf(node, path, at));
      ({ link, at } = step);
      continue;
    }
    if (valueAtMpt(node, path, at) === undefined) return root;
    if (node.kind === "branch")
      return rebuild(above, yield* normalize(decoder, { ...node, value: undefined }));
    const parent = above.pop();
    // A leaf is never below an extension.
    if (parent === undefined || !("nibble" in parent)) return undefined;
    const branch = withChild(parent.node, parent.nibble, undefined);
    return rebuild(above, yield* normalize(decoder, branch));
  }
}

/**
 * A branch that lost a part, in the form that its entries have: one part alone is no branch.
 *
 * @yields the hashes of nodes to read
 */
function* normalize(decoder: Decoder, branch: MptBranch): Reading<MptNode> {
  if (countParts(branch) > 1) return branch;
  if (branch.value !== undefined) return leafOf(new Uint8Array(0), branch.value);
  const nibble = branch.children.findIndex((child) => child !== undefined);
  const link = branch.children[nibble] as MptLink;
  const node = yield* load(decoder, link);
  return lead(Uint8Array.of(nibble), node, link);
}

/** Puts a changed node back under what was above it. */
function rebuild(above: readonly Above[], changed: MptNode): MptLink {
  let node = changed;
  for (let i = above.length - 1; 0 <= i; i--) {
    const one = above[i] as Above;
    node =
      "nibble" in one
        ? withChild(one.node, one.nibble, linkTo(node))
        : lead(one.node.path, node, linkTo(node));
  }
  return linkTo(node);
}

/** A node behind a path: leaves and extensions take it into theirs. */
function lead(path: Nibbles, node: MptNode, link: Link<MptNode>): MptNode {
  if (node.kind === "branch") return { kind: "extension", path, child: link };
  return { ...node, path: joinNibbles(path, node.path) };
}

/** A branch behind a path that may be empty. */
function extend(path: Nibbles, branch: MptBranch): MptNode {
  return path.length === 0 ? branch : lead(path, branch, linkTo<MptNode>(branch));
}

function withChild(branch: MptBranch, nibble: number, child: MptLink | undefined): MptBranch {
  const children = branch.children.slice();
  children[nibble] = child;
  return { kind: "branch", children, value: branch.value };
}

function leafOf(path: Nibbles, value: Uint8Array): MptNode {
  return { kind: "leaf", path, value };
}

/** A leaf has nothing below it, so it is not above anything. */
function aboveOf(node: MptNode, path: Nibbles, at: number): Above {
  return node.kind === "branch"
    ? { node, nibble: path[at] as number }
    : { node: node as MptExtension };
}
