export { type Change } from "./change.ts";
export {
  type Child,
  childAndSiblings,
  type ChildAndSiblings,
  childAt,
  childrenOf,
} from "./child.ts";
export type { TreeContext } from "./context.ts";
export { type Difference, DifferenceWalk } from "./difference.ts";
export { JellyfishError, type JellyfishErrorCode } from "./errors.ts";
export {
  ICS23_SPEC,
  type Ics23Existence,
  type Ics23InnerOp,
  type Ics23NonExistence,
  type Ics23Proof,
  type Ics23Spec,
} from "./ics23/proof.ts";
export { encodeIcs23Proof } from "./ics23/protobuf.ts";
export { proveIcs23 } from "./ics23/prove.ts";
export type { ImportOptions, NodeSource } from "./import/import.ts";
export { hashInternal } from "./inner-hash.ts";
export { loadNode, loadNodes, type LoadNodesOptions } from "./load.ts";
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
  proveRightSiblings,
  type RangeQuery,
} from "./proof/range.ts";
export { applyPatch, makePatch, type Patch } from "./patch.ts";
export { countLeaves, countRange, leafAtIndex, rankOf } from "./rank.ts";
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
export { dumpLeaves, LeafWalk, listLeaves, type ListOptions } from "./walk.ts";
export {
  collectNodes,
  type CollectNodesOptions,
  type CollectOptions,
  type CollectProgress,
  type CollectReport,
} from "./retention/collect.ts";
export type { ChunkEntry, ChunkSource, RestoreChunk, RestoreOptions } from "./restore/restore.ts";
export type { SweepTotals } from "./retention/sweep.ts";
export type { Part } from "./retention/marks.ts";
export { type VerifyOptions, type VerifyReport, verifyTree } from "./retention/verify-tree.ts";
export type { BadRecord } from "./retention/verify-walk.ts";
export { bytesCodec, type Codec, jsonCodec, utf8Codec } from "./tree/codec.ts";
export type { SyncTreeIterator, TreeIterator } from "./tree/leaf-iterator.ts";
export {
  type ChunksOptions,
  MapReads,
  type Page,
  type ProvenValue,
  type ReadPoint,
  type SyncStore,
} from "./tree/map-reads.ts";
export {
  LATENCY_BUCKETS,
  METRIC_NAMES,
  type MetricName,
  type MetricsHook,
  SIZE_BUCKETS,
} from "./tree/metrics.ts";
export type { DifferentEntry } from "./tree/difference-entries.ts";
export type { Commit, RetainedRoot, UpdateTreeOptions } from "./tree/commit.ts";
export type { TreeInternals } from "./tree/core.ts";
export type { TreeDraft } from "./tree/draft-nodes.ts";
export type { LoadOptions, LoadReport } from "./tree/load.ts";
export type { JellyfishTreeOptions } from "./tree/options.ts";
export { JellyfishTree } from "./tree/tree.ts";
export { type TreeOperation, UpdateSet } from "./tree/update-set.ts";
export { TreeView, type ViewPoint } from "./tree/view.ts";
