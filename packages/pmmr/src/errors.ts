/** Every code this package throws. A code never changes within a major version; wording may. */
export type PmmrErrorCode =
  | "PMMR_INVALID_SIZE"
  | "PMMR_CAPACITY"
  | "PMMR_NOT_PRUNABLE"
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
  | "PMMR_ABORTED";

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class PmmrError extends Error {
  override readonly name = "PmmrError";
  readonly code: PmmrErrorCode;

  constructor(code: PmmrErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
