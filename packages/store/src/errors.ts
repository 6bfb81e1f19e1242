/** Every code the stores throw. A code never changes within a major version; wording may. */
export type StoreErrorCode =
  | "STORE_CLOSED"
  | "STORE_CONFLICT"
  | "STORE_POISONED"
  | "STORE_DURABILITY_UNKNOWN"
  | "STORE_FULL"
  | "STORE_ITERATOR_LIMIT"
  | "STORE_IO"
  | "STORE_DAMAGED"
  | "STORE_CORRUPT"
  | "STORE_LOST_WRITES"
  | "STORE_ROLLED_BACK"
  | "STORE_INCOMPLETE"
  | "STORE_FORMAT"
  | "STORE_MISSING"
  | "STORE_LOCKED";

/** What {@link StoreError} takes besides a code and a message. */
export interface StoreErrorOptions extends ErrorOptions {
  /** The key the error is about; copied. Default: none. */
  readonly key?: Uint8Array;
}

/** The one error class of the stores. Match on `code`, not on the class or the message. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly #key: Uint8Array<ArrayBuffer> | undefined;

  constructor(code: StoreErrorCode, message: string, options?: StoreErrorOptions) {
    super(message, options);
    this.code = code;
    this.#key = options?.key === undefined ? undefined : new Uint8Array(options.key);
  }

  /** The key the error is about, where there is one. Not in the message, and not printed with the error: keys may be secret. */
  get key(): Uint8Array<ArrayBuffer> | undefined {
    return this.#key;
  }
}
