/** Every code this package throws. A code never changes within a major version; wording may. */
export type JellyfishErrorCode =
  | "JELLYFISH_MISSING_NODE"
  | "JELLYFISH_NODE_FORMAT"
  | "JELLYFISH_NODE_MISPLACED";

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class JellyfishError extends Error {
  override readonly name = "JellyfishError";
  readonly code: JellyfishErrorCode;

  constructor(code: JellyfishErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
