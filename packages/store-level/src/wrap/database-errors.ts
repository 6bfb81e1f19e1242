import { StoreError } from "@x/store";

/** The code of an error of abstract-level, where it has one. */
export function levelCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

const CLOSED: ReadonlySet<string> = new Set([
  "LEVEL_DATABASE_NOT_OPEN",
  "LEVEL_ITERATOR_NOT_OPEN",
  "LEVEL_SNAPSHOT_NOT_OPEN",
]);

/** What a read failed with, in the terms of the stores. */
export function readError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = levelCode(error) ?? "";
  if (CLOSED.has(code))
    return new StoreError("STORE_CLOSED", "the database is closed", { cause: error });
  if (code === "LEVEL_CORRUPTION")
    return new StoreError("STORE_DAMAGED", "the database found damage", { cause: error });
  return new StoreError("STORE_IO", "the database could not read", { cause: error });
}
