/**
 * A decoded node. The tree of a map is canonical: one entry is a leaf; more are an internal node whose child in slot `s`
 * is the tree of the entries with nibble `s` at its depth. A node is stored under its hash.
 */
export type Node = InternalNode | LeafNode;

/** A key's path and value, wherever in the tree it is. */
export interface LeafNode {
  readonly kind: "leaf";
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** The stored bytes of the value. May be empty. */
  readonly value: Uint8Array;
  /** The key that was hashed to the path, where the node format keeps it. */
  readonly key: Uint8Array | undefined;
}

/** Sixteen slots; at least one child, and never a lone leaf. */
export interface InternalNode {
  readonly kind: "internal";
  /** Bit `s` set: slot `s` has a child. 1…65535. */
  readonly existence: number;
  /** Bit `s` set: the child in slot `s` is a leaf. A subset of `existence`. */
  readonly leaves: number;
  /** 32 bytes per child, slots ascending. */
  readonly hashes: Uint8Array;
  /** Leaves under each child, slots ascending, where the node format counts them. */
  readonly counts: readonly number[] | undefined;
}
