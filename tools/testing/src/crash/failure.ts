/** What a campaign found: a broken promise, and where. */
export class CrashFailure extends Error {
  override readonly name = "CrashFailure";
  /** Environment variables that run this image alone, as `CRASH_OP=4 CRASH_MODE=kill CRASH_I=0`. */
  readonly where: string;

  constructor(message: string, where: string, options?: ErrorOptions) {
    super(message, options);
    this.where = where;
  }

  /** What is wrong, and in brackets where. */
  static at(where: string, what: string, cause?: unknown): CrashFailure {
    return new CrashFailure(`${what} [${where}]`, where, cause === undefined ? {} : { cause });
  }
}

/** One line about an error and all its causes. */
export function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? ` (${String(error.code)})` : "";
  const cause = error.cause === undefined ? "" : `; because ${described(error.cause)}`;
  return `${error.name}: ${error.message}${code}${cause}`;
}
