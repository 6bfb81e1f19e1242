import { fromHex, toHex } from "@x/hash";
import { PmmrError } from "./errors.ts";
import { familyBranch, isLeaf, isValidSize, peaks, peakSizes } from "./position.ts";
import { ByteReader, ByteWriter, HASH_SIZE } from "./wire.ts";

/**
 * That one leaf belongs to the root of a range of a certain size. Plain data; nothing in it is trusted by a verifier.
 *
 * Bytes: FORMAT.md, "Merkle proof".
 */
export interface MerkleProof {
  /** Nodes in the range that the proof was made for. */
  readonly size: number;
  /**
   * Hashes of 32 bytes: siblings from the leaf up to its peak, then the bag of all peaks to the right of that if there are any,
   * then each peak to its left, from right to left.
   */
  readonly path: readonly Uint8Array[];
}

/** The JSON form of a proof; hashes as 64 lower-case hex digits. */
export interface MerkleProofJson {
  readonly size: number;
  readonly path: readonly string[];
}

/** Most hashes in any proof: siblings below a peak, and peaks. */
export const PROOF_PATH_MAX = 128;

/**
 * Hashes in a proof of the leaf at `pos0` in a range of `size` nodes: it depends on nothing else.
 *
 * @throws PmmrError PMMR_INVALID_SIZE, PMMR_OUT_OF_RANGE if there is no such leaf
 * @example
 * proofLength(3, 7); // 2
 */
export function proofLength(pos0: number, size: number): number {
  if (!isValidSize(size)) throw new PmmrError("PMMR_INVALID_SIZE", `${size} is not a valid size`);
  if (size <= pos0 || !isLeaf(pos0)) {
    throw new PmmrError("PMMR_OUT_OF_RANGE", `position ${pos0} is not a leaf below ${size}`);
  }
  const branch = familyBranch(pos0, size);
  const top = branch.at(-1)?.parent ?? pos0;
  const positions = peaks(size);
  const peaksLeft = positions.indexOf(top);
  return branch.length + (peaksLeft < positions.length - 1 ? 1 : 0) + peaksLeft;
}

/**
 * Writes a proof as bytes: size, number of hashes, hashes.
 *
 * @returns fresh bytes
 * @throws RangeError if the size or a hash cannot be written
 */
export function encodeMerkleProof(proof: MerkleProof): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(16 + proof.path.length * HASH_SIZE);
  writer.u64(proof.size);
  writer.u64(proof.path.length);
  for (const hash of proof.path) writer.hash(hash);
  return writer.finish();
}

/**
 * Reads a proof back; anything that no prover would have written is refused.
 *
 * @param bytes - not trusted; the result does not alias them
 * @throws PmmrError PMMR_TRUNCATED, PMMR_NON_CANONICAL (bytes after the end), PMMR_OUT_OF_RANGE (an integer above 2^53 - 1),
 *   PMMR_TOO_LARGE (more than 128 hashes), PMMR_INVALID_SIZE, PMMR_PROOF_SHAPE (no leaf of such a range has so many hashes)
 */
export function decodeMerkleProof(bytes: Uint8Array): MerkleProof {
  const reader = new ByteReader(bytes, "proof");
  const size = reader.u64();
  const count = reader.count(HASH_SIZE, PROOF_PATH_MAX);
  checkShape(size, count);
  const path: Uint8Array[] = [];
  for (let i = 0; i < count; i++) path.push(reader.hash());
  reader.finish();
  return { size, path };
}

/**
 * The JSON form of a proof.
 *
 * @throws RangeError if the size or a hash cannot be written
 */
export function merkleProofToJson(proof: MerkleProof): MerkleProofJson {
  const { size, path } = proof;
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`size cannot be ${size}`);
  return { size, path: path.map(hashToJson) };
}

/**
 * Reads the JSON form back, as strictly as the bytes: no other field, no upper-case digits.
 *
 * @param value - what `JSON.parse` gave; not trusted
 * @throws PmmrError PMMR_MALFORMED (a field is missing, unknown or of the wrong type), PMMR_OUT_OF_RANGE, PMMR_TOO_LARGE,
 *   PMMR_INVALID_SIZE, PMMR_PROOF_SHAPE
 */
export function merkleProofFromJson(value: unknown): MerkleProof {
  if (typeof value !== "object" || value === null) throw malformed("is not an object");
  for (const key of Reflect.ownKeys(value)) {
    if (key !== "size" && key !== "path") throw malformed("has an unknown field");
  }
  const { size, path: texts } = value as { readonly size?: unknown; readonly path?: unknown };
  if (typeof size !== "number") throw malformed("has no size");
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new PmmrError("PMMR_OUT_OF_RANGE", "proof: size is not an integer from 0 to 2^53 - 1");
  }
  // -0 would be written back as 0.
  if (Object.is(size, -0)) throw malformed("has a negative size");
  if (!Array.isArray(texts)) throw malformed("has no path");
  if (PROOF_PATH_MAX < texts.length) {
    throw new PmmrError(
      "PMMR_TOO_LARGE",
      `proof: ${texts.length} hashes are above the limit of ${PROOF_PATH_MAX}`,
    );
  }
  checkShape(size, texts.length);
  // Not `map`, which passes over places that hold nothing.
  return { size, path: Array.from(texts, hashFromJson) };
}

function hashToJson(hash: Uint8Array): string {
  if (hash.length !== HASH_SIZE) {
    throw new RangeError(`hash must be ${HASH_SIZE} bytes, got ${hash.length}`);
  }
  return toHex(hash);
}

function hashFromJson(text: unknown, index: number): Uint8Array {
  if (typeof text !== "string" || !/^[0-9a-f]{64}$/.test(text)) {
    throw malformed(`has no hash of 64 lower-case hex digits at ${index}`);
  }
  return fromHex(text, HASH_SIZE);
}

/** Refuses a number of hashes that no leaf of the range can have; a range without leaves has the empty proof alone. */
function checkShape(size: number, count: number): void {
  const { sizes, height } = peakSizes(size);
  if (height !== 0) throw new PmmrError("PMMR_INVALID_SIZE", `proof: ${size} is not a valid size`);
  let fits = size === 0 && count === 0;
  for (const [peaksLeft, treeSize] of sizes.entries()) {
    const siblings = Math.log2((treeSize + 1) / 2);
    const peakRight = peaksLeft < sizes.length - 1 ? 1 : 0;
    fits ||= count === siblings + peakRight + peaksLeft;
  }
  if (!fits) {
    throw new PmmrError(
      "PMMR_PROOF_SHAPE",
      `proof: no leaf of a range of ${size} nodes has ${count} hashes`,
    );
  }
}

function malformed(what: string): PmmrError {
  return new PmmrError("PMMR_MALFORMED", `proof ${what}`);
}
