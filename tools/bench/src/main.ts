import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  type Benchmark,
  checkBenchmark,
  measure,
  type Measured,
  type Sample,
  takeSample,
} from "./harness.ts";
import { describeEnvironment, toMarkdown, toTable } from "./report.ts";
import { type Figures, summarize } from "./statistics.ts";

/** What a suite is told: whether this is the long run, with the sizes past the caches. */
export interface SuiteOptions {
  readonly full: boolean;
}

/** What `hash.ts`, `bitmap.ts`, … export. */
interface Suite {
  readonly benchmarks: (
    options: SuiteOptions,
  ) => readonly Benchmark[] | Promise<readonly Benchmark[]>;
}

const SUITES = ["hash", "bitmap", "append-only-file", "pmmr", "store", "jellyfish", "vermap"];

/** Ignored by git: figures that are kept stand in a README with their machine. */
const RESULTS = new URL("../../../bench-results/", import.meta.url);

const USAGE = `usage: npm run bench -- [${SUITES.join("|")}]… [--full] [--json] [--only text]
  --full   the long run: larger sizes, more rounds
  --json   print the figures as JSON instead of tables
  --only   only benchmarks whose name contains this text
Without --only, figures are also written to bench-results/.
`;

/** Runs the suites named, or all that there are. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      sample: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !SUITES.includes(name));
  if (values.help || unknown.length > 0) {
    process.stderr.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (values.sample !== undefined) {
    await sampleForParent(positionals[0] ?? "", values.full, values.sample);
    return;
  }
  const everything: Record<string, readonly Figures[]> = {};
  for (const name of positionals.length > 0 ? positionals : SUITES.filter(hasSuite)) {
    const figures = await runSuite(name, values);
    everything[name] = figures;
    // Part of a suite would stand in the place of all of it.
    if (values.only === "") writeResults(name, values.full, figures);
    if (!values.json) process.stdout.write(`\n${toTable(figures)}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(everything, undefined, 2)}\n`);
}

function writeResults(suite: string, full: boolean, figures: readonly Figures[]): void {
  const command = ["npm run bench --", suite, ...(full ? ["--full"] : [])].join(" ");
  const environment = describeEnvironment(command);
  mkdirSync(RESULTS, { recursive: true });
  const json = JSON.stringify({ environment, figures }, undefined, 2);
  writeFileSync(new URL(`${suite}.json`, RESULTS), `${json}\n`);
  writeFileSync(new URL(`${suite}.md`, RESULTS), toMarkdown(environment, figures));
}

async function runSuite(
  suite: string,
  { full, only }: { full: boolean; only: string },
): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (const benchmark of await loadSuite(suite, full)) {
    if (!benchmark.name.includes(only)) continue;
    process.stderr.write(`${benchmark.name}\n`);
    const measured =
      benchmark.isolated === true
        ? measureIsolated(suite, full, benchmark)
        : await measure(benchmark);
    figures.push(...summarize(measured));
  }
  return figures;
}

async function loadSuite(suite: string, full: boolean): Promise<readonly Benchmark[]> {
  if (!hasSuite(suite)) throw new Error(`there are no benchmarks of ${suite} yet`);
  const { benchmarks } = (await import(urlOf(suite).href)) as Suite;
  return benchmarks({ full });
}

function urlOf(suite: string): URL {
  return new URL(`./${suite}.js`, import.meta.url);
}

function hasSuite(suite: string): boolean {
  return existsSync(urlOf(suite));
}

/** Each sample in a process of its own; contenders still take turns. */
function measureIsolated(suite: string, full: boolean, benchmark: Benchmark): Measured {
  checkBenchmark(benchmark);
  const { contenders, rounds = 3, warmUpRounds = 0 } = benchmark;
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    for (const [i] of contenders.entries()) {
      const which = JSON.stringify([benchmark.name, i]);
      const flags = [suite, ...(full ? ["--full"] : []), "--sample", which];
      const output = execFileSync(
        process.execPath,
        [...process.execArgv, fileURLToPath(import.meta.url), ...flags],
        { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
      );
      if (round >= warmUpRounds) samples[i]?.push(JSON.parse(output) as Sample);
    }
  }
  return { benchmark, samples };
}

/** The child's half of {@link measureIsolated}: one sample, as JSON, with the peak of the whole process. */
async function sampleForParent(suite: string, full: boolean, which: string): Promise<void> {
  const [name, index] = JSON.parse(which) as [string, number];
  const benchmark = (await loadSuite(suite, full)).find((each) => each.name === name);
  const chosen = benchmark?.contenders[index];
  if (chosen === undefined) throw new Error(`no contender ${which}`);
  const sample = await takeSample(chosen, 1);
  const peakBytes = peakMemory();
  process.stdout.write(JSON.stringify({ ...sample, peakBytes }));
}

/** Most resident memory of this process. What Linux says of a child includes its parent at the fork, except in this file. */
function peakMemory(): number {
  const status = "/proc/self/status";
  const found = existsSync(status)
    ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8"))
    : null;
  // Both are in kibibytes.
  return 1024 * (found === null ? process.resourceUsage().maxRSS : Number(found[1]));
}

await main();
