export { AofError, type AofErrorCode } from "./errors.ts";
export type { FileSystem, OpenFile, OpenMode, Unlock } from "./file-system.ts";
