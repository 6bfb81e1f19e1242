import { deepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";

// Instrumented examples import these two; see instrument.ts.

/**
 * Fails unless `actual` is what the comment promises: deeply and strictly equal, or, where the promise is text that ends
 * in an ellipsis, text that starts with the rest of it.
 */
export function equal(line: number, actual: unknown, expected: unknown): void {
  if (typeof expected === "string" && expected.endsWith("…") && typeof actual === "string") {
    if (actual.startsWith(expected.slice(0, -1))) return;
    throw new Error(`line ${line}: got ${inspect(actual)}, want ${inspect(expected)}`);
  }
  try {
    deepStrictEqual(actual, expected);
  } catch (cause) {
    const message = `line ${line}: got ${inspect(actual)}, want ${inspect(expected)}`;
    throw new Error(message, { cause });
  }
}

/** Fails unless `run` throws an error whose `code` or `name` is `expected`. */
export async function throws(line: number, run: () => unknown, expected: string): Promise<void> {
  let thrown: unknown;
  try {
    await run();
  } catch (error) {
    thrown = error;
  }
  if (thrown === undefined) throw new Error(`line ${line}: nothing was thrown, want ${expected}`);
  const { code, name } = thrown as { code?: unknown; name?: unknown };
  if (code === expected || name === expected) return;
  throw new Error(`line ${line}: ${inspect(thrown)} was thrown, want ${expected}`, {
    cause: thrown,
  });
}
