export { Child, type ChildEnd, type ChildOptions, sleep } from "./child.ts";
export {
  type CrashMode,
  type DiskOperation,
  type DiskOperationKind,
  type DiskOptions,
  type DiskStats,
  type FaultOptions,
  SimulatedDisk,
  SimulatedFile,
} from "./disk/disk.ts";
export { DiskError, type DiskErrorCode } from "./disk/error.ts";
export { Random, seedOf } from "./random.ts";
export { loadRoaring } from "./roaring.ts";
export { fromEnvironment, printCounts, printSkip, scaled, testScale } from "./scale.ts";
export { type Campaign, crashCampaign, faultCampaign, findsMistake } from "./crash/campaign.ts";
export {
  type CrashCounts,
  crashEverywhere,
  crashExhaustively,
  type CrashOptions,
  type CrashPlan,
  type CrashSelection,
  FULL_PLAN,
} from "./crash/crash.ts";
export { CrashFailure } from "./crash/failure.ts";
export { failEverywhere, type FaultCounts } from "./crash/faults.ts";
export { CommitLog, type CrashSubject, type Reopened } from "./crash/subject.ts";
export { killCampaign, type KillCounts, type KillOptions } from "./real/kill.ts";
export { mustKeepAfterLimit, type ProcessLimits, runLimited, TinyDisk } from "./real/limits.ts";
export {
  powerCampaign,
  type PowerCounts,
  PowerDisk,
  type PowerFileSystem,
  type PowerOptions,
} from "./real/power.ts";
export { HistoryReport } from "./real/report.ts";
export { ReportedHistory, type ReportedError } from "./real/reported-history.ts";
export { DiskFailure, type StoreOnDisk } from "./real/store.ts";
export {
  type InjectedEnd,
  type Injection,
  type InjectionKind,
  INJECTIONS,
  runInjected,
  straceCampaign,
  type StraceCounts,
  type StraceOptions,
  straceRefusal,
} from "./real/strace.ts";
export { storeLaws } from "./store/contract.ts";
export { CountingStore, type StoreCounts } from "./store/counting-store.ts";
export {
  FailingStore,
  FailingStoreError,
  type RecordedBatch,
  type StoreCallKind,
  type StoreFailurePlan,
  type StoreImage,
} from "./store/failing-store.ts";
export { collectGarbage } from "./store/garbage.ts";
export { hexOf, type ModelEntry, StoreModel } from "./store/model.ts";
export {
  type OpenedStore,
  type StoreLaw,
  type StoreSubject,
  type StoreSubjectOptions,
} from "./store/subject.ts";
export {
  readsSync,
  type StoredBytes,
  type StoreEntries,
  type StoreEntry,
  type StoreExpectation,
  type StoreLike,
  type StoreOperation,
  type StoreRange,
  type SyncReadsLike,
} from "./store/types.ts";
