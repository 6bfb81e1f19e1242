#!/usr/bin/env node
// Runs one verb on the workspace from nothing but Node and npm: installs with a pinned pnpm when
// something changed, builds with turbo's cache, then does the verb.
//
//   node tools/repo/src/run.mjs demo|test|bench|build|check [arguments]
//
// What belongs to the verb goes to standard output, all set-up to standard error, so that
// `npm run --silent demo -- --json | jq` works.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PNPM = "pnpm@12.21.0";
const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const [verb = "", ...rest] = process.argv.slice(2);

const verbs = { demo, test, bench, build, check };

if (!Object.hasOwn(verbs, verb)) {
  process.stderr.write(`usage: run.mjs ${Object.keys(verbs).join("|")} [arguments]\n`);
  process.exit(2);
}
requireNode(20, 19);
install();
process.exitCode = verbs[verb](rest);

/** The main job: a real chain opened, proved, pruned, killed and recovered. */
function demo(args) {
  turbo(["build", "--filter=@x/example-grin-chain..."], { quiet: true });
  return run(process.execPath, ["examples/grin-chain/dist/main.js", ...args]);
}

/** Every package's tests; closes with one line that sums them up. */
function test(args) {
  for (const directory of packages())
    rmSync(join(directory, "test-results"), { recursive: true, force: true });
  const status = turboStatus([
    "test",
    "--concurrency=2",
    "--continue=dependencies-successful",
    ...args,
  ]);
  const sum = { passed: 0, failed: 0, skipped: 0, without: /** @type {string[]} */ ([]) };
  for (const directory of packages()) {
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    if (manifest.scripts?.test === undefined) continue;
    const file = join(directory, "test-results/tests.json");
    if (!existsSync(file)) {
      if (!args.some((argument) => argument.startsWith("--filter")))
        sum.without.push(manifest.name);
      continue;
    }
    const results = JSON.parse(readFileSync(file, "utf8"));
    sum.passed += results.numPassedTests;
    sum.failed += results.numFailedTests;
    sum.skipped += results.numPendingTests + results.numTodoTests;
    // A file that fails to load counts no test; it must still count as a failure.
    const broken = results.testResults.filter(
      (f) => f.status === "failed" && f.assertionResults.length === 0,
    );
    sum.failed += broken.length;
  }
  for (const name of sum.without) process.stdout.write(`no test results from ${name}\n`);
  const failed = sum.failed + sum.without.length;
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
  const line = `Tests: ${sum.passed} passed, ${failed} failed${skipped}`;
  mkdirSync(join(root, "test-results"), { recursive: true });
  writeFileSync(join(root, "test-results/summary.txt"), `${line}\n`);
  process.stdout.write(`\n${line}\n`);
  return status !== 0 || failed > 0 || sum.passed === 0 ? 1 : 0;
}

/** Benchmarks: `npm run bench -- pmmr [--full] [--json]`. */
function bench(args) {
  turbo(["build", "--filter=@x/bench..."], { quiet: true });
  return run(process.execPath, ["--expose-gc", "tools/bench/dist/main.js", ...args]);
}

function build(args) {
  return turboStatus(["build", ...args]);
}

/** Everything a merge needs besides the tests. Runs all, reports each, fails if one failed. */
function check() {
  turbo(["build"], { quiet: true });
  const steps = /** @type {const} */ ([
    ["lint", ["exec", "oxlint"]],
    ["format", ["exec", "oxfmt", "--check", "."]],
    ["types", ["exec", "tsc", "-b"]],
    ["boundaries", ["exec", "turbo", "boundaries"]],
    ["unused", ["exec", "knip"]],
    ["packages", ["exec", "turbo", "run", "check", "--output-logs=errors-only"]],
    ["public surface", ["exec", "node", "tools/repo/src/api.mjs"]],
    ["sizes", ["exec", "node", "tools/repo/src/size.mjs"]],
    ["repository rules", ["exec", "node", "tools/repo/src/rules.mjs"]],
  ]);
  const failed = /** @type {string[]} */ ([]);
  for (const [name, args] of steps) {
    process.stdout.write(`\n== ${name}\n`);
    if (pnpm(args) !== 0) failed.push(name);
  }
  const not = failed.length > 0 ? `, not: ${failed.join(", ")}` : "";
  process.stdout.write(
    `\nchecks: ${steps.length - failed.length} of ${steps.length} clean${not}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** Installs with the pinned pnpm unless the lockfile, the manifests and Node are those of the last installation. */
function install() {
  const hash = createHash("sha256").update(process.version);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"])
    hash.update(readFileSync(join(root, file)));
  for (const directory of packages()) hash.update(readFileSync(join(directory, "package.json")));
  const digest = hash.digest("hex");
  const stamp = join(root, "node_modules/.installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  process.stderr.write("installing (once, and again when a manifest changes)\n");
  const status = run(
    "npx",
    ["-y", PNPM, "install", "--frozen-lockfile", "--reporter=append-only"],
    { toStderr: true },
  );
  if (status !== 0) fail("the installation failed; is the npm registry reachable?");
  writeFileSync(stamp, digest);
}

function turboStatus(args) {
  return pnpm(["exec", "turbo", "run", ...args]);
}

function turbo(args, { quiet }) {
  const status = pnpm(["exec", "turbo", "run", ...args, "--output-logs=errors-only"], {
    toStderr: quiet,
  });
  if (status !== 0) fail(`turbo run ${args.join(" ")} failed`);
}

/** turbo looks for pnpm on the PATH; npx puts the pinned one there. */
function pnpm(args, options) {
  return run("npx", ["-y", PNPM, ...args], options);
}

function run(command, args, { toStderr = false } = {}) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  // The optional native oracle compiles against the headers beside Node, where they are installed.
  const prefix = dirname(dirname(process.execPath));
  if (env.npm_config_nodedir === undefined && existsSync(join(prefix, "include/node/node.h")))
    env.npm_config_nodedir = prefix;
  const windows = process.platform === "win32";
  const result = spawnSync(command, args, {
    cwd: root,
    env,
    shell: windows && command === "npx",
    stdio: ["ignore", toStderr ? 2 : "inherit", "inherit"],
  });
  if (result.error !== undefined) fail(`${command} did not start: ${result.error.message}`);
  return result.status ?? 1;
}

function packages() {
  return ["packages", "tools", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter(
        (entry) =>
          entry.isDirectory() && existsSync(join(root, folder, entry.name, "package.json")),
      )
      .map((entry) => join(root, folder, entry.name)),
  );
}

function requireNode(major, minor) {
  const [a = 0, b = 0] = process.versions.node.split(".").map(Number);
  if (a < major || (a === major && b < minor))
    fail(`Node ${major}.${minor} or newer is needed, this is ${process.version}`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
