export { JellyfishError, type JellyfishErrorCode } from "../errors.ts";
export { jmtSha256 } from "../scheme/jmt-sha256.ts";
export { rooch } from "../scheme/rooch.ts";
export type { HashScheme, ProofRules } from "../scheme/scheme.ts";
export { type BatchClaim, type Presence, verifyBatch } from "./batch-proof.ts";
export type { Claim } from "./checks.ts";
export {
  decodeBcsPathProof,
  decodeBcsRightSiblings,
  encodeBcsPathProof,
  encodeBcsRightSiblings,
} from "./codec/bcs.ts";
export {
  decodePartialTree,
  decodePathProof,
  decodeRangeProof,
  encodePartialTree,
  encodePathProof,
  encodeRangeProof,
} from "./codec/binary.ts";
export {
  type HexText,
  partialTreeFromJson,
  type PartialTreeJson,
  partialTreeToJson,
  pathProofFromJson,
  type PathProofJson,
  pathProofToJson,
  type ProofLeafJson,
  rangeProofFromJson,
  type RangeProofJson,
  rangeProofToJson,
} from "./codec/json.ts";
export type { ProofLimits } from "./codec/wire.ts";
export type { EmptyPlace, HiddenTree, PartialTree, ShownLeaf } from "./partial-tree.ts";
export {
  type ExclusionClaim,
  type InclusionClaim,
  type Insertion,
  insertByProof,
  verifyExclusion,
  verifyInclusion,
} from "./path-proof.ts";
export type {
  Absence,
  HashedLeaf,
  PathProof,
  ProofLeaf,
  ProvenEntry,
  RevealedLeaf,
} from "./proof.ts";
export {
  type ProvenRange,
  type RangeClaim,
  type RangeProof,
  rangeProofOfRightSiblings,
  verifyExclusionByNeighbours,
  verifyRange,
} from "./range-proof.ts";
export { type PathChange, type UpdateClaim, updatedRoot, verifyUpdate } from "./update-proof.ts";
