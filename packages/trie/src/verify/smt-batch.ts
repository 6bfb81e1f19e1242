import { bitAt, commonBits, PATH_BITS } from "../bits.ts";
import { HASH_SIZE } from "../link.ts";
import { encodeSmtLeaf } from "../smt/node-codec.ts";
import { checkArgument, checkField, failure, isSame, keccak, ZEROS } from "./checks.ts";
import { Findings, type Presence, queriesOf, type Query } from "./presence.ts";
import { hashPair, type SmtProofLeaf } from "./smt-proof.ts";

/** One place of a partial trie. */
export type SmtPart =
  /** Nothing is below. */
  | { readonly kind: "empty" }
  /** One entry is below. */
  | { readonly kind: "leaf"; readonly leaf: SmtProofLeaf }
  /** Two sides follow, the left one first. */
  | { readonly kind: "inner" }
  /** Entries that nobody asks for are below. */
  | { readonly kind: "hash"; readonly hash: Uint8Array };

/**
 * What is under many keys of a sparse trie: the part of it that lies on their walks, a place before what is below it, left before
 * right. The keys are not in it.
 */
export interface SmtBatchProof {
  readonly parts: readonly SmtPart[];
}

/** That a proof speaks of these keys under a root. */
export interface SmtBatchClaim {
  /** From a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  /** In any order. */
  readonly keys: readonly Uint8Array[];
  /** Not trusted. */
  readonly proof: SmtBatchProof;
}

/**
 * Shows what is under many keys. Recurses once for each bit of a path, 256 times at most.
 *
 * @returns for each key its value or that it is absent, in their order
 * @throws TrieError TRIE_PROOF_ROOT, TRIE_PROOF_KEY (an entry in a wrong place), TRIE_PROOF_INCOMPLETE, TRIE_PROOF_SURPLUS,
 *   TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes or a key not bytes
 */
export function verifySmtBatch({ root, keys, proof }: SmtBatchClaim): Presence[] {
  checkArgument(root, "root");
  const queries = queriesOf(keys, (key) => keccak.hash(key));
  if (typeof proof !== "object" || proof === null || !Array.isArray(proof.parts))
    throw failure("FORMAT", "has no parts");
  const walk = new PartWalk(proof.parts);
  if (queries.length > 0 && !isSame(walk.hash(0, queries), root))
    throw failure("ROOT", "does not lead to the root");
  return walk.finish();
}

/** Uses up parts in their order. */
class PartWalk {
  readonly #parts: readonly SmtPart[];
  readonly #findings = new Findings();
  #used = 0;

  constructor(parts: readonly SmtPart[]) {
    this.#parts = parts;
  }

  /** The hash of the place at a depth, whose parts come next. */
  hash(depth: number, queries: readonly Query[]): Uint8Array {
    const part = this.#parts[this.#used++];
    if (part === undefined) throw failure("INCOMPLETE", "lacks a part");
    checkPart(part);
    if (queries.length === 0) return hashUnasked(part);
    switch (part.kind) {
      case "empty":
        for (const query of queries) this.#findings.put(query, undefined);
        return ZEROS;
      case "leaf":
        return this.#leaf(part.leaf, depth, queries);
      case "inner":
        return this.#inner(depth, queries);
      case "hash":
        throw failure("INCOMPLETE", "hides what it is asked for");
      default:
        return part satisfies never;
    }
  }

  finish(): Presence[] {
    if (this.#used < this.#parts.length)
      throw failure("SURPLUS", "has parts that nothing asks for");
    return this.#findings.finish();
  }

  #leaf(leaf: SmtProofLeaf, depth: number, queries: readonly Query[]): Uint8Array {
    for (const query of queries) {
      if (commonBits(leaf.keyHash, query.path) < depth)
        throw failure("KEY", "has a leaf in a wrong place");
      this.#findings.put(query, isSame(leaf.keyHash, query.path) ? leaf.value : undefined);
    }
    return keccak.hash(encodeSmtLeaf(leaf));
  }

  #inner(depth: number, queries: readonly Query[]): Uint8Array {
    if (depth === PATH_BITS) throw failure("FORMAT", "is deeper than a path");
    const right = queries.findIndex(({ path }) => bitAt(path, depth) === 1);
    const middle = right === -1 ? queries.length : right;
    const leftHash = this.hash(depth + 1, queries.slice(0, middle));
    const rightHash = this.hash(depth + 1, queries.slice(middle));
    const hash = hashPair(leftHash, rightHash);
    if (hash === ZEROS) throw failure("SURPLUS", "has two empty sides");
    return hash;
  }
}

/** A side without a key that is asked for is a hash or empty. */
function hashUnasked(part: SmtPart): Uint8Array {
  if (part.kind === "empty") return ZEROS;
  if (part.kind === "hash") return part.hash;
  throw failure("SURPLUS", "shows what nothing asks for");
}

/** @throws TrieError TRIE_PROOF_FORMAT if it is no part */
export function checkPart(part: SmtPart): void {
  if (typeof part !== "object" || part === null) throw failure("FORMAT", "has a part of no kind");
  switch (part.kind) {
    case "empty":
    case "inner":
      return;
    case "leaf":
      if (typeof part.leaf !== "object" || part.leaf === null)
        throw failure("FORMAT", "has no leaf");
      checkField(part.leaf.keyHash, "key hash", HASH_SIZE);
      checkField(part.leaf.value, "value");
      return;
    case "hash":
      checkField(part.hash, "hash", HASH_SIZE);
      if (isSame(part.hash, ZEROS)) throw failure("FORMAT", "has an empty place as a hash");
      return;
    default:
      part satisfies never;
      throw failure("FORMAT", "has a part of no kind");
  }
}
