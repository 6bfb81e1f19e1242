export { type MemoryStatistics, MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";
