import type { ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import { ByteReader } from "../wire.ts";

/** Bytes in a Pedersen commitment. */
export const COMMITMENT_SIZE = 33;
/** Bytes in the record of an output. */
export const OUTPUT_RECORD_SIZE: number = 1 + COMMITMENT_SIZE;
/** Features of an output by the byte that stands for them. */
const FEATURES = ["plain", "coinbase"] as const;

/** What Grin's output range holds of an output. */
export interface OutputIdentifier {
  readonly features: "plain" | "coinbase";
  /** {@link COMMITMENT_SIZE} bytes. */
  readonly commitment: Uint8Array;
}

/**
 * Elements of Grin's output range: 34 bytes, stored and hashed alike. Layout: FORMAT.md, "Output".
 *
 * `load` refuses with `PMMR_TRUNCATED`, `PMMR_NON_CANONICAL` (bytes after the end) or `PMMR_MALFORMED` (unknown features).
 */
export const outputCodec: ElementCodec<OutputIdentifier> = {
  recordSize: OUTPUT_RECORD_SIZE,
  store: encodeOutput,
  hashForm: encodeOutput,
  load: decodeOutput,
  storedHashForm: encodeOutput,
};

function encodeOutput({ features, commitment }: OutputIdentifier): Uint8Array<ArrayBuffer> {
  if (commitment.length !== COMMITMENT_SIZE) {
    throw new RangeError(`commitment must be ${COMMITMENT_SIZE} bytes, got ${commitment.length}`);
  }
  const code = FEATURES.indexOf(features);
  if (code === -1) throw new RangeError("features must be plain or coinbase");
  const record = new Uint8Array(OUTPUT_RECORD_SIZE);
  record[0] = code;
  record.set(commitment, 1);
  return record;
}

function decodeOutput(record: Uint8Array): OutputIdentifier {
  const reader = new ByteReader(record, "output");
  const code = reader.u8();
  const features = FEATURES[code];
  if (features === undefined) {
    throw new PmmrError("PMMR_MALFORMED", `output: features are ${code}, want 0 or 1`);
  }
  const commitment = reader.bytes(COMMITMENT_SIZE);
  reader.finish();
  return { features, commitment };
}
