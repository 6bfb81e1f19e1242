import { equalBytes } from "@x/hash";
import { TrieError } from "./errors.ts";

/** @throws TrieError TRIE_NODE_HASH if stored bytes are not of the node that was asked for */
export function checkNodeHash(want: Uint8Array, found: Uint8Array): void {
  if (!equalBytes(want, found))
    throw new TrieError("TRIE_NODE_HASH", "a stored node does not have the hash it is kept under");
}
