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
