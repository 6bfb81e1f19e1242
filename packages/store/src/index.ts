export {
  type BatchOptions,
  type Bytes,
  type Del,
  type Entry,
  type Expectation,
  flush,
  hasSyncReads,
  type Operation,
  type Put,
  type Range,
  type Store,
  type StoreIterator,
  type StoreState,
  type StoreSupports,
  type SyncReads,
} from "./store.ts";
export {
  type AsyncReader,
  type Reading,
  type RunOptions,
  runAsync,
  runSync,
  type StopSignal,
  type SyncReader,
  together,
} from "./reading.ts";
export { prefixed, prefixKey, prefixOperations } from "./prefixed.ts";
export { StoreError, type StoreErrorCode, type StoreErrorOptions } from "./errors.ts";
