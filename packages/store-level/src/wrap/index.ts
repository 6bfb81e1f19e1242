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
export { type LevelStore, type SyncLevelStore } from "./level-store.ts";
export { type LevelStoreOptions, wrap } from "./wrap.ts";
