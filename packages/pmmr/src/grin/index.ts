export { bitmapChunkCodec } from "../bitmap-chunk.ts";
export {
  type BlockHeader,
  decodeHeader,
  encodeHeader,
  encodeHeaderPreimage,
  HEADER_PREIMAGE_SIZE,
  HEADER_RECORD_SIZE,
  headerCodec,
  type HeaderElement,
  headerElement,
  type HeaderEntry,
  headerHash,
  headerOutputRoot,
  packNonces,
  type SolvedHeader,
  unpackNonces,
} from "./header.ts";
export {
  detectKernelVersion,
  type Kernel,
  type KernelBase,
  KERNEL_V1_SIZE,
  kernelCodec,
  type KernelVersion,
  SIGNATURE_SIZE,
  splitFee,
} from "./kernel.ts";
export { archiveEntries, CHAIN_FOLDERS, SEGMENT_HEIGHTS } from "./layout.ts";
export {
  COMMITMENT_SIZE,
  OUTPUT_RECORD_SIZE,
  outputCodec,
  type OutputIdentifier,
} from "./output.ts";
export { RANGE_PROOF_RECORD_SIZE, RANGE_PROOF_SIZE, rangeProofCodec } from "./range-proof.ts";
