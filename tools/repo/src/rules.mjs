#!/usr/bin/env node
// Rules of this repository that no linter knows. Each is a function that yields what breaks it.
//
//   node tools/repo/src/rules.mjs
//   node tools/repo/src/rules.mjs --accept-long    takes today's long files as they are; for review, not for habit
//
// Run after a build.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { parseSync } from "rolldown/utils";
import { reach } from "./imports.mjs";
import { publishedPackages, readManifest, root } from "./workspace.mjs";

/** Longest source file, in lines. Longer ones stand in long-files.json, may shrink, and are joined by no other. */
const LINES_MAX = 400;
const LONG_FILES = "tools/repo/src/long-files.json";
/** Entries that need Node, by name; every other runs in a browser. */
const NODE_ENTRIES = new Set(["@x/append-only-file/node", "@x/hash/node", "@x/store-level"]);
/** Entries that may reach nothing but these packages. */
const LIGHT_ENTRIES = {
  "@x/jellyfish/verify": ["@x/hash", "@noble/hashes"],
  "@x/pmmr/verify": ["@x/hash", "@noble/hashes"],
  "@x/trie/verify": ["@x/hash", "@noble/hashes"],
};
/** STYLE of a README: the second-level headings, in order. */
const README_SECTIONS = [
  "Install",
  "Example",
  "API",
  "Guarantees",
  "Errors",
  "Format",
  "Benchmarks",
  "Design",
];

const packages = publishedPackages();
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 1 << 26,
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));
/** Ours: not the vectors, the chain of the example, the lockfile or generated reports. */
const written = files.filter(
  (file) =>
    !/(?:^|\/)(?:vectors|chain)\/|pnpm-lock\.yaml$|\.api\.md$|CHANGELOG\.md$/.test(file) &&
    /\.(?:ts|mjs|js|json|md|yaml|yml)$|(?:^|\/)\.[^/]+$|^\.ci\//.test(file),
);

const RULES = {
  "every error code stands in its package's README and in a test": function* () {
    for (const { directory } of packages) {
      const source = join(directory, "src/errors.ts");
      if (!existsSync(source)) continue;
      const readme = textOf(join(directory, "README.md"));
      const folder = `${relative(root, directory)}/test/`;
      const tests = written.filter((file) => file.startsWith(folder)).map(read);
      for (const code of codesOf(textOf(source))) {
        if (!readme.includes(`\`${code}\``)) yield `${show(directory)}/README.md lacks ${code}`;
        if (!tests.some((test) => test.includes(code))) yield `${folder} has no test of ${code}`;
      }
    }
  },

  "entry files only re-export, name by name": function* () {
    for (const { entries } of packages) {
      for (const { source } of entries) {
        if (!existsSync(source)) {
          yield `${show(source)} is missing`;
          continue;
        }
        for (const statement of parseSync(source, textOf(source)).program.body) {
          const isList = statement.type === "ExportNamedDeclaration" && statement.source !== null;
          if (!isList) yield `${show(source)} holds ${statement.type}`;
        }
      }
    }
  },

  "no source file grows long": function* () {
    const known = JSON.parse(read(LONG_FILES));
    const long = longFiles();
    for (const [file, lines] of Object.entries(long)) {
      const limit = known[file] ?? LINES_MAX;
      if (lines > limit) yield `${file} has ${lines} lines, want at most ${limit}`;
    }
    for (const file of Object.keys(known)) {
      if (long[file] === undefined) yield `${file} is not long: take it out of ${LONG_FILES}`;
    }
  },

  "no file names a place on one machine": function* () {
    // Written so that the pattern does not find itself.
    const places = /(?:^|[\s"'`(=:])(?:\/(?:home|Users|root|work)\/|[A-Z]:\\Users\\)\w/m;
    for (const file of written) {
      const [place] = places.exec(read(file)) ?? [];
      if (place !== undefined) yield `${file} names ${place.trim()}…`;
    }
  },

  "every package says its floor": function* () {
    for (const { directory, manifest } of packages) {
      const config = join(directory, "turbo.json");
      const tags = existsSync(config) ? (JSON.parse(textOf(config)).tags ?? []) : [];
      const floors = tags.filter((tag) => /^(?:floor\d|adapter)$/.test(tag));
      if (floors.length !== 1) yield `${show(config)} names ${floors.length} floors, want one`;
      for (const name of Object.keys(manifest.peerDependencies ?? {})) {
        // A minor release of a peer would force a major one here.
        if (name.startsWith("@x/")) yield `${manifest.name} has ${name} as a peer`;
      }
    }
  },

  "entries for browsers reach nothing of Node": function* () {
    for (const { specifier, module } of packages.flatMap(({ entries }) => entries)) {
      if (NODE_ENTRIES.has(specifier)) continue;
      if (!existsSync(module)) yield `${show(module)} is not built`;
      else for (const name of reach(module).builtins) yield `${specifier} reaches ${name}`;
    }
  },

  "verifying needs a hash and nothing else": function* () {
    for (const { specifier, module } of packages.flatMap(({ entries }) => entries)) {
      const allowed = LIGHT_ENTRIES[specifier];
      if (allowed === undefined || !existsSync(module)) continue;
      for (const name of reach(module).packages) {
        if (!allowed.includes(name)) yield `${specifier} reaches ${name}`;
      }
    }
  },

  "every package has its documents": function* () {
    for (const { directory, manifest } of packages) {
      for (const file of ["README.md", "LICENSE", "test/readme.test.ts"]) {
        if (!existsSync(join(directory, file))) yield `${show(join(directory, file))} is missing`;
      }
      const readme = textOf(join(directory, "README.md"));
      if (!readme.startsWith(`# ${manifest.name}\n`)) {
        yield `${show(directory)}/README.md does not begin with the package's name`;
      }
      const headings = [...withoutFences(readme).matchAll(/^## (.+)$/gm)].map(([, text]) => text);
      if (headings.join() !== README_SECTIONS.join()) {
        yield `${show(directory)}/README.md has ${headings.join(", ")}, want ${README_SECTIONS.join(", ")}`;
      }
    }
  },

  "links between documents lead somewhere": function* () {
    for (const file of written.filter((each) => each.endsWith(".md"))) {
      for (const [, target] of withoutFences(read(file)).matchAll(/\]\((?!\w+:|#)([^)\s#]+)/g)) {
        const path = join(root, dirname(file), decodeURIComponent(target));
        if (!existsSync(path)) yield `${file} links to ${target}`;
      }
    }
  },

  "no test is left out, and what the linter is told has a reason": function* () {
    for (const file of written.filter((each) => /\.(?:ts|mjs)$/.test(each))) {
      if (basename(file) === "rules.mjs") continue;
      for (const [i, line] of read(file).split("\n").entries()) {
        if (/\b(?:test|it|describe|suite)\.(?:skip|only|todo)\b/.test(line)) {
          yield `${file}:${i + 1} leaves a test out`;
        }
        if (
          /oxlint-disable|@ts-(?:ignore|expect-error|nocheck)/.test(line) &&
          !/ -- \w/.test(line)
        ) {
          yield `${file}:${i + 1} gives no reason`;
        }
      }
    }
  },

  "examples and tools stay private": function* () {
    for (const file of files.filter((each) =>
      /^(?:tools|examples)\/[^/]+\/package\.json$/.test(each),
    )) {
      if (readManifest(join(root, dirname(file))).private !== true) yield `${file} is not private`;
    }
  },
};

if (process.argv.includes("--accept-long")) {
  writeFileSync(join(root, LONG_FILES), `${JSON.stringify(longFiles(), undefined, 2)}\n`);
}
let count = 0;
for (const [rule, check] of Object.entries(RULES)) {
  const broken = [...check()];
  count += broken.length;
  if (broken.length > 0) process.stdout.write(`${rule}: not so\n`);
  for (const line of broken) process.stdout.write(`  ${line}\n`);
}
process.stdout.write(`repository rules: ${Object.keys(RULES).length}, broken ${count} times\n`);
process.exitCode = count > 0 ? 1 : 0;

/** Lines of each source file that is longer than it should be. */
function longFiles() {
  const lengths = written
    .filter((file) => /\/src\/.*\.(?:ts|mjs)$/.test(file))
    .map((file) => [file, read(file).split("\n").length - 1]);
  return Object.fromEntries(lengths.filter(([, lines]) => lines > LINES_MAX));
}

/** The members of the union that ends in `ErrorCode`. */
function codesOf(source) {
  const [, union = ""] = /type \w+ErrorCode =([^;]+);/.exec(source) ?? [];
  return [...union.matchAll(/"([A-Z0-9_]+)"/g)].map(([, code]) => code);
}

function withoutFences(markdown) {
  return markdown.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, "");
}

function read(file) {
  return textOf(join(root, file));
}

function textOf(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function show(path) {
  return relative(root, path);
}
