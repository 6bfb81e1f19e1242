export { VerMap, type VerMapOptions } from "./map/ver-map.ts";
export { type RepositoryOptions } from "./repository/repository.ts";
export { Branch } from "./map/branch.ts";
export { type BranchInfo, type BranchSource } from "./map/branches.ts";
export { type BranchRef } from "./repository/branch-table.ts";
export { Transaction } from "./map/transaction.ts";
export { MapSnapshot } from "./map/map-snapshot.ts";
export { type Version } from "./map/version.ts";
export { type CommitOptions, type WriteOptions } from "./map/committing.ts";
export { type Commit, type CommitMetadata } from "./records/commit-record.ts";
export { type LogOptions } from "./graph/log-walk.ts";
export { type AheadBehind } from "./graph/merge-bases.ts";
export {
  type MergeOptions,
  type MergeOutcome,
  type MergePreview,
  type MergeResult,
} from "./merge/merge.ts";
export {
  type Conflict,
  type MergeStrategy,
  type Resolution,
  type Resolver,
} from "./merge/conflict.ts";
export { type MapEntry, MapReads } from "./reads/map-reads.ts";
export { type MapDiffRange, type MapKeyRange, type MapRange } from "./reads/typed-range.ts";
export { type MapDifference } from "./reads/map-difference.ts";
export { VerMapError, type VerMapErrorCode, type VerMapErrorOptions } from "./errors.ts";
