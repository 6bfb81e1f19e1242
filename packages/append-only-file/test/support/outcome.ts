/** What a call came to: its value, or the code of what it threw. */
export type Outcome<T> =
  | { readonly value: T; readonly code: undefined }
  | { readonly value: undefined; readonly code: unknown };

/** Runs something that may throw; what has no code is thrown on. */
export function outcomeOf<T>(run: () => T): Outcome<T> {
  try {
    return { value: run(), code: undefined };
  } catch (error) {
    return { value: undefined, code: codeOf(error) };
  }
}

/** As {@link outcomeOf}, of a promise. */
export async function eventually<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await run(), code: undefined };
  } catch (error) {
    return { value: undefined, code: codeOf(error) };
  }
}

/** The code of an error that has one; everything else is thrown on. */
export function codeOf(error: unknown): unknown {
  if (error instanceof Error && "code" in error) return error.code;
  throw error;
}
