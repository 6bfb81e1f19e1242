export { BTree, type BTreeOptions, type TreeCheckOptions, type TreeWriteOptions } from "./btree.ts";
export { NodePool } from "./node-pool.ts";
export { Snapshot } from "./snapshot.ts";
export { type ReadContext, type TreeReads } from "./tree-reads.ts";
export { changeOf, invert } from "./patch.ts";
export { EMPTY_ROOT } from "./node.ts";
export { type NodeFormat } from "./node-codec.ts";
export { type LoadEntry, type LoadOptions } from "./bulk-load.ts";
export {
  type Bytes,
  type Change,
  type Difference,
  type DiffRange,
  type EditOptions,
  type Entry,
  type KeyRange,
  type PoolOptions,
  type PoolStatistics,
  type StagedWrite,
  type StopSignal,
  type SyncTreeIterator,
  type TreeIterator,
  type TreeRange,
  type WriteOptions,
  type WriteRequest,
  type WriteStatistics,
} from "./types.ts";
export { type VerifyOptions, type VerifyReport } from "./verify.ts";
export { type Fault, type FaultKind } from "./audit.ts";
export { type RepairReport } from "./repair.ts";
export { BTreeError, type BTreeErrorCode, type BTreeErrorOptions } from "./errors.ts";
