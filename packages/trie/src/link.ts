/**
 * How a node points to another: by reference, by the node itself, or by both. Nodes never change; what a link does not know yet
 * is filled in once, so that links are shared by every version that has the node.
 */
export interface Link<Node> {
  /**
   * What the parent's bytes hold of the node: its hash, 32 bytes, or, where small nodes are inlined, its own bytes, fewer than 32.
   * `undefined` until it is hashed.
   */
  ref: Uint8Array | undefined;
  /** `undefined` until it is loaded. One of the two is there. */
  node: Node | undefined;
}

/** Bytes of a reference that is a hash. */
export const HASH_SIZE = 32;

/** A link to a node that is new. */
export function linkTo<Node>(node: Node): Link<Node> {
  return { ref: undefined, node };
}

/** A link to a node that is stored. */
export function linkOf<Node>(ref: Uint8Array): Link<Node> {
  return { ref, node: undefined };
}
