#!/usr/bin/env node
// Holds the public surface: one committed report per entry, packages/<name>/api/<entry>.api.md.
//
//   node tools/repo/src/api.mjs             fails where a report no longer fits the declarations, or an export has no comment
//   node tools/repo/src/api.mjs --update    writes the reports anew; the diff is the change of the surface
//
// Names of packages (`@x/hash`) limit the run to those. Run after a build.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { createRequire } from "node:module";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { publishedPackages, root } from "./workspace.mjs";

/** What the extractor may find that is worth a complaint. */
const PROBLEMS = new Set([ExtractorLogLevel.Error, ExtractorLogLevel.Warning]);

const isUpdate = process.argv.includes("--update");
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const complaints = [];
let reportCount = 0;

for (const published of publishedPackages()) {
  if (chosen.length > 0 && !chosen.includes(published.name)) continue;
  const folder = join(published.directory, "api");
  const known = new Set(published.entries.map(({ id }) => `${id}.api.md`));
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (known.has(file)) continue;
    if (isUpdate) rmSync(join(folder, file));
    else complain(join(folder, file), "is a report of no entry");
  }
  if (isUpdate) mkdirSync(folder, { recursive: true });
  const forgotten = [];
  const exported = new Set();
  for (const entry of published.entries) {
    forgotten.push(...reportEntry(published, folder, entry, exported));
  }
  // An entry may use a type that another entry of its package exports.
  for (const { file, symbol, message } of forgotten) {
    if (!exported.has(symbol)) complain(file, message);
  }
}

for (const line of complaints) process.stdout.write(`${line}\n`);
process.stdout.write(`public surface: ${reportCount} reports, ${complaints.length} complaints\n`);
if (complaints.length > 0 && !isUpdate) {
  process.stdout.write("a change that is meant: node tools/repo/src/api.mjs --update\n");
}
process.exitCode = complaints.length > 0 ? 1 : 0;

/** Reports one entry. Adds its names to `exported`, and returns the types it uses without exporting them. */
function reportEntry({ directory }, folder, { id, declarations }, exported) {
  const file = join(folder, `${id}.api.md`);
  if (!existsSync(declarations)) {
    complain(declarations, "is not built");
    return [];
  }
  const forgotten = [];
  const result = Extractor.invoke(configure(directory, folder, id, declarations), {
    localBuild: isUpdate,
    showVerboseMessages: false,
    messageCallback(message) {
      message.handled = true;
      // Whether the report changed is read from the result.
      if (message.messageId.startsWith("console-")) return;
      if (!PROBLEMS.has(message.logLevel)) return;
      const text = message.formatMessageWithLocation(root);
      const [, symbol] = /^The symbol "(.+?)" needs to be exported/.exec(message.text) ?? [];
      if (message.messageId === "ae-forgotten-export") {
        forgotten.push({ file, symbol, message: text });
      } else {
        complain(file, text);
      }
    },
  });
  reportCount++;
  if (result.apiReportChanged && !isUpdate) {
    complain(file, existsSync(file) ? "does not fit the declarations" : "is missing");
  }
  // The fresh report, whether or not it was taken over.
  const fresh = join(directory, "temp", `${id}.api.md`);
  const lines = readFileSync(fresh, "utf8").split("\n");
  for (const [i, line] of lines.entries()) {
    const [, name, list] =
      /^export (?:(?:declare |abstract )*(?:class|interface|type|function|const) (\w+)|\{ (.+) \})/.exec(
        line,
      ) ?? [];
    for (const each of [name, ...(list?.split(", ") ?? [])]) exported.add(each);
    // The extractor marks exports and members that have no comment.
    if (!line.includes("(undocumented)")) continue;
    const subject = lines.slice(i + 1).find((next) => !/^\s*(?:\/\/.*)?$/.test(next)) ?? "";
    // A member may say all by its name, or be documented in the interface it implements; an export never is.
    if (subject.startsWith("export ")) complain(file, `undocumented: ${subject}`);
  }
  return forgotten;
}

function configure(directory, folder, id, declarations) {
  return ExtractorConfig.prepare({
    configObjectFullPath: join(directory, "api-extractor.json"),
    packageJsonFullPath: join(directory, "package.json"),
    configObject: {
      projectFolder: directory,
      mainEntryPointFilePath: declarations,
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "es2023",
            lib: ["es2023", "esnext.disposable"],
            module: "nodenext",
            moduleResolution: "nodenext",
            strict: true,
            skipLibCheck: true,
            types: ["node"],
            typeRoots: [dirname(dirname(nodeTypes(directory)))],
          },
          include: ["dist/**/*.d.ts"],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder: folder,
        reportTempFolder: join(directory, "temp"),
        reportFileName: `${id}.api.md`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          "ae-missing-release-tag": { logLevel: ExtractorLogLevel.None },
          // Said once per export above, from the report itself.
          "ae-undocumented": { logLevel: ExtractorLogLevel.None },
          // A report cannot resolve links between entries of other packages.
          "ae-unresolved-link": { logLevel: ExtractorLogLevel.None },
        },
        // Comments are checked by the linter; the tags of TSDoc are not all ours.
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
}

function nodeTypes(directory) {
  return createRequire(join(directory, "package.json")).resolve("@types/node/package.json");
}

function complain(file, what) {
  complaints.push(`${relative(root, file)}: ${what}`);
}
