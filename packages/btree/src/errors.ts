/** Every code this package throws. A code never changes within a major version; wording may. */
export type BTreeErrorCode =
  | "BTREE_CORRUPT"
  | "BTREE_MISSING"
  | "BTREE_FORMAT"
  | "BTREE_UNCOUNTED"
  | "BTREE_UNSORTED"
  | "BTREE_RELEASED"
  | "BTREE_CONFLICT"
  | "BTREE_POISONED"
  | "BTREE_CLOSED"
  | "BTREE_FULL";

/** What a {@link BTreeError} takes besides a code and a message. */
export interface BTreeErrorOptions extends ErrorOptions {
  /** Id of the node the error is about. Default: none. */
  readonly id?: number;
  /** Where in the record's bytes the damage was seen. Default: none. */
  readonly offset?: number;
}

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class BTreeError extends Error {
  override readonly name = "BTreeError";
  readonly code: BTreeErrorCode;
  /** Id of the node the error is about, where there is one. */
  readonly id: number | undefined;
  /** Where in the record's bytes the damage was seen, where it was in them. */
  readonly offset: number | undefined;

  constructor(code: BTreeErrorCode, message: string, options: BTreeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.id = options.id;
    this.offset = options.offset;
  }
}
