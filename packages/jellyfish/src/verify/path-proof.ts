import { equalBytes } from "@x/hash";
import { bitAt, checkArgument, commonBits, PATH_BITS, PATH_SIZE } from "../path.ts";
import type { HashScheme } from "../scheme/scheme.ts";
import {
  checkForm,
  checkObject,
  checkPath,
  checkRoot,
  type Claim,
  failure,
  hashLeaf,
  hashNamedLeaf,
  hashStoredValue,
  rulesOf,
  surplusValue,
  valueHashOf,
} from "./checks.ts";
import { type Absence, checkSiblings, type PathProof } from "./proof.ts";

/** That a path has a value. */
export interface InclusionClaim extends Claim {
  /** `scheme.hashKey(key)`, or 32 bytes of the caller's own where keys are not hashed. */
  readonly path: Uint8Array;
  /** The stored bytes. */
  readonly value: Uint8Array;
  /** Not trusted. */
  readonly proof: PathProof;
}

/** That a path has no value. */
export interface ExclusionClaim extends Claim {
  /** As in {@link InclusionClaim}. */
  readonly path: Uint8Array;
  /** Not trusted. */
  readonly proof: PathProof;
}

/** A tree with one entry more, known by its root alone. */
export interface Insertion {
  /** The root with the new entry. 32 fresh bytes. */
  readonly root: Uint8Array<ArrayBuffer>;
  /** Proves the new entry under the new root. */
  readonly proof: PathProof;
}

/**
 * Whether a path has a value, as claimed. O(256) hashes at most.
 *
 * @returns the value, now proven: a fresh copy
 * @throws JellyfishError JELLYFISH_PROOF_KIND (no leaf: a proof of absence), JELLYFISH_PROOF_KEY (a leaf of another path),
 *   JELLYFISH_PROOF_VALUE, JELLYFISH_PROOF_ROOT, JELLYFISH_PROOF_UNSAFE (hardened rules), JELLYFISH_PROOF_SURPLUS (a leaf
 *   that shows its value where nothing asks for it), JELLYFISH_PROOF_TOO_LARGE (more than 256 siblings),
 *   JELLYFISH_PROOF_FORMAT (not a proof)
 * @throws TypeError, RangeError if root or path are not 32 bytes, or the value is no Uint8Array
 * @see FORMAT.md, "Path proof"
 */
export function verifyInclusion(claim: InclusionClaim): Uint8Array<ArrayBuffer> {
  const { scheme, root, path, value, proof } = claim;
  const rules = rulesOf(claim);
  checkArgument(path, "path");
  checkObject(proof);
  const { leaf, siblings } = proof;
  checkSiblings(siblings);
  if (leaf === undefined) throw failure("KIND", "is of an absence");
  const found = valueHashOf(claim, rules, leaf);
  if (!equalBytes(leaf.path, path)) throw failure("KEY", "is of another path");
  if ("value" in leaf) throw surplusValue();
  const valueHash = hashStoredValue(claim, rules, value);
  if (!equalBytes(found, valueHash)) throw failure("VALUE", "is of another value");
  checkRoot(foldSiblings(scheme, path, hashLeaf(scheme, path, valueHash), siblings), root);
  return new Uint8Array(value);
}

/**
 * Whether a path has no value, as claimed: its place is empty, or held by the leaf of another path alone.
 *
 * @returns why it is absent
 * @throws JellyfishError JELLYFISH_PROOF_KIND (it names this very path: a proof of presence), JELLYFISH_PROOF_KEY (its leaf is
 *   not where the path would be), and as {@link verifyInclusion}
 * @throws TypeError, RangeError if root or path are not 32 bytes
 * @see FORMAT.md, "Path proof"
 */
export function verifyExclusion(claim: ExclusionClaim): Absence {
  const { scheme, root, path, proof } = claim;
  const rules = rulesOf(claim);
  checkArgument(path, "path");
  checkPath(claim, rules, path);
  checkObject(proof);
  const { leaf, siblings } = proof;
  checkSiblings(siblings);
  let hash = scheme.placeholder;
  if (leaf !== undefined) {
    const valueHash = valueHashOf(claim, rules, leaf);
    const shared = commonBits(leaf.path, path);
    if (shared === PATH_BITS) throw failure("KIND", "is of a presence");
    if (shared < siblings.length) throw failure("KEY", "has a leaf in a wrong place");
    checkForm(claim, rules, leaf);
    hash = hashLeaf(scheme, leaf.path, valueHash);
  }
  checkRoot(foldSiblings(scheme, path, hash, siblings), root);
  if (leaf === undefined) return { kind: "absent", because: "empty-place" };
  return { kind: "absent", because: "other-leaf", other: new Uint8Array(leaf.path) };
}

/**
 * The root of a tree after a new entry, computed from a proof that its path is absent, without the tree. The proof is verified
 * first.
 *
 * @throws as {@link verifyExclusion} for the proof, JELLYFISH_PROOF_UNSAFE for the value
 * @see FORMAT.md, "Insertion by proof"
 */
export function insertByProof(claim: ExclusionClaim & { readonly value: Uint8Array }): Insertion {
  verifyExclusion(claim);
  const { scheme, path, value, proof } = claim;
  const rules = rulesOf(claim);
  const valueHash = new Uint8Array(hashStoredValue(claim, rules, value));
  const siblings = proof.siblings.map((sibling) => new Uint8Array(sibling));
  if (proof.leaf !== undefined) {
    // Verified above: the other leaf shares at least as many bits as there are siblings, and fewer than all.
    const placeholders = commonBits(proof.leaf.path, path) - siblings.length;
    const old = new Uint8Array(hashNamedLeaf(claim, rules, proof.leaf));
    for (let i = 0; i < placeholders; i++) siblings.unshift(new Uint8Array(scheme.placeholder));
    siblings.unshift(old);
  }
  const leaf = { path: new Uint8Array(path), valueHash };
  const root = foldSiblings(scheme, path, hashLeaf(scheme, path, valueHash), siblings);
  return { root, proof: { leaf, siblings } };
}

/** The root that a hash leads to: its place is `siblings.length` levels down `path`. 32 fresh bytes. */
export function foldSiblings(
  scheme: HashScheme,
  path: Uint8Array,
  from: Uint8Array,
  siblings: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const hash = new Uint8Array(from);
  const pair = new Uint8Array(2 * PATH_SIZE);
  let depth = siblings.length;
  for (const sibling of siblings) {
    const isRight = bitAt(path, --depth) === 1;
    pair.set(isRight ? sibling : hash);
    pair.set(isRight ? hash : sibling, PATH_SIZE);
    scheme.hashInners(pair, 1, hash);
  }
  return hash;
}
