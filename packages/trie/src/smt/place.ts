import { commonBits } from "../bits.ts";
import { TrieError } from "../errors.ts";
import type { SmtNode } from "./node.ts";

/**
 * A node's hash does not cover the bits above its start, so they are compared with the walk that found it.
 *
 * @param path - begins with the bits that lead to the place
 * @param depth - how many bits that are
 * @throws TrieError TRIE_NODE_MISPLACED if a stored node cannot stand there
 */
export function checkPlace(node: SmtNode, path: Uint8Array, depth: number): void {
  const shared = commonBits(node.kind === "leaf" ? node.keyHash : node.prefix, path, depth);
  if (shared < depth || (node.kind === "inner" && node.start !== depth))
    throw new TrieError("TRIE_NODE_MISPLACED", `a stored node does not belong at depth ${depth}`);
}
