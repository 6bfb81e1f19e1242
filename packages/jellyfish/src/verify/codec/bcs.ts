import { toHex } from "@x/hash";
import { PATH_SIZE } from "../../path.ts";
import { asciiBytes } from "../../scheme/ascii.ts";
import { checkHash, checkLeaf, checkObject } from "../checks.ts";
import { checkSiblingCount, checkSiblings, type PathProof, type ProofLeaf } from "../proof.ts";
import { hashFromText } from "./json.ts";
import { type ProofLimits, WireReader, WireWriter } from "./wire.ts";

/** Length of a hash as text: `0x` and two digits per byte. */
const TEXT_SIZE = 2 + 2 * PATH_SIZE;

/**
 * Writes a path proof as Rooch does, in BCS: every hash is 67 bytes, a length and a text.
 *
 * @returns fresh bytes
 * @throws RangeError if its leaf is written with its value, which BCS has no form for
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if it is no proof
 * @see FORMAT.md, "BCS"
 */
export function encodeBcsPathProof(proof: PathProof): Uint8Array<ArrayBuffer> {
  checkObject(proof);
  const { leaf, siblings } = proof;
  const writer = new WireWriter();
  writer.uint(leaf === undefined ? 0 : 1, 1);
  if (leaf !== undefined) {
    checkLeaf(leaf);
    if ("value" in leaf) throw new RangeError("leaf must have a value hash, not a value");
    writeHash(writer, leaf.path);
    writeHash(writer, leaf.valueHash);
  }
  writeHashes(writer, siblings);
  return writer.finish();
}

/**
 * Reads a path proof as Rooch writes it; anything else is refused.
 *
 * @param bytes - not trusted; the result does not alias them
 * @param limits - default: 20 KiB, enough for 256 siblings
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE
 * @throws TypeError if `bytes` is no Uint8Array
 */
export function decodeBcsPathProof(
  bytes: Uint8Array,
  { bytesMax = 20_480 }: ProofLimits = {},
): PathProof {
  const reader = new WireReader(bytes, bytesMax);
  const option = reader.u8();
  if (1 < option) throw reader.refusal("has an option of no kind");
  let leaf: ProofLeaf | undefined;
  if (option === 1) {
    const path = readHash(reader);
    leaf = { path, valueHash: readHash(reader) };
  }
  const siblings = readHashes(reader);
  reader.finish();
  return { leaf, siblings };
}

/**
 * Writes the right-hand siblings of a range from the first leaf on, Rooch's range proof, in BCS.
 *
 * @returns fresh bytes
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if they are none
 * @see FORMAT.md, "BCS"
 */
export function encodeBcsRightSiblings(siblings: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeHashes(writer, siblings);
  return writer.finish();
}

/**
 * Reads Rooch's range proof: see `rangeProofOfRightSiblings`.
 *
 * @param bytes - not trusted; the result does not alias them
 * @param limits - default: 20 KiB
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE
 * @throws TypeError if `bytes` is no Uint8Array
 */
export function decodeBcsRightSiblings(
  bytes: Uint8Array,
  { bytesMax = 20_480 }: ProofLimits = {},
): Uint8Array[] {
  const reader = new WireReader(bytes, bytesMax);
  const siblings = readHashes(reader);
  reader.finish();
  return siblings;
}

function writeHash(writer: WireWriter, hash: Uint8Array): void {
  checkHash(hash, "hash");
  writer.uint(TEXT_SIZE, 1);
  writer.bytes(asciiBytes(`0x${toHex(hash)}`));
}

function readHash(reader: WireReader): Uint8Array {
  if (reader.u8() !== TEXT_SIZE) throw reader.refusal("has a hash of another length");
  return hashFromText(String.fromCharCode(...reader.bytes(TEXT_SIZE)));
}

/** The count in ULEB128: one byte below 128, two up to the 256 there can be. */
function writeHashes(writer: WireWriter, hashes: readonly Uint8Array[]): void {
  checkSiblings(hashes);
  if (hashes.length < 128) writer.uint(hashes.length, 1);
  else writer.uint(((hashes.length & 127) | 128) * 256 + (hashes.length >>> 7), 2);
  for (const hash of hashes) writeHash(writer, hash);
}

function readHashes(reader: WireReader): Uint8Array[] {
  let count = reader.u8();
  if (128 <= count) {
    const high = reader.u8();
    if (high === 0) throw reader.refusal("has a count that is not the shortest");
    count += (high - 1) * 128;
  }
  checkSiblingCount(count);
  const hashes: Uint8Array[] = [];
  for (let i = 0; i < count; i++) hashes.push(readHash(reader));
  return hashes;
}
