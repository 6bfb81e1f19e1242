export { JellyfishError, type JellyfishErrorCode } from "./errors.ts";
export { type InternalNode, type LeafNode, type Node } from "./node.ts";
export { jmtSha256 } from "./scheme/jmt-sha256.ts";
export { rooch } from "./scheme/rooch.ts";
export type { HashScheme, ProofRules } from "./scheme/scheme.ts";
