/** Every code this package throws. A code never changes within a major version; wording may. */
export type AofErrorCode =
  | "AOF_LOCKED"
  | "AOF_CLOSED"
  | "AOF_READ_ONLY"
  | "AOF_POISONED"
  | "AOF_DURABILITY_UNKNOWN"
  | "AOF_NO_SPACE"
  | "AOF_IO"
  | "AOF_MISSING"
  | "AOF_NOT_A_FILE"
  | "AOF_TRUNCATED"
  | "AOF_DAMAGED"
  | "AOF_JOURNAL_DAMAGED"
  | "AOF_FOREIGN_CHANGE"
  | "AOF_ROLLED_BACK"
  | "AOF_OUT_OF_RANGE"
  | "AOF_RECORD_SIZE"
  | "AOF_TOO_MANY";

/** What an {@link AofError} can say beyond its message. */
export interface AofErrorOptions extends ErrorOptions {
  /** What is wrong with a folder, one sentence each. Default: nothing listed. */
  readonly problems?: readonly string[];
  /** Whether opening with `repair` would make the folder consistent. Default: false. */
  readonly repairable?: boolean;
}

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class AofError extends Error {
  override readonly name = "AofError";
  readonly code: AofErrorCode;
  readonly problems: readonly string[];
  readonly repairable: boolean;

  constructor(code: AofErrorCode, message: string, options: AofErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.problems = options.problems ?? [];
    this.repairable = options.repairable ?? false;
  }
}
