/** Every code this package throws. A code never changes within a major version; wording may. */
export type VerMapErrorCode =
  | "VERMAP_BRANCH_NOT_FOUND"
  | "VERMAP_COMMIT_NOT_FOUND"
  | "VERMAP_BRANCH_EXISTS"
  | "VERMAP_MAIN_BRANCH"
  | "VERMAP_UNCOMMITTED"
  | "VERMAP_SELF_MERGE"
  | "VERMAP_NO_COMMITS"
  | "VERMAP_NOT_ANCESTOR"
  | "VERMAP_NOT_FAST_FORWARD"
  | "VERMAP_MERGE_CONFLICT"
  | "VERMAP_HEAD_MOVED"
  | "VERMAP_CONFLICT"
  | "VERMAP_FORMAT"
  | "VERMAP_CORRUPT"
  | "VERMAP_MISSING"
  | "VERMAP_POISONED"
  | "VERMAP_CLOSED"
  | "VERMAP_RELEASED"
  | "VERMAP_TAG_EXISTS"
  | "VERMAP_TAG_NOT_FOUND"
  | "VERMAP_REFLOG_EXPIRED"
  | "VERMAP_UNDECODABLE"
  | "VERMAP_PATCH_CORRUPT"
  | "VERMAP_PATCH_MISMATCH";

/** What a {@link VerMapError} takes besides a code and a message. */
export interface VerMapErrorOptions extends ErrorOptions {
  /** Where in the bytes the damage was seen. Default: none. */
  readonly offset?: number;
  /** The branch the error is about. Default: none. */
  readonly branchId?: number;
  /** The commit the error is about. Default: none. */
  readonly commitId?: number;
  /** How many keys are in conflict. Default: none. */
  readonly conflictCount?: number;
}

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class VerMapError extends Error {
  override readonly name = "VerMapError";
  readonly code: VerMapErrorCode;
  /** Where in the bytes the damage was seen, where it was in them. */
  readonly offset: number | undefined;
  /** The branch the error is about, where there is one. */
  readonly branchId: number | undefined;
  /** The commit the error is about, where there is one. */
  readonly commitId: number | undefined;
  /** How many keys are in conflict, of a merge that was refused for them. */
  readonly conflictCount: number | undefined;

  constructor(code: VerMapErrorCode, message: string, options: VerMapErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.offset = options.offset;
    this.branchId = options.branchId;
    this.commitId = options.commitId;
    this.conflictCount = options.conflictCount;
  }
}
