import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFences, readmeExamples } from "@x/testing/readme";
import { expect, test } from "vitest";

// Documents that belong to no package: the root's, the guides, those of the examples. What they import is resolved from
// here, where every package is a dependency.

const root = fileURLToPath(new URL("../../..", import.meta.url));
const require = createRequire(import.meta.url);

const documents = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  { cwd: root, encoding: "utf8" },
)
  .split("\n")
  .filter((file) => /^(?:[^/]+|docs\/.+|examples\/[^/]+\/[^/]+)\.md$/.test(file))
  .map((file) => join(root, file))
  .filter((file) => existsSync(file));

test("documents are found", () => {
  expect(documents).toContain(join(root, "README.md"));
});

for (const document of documents) {
  if (findFences(readFileSync(document, "utf8"), "ts").length === 0) continue;
  readmeExamples(document, { resolve: (specifier) => require.resolve(specifier) });
}
