/**
 * That a key has a value, in the terms of ICS23: every hash on the way to the root as what stands before and after the hash
 * below it. The leaf operation is that of {@link ICS23_SPEC}.
 */
export interface Ics23Existence {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** From the leaf up to the root. */
  readonly path: readonly Ics23InnerOp[];
}

/** One step up: the hash of `prefix`, the hash below, and `suffix`. */
export interface Ics23InnerOp {
  /** `JMT::IntrnalNode`, and the left sibling if there is one on that side. */
  readonly prefix: Uint8Array;
  /** The right sibling, or nothing. */
  readonly suffix: Uint8Array;
}

/** That a key has no value: the entries on both sides of it, as far as there are any. */
export interface Ics23NonExistence {
  readonly key: Uint8Array;
  readonly left: Ics23Existence | undefined;
  readonly right: Ics23Existence | undefined;
}

/** What ICS23 calls a commitment proof: the answer about one key. */
export type Ics23Proof =
  | { readonly kind: "existence"; readonly existence: Ics23Existence }
  | { readonly kind: "nonexistence"; readonly nonexistence: Ics23NonExistence };

/**
 * The proof specification of `jmtSha256` trees, as published with Penumbra's `jmt`: what an ICS23 verifier, such as an IBC
 * client, is configured with. Names and numbers are those of the `ProofSpec` message.
 *
 * @see FORMAT.md, "ICS23"
 */
export const ICS23_SPEC: Ics23Spec = Object.freeze({
  leafSpec: Object.freeze({
    hash: 1,
    prehashKey: 1,
    prehashValue: 1,
    length: 0,
    prefix: "JMT::LeafNode",
  }),
  innerSpec: Object.freeze({
    childOrder: Object.freeze([0, 1]),
    childSize: 32,
    minPrefixLength: 16,
    maxPrefixLength: 16,
    emptyChild: "SPARSE_MERKLE_PLACEHOLDER_HASH__",
    hash: 1,
  }),
  maxDepth: 64,
  minDepth: 0,
  prehashKeyBeforeComparison: true,
});

/** See {@link ICS23_SPEC}. Texts stand for their ASCII bytes; hash 1 is SHA-256, length 0 is no prefix. */
export interface Ics23Spec {
  readonly leafSpec: {
    readonly hash: number;
    readonly prehashKey: number;
    readonly prehashValue: number;
    readonly length: number;
    readonly prefix: string;
  };
  readonly innerSpec: {
    readonly childOrder: readonly number[];
    readonly childSize: number;
    readonly minPrefixLength: number;
    readonly maxPrefixLength: number;
    readonly emptyChild: string;
    readonly hash: number;
  };
  /** Most steps of a path. */
  readonly maxDepth: number;
  readonly minDepth: number;
  readonly prehashKeyBeforeComparison: boolean;
}
