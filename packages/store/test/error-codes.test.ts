import { expect, test } from "vitest";

import { StoreError, type StoreErrorCode } from "../src/index.ts";

/** Who throws it. A code that is taken away, renamed or added does not compile here: the first two are breaking changes. */
const CODES = {
  STORE_CLOSED: "every store",
  STORE_CONFLICT: "every store",
  STORE_POISONED: "store-level",
  STORE_DURABILITY_UNKNOWN: "store-level",
  STORE_FULL: "store-memory",
  STORE_ITERATOR_LIMIT: "every store",
  STORE_IO: "store-level",
  STORE_DAMAGED: "store-level",
  STORE_CORRUPT: "store-level",
  STORE_LOST_WRITES: "store-level",
  STORE_ROLLED_BACK: "store-level",
  STORE_INCOMPLETE: "store-level",
  STORE_FORMAT: "store-level",
  STORE_MISSING: "store-level",
  STORE_LOCKED: "store-level",
} satisfies Record<StoreErrorCode, string>;

test("an error of every code carries it, apart from its message", () => {
  for (const code of Object.keys(CODES) as StoreErrorCode[]) {
    const error = new StoreError(code, "what happened");
    expect(error.code).toBe(code);
    expect(error.message).toBe("what happened");
  }
});
