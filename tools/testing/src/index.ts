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
