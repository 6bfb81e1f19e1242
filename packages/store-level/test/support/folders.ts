import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach } from "vitest";

const made: string[] = [];

/** Path of a folder that does not exist yet, and is removed after the test. */
export function newFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), "store-level-"));
  made.push(parent);
  return join(parent, "db");
}

afterEach(() => {
  for (const parent of made.splice(0)) rmSync(parent, { recursive: true, force: true });
});
