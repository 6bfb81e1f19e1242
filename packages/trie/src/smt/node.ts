import { bitAt, commonBits, PATH_BITS } from "../bits.ts";
import type { Link } from "../link.ts";

/** A node of a compressed binary trie of 256 bits. The empty trie has none. */
export type SmtNode = SmtLeaf | SmtInner;

/** How a node points to a child. */
export type SmtLink = Link<SmtNode>;

/** One entry; its hash is the same wherever it stands. */
export interface SmtLeaf {
  readonly kind: "leaf";
  /** Keccak-256 of the key. */
  readonly keyHash: Uint8Array;
  readonly value: Uint8Array;
}

/** Two sides with entries in both. Levels between `start` and `split` have one empty side each and are not nodes. */
export interface SmtInner {
  readonly kind: "inner";
  /** Depth at which it stands. */
  readonly start: number;
  /** Depth of the bit that tells the sides apart. `start <= split < 256`. */
  readonly split: number;
  /** 32 bytes; the first `split` bits are those of every entry below. The others say nothing. */
  readonly prefix: Uint8Array;
  readonly left: SmtLink;
  readonly right: SmtLink;
}

/** What a walk along a path does next at a node. */
export function stepSmt(node: SmtNode, path: Uint8Array): SmtStep | undefined {
  if (node.kind === "leaf" || sharedBits(node, path) < node.split) return undefined;
  return { link: sideOf(node, path), at: node.split + 1 };
}

/** Where a walk goes on. */
export interface SmtStep {
  readonly link: SmtLink;
  /** Bits of the path that lie behind. */
  readonly at: number;
}

/** The value of a path at the node where its walk ends. */
export function valueAtSmt(node: SmtNode, path: Uint8Array): Uint8Array | undefined {
  return node.kind === "leaf" && commonBits(node.keyHash, path) === PATH_BITS
    ? node.value
    : undefined;
}

/** Bits that a path shares with everything below a node, at most `split`. */
export function sharedBits({ prefix, split }: SmtInner, path: Uint8Array): number {
  return commonBits(prefix, path, split);
}

/** The side of a node on which a path lies. */
export function sideOf(node: SmtInner, path: Uint8Array): SmtLink {
  return bitAt(path, node.split) === 0 ? node.left : node.right;
}

/** The side of a node on which a path does not lie. */
export function otherSide(node: SmtInner, path: Uint8Array): SmtLink {
  return bitAt(path, node.split) === 0 ? node.right : node.left;
}
