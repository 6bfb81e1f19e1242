/** Every code this package throws. A code never changes within a major version; wording may. */
export type TrieErrorCode =
  | "TRIE_KEY_TOO_LONG"
  | "TRIE_MISSING_NODE"
  | "TRIE_NODE_FORMAT"
  | "TRIE_NODE_HASH"
  | "TRIE_NODE_MISPLACED"
  | "TRIE_CACHE_CHECKSUM"
  | "TRIE_CACHE_FORMAT"
  | "TRIE_CACHE_TOO_LARGE"
  | "TRIE_CACHE_ROOT"
  | "TRIE_PROOF_FORMAT"
  | "TRIE_PROOF_TOO_LARGE"
  | "TRIE_PROOF_KIND"
  | "TRIE_PROOF_KEY"
  | "TRIE_PROOF_VALUE"
  | "TRIE_PROOF_ROOT"
  | "TRIE_PROOF_INCOMPLETE"
  | "TRIE_PROOF_SURPLUS";

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class TrieError extends Error {
  override readonly name = "TrieError";
  readonly code: TrieErrorCode;

  constructor(code: TrieErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
