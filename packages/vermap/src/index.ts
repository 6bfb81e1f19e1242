export { VerMap, type VerMapOptions } from "./map/ver-map.ts";
export { type RepositoryOptions } from "./repository/repository.ts";
export { Branch } from "./map/branch.ts";
export { type BranchInfo, type BranchSource, type CreateBranchOptions } from "./map/branches.ts";
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
export { type MapStats } from "./map/stats.ts";
export { type MapVerifyOptions, type MapVerifyReport } from "./check/verify.ts";
export { type MapFault, type MapFaultKind, type MapRecordNoun } from "./check/fault.ts";
export { type CompactReport } from "./map/compact.ts";
export { type MapRepairReport } from "./check/repair.ts";
export { VerMapError, type VerMapErrorCode, type VerMapErrorOptions } from "./errors.ts";
export { upsert } from "./map/upsert.ts";
export { type Tag } from "./tag/tag-record.ts";
export { type TagOptions, Tags, tags } from "./tag/tags.ts";
export { cherryPick, type ReplayOptions, type ReplayResult, revert } from "./rewrite/replay.ts";
export { reset, type ResetOptions, squash } from "./rewrite/move-head.ts";
export { history, type KeyChange, type KeyHistoryOptions } from "./history/key-history.ts";
export { blame, type BlamedEntry, type BlameOptions } from "./history/blame.ts";
export { type HistoryParents } from "./history/key-walk.ts";
export { asOf } from "./history/as-of.ts";
export {
  cutHistory,
  type ReclaimReport,
  retain,
  type RetentionOptions,
} from "./retention/retain.ts";
export { type ReflogEntry } from "./reflog/reflog-record.ts";
export { reflog, Reflog, type ReflogOptions, type RestoreOptions } from "./reflog/reflog.ts";
export { type Notice, watch, type WatchOptions } from "./watch/watch.ts";
export { decodePatch, encodePatch, invertPatch, type Patch } from "./patch/patch.ts";
export { applyPatch, type ApplyPatchOptions } from "./patch/apply-patch.ts";
export { type BytesMap, NamedMap, NamedReads, NamedWrites } from "./named/named-map.ts";
export {
  type NamedMapDefinitions,
  type NamedMaps,
  openNamedMaps,
} from "./named/open-named-maps.ts";
export { type Codec } from "./codec/codec.ts";
export { type Codecs } from "./codec/codecs.ts";
