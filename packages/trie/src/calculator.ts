import type { Reading } from "@x/store";

/** One change of a batch. */
export type Change =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

/**
 * A map in memory that has a root. A handle over immutable nodes: a change makes the few nodes above it anew and shares the rest,
 * so a clone costs nothing, and neither sees what the other does afterwards.
 *
 * Keys and values are copied; what is returned is the caller's own.
 */
export interface Calculator<Proof> {
  /** Which kind of trie, as `"mpt"`. Roots of different kinds have nothing to do with each other. */
  readonly name: string;
  /** The same entries behind another handle. O(1). */
  clone(): Calculator<Proof>;
  /** The value of a key; `undefined` where there is none. Any length of key may be asked for. */
  get(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
  /**
   * Sets a key. Where it has this value already nothing changes.
   *
   * @throws TrieError TRIE_KEY_TOO_LONG; nothing is changed
   */
  set(key: Uint8Array, value: Uint8Array): void;
  /** Removes a key. @returns whether it was there; where not, nothing changes and no hash is forgotten */
  delete(key: Uint8Array): boolean;
  /** Makes changes in their order. Stops at the first error; what came before it stays. Errors as {@link set}. */
  batch(changes: Iterable<Change>): void;
  /** The root, 32 fresh bytes. Hashes what is not hashed yet, level by level; cheap where nothing changed. */
  root(): Uint8Array<ArrayBuffer>;
  /** Proves what is under a key, or that nothing is, against {@link root}, which is brought up to date. */
  prove(key: Uint8Array): Proof;
  /**
   * Whether a proof shows, against a root from elsewhere, what it says of the key.
   *
   * @throws TrieError TRIE_PROOF_FORMAT, TRIE_PROOF_TOO_LARGE if it is no proof at all
   */
  verify(root: Uint8Array, key: Uint8Array, proof: Proof): boolean;
}

/**
 * The same over nodes in a store: every operation takes a root, loads what it needs, and an update says what is to be written. Nodes
 * are immutable and keyed by their hashes, so that the tries of all roots share them.
 *
 * Readings run by `runSync` or `runAsync` of `@x/store`. They throw TRIE_MISSING_NODE, TRIE_NODE_FORMAT, TRIE_NODE_HASH or
 * TRIE_NODE_MISPLACED where the store does not hold what it must.
 */
export interface StoredCalculator<Proof> {
  /** As in {@link Calculator}. */
  readonly name: string;
  /** The root of no entries, which no store holds. 32 bytes; do not change them. */
  readonly emptyRoot: Uint8Array;
  /** The value of a key. One read for each level. */
  get(root: Uint8Array, key: Uint8Array): Reading<Uint8Array<ArrayBuffer> | undefined>;
  /** The values of many keys, in their order: one read for each level, whatever their number. */
  getMany(
    root: Uint8Array,
    keys: readonly Uint8Array[],
  ): Reading<(Uint8Array<ArrayBuffer> | undefined)[]>;
  /**
   * Makes changes in their order, all or none. One read for each level, and one more where a removal leaves a node alone.
   *
   * @throws TrieError TRIE_KEY_TOO_LONG
   */
  update(root: Uint8Array, changes: Iterable<Change>): Reading<TrieUpdate>;
  /** Proves what is under a key. One read for each level. */
  prove(root: Uint8Array, key: Uint8Array): Reading<Proof>;
  /** Hashes of the nodes that a stored node points to: what a collector follows. */
  children(hash: Uint8Array, bytes: Uint8Array): Uint8Array[];
  /** As in {@link Calculator}. */
  verify(root: Uint8Array, key: Uint8Array, proof: Proof): boolean;
}

/** What an update makes: nothing is written yet. */
export interface TrieUpdate {
  /** The new root. 32 fresh bytes. */
  readonly root: Uint8Array<ArrayBuffer>;
  /** Nodes to write before the root is relied upon; some may be stored already. Empty where nothing changes. */
  readonly nodes: readonly StoredNode[];
}

/** A node as a store keeps it. */
export interface StoredNode {
  /** Its hash. 32 bytes. */
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** @throws TypeError if what should be bytes is not */
export function checkBytes(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
}
