import { VerMapError, type VerMapErrorCode } from "../../src/errors.ts";

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The error of this package that an action fails with; what is no such error goes on. */
export function errorOf(action: () => unknown): VerMapError {
  try {
    action();
  } catch (error) {
    if (error instanceof VerMapError) return error;
    throw error;
  }
  throw new Error("the action did not fail");
}

/** The code of that error. */
export function codeOf(action: () => unknown): VerMapErrorCode {
  return errorOf(action).code;
}

/** Order of unsigned bytes, written as plainly as can be. */
export function compareHex(a: Uint8Array, b: Uint8Array): number {
  const [left, right] = [hexOf(a), hexOf(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
