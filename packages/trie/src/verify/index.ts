export { TrieError, type TrieErrorCode } from "../errors.ts";
export type { VerifyMode } from "./checks.ts";
export {
  type MptClaim,
  type MptProof,
  verifyMpt,
  verifyMptExclusion,
  verifyMptInclusion,
} from "./mpt-proof.ts";
export {
  type SmtClaim,
  type SmtProof,
  type SmtProofLeaf,
  verifySmt,
  verifySmtExclusion,
  verifySmtInclusion,
} from "./smt-proof.ts";
export { type MptBatchClaim, type MptBatchProof, verifyMptBatch } from "./mpt-batch.ts";
export {
  type MptEntry,
  type MptRangeClaim,
  type MptRangeProof,
  verifyMptRange,
} from "./mpt-range.ts";
export {
  type SmtBatchClaim,
  type SmtBatchProof,
  type SmtPart,
  verifySmtBatch,
} from "./smt-batch.ts";
export type { Presence } from "./presence.ts";
export type { KeyRange } from "../mpt/key-range.ts";
export {
  decodeMptBatchProof,
  decodeMptProof,
  decodeMptRangeProof,
  decodeSmtBatchProof,
  decodeSmtProof,
  encodeMptBatchProof,
  encodeMptProof,
  encodeMptRangeProof,
  encodeSmtBatchProof,
  encodeSmtProof,
  type ProofLimits,
} from "./codec/binary.ts";
export {
  type HexText,
  mptBatchProofFromJson,
  type MptBatchProofJson,
  mptBatchProofToJson,
  mptProofFromJson,
  type MptProofJson,
  mptProofToJson,
  mptRangeProofFromJson,
  type MptRangeProofJson,
  mptRangeProofToJson,
  smtBatchProofFromJson,
  type SmtBatchProofJson,
  smtBatchProofToJson,
  smtProofFromJson,
  type SmtProofJson,
  smtProofToJson,
} from "./codec/json.ts";
export {
  type EthereumClaim,
  type EthereumProof,
  verifyEthereum,
  verifyEthereumExclusion,
  verifyEthereumInclusion,
} from "./ethereum-proof.ts";
export {
  type EthGetProofClaim,
  type EthGetProofResult,
  type ProvenAccount,
  verifyEthGetProof,
} from "./ethereum-account.ts";
