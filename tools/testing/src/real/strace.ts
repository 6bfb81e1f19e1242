import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Child, type ChildEnd } from "../child.ts";
import { Random, seedOf } from "../random.ts";
import { printCounts } from "../scale.ts";
import { mustHaveFound } from "./kill.ts";
import { ReportedHistory } from "./reported-history.ts";
import { DiskFailure, mustKeep, type StoreOnDisk } from "./store.ts";

/** One system call to be tampered with. */
export interface Injection {
  /** Names as strace takes them, joined by commas. */
  readonly call: string;
  /** An error as `EIO`; `zero`: it returns 0 and does nothing; `kill`: the process is killed at it. */
  readonly fault: string;
  /** Which call of this kind, from 1. */
  readonly when: number;
  /** Whether all later ones fail as well. */
  readonly persistent?: boolean;
  /** Only calls that name one of these paths, or use a file opened by it. Default: all. */
  readonly paths?: readonly string[];
}

/** How a program ran under strace. */
export interface InjectedEnd extends ChildEnd {
  /** How often the kernel's answer was replaced. */
  readonly injected: number;
}

export interface StraceOptions {
  /** For the printed line, as `T-STRACE group`. */
  readonly title: string;
  /** An existing folder. */
  readonly folder: string;
  readonly cycles: number;
  readonly seed: number;
  /** Commits of a child that no fault ends. Default: 60. */
  readonly commitsMax?: number;
  /** Names of the store's files, for faults of calls that Node.js itself makes for other files too. */
  readonly names: readonly string[];
  /** Default: {@link INJECTIONS}. */
  readonly injections?: readonly InjectionKind[];
}

export interface StraceCounts {
  cycles: number;
  commits: number;
  /** Cycles in which the fault was reached. */
  injected: number;
  /** Of those, in which the process was killed. */
  killed: number;
  /** Of those, in which the store reported an error. */
  reported: number;
}

/** A fault to choose, and how late it may come. */
export interface InjectionKind {
  readonly call: string;
  readonly fault: string;
  readonly whenMax: number;
  /** Whether Node.js makes such calls for files of its own. */
  readonly shared?: boolean;
}

/** One call on some machines is another on others; strace passes over those it does not know. */
const RENAME = "?rename,?renameat,?renameat2";

/** Errors, empty transfers and kills at every call that a store makes for its files. */
export const INJECTIONS: readonly InjectionKind[] = [
  { call: "pwrite64", fault: "EIO", whenMax: 100 },
  { call: "pwrite64", fault: "ENOSPC", whenMax: 100 },
  { call: "pwrite64", fault: "zero", whenMax: 100 },
  { call: "pwrite64", fault: "kill", whenMax: 100 },
  { call: "fdatasync", fault: "EIO", whenMax: 40 },
  { call: "fdatasync", fault: "kill", whenMax: 40 },
  { call: "fsync", fault: "EIO", whenMax: 4 },
  { call: "fsync", fault: "kill", whenMax: 4 },
  { call: RENAME, fault: "EIO", whenMax: 4 },
  { call: RENAME, fault: "ENOSPC", whenMax: 4 },
  { call: RENAME, fault: "kill", whenMax: 4 },
  { call: "ftruncate", fault: "EIO", whenMax: 8 },
  { call: "ftruncate", fault: "kill", whenMax: 8 },
  { call: "pread64", fault: "EIO", whenMax: 8, shared: true },
  { call: "pread64", fault: "zero", whenMax: 8, shared: true },
  { call: "openat", fault: "EMFILE", whenMax: 6, shared: true },
  { call: "openat", fault: "EIO", whenMax: 6, shared: true },
  { call: "openat", fault: "kill", whenMax: 6, shared: true },
];

/** Why system calls cannot be tampered with here, or `undefined`. */
export function straceRefusal(): string | undefined {
  const { error, status, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], {
    encoding: "utf8",
  });
  if (error !== undefined) return "strace is not installed";
  return status === 0 ? undefined : `strace cannot trace: ${stderr.trim().split("\n")[0]}`;
}

/** Runs Node.js with these arguments and one system call tampered with. */
export async function runInjected(
  args: readonly string[],
  { call, fault, when, persistent = false, paths = [] }: Injection,
  onOutput: (text: string) => void = () => undefined,
): Promise<InjectedEnd> {
  const folder = mkdtempSync(join(tmpdir(), "strace-"));
  try {
    const log = join(folder, "log");
    const how = fault === "kill" ? "signal=KILL" : fault === "zero" ? "retval=0" : `error=${fault}`;
    const inject = `inject=${call}:${how}:when=${when}${persistent ? "+" : ""}`;
    const filter = paths.flatMap((path) => ["-P", path]);
    const own = ["-f", "-qq", "-o", log, ...filter, "-e", `trace=${call}`, "-e", inject];
    const child = Child.start([...own, process.execPath, ...args], { command: "strace", onOutput });
    const end = await child.ended;
    const text = readFileSync(log, "utf8");
    const kills = fault === "kill" && end.signal === "SIGKILL" ? 1 : 0;
    return { ...end, injected: text.split("(INJECTED)").length - 1 + kills };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs histories whose system calls fail, do nothing or kill, one fault each, then opens what is left: nothing
 * acknowledged may be missing, and an error must name the cause that the kernel gave.
 *
 * @throws DiskFailure naming seed, cycle and fault
 */
export async function straceCampaign(
  store: StoreOnDisk,
  options: StraceOptions,
): Promise<StraceCounts> {
  const { folder, names, commitsMax = 60, injections = INJECTIONS } = options;
  const counts: StraceCounts = { cycles: 0, commits: 0, injected: 0, killed: 0, reported: 0 };
  const paths = names.map((name) => join(folder, name));
  // Every kind in turn, from a place that the seed decides.
  const first = new Random(options.seed).below(injections.length);
  let digest = store.empty;
  for (let cycle = 0; cycle < options.cycles; cycle++) {
    const random = new Random(seedOf(options.seed, cycle));
    const kind = injections[(first + cycle) % injections.length];
    if (kind === undefined) break;
    const injection = chosen(kind, random, paths);
    const { call, fault, when } = injection;
    const where = `STRACE_SEED=${options.seed} cycle=${cycle} ${call} ${fault} ${when}`;
    const history = new ReportedHistory(digest);
    const args = store.child(folder, random.next(), commitsMax);
    const end = await runInjected(args, injection, (text) => history.read(text));
    mustHaveEnded(end, history, injection, where);
    mustHaveFound(history, digest, where);
    const mark = history.mark();
    const thorough = cycle % 10 === 0;
    digest = await mustKeep(store, folder, { mark, floor: mark.acknowledged, thorough }, where);
    counts.cycles++;
    counts.commits += history.commits;
    counts.injected += Math.sign(end.injected);
    counts.killed += end.signal === "SIGKILL" ? 1 : 0;
    counts.reported += Math.sign(history.errors.length);
  }
  printCounts(options.title, { ...counts });
  return counts;
}

function chosen(
  { call, fault, whenMax, shared }: InjectionKind,
  random: Random,
  paths: readonly string[],
): Injection {
  return {
    call,
    fault,
    when: random.between(1, whenMax),
    persistent: fault !== "kill" && random.chance(0.3),
    ...(shared === true ? { paths } : {}),
  };
}

function mustHaveEnded(
  end: InjectedEnd,
  history: ReportedHistory,
  { fault }: Injection,
  where: string,
): void {
  if (end.code !== 0 && end.signal !== "SIGKILL") {
    throw new DiskFailure(`the child ended with ${end.code} ${end.errors} [${where}]`);
  }
  for (const { code, cause } of history.errors) {
    if (end.injected === 0) throw new DiskFailure(`${code} without a fault [${where}]`);
    if (fault === "zero" || cause === fault) continue;
    throw new DiskFailure(`${code} by ${cause}, the kernel said ${fault} [${where}]`);
  }
}
