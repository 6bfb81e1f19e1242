export type { IndexSet, PmmrBackend } from "./backend.ts";
export type { ElementCodec } from "./codec.ts";
export { PmmrError, type PmmrErrorCode } from "./errors.ts";
