export type { IndexSet, PmmrBackend, PmmrReader } from "./backend.ts";
export {
  BitmapAccumulator,
  type BitmapAccumulatorOptions,
  bitmapMmrSize,
} from "./bitmap-accumulator.ts";
export { bitmapChunkCodec, CHUNK_BITS, CHUNK_SIZE } from "./bitmap-chunk.ts";
export {
  BITMAP_SEGMENT_HEIGHT_MAX,
  decodeBitmapSegment,
  encodeBitmapSegment,
} from "./bitmap-segment.ts";
export { BitmapSync, type BitmapSyncTarget } from "./bitmap-sync.ts";
export { bytesCodec, type ElementCodec } from "./codec.ts";
export { PmmrError, type PmmrErrorCode, type PmmrProblem, type PmmrProblemKind } from "./errors.ts";
export { grinHashing } from "./fast-hashing.ts";
export type { MmrHashing } from "./hashing.ts";
export { MemoryBackend, type MemoryBackendOptions } from "./memory-backend.ts";
export { type LeafEntry, type PmmrStats, PmmrView, type ViewOptions } from "./pmmr-view.ts";
export { Pmmr } from "./pmmr.ts";
export {
  type Family,
  family,
  familyBranch,
  heightOf,
  isLeaf,
  isLeftSibling,
  isValidSize,
  leafCount,
  leafIndexAt,
  leafPosition,
  leafRangeBelow,
  leavesBelow,
  leftmostLeaf,
  type PeakMap,
  peakMapHeight,
  peakSizes,
  peaks,
  type Range,
  rightmostLeaf,
  roundUpToLeaf,
  subtreeRange,
} from "./position.ts";
export type { LongOptions, Progress, StopSignal } from "./progress.ts";
export {
  decodeMerkleProof,
  encodeMerkleProof,
  type MerkleProof,
  merkleProofFromJson,
  type MerkleProofJson,
  merkleProofToJson,
  proofLength,
} from "./proof.ts";
export { decodeSegment, encodeSegment, type SegmentLimits } from "./segment-codec.ts";
export type { AnyElementCodec } from "./segment-leaf.ts";
export { makeSegment, type SegmentSource } from "./segment-make.ts";
export { SegmentSync, type SyncTarget } from "./segment-sync.ts";
export {
  firstUnprunedParent,
  type PairedRoot,
  type SegmentContext,
  type SegmentMode,
  segmentRoot,
  type SegmentTarget,
  validateSegment,
} from "./segment-validate.ts";
export {
  nextSegmentIndex,
  type Segment,
  SEGMENT_HEIGHT_MAX,
  segmentCapacity,
  type SegmentHash,
  type SegmentId,
  type SegmentLeaf,
  type SegmentRange,
  segmentRange,
  segmentsRequired,
  segmentsSize,
} from "./segment.ts";
export type { DamagedNode, ValidateOptions, ValidationReport } from "./validate.ts";
export { type MerkleClaim, verifyMerkleProof } from "./verify/verify.ts";
export { ReadonlyPmmr, RewindablePmmr } from "./view.ts";
