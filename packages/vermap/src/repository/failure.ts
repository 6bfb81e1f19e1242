import { VerMapError } from "../errors.ts";

/** Runs a call that may write; how it fails is told as the map tells it. */
export async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw failureOf(error);
  }
}

/** What a failed write means for a map: the error to throw. */
function failureOf(error: unknown): unknown {
  switch (fieldOf(error, "code")) {
    case "STORE_CONFLICT":
    case "BTREE_CONFLICT":
      return conflict(error);
    case "STORE_POISONED":
      return poisoned(error);
    case "BTREE_POISONED":
      // A pool that has met another writer writes nothing more, for that reason.
      return fieldOf(fieldOf(error, "cause"), "code") === "STORE_CONFLICT"
        ? conflict(error)
        : poisoned(error);
    default:
      return error;
  }
}

/** Whether a call may have failed because another writer took away what it wanted to read. */
export function mayBeOvertaken(error: unknown): boolean {
  const code = String(fieldOf(error, "code"));
  return /^(BTREE|VERMAP)_(MISSING|CORRUPT)$/.test(code);
}

export function conflict(cause?: unknown): VerMapError {
  const message = "another writer has changed the map; open it again, and repeat what failed";
  return new VerMapError("VERMAP_CONFLICT", message, { cause });
}

function poisoned(cause: unknown): VerMapError {
  const message = "an earlier write failed with an unknown outcome; open the map again";
  return new VerMapError("VERMAP_POISONED", message, { cause });
}

function fieldOf(value: unknown, name: "code" | "cause"): unknown {
  return typeof value === "object" && value !== null
    ? (value as { readonly code?: unknown; readonly cause?: unknown })[name]
    : undefined;
}
