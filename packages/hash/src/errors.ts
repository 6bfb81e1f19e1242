/** Every code this package throws. A code never changes within a major version; wording may. */
export type HashErrorCode = "HASH_HEX_LENGTH" | "HASH_HEX_DIGIT" | "HASH_WASM_UNAVAILABLE";

/** The one error class of this package. Match on `code`, not on the class or the message. */
export class HashError extends Error {
  override readonly name = "HashError";
  readonly code: HashErrorCode;

  constructor(code: HashErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
