import { concatBytes } from "@x/hash";
import { bitAt, commonBits, PATH_BITS } from "../bits.ts";
import { HASH_SIZE } from "../link.ts";
import { encodeSmtLeaf } from "../smt/node-codec.ts";
import {
  checkArgument,
  checkField,
  checkKey,
  checkList,
  failure,
  isSame,
  keccak,
  verdict,
  type VerifyMode,
  ZEROS,
} from "./checks.ts";

/** An entry of a sparse trie. */
export interface SmtProofLeaf {
  /** Keccak-256 of its key. 32 bytes. */
  readonly keyHash: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * What is under one key of a sparse trie: its entry; or, where it is absent, the one entry that holds its place, or none. Plain
 * data; nothing in it is trusted by a verifier.
 *
 * Bytes: FORMAT.md, "Proofs".
 */
export interface SmtProof {
  /** Keccak-256 of the key. 32 bytes. */
  readonly keyHash: Uint8Array;
  readonly leaf: SmtProofLeaf | undefined;
  /** The other side at every depth, from the root; zeros where it is empty. At most 256. */
  readonly siblings: readonly Uint8Array[];
}

/** That a proof speaks of a key under a root. */
export interface SmtClaim {
  /** From a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  readonly key: Uint8Array;
  /** Not trusted. */
  readonly proof: SmtProof;
}

/**
 * Whether a proof shows what it says of the key: its value, or that there is none. `mode: "compatible"` gives the verdicts of
 * vsdb, which takes zero siblings below an empty place.
 *
 * @throws TrieError TRIE_PROOF_FORMAT if it is no proof, TRIE_PROOF_TOO_LARGE (more than 256 siblings)
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifySmt(claim: SmtClaim & { readonly mode?: VerifyMode }): boolean {
  const strict = claim.mode !== "compatible";
  return verdict(() => {
    const keyHash = checkClaim(claim);
    const { leaf } = claim.proof;
    if (leaf !== undefined && isSame(leaf.keyHash, keyHash)) lead(claim, keyHash);
    else leadAbsent(claim, keyHash, strict);
  });
}

/**
 * Shows that a key has a value. At most 257 hashes and one of the key.
 *
 * @returns the value, now proven: a fresh copy
 * @throws TrieError TRIE_PROOF_KIND (a proof of absence), TRIE_PROOF_KEY (of another key), TRIE_PROOF_ROOT,
 *   TRIE_PROOF_TOO_LARGE (more than 256 siblings), TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifySmtInclusion(claim: SmtClaim): Uint8Array<ArrayBuffer> {
  const keyHash = checkClaim(claim);
  const { leaf } = claim.proof;
  if (leaf === undefined || !isSame(leaf.keyHash, keyHash))
    throw failure("KIND", "is of an absence");
  lead(claim, keyHash);
  return new Uint8Array(leaf.value);
}

/**
 * Shows that a key has no value.
 *
 * @throws TrieError TRIE_PROOF_KIND (a proof of presence), TRIE_PROOF_KEY (of another key, or its entry is not where the key
 *   would be), TRIE_PROOF_SURPLUS (zero siblings below an empty place), and as {@link verifySmtInclusion}
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifySmtExclusion(claim: SmtClaim): void {
  const keyHash = checkClaim(claim);
  const { leaf } = claim.proof;
  if (leaf !== undefined && isSame(leaf.keyHash, keyHash))
    throw failure("KIND", "is of a presence");
  leadAbsent(claim, keyHash, true);
}

/** @returns the hash of the key */
function checkClaim({ root, key, proof }: SmtClaim): Uint8Array {
  checkArgument(root, "root");
  checkKey(key);
  if (typeof proof !== "object" || proof === null) throw failure("FORMAT", "is not an object");
  const { keyHash, leaf, siblings } = proof;
  checkField(keyHash, "key hash", HASH_SIZE);
  if (leaf !== undefined) {
    if (typeof leaf !== "object" || leaf === null) throw failure("FORMAT", "has no leaf");
    checkField(leaf.keyHash, "key hash", HASH_SIZE);
    checkField(leaf.value, "value");
  }
  checkList(siblings, "sibling", HASH_SIZE);
  const path = keccak.hash(key);
  // Before the count of siblings, as the original has it.
  if (!isSame(path, keyHash)) throw failure("KEY", "is of another key");
  if (siblings.length > PATH_BITS) throw failure("TOO_LARGE", `has ${siblings.length} siblings`);
  return path;
}

function leadAbsent(claim: SmtClaim, keyHash: Uint8Array, strict: boolean): void {
  const { leaf, siblings } = claim.proof;
  if (leaf !== undefined && commonBits(leaf.keyHash, keyHash) < siblings.length)
    throw failure("KEY", "has a leaf in a wrong place");
  const last = siblings.at(-1);
  if (strict && leaf === undefined && last !== undefined && isSame(last, ZEROS))
    throw failure("SURPLUS", "has zero siblings below an empty place");
  lead(claim, keyHash);
}

/** @throws TrieError TRIE_PROOF_ROOT if leaf and siblings do not lead to the root */
function lead({ root, proof: { leaf, siblings } }: SmtClaim, keyHash: Uint8Array): void {
  let hash = leaf === undefined ? ZEROS : keccak.hash(encodeSmtLeaf(leaf));
  for (let depth = siblings.length - 1; 0 <= depth; depth--) {
    const sibling = siblings[depth] as Uint8Array;
    hash = bitAt(keyHash, depth) === 0 ? hashPair(hash, sibling) : hashPair(sibling, hash);
  }
  if (!isSame(hash, root)) throw failure("ROOT", "does not lead to the root");
}

const PAIR_TAG = Uint8Array.of(0);

/** The hash of a place with two sides; of two empty ones it is empty too. */
export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (isSame(left, ZEROS) && isSame(right, ZEROS)) return ZEROS;
  return keccak.hash(concatBytes([PAIR_TAG, left, right]));
}
