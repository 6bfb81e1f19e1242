export {
  AppendOnlyFile,
  type AppendOnlyFileOptions,
  type RecordsCommit,
  type RewriteOptions,
} from "./append-only-file.ts";
export type { Commit, RewritePlan, StopSignal } from "./commit.ts";
export { type Copy } from "./copies.ts";
export { AofError, type AofErrorCode, type AofErrorOptions } from "./errors.ts";
export type { FileSystem, OpenFile, OpenMode, Unlock } from "./file-system.ts";
export { FixedRecords } from "./fixed-records.ts";
export type { GroupFile } from "./group-file.ts";
export { FileGroup, type GroupStats } from "./group.ts";
export type {
  AdoptView,
  Adoption,
  AdoptionRepair,
  AppendFileSpec,
  BlobContent,
  BlobSpec,
  GroupLayout,
} from "./layout.ts";
export { MemoryFileSystem } from "./memory-file-system.ts";
export type { GroupMetrics, GroupOptions } from "./options.ts";
export {
  type ByteSource,
  checkSizes,
  rebuildSizes,
  RECORD_BYTES_MAX,
  type RecordParser,
  SIZE_ENTRY_BYTES,
  type SizeCheck,
} from "./size-entries.ts";
export { type PackedRecords, VariableRecords } from "./variable-records.ts";
export { type RecordProblem, type VerifyOptions, type VerifyReport } from "./verify.ts";
