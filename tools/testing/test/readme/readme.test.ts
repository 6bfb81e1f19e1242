import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runFence, typeCheckFences } from "@x/testing/readme";
import { afterAll, describe, expect, test } from "vitest";
import { type Fence, findFences } from "../../src/readme/fence.ts";
import { missingPackages } from "../../src/readme/run.ts";

const folder = mkdtempSync(join(tmpdir(), "readme-test-"));
const file = join(folder, "README.md");
writeFileSync(
  join(folder, "thing.mjs"),
  "export const three = 3; export const count = { calls: 0 };",
);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The only fence of a file that holds `code`, which starts on line 4. */
function only(code: string, info = "ts", title = "# Title"): Fence {
  const [fence] = findFences(`${title}\n\n\`\`\`${info}\n${code}\n\`\`\`\n`, "ts");
  if (fence === undefined) throw new Error("no fence");
  return fence;
}

/** The module `thing` stands for thing.mjs. */
function resolve(specifier: string): string | undefined {
  return specifier === "thing" ? join(folder, "thing.mjs") : undefined;
}

function run(code: string): Promise<string | undefined> {
  return runFence(only(code), file, { resolve });
}

describe("an example holds", () => {
  test.each([
    ["without promises", "const x: number = 1;"],
    ["with a true expression", "1 + 1; // => 2"],
    ["with a true variable", "const x = [1, { a: undefined }]; // => [1, { a: undefined }]"],
    ["with a typed array", "Uint8Array.of(1, 2).slice(); // => Uint8Array.of(1, 2)"],
    ["with console.log", "console.log('a'); // => 'a'"],
    ["with a statement over several lines", "Math.max(\n  1,\n  2,\n); // => 2"],
    ["with await at the top", "const x = await Promise.resolve(5n); // => 5n\nawait x; // => 5n"],
    [
      "with imports of values and types",
      "import { three, type Nothing } from 'thing';\nthree; // => 3",
    ],
    ["with an import at run time", "const thing = await import('thing');\nthing.three; // => 3"],
    ["with an import of Node's own", "import { sep } from 'node:path';\nsep.length; // => 1"],
    ["with promises inside blocks", "for (const i of [1, 2]) {\n  i * 0; // => 0\n}"],
    ["with a shortened text", "'abcdef'; // => 'abc…'"],
    ["with an error's code", "Reflect.ownKeys(1 as never); // => throws TypeError"],
    [
      "with a rejection",
      "const at = './nowhere.mjs';\nawait import(at); // => throws ERR_MODULE_NOT_FOUND",
    ],
    [
      "with files in its own folder",
      "import { writeFileSync, readdirSync } from 'node:fs';\nwriteFileSync('a', '');\nreaddirSync('.').sort(); // => ['a', 'example.mjs']",
    ],
  ])("%s", async (_name, code) => {
    expect(await run(code)).toBeUndefined();
  });
});

describe("an example fails", () => {
  test.each([
    ["on a wrong value, with the line", "1; // => 1\n1 + 1; // => 3", /line 5: got 2, want 3/],
    ["on a wrong variable", "const x = 2; // => 3", /line 4: got 2, want 3/],
    ["on a wrong type", "1; // => '1'", /got 1, want '1'/],
    ["on a missing property", "({}); // => { a: undefined }", /got \{\}, want/],
    ["on bytes of another kind", "[1, 2]; // => Uint8Array.of(1, 2)", /want Uint8Array/],
    ["on text that begins otherwise", "'abdef'; // => 'abc…'", /got 'abdef'/],
    ["on a promise of zero that is minus zero", "-0; // => 0", /got -0, want 0/],
    ["on a wrong value after an await", "(await Promise.resolve(1)); // => 2", /got 1, want 2/],
    ["on a wrong value inside a block", "if (true) {\n  1; // => 2\n}", /line 5: got 1, want 2/],
    ["when nothing is thrown", "1; // => throws TypeError", /nothing was thrown, want TypeError/],
    [
      "when another error is thrown",
      "(() => { throw new Error('x'); })(); // => throws TypeError",
      /was thrown, want TypeError/,
    ],
    ["when it throws", "\nthrow new Error('oops');", /line-4\.ts:5[\s\S]*oops/],
    ["when a module is missing", "import 'nowhere-at-all';", /nowhere-at-all/],
    ["when an export is missing", "import { four } from 'thing';\nfour;", /four/],
    ["when a promise rejects unseen", "void Promise.reject(new Error('lost'));", /lost/],
  ])("%s", async (_name, code, message) => {
    expect(await run(code).catch(String)).toMatch(message);
  });

  test.each([
    ["on a promise without a statement", "// => 3", /line 4: no expression before/],
    ["on a promise after a block", "if (true) {\n}\n// => 3", /line 6: no expression before/],
    ["on a promise about two variables", "const a = 1, b = 2; // => 2", /no expression before/],
    ["when it is no TypeScript", "const = 3;", /does not parse/],
    ["when the promised value is no expression", "3; // => three leaves", /example on line 4/],
  ])("%s", async (_name, code, message) => {
    expect(await run(code).catch(String)).toMatch(message);
  });
});

test("each example is a module of its own", async () => {
  expect(await run("const x = 1;\nimport { count } from 'thing';\ncount.calls++; // => 0")).toBe(
    undefined,
  );
  expect(await run("const x = 1;\nimport { count } from 'thing';\ncount.calls++; // => 0")).toBe(
    undefined,
  );
});

describe("types", () => {
  // A file of this package, so that its compiler and its type packages are found.
  const here = fileURLToPath(new URL("../../README.md", import.meta.url));

  test("that hold pass, with imports and without", async () => {
    const fences = [
      only("const x: number = await Promise.resolve(1);\nx; // => 1"),
      only(
        "import { findFences } from 'fences';\nfindFences('', 'ts').length; // => 0",
        "ts",
        "a\n",
      ),
      only("import fc from 'fast-check';\nfc.nat(3).filter((x) => x > 1);", "ts", "b\n\n"),
    ];
    const source = fileURLToPath(new URL("../../dist/readme/fence.js", import.meta.url));
    const resolveFences = (specifier: string): string | undefined =>
      specifier === "fences" ? source : undefined;
    expect(await typeCheckFences(fences, here, { resolve: resolveFences })).toBeUndefined();
  });

  test("that do not hold are reported with their line", async () => {
    expect(await typeCheckFences([only("\nconst x: number = '1';")], here)).toMatch(
      /line-4\.ts\(5,7\): error TS2322/,
    );
  });
});

test("a fence says what it needs, and what is missing is named", () => {
  const fence = only("1;", "ts needs=nowhere-at-all needs=thing");
  expect(missingPackages(fence, file, { resolve })).toEqual(["nowhere-at-all"]);
  expect(missingPackages(only("1;"), file)).toEqual([]);
});

describe("fences", () => {
  test("are found by language, with the line of their first line of code", () => {
    const markdown =
      "a\n```ts\nx\ny\n```\n```text\n1\n```\n````ts needs=roaring\n```ts\n````\n~~~ts\nz\n~~~\n";
    expect(findFences(markdown, "ts")).toEqual([
      { line: 3, words: [], code: "x\ny" },
      { line: 10, words: ["needs=roaring"], code: "```ts" },
      { line: 13, words: [], code: "z" },
    ]);
  });

  test("inside lists lose their indentation", () => {
    expect(findFences("- a\n\n  ```ts\n  if (x) {\n    y;\n  }\n  ```\n", "ts")[0]?.code).toBe(
      "if (x) {\n  y;\n}",
    );
  });

  test("that are never closed are refused", () => {
    expect(() => findFences("```ts\nx\n", "ts")).toThrow("line 1");
  });
});
