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
