export { BTreeError, type BTreeErrorCode, type BTreeErrorOptions } from "./errors.ts";
export { type NodeFormat } from "./node-codec.ts";
export { EMPTY_ROOT } from "./node.ts";
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
  type TreeRange,
  type WriteOptions,
  type WriteRequest,
  type WriteStatistics,
} from "./types.ts";
export { type LoadEntry, type LoadOptions } from "./bulk-load.ts";
export { NodePool } from "./node-pool.ts";
export { Snapshot } from "./snapshot.ts";
export { TreeReads } from "./tree-reads.ts";
export { AsyncWalkIterator, SyncWalkIterator } from "./walk-iterator.ts";
