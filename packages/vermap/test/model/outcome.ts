import { VerMapError, type VerMapErrorCode } from "../../src/index.ts";

/** What a call came to: a result, or the code of its error. */
export type Outcome<T> = { readonly ok: T } | { readonly error: VerMapErrorCode };

/** A model's refusal. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: VerMapErrorCode;

  constructor(code: VerMapErrorCode) {
    super(code);
    this.code = code;
  }
}

export async function outcomeOf<T>(call: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: await call() };
  } catch (error) {
    if (error instanceof VerMapError || error instanceof Refusal) return { error: error.code };
    throw error;
  }
}
