export type { IndexSet, PmmrBackend, PmmrReader } from "./backend.ts";
export { bytesCodec, type ElementCodec } from "./codec.ts";
export { PmmrError, type PmmrErrorCode, type PmmrProblem, type PmmrProblemKind } from "./errors.ts";
export { grinHashing, type MmrHashing } from "./hashing.ts";
export { MemoryBackend, type MemoryBackendOptions } from "./memory-backend.ts";
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
export type { DamagedNode, ValidateOptions, ValidationReport } from "./validate.ts";
export { type MerkleClaim, verifyMerkleProof } from "./verify/verify.ts";
export {
  type LeafEntry,
  type PmmrStats,
  PmmrView,
  ReadonlyPmmr,
  RewindablePmmr,
  type ViewOptions,
} from "./view.ts";
