import type { JellyfishError } from "../errors.ts";
import { commonBits, PATH_BITS, turned } from "../path.ts";
import {
  checkHash,
  checkHidden,
  type Claim,
  failure,
  hashInner,
  hashNamedLeaf,
  type Rules,
} from "./checks.ts";
import type { ProofLeaf } from "./proof.ts";

/**
 * A tree seen through a few paths: what a statement about them needs, and one hash for everything else. It is binary, as the
 * hashes are; the root is at depth 0. Plain data; nothing in it is trusted by a verifier.
 *
 * Bytes: FORMAT.md, "Partial tree".
 */
export type PartialTree =
  | EmptyPlace
  | HiddenTree
  | ShownLeaf
  | { readonly kind: "inner"; readonly left: PartialTree; readonly right: PartialTree };

/** A place that holds nothing. */
export interface EmptyPlace {
  readonly kind: "empty";
}

/** A part that no asked path leads into. */
export interface HiddenTree {
  readonly kind: "hash";
  /** 32 bytes, never the placeholder. */
  readonly hash: Uint8Array;
}

/** A leaf that an asked path leads to. */
export interface ShownLeaf {
  readonly kind: "leaf";
  readonly leaf: ProofLeaf;
}

/** Hash of a part that no asked path leads into. @throws JellyfishError JELLYFISH_PROOF_SURPLUS if it shows more than that */
export function hashHidden({ scheme }: Claim, node: PartialTree): Uint8Array {
  switch (node?.kind) {
    case "empty":
      return scheme.placeholder;
    case "hash":
      checkHidden(scheme, node.hash);
      return node.hash;
    case "leaf":
    case "inner":
      throw failure("SURPLUS", "shows what is not asked");
    default:
      throw unknownKind();
  }
}

/**
 * Hash of a leaf that is `depth` bits down `path`.
 *
 * @throws JellyfishError JELLYFISH_PROOF_KEY if the leaf has its place elsewhere
 */
export function checkPlace(leaf: ProofLeaf, path: Uint8Array, depth: number): void {
  checkHash(leaf?.path, "path of a leaf");
  if (commonBits(leaf.path, path) < depth) throw failure("KEY", "has a leaf in a wrong place");
}

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT if an inner node is below the last bit */
export function checkDepth(depth: number): void {
  if (PATH_BITS <= depth) throw failure("FORMAT", "is deeper than a path");
}

/** @returns the error of a node that is no {@link PartialTree} */
export function unknownKind(): JellyfishError {
  return failure("FORMAT", "has a node of no kind");
}

/**
 * Hash of a part that is shown only so far that one sees whether it is a leaf.
 *
 * Where leaves and inner nodes hash alike, an inner node is shown down to its first leaf with its value, since a leaf could
 * pass for an inner node with two hidden children.
 *
 * @param path - any path that leads to the part; `depth` bits of it count
 * @throws JellyfishError JELLYFISH_PROOF_SURPLUS, JELLYFISH_PROOF_UNSAFE if it shows more or less than that
 */
export function hashOfKnownKind(
  claim: Claim,
  rules: Rules,
  node: PartialTree,
  path: Uint8Array,
  depth: number,
): Uint8Array {
  switch (node?.kind) {
    case "leaf":
      checkPlace(node.leaf, path, depth);
      return hashNamedLeaf(claim, rules, node.leaf);
    case "inner":
      break;
    case "empty":
    case "hash":
      throw failure("UNSAFE", "hides a leaf");
    default:
      throw unknownKind();
  }
  checkDepth(depth);
  const { left, right } = node;
  if (!rules.absenceCarriesValue) {
    return hashInner(claim.scheme, hashHidden(claim, left), hashHidden(claim, right));
  }
  if (left?.kind === "empty") {
    const hash = hashOfKnownKind(claim, rules, right, turned(path, depth, 1), depth + 1);
    return hashInner(claim.scheme, claim.scheme.placeholder, hash);
  }
  const hash = hashOfKnownKind(claim, rules, left, turned(path, depth, 0), depth + 1);
  return hashInner(claim.scheme, hash, hashHidden(claim, right));
}
