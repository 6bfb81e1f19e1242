/** Every code this package throws. A code never changes within a major version; wording may. */
export type PmmrErrorCode =
  | "PMMR_INVALID_SIZE"
  | "PMMR_CAPACITY"
  | "PMMR_NOT_PRUNABLE"
  | "PMMR_HASH_ONLY"
  | "PMMR_PRUNED"
  | "PMMR_COMPACTED"
  | "PMMR_STALE_VIEW"
  | "PMMR_MISSING_HASH"
  | "PMMR_DAMAGED"
  | "PMMR_ROLLED_BACK"
  | "PMMR_TRUNCATED"
  | "PMMR_MALFORMED"
  | "PMMR_NON_CANONICAL"
  | "PMMR_OUT_OF_RANGE"
  | "PMMR_TOO_LARGE"
  | "PMMR_PROOF_SHAPE"
  | "PMMR_SEGMENT_MISSING"
  | "PMMR_SEGMENT_SURPLUS"
  | "PMMR_ROOT_MISMATCH"
  | "PMMR_BUSY"
  | "PMMR_ABORTED";

/** One thing wrong with stored data. Positions count nodes from 1, as the stored bitmaps do. */
export interface PmmrProblem {
  readonly kind: PmmrProblemKind;
  /** File that is wrong; empty when it cannot be told which. */
  readonly file: string;
  /** Byte where the wrong part begins. */
  readonly offset?: number;
  /** Node that is wrong, counted from 1. */
  readonly position1?: number;
  /** What should be there: a number in decimal, or bytes in hex. */
  readonly expected?: string;
  /** What is there instead. */
  readonly found?: string;
  /** One line for a person; holds no stored bytes. */
  readonly message: string;
}

/** What can be wrong: see the table of problems in the README. */
export type PmmrProblemKind =
  | "missing-file"
  | "unexpected-file"
  | "torn-record"
  | "size-entry"
  | "bitmap"
  | "prune-entry"
  | "leaf-entry"
  | "invalid-size"
  | "record-count"
  | "record"
  | "hash"
  | "root"
  | "state";

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class PmmrError extends Error {
  override readonly name = "PmmrError";
  readonly code: PmmrErrorCode;
  /** What is wrong with stored data, where a whole folder was judged; empty otherwise. */
  readonly problems: readonly PmmrProblem[];

  constructor(
    code: PmmrErrorCode,
    message: string,
    options: ErrorOptions & { readonly problems?: readonly PmmrProblem[] } = {},
  ) {
    const { problems, ...rest } = options;
    super(message, rest);
    this.code = code;
    this.problems = problems ?? [];
  }
}
