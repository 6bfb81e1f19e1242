import type { Reading } from "@x/store";
import type { Link } from "./link.ts";

/**
 * One kind of trie: how its nodes are walked, edited, hashed and proven. Everything is over immutable nodes; what is not loaded
 * is asked for by the readings.
 */
export interface TrieScheme<Node, Proof> {
  /** Stable name, as `"mpt"`. */
  readonly name: string;
  /** The root of the empty trie; 32 bytes. */
  readonly emptyRoot: Uint8Array;
  /** The paths of keys, in their order; keys that are hashed are hashed in packs. */
  pathsOf(keys: readonly Uint8Array[]): Uint8Array[];
  /** @throws TrieError TRIE_KEY_TOO_LONG if no entry may have such a key */
  checkKey(key: Uint8Array): void;
  /** Decodes a node from its reference and, where that is a hash, its stored bytes. */
  decode(ref: Uint8Array, bytes: Uint8Array | undefined): Node;
  /** Where a walk along a path goes on from a node; `undefined` where it ends. */
  step(node: Node, path: Uint8Array, at: number): Step<Node> | undefined;
  /** The value at the node where a walk ended. */
  valueAt(node: Node, path: Uint8Array, at: number): Uint8Array | undefined;
  /** The trie with an entry; the very same link where nothing changes. */
  set(
    root: Link<Node> | undefined,
    path: Uint8Array,
    value: Uint8Array,
  ): Reading<Link<Node> | undefined>;
  /** The trie without an entry; the very same link where nothing changes. */
  delete(root: Link<Node> | undefined, path: Uint8Array): Reading<Link<Node> | undefined>;
  /** Fills in every missing reference below a root, level by level. `emit` is given every node that was hashed. */
  hash(root: Link<Node>, emit?: Emit): Uint8Array;
  /** Proves what is under a key; everything is hashed. */
  prove(root: Link<Node> | undefined, key: Uint8Array, path: Uint8Array): Reading<Proof>;
  /** Hashes of the stored nodes that a node points to. */
  childRefs(node: Node): Uint8Array[];
  /** See {@link Calculator.verify}. */
  verify(root: Uint8Array, key: Uint8Array, proof: Proof): boolean;
}

/** Where a walk goes on. */
export interface Step<Node> {
  readonly link: Link<Node>;
  readonly at: number;
}

/** Takes a stored node: its hash, and the bytes it is stored as. Both are the callee's. */
export type Emit = (hash: Uint8Array, bytes: Uint8Array) => void;
