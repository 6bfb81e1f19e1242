import { describe, expect, test } from "vitest";

import { persisting } from "../../src/node/persisting.ts";

/** Fails so many times with this code, then succeeds. */
function failing(times: number, code: string): { readonly call: () => void; count: number } {
  const state = {
    count: 0,
    call: () => {
      if (state.count++ < times) throw Object.assign(new Error("busy"), { code });
    },
  };
  return state;
}

describe("a call on Windows", () => {
  test.each(["EPERM", "EACCES", "EBUSY"])("is repeated after %s", (code) => {
    const busy = failing(2, code);
    persisting(busy.call, "win32");
    expect(busy.count).toBe(3);
  });

  test("is not repeated after anything else", () => {
    const broken = failing(2, "EIO");
    expect(() => persisting(broken.call, "win32")).toThrow("busy");
    expect(broken.count).toBe(1);
  });

  test("is not repeated for ever", () => {
    const busy = failing(1000, "EBUSY");
    expect(() => persisting(busy.call, "win32")).toThrow("busy");
    expect(busy.count).toBe(10);
  });
});

test("elsewhere the first error is the answer", () => {
  const busy = failing(2, "EBUSY");
  expect(() => persisting(busy.call, "linux")).toThrow("busy");
  expect(busy.count).toBe(1);
});
