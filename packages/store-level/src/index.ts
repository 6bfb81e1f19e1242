export { open, type LevelTuning, type OpenOptions } from "./open.ts";
export { type StopSignal, verify, type VerifyOptions, type VerifyReport } from "./verify.ts";
export { type Finding } from "./log-check.ts";
export { type Crc32 } from "@x/store/adapter";
export { type FormatRecord } from "./wrap/format-record.ts";
export { type Medium } from "./wrap/medium.ts";
export { type LevelStore, type LevelStoreParts, type SyncLevelStore } from "./wrap/level-store.ts";
export { type LevelDatabase } from "./wrap/level-database.ts";
export { type LevelStoreOptions, wrap } from "./wrap/wrap.ts";
