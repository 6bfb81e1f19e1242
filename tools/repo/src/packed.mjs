#!/usr/bin/env node
// Installs each package as a user would get it, alone in an empty project, and uses it there: every entry loads, and every
// example of the README holds.
//
//   node tools/repo/src/packed.mjs [names of packages]
//
// Needs a build, the pinned pnpm (to pack) and a registry or a warm cache (for @noble/hashes).

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFences, runFence } from "@x/testing/readme";
import { publishedPackages } from "./workspace.mjs";

const PNPM = "pnpm@12.21.0";

const packages = new Map(publishedPackages().map((each) => [each.name, each]));
const chosen = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "packed-"));
const packed = new Set();
const complaints = [];

try {
  for (const { name } of packages.values()) {
    if (chosen.length === 0 || chosen.includes(name)) await tryPackage(name);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const line of complaints) process.stdout.write(`${line}\n`);
process.exitCode = complaints.length > 0 ? 1 : 0;

async function tryPackage(name) {
  const { entries } = packages.get(name);
  const project = join(folder, name.replaceAll("/", "+"));
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  const tarballs = closure(name).map(pack);
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...tarballs], project);

  for (const { specifier } of entries) {
    const code = `await import(${JSON.stringify(specifier)})`;
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: project,
      encoding: "utf8",
    });
    if (status !== 0) complaints.push(`${specifier} does not load: ${stderr.trim()}`);
  }

  const require = createRequire(join(project, "package.json"));
  const installed = join(project, "node_modules", name);
  const fences = findFences(readFileSync(join(installed, "README.md"), "utf8"), "ts");
  const options = { resolve: (specifier) => require.resolve(specifier) };
  let exampleCount = 0;
  for (const fence of fences) {
    // Examples for optional peers are left to the package's own tests.
    if (fence.words.some((word) => word.startsWith("needs="))) continue;
    const failure = await runFence(fence, join(project, "README.md"), options);
    if (failure !== undefined) complaints.push(`${name}, README line ${fence.line}: ${failure}`);
    exampleCount++;
  }
  process.stdout.write(
    `${name} alone: ${entries.length} entries load, ${exampleCount} examples run\n`,
  );
}

/** A package and those of ours that it needs, at any depth. */
function closure(name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const needed = Object.keys(packages.get(name).manifest.dependencies ?? {});
  return [
    name,
    ...needed.filter((each) => packages.has(each)).flatMap((each) => closure(each, seen)),
  ];
}

/** Packs a package once. pnpm replaces `workspace:` and `catalog:` by real ranges. */
function pack(name) {
  const { directory, manifest } = packages.get(name);
  const tarball = join(folder, `${name.slice(1).replace("/", "-")}-${manifest.version}.tgz`);
  if (!packed.has(name)) run("npx", ["-y", PNPM, "pack", "--pack-destination", folder], directory);
  packed.add(name);
  return tarball;
}

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} in ${cwd}: ${stdout}${stderr}`);
}
