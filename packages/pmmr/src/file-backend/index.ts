export type { CompactOptions } from "./commits.ts";
export { type ExpectedState, openPmmr, type OpenPmmrOptions } from "./open.ts";
export type { ArchiveEntry, PmmrArchive, PmmrFolder, PmmrFolderStats } from "./pmmr-folder.ts";
export { verifyPmmr } from "./verify-pmmr.ts";
export type { VerifyOptions, VerifyReport } from "./verify.ts";
