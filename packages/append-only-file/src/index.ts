export { AofError, type AofErrorCode, type AofErrorOptions } from "./errors.ts";
export type { FileSystem, OpenFile, OpenMode, Unlock } from "./file-system.ts";
export type { GroupFile } from "./group-file.ts";
export {
  type Commit,
  FileGroup,
  type GroupStats,
  type RewritePlan,
  type StopSignal,
} from "./group.ts";
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
export type { GroupOptions } from "./options.ts";
