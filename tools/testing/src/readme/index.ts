import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findFences } from "./fence.ts";
import { missingPackages, type ReadmeOptions, runFence, typeCheckFences } from "./run.ts";

/**
 * Makes a test of every `ts` fence of a Markdown file, and one of the types of all of them.
 *
 * Each fence is a module of its own, run by Node against what is built, in an empty working directory that is removed
 * afterwards. Lines that end in `// => value` must hold: see instrument.ts. A fence `ts needs=name` is skipped, and
 * reported so, where the package `name` is not installed. Code that is not meant to run is fenced as another language.
 *
 * @param path - the Markdown file
 */
export function readmeExamples(path: string | URL, options: ReadmeOptions = {}): void {
  const file = typeof path === "string" ? path : fileURLToPath(path);
  const { timeoutMs: timeout = 30_000 } = options;
  const fences = findFences(readFileSync(file, "utf8"), "ts");
  const present = fences.filter((fence) => missingPackages(fence, file, options).length === 0);
  describe(`examples of ${basename(file)}`, () => {
    test("are there", () => {
      expect(fences.length).toBeGreaterThan(0);
    });
    for (const fence of fences) {
      test(`the example on line ${fence.line} holds`, { timeout }, async (context) => {
        const missing = missingPackages(fence, file, options);
        if (missing.length > 0) context.skip(`not installed: ${missing.join(", ")}`);
        expect(await runFence(fence, file, options)).toBeUndefined();
      });
    }
    test("have the types they claim", { timeout }, async () => {
      expect(await typeCheckFences(present, file, options)).toBeUndefined();
    });
  });
}

export { type ReadmeOptions, runFence, typeCheckFences } from "./run.ts";
export { type Fence, findFences } from "./fence.ts";
