export { type Change } from "./change.ts";
export {
  type Child,
  childAndSiblings,
  type ChildAndSiblings,
  childAt,
  childrenOf,
} from "./child.ts";
export type { TreeContext } from "./context.ts";
export { JellyfishError, type JellyfishErrorCode } from "./errors.ts";
export { hashInternal } from "./inner-hash.ts";
export { loadNode, loadNodes } from "./load.ts";
export { type LoadedNode, NodeCache, type NodeCacheOptions } from "./node-cache.ts";
export { compactNodes, type CompactNodesOptions } from "./node-codec-compact.ts";
export { roochNodes } from "./node-codec-rooch.ts";
export type { NodeFormat } from "./node-format.ts";
export { type InternalNode, type LeafNode, type Node } from "./node.ts";
export { proveBatch, proveUpdate } from "./proof/partial.ts";
export { getWithProof, type GetWithProof, proveExclusion, proveInclusion } from "./proof/path.ts";
export {
  type EntriesWithProof,
  neighbourOf,
  proveExclusionByNeighbours,
  proveRange,
  type RangeQuery,
} from "./proof/range.ts";
export { getLeaf, getLeaves, hasLeaf } from "./read.ts";
export { jmtSha256 } from "./scheme/jmt-sha256.ts";
export { rooch } from "./scheme/rooch.ts";
export type { HashScheme, ProofRules } from "./scheme/scheme.ts";
export {
  rememberUpdate,
  update,
  type UpdateCounters,
  type UpdateOptions,
  type UpdateResult,
} from "./update.ts";
