import { VerMapError } from "../errors.ts";

/** What a failed write means for a map: the error to throw. */
export function failureOf(error: unknown): unknown {
  switch (codeOf(error)) {
    case "STORE_CONFLICT":
    case "BTREE_CONFLICT":
      return new VerMapError(
        "VERMAP_CONFLICT",
        "another writer has changed the map; open it again, and repeat what failed",
        { cause: error },
      );
    case "STORE_POISONED":
    case "BTREE_POISONED":
      return new VerMapError(
        "VERMAP_POISONED",
        "an earlier write failed with an unknown outcome; open the map again",
        { cause: error },
      );
    default:
      return error;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null
    ? (error as { readonly code?: unknown }).code
    : undefined;
}
