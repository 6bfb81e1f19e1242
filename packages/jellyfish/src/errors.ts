/** Every code this package throws. A code never changes within a major version; wording may. */
export type JellyfishErrorCode =
  | "JELLYFISH_MISSING_NODE"
  | "JELLYFISH_NODE_FORMAT"
  | "JELLYFISH_NODE_MISPLACED"
  | "JELLYFISH_NODE_HASH"
  | "JELLYFISH_REFUSED"
  | "JELLYFISH_NO_COUNTS"
  | "JELLYFISH_PATCH"
  | "JELLYFISH_RECORD"
  | "JELLYFISH_OPTIONS"
  | "JELLYFISH_CONFLICT"
  | "JELLYFISH_CLOSED"
  | "JELLYFISH_ROOT_UNKNOWN"
  | "JELLYFISH_CHUNK"
  | "JELLYFISH_DUMP"
  | "JELLYFISH_KEY_ABSENT"
  | "JELLYFISH_KEY_PRESENT"
  | "JELLYFISH_KEY_UNKNOWN"
  | "JELLYFISH_ICS23_UNPROVABLE"
  | "JELLYFISH_PROOF_FORMAT"
  | "JELLYFISH_PROOF_TOO_LARGE"
  | "JELLYFISH_PROOF_KIND"
  | "JELLYFISH_PROOF_KEY"
  | "JELLYFISH_PROOF_VALUE"
  | "JELLYFISH_PROOF_ROOT"
  | "JELLYFISH_PROOF_UNSAFE"
  | "JELLYFISH_PROOF_INCOMPLETE"
  | "JELLYFISH_PROOF_SURPLUS";

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class JellyfishError extends Error {
  override readonly name = "JellyfishError";
  readonly code: JellyfishErrorCode;

  constructor(code: JellyfishErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
