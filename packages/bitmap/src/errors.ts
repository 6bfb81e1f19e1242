/** Every code this package throws. A code never changes within a major version; wording may. */
export type BitmapErrorCode =
  | "BITMAP_TRUNCATED"
  | "BITMAP_CORRUPT"
  | "BITMAP_TRAILING_BYTES"
  | "BITMAP_NON_CANONICAL"
  | "BITMAP_TOO_LARGE";

/** Options of a {@link BitmapError}. */
export interface BitmapErrorOptions extends ErrorOptions {
  /** Bytes from the start of the input to the first byte that breaks the rule. */
  readonly offset: number;
}

/**
 * The one error class of this package: what a decoder found wrong with bytes it was given.
 * Match on `code`, not on the class or the message.
 */
export class BitmapError extends Error {
  override readonly name = "BitmapError";
  readonly code: BitmapErrorCode;
  /** Bytes from the start of the input to the first byte that breaks the rule. */
  readonly offset: number;

  constructor(code: BitmapErrorCode, message: string, options: BitmapErrorOptions) {
    super(message, options);
    this.code = code;
    this.offset = options.offset;
  }
}
