import { equalBytes } from "@x/hash";
import type { Reading } from "@x/store";
import { bitAt, commonBits, PATH_BITS } from "../bits.ts";
import { linkTo } from "../link.ts";
import { load } from "../load.ts";
import type { TrieScheme } from "../scheme.ts";
import {
  otherSide,
  sharedBits,
  type SmtInner,
  type SmtLink,
  type SmtNode,
  sideOf,
} from "./node.ts";
import { checkPlace } from "./place.ts";

type Decoder = Pick<TrieScheme<SmtNode, never>, "decode">;

/**
 * @see TrieScheme.set
 *
 * @yields the hashes of nodes to read
 */
export function* setSmt(
  decoder: Decoder,
  root: SmtLink | undefined,
  path: Uint8Array,
  value: Uint8Array,
): Reading<SmtLink> {
  const leaf = linkTo<SmtNode>({ kind: "leaf", keyHash: path, value });
  if (root === undefined) return leaf;
  const above: SmtInner[] = [];
  let link = root;
  let depth = 0;
  for (;;) {
    const node = link.node ?? (yield* load(decoder, link));
    if (node.kind === "leaf") {
      const split = commonBits(node.keyHash, path);
      if (split < PATH_BITS) return rebuild(above, path, fork(path, depth, split, leaf, link));
      return equalBytes(node.value, value) ? root : rebuild(above, path, leaf);
    }
    const shared = sharedBits(node, path);
    if (shared < node.split) {
      const moved = linkTo<SmtNode>({ ...node, start: shared + 1 });
      return rebuild(above, path, fork(path, depth, shared, leaf, moved));
    }
    above.push(node);
    link = sideOf(node, path);
    depth = node.split + 1;
  }
}

/**
 * @see TrieScheme.delete
 *
 * @yields the hashes of nodes to read
 */
export function* deleteSmt(
  decoder: Decoder,
  root: SmtLink | undefined,
  path: Uint8Array,
): Reading<SmtLink | undefined> {
  if (root === undefined) return root;
  const above: SmtInner[] = [];
  let link = root;
  for (;;) {
    const node = link.node ?? (yield* load(decoder, link));
    if (node.kind === "inner") {
      if (sharedBits(node, path) < node.split) return root;
      above.push(node);
      link = sideOf(node, path);
      continue;
    }
    if (!equalBytes(node.keyHash, path)) return root;
    const parent = above.pop();
    if (parent === undefined) return undefined;
    const sibling = otherSide(parent, path);
    const kept = sibling.node ?? (yield* load(decoder, sibling));
    checkPlace(kept, besides(path, parent.split), parent.split + 1);
    // A leaf stands anywhere; an inner node is told where it stands now.
    const moved =
      kept.kind === "leaf" ? sibling : linkTo<SmtNode>({ ...kept, start: parent.start });
    return rebuild(above, path, moved);
  }
}

/** A path with one bit turned: the way to the other side of a node. */
function besides(path: Uint8Array, depth: number): Uint8Array {
  const turned = new Uint8Array(path);
  turned[depth >>> 3] = (turned[depth >>> 3] as number) ^ (128 >>> (depth & 7));
  return turned;
}

/** A new node that tells two sides apart by the bit of a path at `split`. */
function fork(
  path: Uint8Array,
  start: number,
  split: number,
  own: SmtLink,
  other: SmtLink,
): SmtLink {
  const [left, right] = bitAt(path, split) === 0 ? [own, other] : [other, own];
  return linkTo<SmtNode>({ kind: "inner", start, split, prefix: path, left, right });
}

/** Puts a changed node back under what was above it, all of it along a path. */
function rebuild(above: readonly SmtInner[], path: Uint8Array, changed: SmtLink): SmtLink {
  let link = changed;
  for (let i = above.length - 1; 0 <= i; i--) {
    const node = above[i] as SmtInner;
    const side = bitAt(path, node.split) === 0 ? { left: link } : { right: link };
    link = linkTo<SmtNode>({ ...node, ...side });
  }
  return link;
}
