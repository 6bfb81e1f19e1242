/**
 * How a tree hashes: which bytes stand for a key's path, a value, a leaf, an inner node and nothing at all.
 *
 * The shape of the tree and the rules of its proofs are the same under every scheme; roots are comparable only within
 * one. `jmtSha256` is the default; `rooch` is byte-compatible with Rooch's tree. A scheme of one's own is a value of this
 * type: see the README, "Another hash scheme".
 *
 * All hashes and paths are 32 bytes. Packed calls take messages side by side and may be given any count, 0 included.
 */
export interface HashScheme {
  /** Stands in the record of a stored tree, so that it is opened as it was made. */
  readonly name: string;
  /** What stands for an empty subtree, and is the root of an empty tree. Read only. */
  readonly placeholder: Uint8Array;
  /**
   * Whether a leaf and an inner node can hash alike. `"separated"`: never. `"shared"`: they are one function of 64 bytes, so
   * proofs need the hardened rules, see {@link ProofRules}.
   */
  readonly domains: "separated" | "shared";

  /** The path of a key of any length, in a domain nobody can aim at. 32 fresh bytes. */
  hashKey(key: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Hash of a stored value's bytes. 32 fresh bytes. */
  hashValue(value: Uint8Array): Uint8Array<ArrayBuffer>;
  /** `output[i] = leaf(path_i, valueHash_i)`: `pairs` holds path and value hash of each, 64 bytes. Must not overlap. */
  hashLeaves(pairs: Uint8Array, count: number, output: Uint8Array, outputOffset?: number): void;
  /** `output[i] = inner(left_i, right_i)`: `pairs` holds both children of each, 64 bytes. Must not overlap. */
  hashInners(pairs: Uint8Array, count: number, output: Uint8Array, outputOffset?: number): void;
}

/**
 * What a verifier insists on beyond the plain rules, for schemes whose leaves and inner nodes hash alike. All are on unless
 * switched off, and mean nothing under a separated scheme.
 */
export interface ProofRules {
  /** Refuse a value of exactly 64 bytes, in updates and in proofs of presence: it could be two hashes. Default: true. */
  readonly refuse64ByteValues?: boolean;
  /** Demand the other leaf's value in a proof of absence that names one. Default: true. */
  readonly absenceCarriesValue?: boolean;
  /** Refuse the placeholder as a path. Default: true. */
  readonly refusePlaceholderPath?: boolean;
}
