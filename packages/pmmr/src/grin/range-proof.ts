import type { ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import { ByteReader, ByteWriter } from "../wire.ts";

/** Bytes in a range proof. */
export const RANGE_PROOF_SIZE = 675;
/** Bytes in the record of a range proof: its length, then the proof. */
export const RANGE_PROOF_RECORD_SIZE: number = 8 + RANGE_PROOF_SIZE;

/**
 * Elements of Grin's range proof range: proofs of 675 bytes, stored and hashed with their length in front. Layout:
 * FORMAT.md, "Range proof".
 *
 * `load` refuses with `PMMR_TRUNCATED`, `PMMR_NON_CANONICAL` (bytes after the end) or `PMMR_MALFORMED` (another length than
 * 675, which Grin would read and pad).
 */
export const rangeProofCodec: ElementCodec<Uint8Array> = {
  recordSize: RANGE_PROOF_RECORD_SIZE,
  store: encodeRangeProof,
  hashForm: encodeRangeProof,
  load: decodeRangeProof,
  storedHashForm: encodeRangeProof,
};

function encodeRangeProof(proof: Uint8Array): Uint8Array<ArrayBuffer> {
  if (proof.length !== RANGE_PROOF_SIZE) {
    throw new RangeError(`range proof must be ${RANGE_PROOF_SIZE} bytes, got ${proof.length}`);
  }
  const writer = new ByteWriter(RANGE_PROOF_RECORD_SIZE);
  writer.u64(proof.length);
  writer.bytes(proof);
  return writer.finish();
}

function decodeRangeProof(record: Uint8Array): Uint8Array {
  const reader = new ByteReader(record, "range proof");
  const length = reader.u64();
  if (length !== RANGE_PROOF_SIZE) {
    throw new PmmrError(
      "PMMR_MALFORMED",
      `range proof: length is ${length}, want ${RANGE_PROOF_SIZE}`,
    );
  }
  const proof = reader.bytes(RANGE_PROOF_SIZE);
  reader.finish();
  return proof;
}
