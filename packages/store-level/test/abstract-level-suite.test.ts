import { fileURLToPath } from "node:url";

import { Child } from "@x/testing";
import { expect, test } from "vitest";

const SUITE = fileURLToPath(new URL("support/abstract-level-suite.cjs", import.meta.url));

// What the store relies on is what abstract-level promises; the installed databases are held to it.
test.each([
  ["classic", 5000],
  ["memory", 5000],
])(
  "%s-level passes abstract-level's own suite of more than %i assertions",
  { timeout: 120_000 },
  async (name, countMin) => {
    const { code, output } = await Child.start([SUITE, name]).ended;
    const [, count = "0"] = /^# pass\s+(\d+)$/m.exec(output) ?? [];
    expect(/^not ok.*$/m.exec(output)).toBeNull();
    expect(code).toBe(0);
    expect(Number(count)).toBeGreaterThan(countMin);
  },
);
