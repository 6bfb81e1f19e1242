import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Child, type ChildEnd } from "../child.ts";
import { ReportedHistory } from "./reported-history.ts";
import { DiskFailure, mustKeep, type StoreOnDisk } from "./store.ts";

/** A file system in memory that is soon full. Needs root. */
export class TinyDisk {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A mounted, empty one, or why there cannot be one here. */
  static create(bytes: number): TinyDisk | { readonly reason: string } {
    const folder = mkdtempSync(join(tmpdir(), "tiny-"));
    const reason = mount(["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
    if (reason === undefined) return new TinyDisk(folder);
    rmSync(folder, { recursive: true });
    return { reason };
  }

  /** Gives it another size, its content stays. */
  resize(bytes: number): void {
    const reason = mount(["-o", `remount,size=${bytes}`, this.folder]);
    if (reason !== undefined) throw new Error(reason);
  }

  destroy(): void {
    spawnSync("umount", [this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function mount(args: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status === 0) return undefined;
  return `mount failed: ${error?.message ?? stderr.trim().split("\n")[0]}`;
}

/** Limits that a shell sets before it becomes the child. */
export interface ProcessLimits {
  /** Largest file, in KiB (`ulimit -f` of bash). */
  readonly fileKib?: number;
  /** Open file descriptors (`ulimit -n`). */
  readonly descriptors?: number;
  /** Heap of Node.js, in MiB. */
  readonly heapMib?: number;
}

/** Runs a history within limits, until it ends by itself. */
export async function runLimited(
  store: StoreOnDisk,
  folder: string,
  run: {
    readonly seed: number;
    readonly commitsMax: number;
    readonly limits: ProcessLimits;
    readonly initial: string;
  },
): Promise<{ readonly end: ChildEnd; readonly history: ReportedHistory }> {
  const { fileKib, descriptors, heapMib } = run.limits;
  const shell = [
    ...(fileKib === undefined ? [] : [`ulimit -f ${fileKib}`]),
    ...(descriptors === undefined ? [] : [`ulimit -n ${descriptors}`]),
    'exec "$0" "$@"',
  ].join("; ");
  const node = [
    process.execPath,
    ...(heapMib === undefined ? [] : [`--max-old-space-size=${heapMib}`]),
    ...store.child(folder, run.seed, run.commitsMax),
  ];
  const history = new ReportedHistory(run.initial);
  const child = Child.start(["-c", shell, ...node], {
    command: "bash",
    onOutput: (text) => history.read(text),
  });
  return { end: await child.ended, history };
}

/**
 * Holds a store to its promises after a child met a limit that has been lifted since.
 *
 * @param codes - the errors that may have been reported; empty when there must be none
 * @returns the digest found
 */
export async function mustKeepAfterLimit(
  store: StoreOnDisk,
  folder: string,
  { end, history }: { readonly end: ChildEnd; readonly history: ReportedHistory },
  codes: readonly string[],
): Promise<string> {
  if (end.code !== 0) throw new DiskFailure(`the child ended with ${end.code} ${end.errors}`);
  const said = history.errors.map(({ code }) => code);
  const expected =
    codes.length === 0 ? said.length === 0 : said.some((code) => codes.includes(code));
  if (!expected) throw new DiskFailure(`the child reported ${said.join()}, not ${codes.join()}`);
  const mark = history.mark();
  return mustKeep(store, folder, { mark, floor: mark.acknowledged, thorough: true }, "limit");
}
