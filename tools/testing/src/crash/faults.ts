import {
  type CrashMode,
  type DiskOperation,
  type FaultOptions,
  type SimulatedDisk,
} from "../disk/disk.ts";
import { type DiskErrorCode } from "../disk/error.ts";
import { Random, seedOf } from "../random.ts";
import { type CrashOptions, emptyDisk } from "./crash.ts";
import { CrashFailure, described } from "./failure.ts";
import { CommitLog, type CrashSubject, type Mark, refusal, type Reopened } from "./subject.ts";

/** What a fault campaign did. */
export interface FaultCounts {
  readonly histories: number;
  /** Operations of the histories, reads included. */
  operations: number;
  /** Runs with one injected fault, in histories and in recoveries. */
  faults: number;
  /** Faults that reached the caller as an error. */
  reported: number;
  /** Disks that were opened and checked after a fault. */
  images: number;
  milliseconds: number;
}

interface Fault extends FaultOptions {
  readonly code: DiskErrorCode;
}

const FAULTS: readonly Fault[] = [
  { code: "EIO" },
  { code: "EIO", persistent: true },
  { code: "EIO", partial: "torn" },
  { code: "ENOSPC" },
  { code: "ENOSPC", persistent: true },
  { code: "ENOSPC", partial: "short" },
  { code: "ENOSPC", partial: "short", persistent: true },
  { code: "EMFILE" },
];

/**
 * Lets every operation of a history fail in every way, and holds the store to its promises afterwards: the error is
 * typed; after a power cut, and after reopening in the same boot, the state is one that was promised; what the reopened
 * store holds, and a commit on top of it, survive the next power cut. A failed sync loses what it covered while readers go
 * on seeing it, so a store that takes the page cache's word is caught here.
 *
 * Then every operation of some recoveries fails in the same ways.
 *
 * @throws CrashFailure naming operation and fault
 */
export async function failEverywhere(
  subject: CrashSubject,
  options: CrashOptions,
): Promise<FaultCounts> {
  const run = new FaultRun(subject, options);
  await run.all();
  return run.counts;
}

class FaultRun {
  readonly counts: FaultCounts = {
    histories: 1,
    operations: 0,
    faults: 0,
    reported: 0,
    images: 0,
    milliseconds: 0,
  };
  readonly #subject: CrashSubject;
  readonly #options: CrashOptions;

  constructor(subject: CrashSubject, options: CrashOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  async all(): Promise<void> {
    const begin = performance.now();
    const operations = await this.#plain();
    this.counts.operations = operations.length;
    for (const operation of operations) {
      for (const fault of FAULTS) {
        if (applies(fault, operation)) await this.#failHistory(operation, fault);
      }
    }
    await this.#failRecoveries(operations);
    this.counts.milliseconds = performance.now() - begin;
  }

  /** The history without faults: what there is to fail. */
  async #plain(): Promise<DiskOperation[]> {
    const disk = emptyDisk(this.#options);
    const operations: DiskOperation[] = [];
    disk.before = (operation) => operations.push(operation);
    await this.#subject.run(disk, new CommitLog(this.#subject.initial));
    return operations;
  }

  async #failHistory(operation: DiskOperation, fault: Fault): Promise<void> {
    const where = placeOf(operation, fault);
    if (!this.#wanted(where)) return;
    const disk = emptyDisk(this.#options);
    disk.failAt(operation.index, fault.code, fault);
    const log = new CommitLog(this.#subject.initial);
    this.counts.faults++;
    await this.#mayReject(where, () => this.#subject.run(disk, log));
    const mark = log.mark();
    const { acknowledged, durable } = mark;
    const image = { disk, mark, where };
    for (const mode of ["none", "subset", "tear"] as const) {
      await this.#reopen({ ...image, mode, floor: durable });
    }
    await this.#reopen({ ...image, mode: "kill", floor: acknowledged });
  }

  /** Crashes the history at some operations, then lets every operation of the recovery fail. */
  async #failRecoveries(operations: readonly DiskOperation[]): Promise<void> {
    const changes = operations.filter((operation) => operation.changes);
    const step = Math.max(1, Math.floor(changes.length / RECOVERIES));
    for (let i = step - 1; i < changes.length; i += step) {
      const operation = changes[i];
      if (operation === undefined) continue;
      for (const mode of ["kill", "subset"] as const)
        await this.#failRecovery(operation.index, mode);
    }
  }

  async #failRecovery(at: number, mode: CrashMode): Promise<void> {
    const { disk, mark } = await this.#crashedAt(at, mode);
    const recovery: DiskOperation[] = [];
    const plain = disk.fork();
    plain.before = (operation) => recovery.push(operation);
    await this.#subject.reopen(plain);
    const { acknowledged, durable } = mark;
    const floor = mode === "kill" ? acknowledged : durable;
    for (const operation of recovery) {
      for (const fault of FAULTS) {
        if (!applies(fault, operation)) continue;
        const where = `${placeOf(operation, fault)} of the recovery from CRASH_OP=${at} CRASH_MODE=${mode}`;
        if (!this.#wanted(where)) continue;
        const failing = disk.fork();
        failing.failAt(operation.index, fault.code, fault);
        this.counts.faults++;
        await this.#mayReject(where, async () => void (await this.#subject.reopen(failing)));
        await this.#reopen({ disk: failing, mark, where, mode: "kill", floor });
        await this.#reopen({ disk: failing, mark, where, mode: "subset", floor: durable });
      }
    }
  }

  async #crashedAt(
    at: number,
    mode: CrashMode,
  ): Promise<{ readonly disk: SimulatedDisk; readonly mark: Mark }> {
    const disk = emptyDisk(this.#options);
    const log = new CommitLog(this.#subject.initial);
    const random = new Random(seedOf(this.#options.seed, at, mode));
    const state: { crashed?: { readonly disk: SimulatedDisk; readonly mark: Mark } } = {};
    disk.before = ({ index }) => {
      if (index < at) return;
      state.crashed ??= { disk: disk.crash(mode, random), mark: log.mark() };
      throw new PowerCut();
    };
    try {
      await this.#subject.run(disk, log);
    } catch {
      // Whatever the store makes of it: the machine is gone.
    }
    if (state.crashed === undefined) throw new Error(`operation ${at} was not reached`);
    return state.crashed;
  }

  async #mayReject(where: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.counts.reported++;
      if (this.#subject.isTyped?.(error) ?? hasCode(error)) return;
      throw CrashFailure.at(where, `not a documented error: ${described(error)}`, error);
    }
  }

  async #reopen(image: FaultImage): Promise<void> {
    const { seed } = this.#options;
    const random = new Random(seedOf(seed, image.where, image.mode));
    const disk = image.disk.crash(image.mode, random);
    this.counts.images++;
    const reopened = await this.#guard(image, "recovery", () => this.#subject.reopen(disk));
    const reason = refusal(image.mark, image.floor, reopened.digest);
    if (reason !== undefined) throw CrashFailure.at(`${image.where}, then ${image.mode}`, reason);
    await this.#guard(image, "check", async () => reopened.check?.());
    await this.#mustKeep(image, disk, reopened.digest, random);
    const next = await this.#guard(image, "commit", () => reopened.extend());
    await this.#mustKeep(image, disk, next, random);
  }

  async #mustKeep(
    image: FaultImage,
    disk: SimulatedDisk,
    digest: string,
    random: Random,
  ): Promise<void> {
    const mode = random.pick(["none", "subset", "tear"] as const);
    const again = await this.#guard(image, "second recovery", (): Promise<Reopened> =>
      this.#subject.reopen(disk.crash(mode, random)),
    );
    if (again.digest === digest) return;
    const what = `the next power cut lost ${digest}, found ${again.digest}`;
    throw CrashFailure.at(`${image.where}, then ${image.mode}, then ${mode}`, what);
  }

  async #guard<T>(image: FaultImage, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const where = `${image.where}, then ${image.mode}`;
      throw CrashFailure.at(where, `${what} failed: ${described(cause)}`, cause);
    }
  }

  #wanted(where: string): boolean {
    const only = process.env["FAULT_AT"];
    return only === undefined || where.includes(`FAULT_AT='${only}'`);
  }
}

/** Histories' crashes whose recoveries are made to fail. */
const RECOVERIES = 8;

/** Stands for the moment when there is no machine any more. */
class PowerCut extends Error {
  override readonly name = "PowerCut";
  readonly code = "POWER_CUT";
}

/** A disk after a fault, and what may be found on it. */
interface FaultImage {
  readonly disk: SimulatedDisk;
  readonly mark: Mark;
  readonly where: string;
  readonly mode: CrashMode;
  readonly floor: number;
}

const OPENS: ReadonlySet<string> = new Set(["open", "create"]);
const SPACE: ReadonlySet<string> = new Set([
  "create",
  "write",
  "extend",
  "truncate",
  "rename",
  "sync",
  "folderSync",
]);

function applies({ code, partial }: Fault, { kind, bytes }: DiskOperation): boolean {
  if (partial !== undefined) return kind === "write" && bytes > 1;
  if (code === "EMFILE") return OPENS.has(kind);
  if (code === "ENOSPC") return SPACE.has(kind);
  return kind !== "lock";
}

function placeOf({ index, kind, name }: DiskOperation, fault: Fault): string {
  const { code, partial, persistent } = fault;
  const how = [code, partial, persistent === true ? "persistent" : undefined];
  const what = how.filter((part) => part !== undefined).join(" ");
  return `FAULT_AT='${index} ${what}' (${kind}${name === "" ? "" : ` of ${name}`})`;
}

function hasCode(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}
