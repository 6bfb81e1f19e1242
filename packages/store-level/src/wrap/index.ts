export {
  type LevelBatchOptions,
  type LevelDatabase,
  type LevelIterator,
  type LevelOperation,
  type LevelRange,
  type LevelSnapshot,
  type LevelSupports,
  type SnapshotOption,
  type ViewEncodings,
} from "./level-database.ts";
export { type Crc32 } from "@x/store/adapter";
export { type FormatRecord } from "./format-record.ts";
export { type Medium } from "./medium.ts";
export { type LevelStore, type LevelStoreParts, type SyncLevelStore } from "./level-store.ts";
export { type LevelStoreOptions, wrap } from "./wrap.ts";
