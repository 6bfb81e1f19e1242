export { PmmrError, type PmmrErrorCode } from "../errors.ts";
export { grinHashing, type MmrHashing } from "../hashing.ts";
export {
  decodeMerkleProof,
  encodeMerkleProof,
  type MerkleProof,
  merkleProofFromJson,
  type MerkleProofJson,
  merkleProofToJson,
  proofLength,
} from "../proof.ts";
export { type MerkleClaim, verifyMerkleProof } from "./verify.ts";
