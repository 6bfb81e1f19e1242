import type { MptNode } from "./node.ts";

/** How the nodes of a Patricia trie become bytes. */
export interface MptFormat {
  /** The bytes of a node whose children are hashed; fresh. */
  encode(node: MptNode): Uint8Array;
  /**
   * Reads a node back, strictly; the result shares nothing with the input.
   *
   * @throws TrieError TRIE_NODE_FORMAT, also for the empty trie's node
   */
  decode(bytes: Uint8Array): MptNode;
  /** Whether a node whose bytes are fewer than 32 stands itself in its parent. */
  readonly inlines: boolean;
}
