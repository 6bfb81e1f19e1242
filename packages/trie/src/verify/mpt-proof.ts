import { decodeMptNode } from "../mpt/node-codec.ts";
import { type MptNode, stepMpt, valueAtMpt } from "../mpt/node.ts";
import { toNibbles } from "../nibbles.ts";
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

/**
 * What is under one key of a Patricia trie. Plain data; nothing in it is trusted by a verifier.
 *
 * Bytes: FORMAT.md, "Proofs".
 */
export interface MptProof {
  readonly key: Uint8Array;
  /** `undefined`: the key is absent. */
  readonly value: Uint8Array | undefined;
  /** The nodes along the key, from the root, as their bytes; the last is where the walk ends. */
  readonly nodes: readonly Uint8Array[];
}

/** That a proof speaks of a key under a root. */
export interface MptClaim {
  /** From a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  readonly key: Uint8Array;
  /** Not trusted. */
  readonly proof: MptProof;
}

/**
 * Whether a proof shows what it says of the key: its value, or that there is none. Strictly: exactly the nodes of the walk, each in
 * its one form. `mode: "compatible"` gives the verdicts of vsdb, which passes over nodes after the walk and over long varints and
 * bytes left over in nodes.
 *
 * @throws TrieError TRIE_PROOF_FORMAT if it is no proof, or a node on the walk is none
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifyMpt(claim: MptClaim & { readonly mode?: VerifyMode }): boolean {
  if (claim.mode === "compatible") return verifyMptCompatibly(claim);
  return verdict(() =>
    (claim.proof.value === undefined ? verifyMptExclusion : verifyMptInclusion)(claim),
  );
}

/**
 * Shows that a key has a value. O(length of the key) hashes at most.
 *
 * @returns the value, now proven: a fresh copy
 * @throws TrieError TRIE_PROOF_KIND (a proof of absence), TRIE_PROOF_KEY (of another key), TRIE_PROOF_VALUE (it names another
 *   value than its nodes hold), TRIE_PROOF_ROOT, TRIE_PROOF_INCOMPLETE, TRIE_PROOF_SURPLUS, TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifyMptInclusion(claim: MptClaim): Uint8Array<ArrayBuffer> {
  const { value } = checkClaim(claim);
  if (value === undefined) throw failure("KIND", "is of an absence");
  const found = walk(claim);
  if (found === undefined || !isSame(found, value)) throw failure("VALUE", "is of another value");
  return new Uint8Array(found);
}

/**
 * Shows that a key has no value.
 *
 * @throws TrieError TRIE_PROOF_KIND (a proof of presence), and as {@link verifyMptInclusion}
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifyMptExclusion(claim: MptClaim): void {
  const { value } = checkClaim(claim);
  if (value !== undefined) throw failure("KIND", "is of a presence");
  if (walk(claim) !== undefined) throw failure("VALUE", "hides a value");
}

/** @throws as {@link verifyMptInclusion} */
function checkClaim({ root, key, proof }: MptClaim): MptProof {
  checkShape({ root, key, proof });
  if (!isSame(proof.key, key)) throw failure("KEY", "is of another key");
  return proof;
}

function checkShape({ root, key, proof }: MptClaim): void {
  checkArgument(root, "root");
  checkKey(key);
  if (typeof proof !== "object" || proof === null) throw failure("FORMAT", "is not an object");
  checkField(proof.key, "key");
  if (proof.value !== undefined) checkField(proof.value, "value");
  checkList(proof.nodes, "node");
}

/** What the nodes have under the key; every one of them is on the walk. */
function walk({ root, key, proof: { nodes } }: MptClaim): Uint8Array | undefined {
  const path = toNibbles(key);
  let want = root;
  let at = 0;
  for (const [i, bytes] of nodes.entries()) {
    const isLast = i === nodes.length - 1;
    if (i === 0 && isEmptyTrie(root, bytes)) {
      if (isLast) return undefined;
      throw surplus();
    }
    if (!isSame(keccak.hash(bytes), want)) throw failure("ROOT", "does not lead to the root");
    const node = decodeProofNode(bytes);
    const step = stepMpt(node, path, at);
    if (step === undefined) {
      if (isLast) return valueAtMpt(node, path, at);
      throw surplus();
    }
    want = step.link.ref as Uint8Array;
    ({ at } = step);
  }
  throw failure("INCOMPLETE", "ends before its key does");
}

/** A node of a proof, strictly. @throws TrieError TRIE_PROOF_FORMAT */
export function decodeProofNode(bytes: Uint8Array): MptNode {
  const node = decodeMptNode(bytes, { code: "TRIE_PROOF_FORMAT" });
  if (node === undefined) throw failure("FORMAT", "has an empty trie in a trie");
  return node;
}

/** Whether a first node says that the trie is empty, and the root says so too. */
export function isEmptyTrie(root: Uint8Array, bytes: Uint8Array): boolean {
  return bytes.length === 1 && bytes[0] === 0 && isSame(root, ZEROS);
}

function surplus(): Error {
  return failure("SURPLUS", "has nodes after the end of its walk");
}

/** The verdict of vsdb, rule by rule. */
function verifyMptCompatibly(claim: MptClaim): boolean {
  checkShape(claim);
  const { root, key, proof } = claim;
  const { nodes, value } = proof;
  const first = nodes[0];
  if (!isSame(proof.key, key) || first === undefined) return false;
  if (!isSame(keccak.hash(first), root)) return isEmptyTrie(root, first) && value === undefined;
  const path = toNibbles(key);
  let at = 0;
  for (const [i, bytes] of nodes.entries()) {
    const node = decodeMptNode(bytes, { code: "TRIE_PROOF_FORMAT", lenient: true });
    if (node === undefined) return value === undefined;
    const step = stepMpt(node, path, at);
    if (step === undefined) return isSame(valueAtMpt(node, path, at), value);
    const next = nodes[i + 1];
    if (next === undefined || !isSame(keccak.hash(next), step.link.ref)) return false;
    ({ at } = step);
  }
  return false;
}
