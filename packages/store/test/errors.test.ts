import { inspect } from "node:util";

import { expect, test } from "vitest";

import { StoreError } from "../src/index.ts";

test("an error has a code, a cause and a copy of the key it is about", () => {
  const key = Uint8Array.of(0xc0, 0xff, 0xee);
  const cause = new Error("inner");
  const error = new StoreError("STORE_DAMAGED", "value of a key", { cause, key });
  key.fill(0);
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("StoreError");
  expect(error.code).toBe("STORE_DAMAGED");
  expect(error.cause).toBe(cause);
  expect(error.key).toEqual(Uint8Array.of(0xc0, 0xff, 0xee));
  expect(new StoreError("STORE_CLOSED", "closed").key).toBeUndefined();
});

test("a key does not reach a log by way of the error", () => {
  const error = new StoreError("STORE_DAMAGED", "a value", { key: Uint8Array.of(192, 255, 238) });
  const printed = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}${String(error)}`;
  expect(printed).not.toMatch(/192|c0ff|Uint8Array/i);
});
