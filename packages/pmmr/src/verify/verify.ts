import { equalBytes } from "@x/hash";
import { PmmrError } from "../errors.ts";
import { grinHashing, type MmrHashing } from "../hashing.ts";
import { familyBranch, peaks } from "../position.ts";
import { type MerkleProof, proofLength } from "../proof.ts";
import { HASH_SIZE } from "../wire.ts";

/** A statement about a leaf, with its proof. */
export interface MerkleClaim {
  /** Root of the range, from a source the caller trusts. 32 bytes. */
  readonly root: Uint8Array;
  /**
   * Nodes in the range, from a source the caller trusts, never from the proof: a root with a single peak does not bind its
   * size.
   */
  readonly size: number;
  /** Position of the leaf. */
  readonly pos0: number;
  /** Hash form of the element. */
  readonly hashForm: Uint8Array;
  /** Not trusted. */
  readonly proof: MerkleProof;
  /** How the range was hashed. Default: Grin's rule with BLAKE2b-256. */
  readonly hashing?: MmrHashing;
}

/**
 * Whether a leaf of a range is what is claimed.
 *
 * The number of hashes and the side of each are computed from size and position, every hash is used, and a node is only
 * taken for a leaf where a leaf is.
 *
 * @returns true only if hashing the element up the path gives the root
 * @throws PmmrError PMMR_PROOF_SHAPE if it cannot be a proof of this leaf (made for another size, or not exactly as many hashes
 *   of 32 bytes as there must be), PMMR_INVALID_SIZE, PMMR_OUT_OF_RANGE if the range has no leaf there
 * @throws TypeError, RangeError if `root` is not 32 bytes, or a number is no position or size
 */
export function verifyMerkleProof(claim: MerkleClaim): boolean {
  const { root, size, pos0, hashForm, proof, hashing = grinHashing() } = claim;
  checkBytes(root, "root");
  checkBytes(hashForm, "hashForm");
  if (root.length !== HASH_SIZE) {
    throw new RangeError(`root must be ${HASH_SIZE} bytes, got ${root.length}`);
  }
  const length = proofLength(pos0, size);
  if (proof.size !== size) {
    throw new PmmrError("PMMR_PROOF_SHAPE", `proof is for ${proof.size} nodes, not for ${size}`);
  }
  checkPath(proof.path, length);
  return equalBytes(
    rootOfPath(hashing, pos0, size, hashing.hashLeaf(pos0, hashForm), proof.path),
    root,
  );
}

/**
 * The root that a leaf hash and a path lead to.
 *
 * @param pos0 - a leaf below `size`
 * @param size - valid
 * @param path - as many hashes as `proofLength(pos0, size)`
 */
export function rootOfPath(
  hashing: MmrHashing,
  pos0: number,
  size: number,
  leafHash: Uint8Array,
  path: readonly Uint8Array[],
): Uint8Array {
  let hash = leafHash;
  let top = pos0;
  let used = 0;
  const next = (): Uint8Array => path[used++] as Uint8Array;
  for (const { parent, sibling } of familyBranch(pos0, size)) {
    // A right child comes right before its parent.
    const siblingIsRight = sibling === parent - 1;
    const other = next();
    hash = siblingIsRight
      ? hashing.hashInner(parent, hash, other)
      : hashing.hashInner(parent, other, hash);
    top = parent;
  }
  if (top < size - 1) hash = hashing.bag(size, hash, next());
  for (let left = peaks(size).indexOf(top); 0 < left; left--) {
    hash = hashing.bag(size, next(), hash);
  }
  return hash;
}

function checkPath(path: readonly unknown[], length: number): void {
  if (!Array.isArray(path) || path.length !== length) {
    const count = Array.isArray(path) ? path.length : "no";
    throw new PmmrError("PMMR_PROOF_SHAPE", `proof has ${count} hashes, want ${length}`);
  }
  for (const [i, hash] of path.entries()) {
    if (!(hash instanceof Uint8Array) || hash.length !== HASH_SIZE) {
      throw new PmmrError("PMMR_PROOF_SHAPE", `hash ${i} of the proof is not ${HASH_SIZE} bytes`);
    }
  }
}

function checkBytes(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
}
