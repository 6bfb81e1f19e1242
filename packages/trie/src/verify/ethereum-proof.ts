import { decodeEthereumNode } from "../ethereum/node-codec.ts";
import { HASH_SIZE } from "../link.ts";
import { stepMpt, valueAtMpt } from "../mpt/node.ts";
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
} from "./checks.ts";

/** What is under one key of Ethereum's trie. Plain data; nothing in it is trusted by a verifier. */
export interface EthereumProof {
  readonly key: Uint8Array;
  /** `undefined`: the key is absent. */
  readonly value: Uint8Array | undefined;
  /** The nodes along the key that are not inlined in others, from the root; none for the empty trie. As in `eth_getProof`. */
  readonly proof: readonly Uint8Array[];
}

/** That a proof speaks of a key under a root. */
export interface EthereumClaim {
  /** From a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  readonly key: Uint8Array;
  /** Not trusted. */
  readonly proof: EthereumProof;
  /** The path of a key is that of its hash, as in the tries of accounts and of storage. Default: false. */
  readonly hashesKeys?: boolean;
}

/**
 * Whether a proof shows what it says of the key.
 *
 * @throws TrieError TRIE_PROOF_FORMAT if it is no proof, or a node on the walk is none
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifyEthereum(claim: EthereumClaim): boolean {
  return verdict(() =>
    (claim.proof.value === undefined ? verifyEthereumExclusion : verifyEthereumInclusion)(claim),
  );
}

/**
 * Shows that a key of Ethereum's trie has a value.
 *
 * @returns the value, now proven: a fresh copy
 * @throws TrieError TRIE_PROOF_KIND, TRIE_PROOF_KEY, TRIE_PROOF_VALUE, TRIE_PROOF_ROOT, TRIE_PROOF_INCOMPLETE,
 *   TRIE_PROOF_SURPLUS, TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes or the key not bytes
 */
export function verifyEthereumInclusion(claim: EthereumClaim): Uint8Array<ArrayBuffer> {
  checkClaim(claim);
  const { value } = claim.proof;
  if (value === undefined) throw failure("KIND", "is of an absence");
  const found = walk(claim);
  if (found === undefined || !isSame(found, value)) throw failure("VALUE", "is of another value");
  return new Uint8Array(found);
}

/** Shows that a key of Ethereum's trie has no value. Errors as {@link verifyEthereumInclusion}. */
export function verifyEthereumExclusion(claim: EthereumClaim): void {
  checkClaim(claim);
  if (claim.proof.value !== undefined) throw failure("KIND", "is of a presence");
  if (walk(claim) !== undefined) throw failure("VALUE", "hides a value");
}

function walk({ root, key, proof, hashesKeys = false }: EthereumClaim): Uint8Array | undefined {
  return provenEthereumValue(root, key, proof.proof, hashesKeys);
}

function checkClaim({ root, key, proof }: EthereumClaim): void {
  checkArgument(root, "root");
  checkKey(key);
  if (typeof proof !== "object" || proof === null) throw failure("FORMAT", "is not an object");
  checkField(proof.key, "key");
  if (proof.value !== undefined) checkField(proof.value, "value");
  checkList(proof.proof, "node");
  if (!isSame(proof.key, key)) throw failure("KEY", "is of another key");
}

/** What the nodes have under a key; every one of them is on the walk. A view. @throws TrieError */
export function provenEthereumValue(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
  hashesKeys: boolean,
): Uint8Array | undefined {
  if (nodes.length === 0 && isSame(root, emptyEthereumRoot())) return undefined;
  const path = toNibbles(hashesKeys ? keccak.hash(key) : key);
  let ref = root;
  let at = 0;
  let used = 0;
  for (;;) {
    let bytes = ref;
    if (ref.length === HASH_SIZE) {
      const next = nodes[used++];
      if (next === undefined) throw failure("INCOMPLETE", "ends before its key does");
      if (!isSame(keccak.hash(next), ref)) throw failure("ROOT", "does not lead to the root");
      bytes = next;
    }
    const node = decodeEthereumNode(bytes, "TRIE_PROOF_FORMAT");
    const step = stepMpt(node, path, at);
    if (step === undefined) {
      if (used < nodes.length) throw failure("SURPLUS", "has nodes after the end of its walk");
      return valueAtMpt(node, path, at);
    }
    ref = step.link.ref as Uint8Array;
    ({ at } = step);
  }
}

/** The root of Ethereum's trie without entries: the hash of an empty string as RLP. */
export function emptyEthereumRoot(): Uint8Array {
  return keccak.hash(Uint8Array.of(0x80));
}
