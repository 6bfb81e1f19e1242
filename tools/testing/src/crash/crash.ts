import { type CrashMode, SimulatedDisk } from "../disk/disk.ts";
import { Random, seedOf } from "../random.ts";
import { CrashFailure, described } from "./failure.ts";
import { CommitLog, type CrashSubject, type Mark, refusal, type Reopened } from "./subject.ts";

/** How often each kind of crash is tried before each operation. */
export type CrashPlan = Readonly<Record<CrashMode, number>>;

/** 21 images per operation. */
export const FULL_PLAN: CrashPlan = { kill: 1, none: 1, prefix: 6, subset: 6, reverse: 1, tear: 6 };

export interface CrashOptions {
  /** Everything random follows from it. */
  readonly seed: number;
  /** Default: {@link FULL_PLAN}. */
  readonly plan?: CrashPlan;
  /** Crashes every recovery at every operation too, with one crash of each of these kinds. Default: none. */
  readonly nested?: readonly CrashMode[];
  /** Every so many images, the recovered store must survive a power cut, as it is or after one more commit. Default: 4. */
  readonly settleEvery?: number;
  /** An empty disk. Default: one whose syncs take up to three turns. */
  readonly disk?: (seed: number) => SimulatedDisk;
  /** Only this image. Default: what the environment says, else all. */
  readonly only?: CrashSelection;
}

/** Names one image of a history; what is absent matches all. */
export interface CrashSelection {
  readonly op?: number;
  readonly mode?: string;
  readonly i?: number;
  /** Path of crashes within recoveries: `operation/mode`, joined by commas. */
  readonly nested?: string;
}

/** What a campaign did. Rates are for printing only. */
export interface CrashCounts {
  readonly histories: number;
  /** Operations of the histories that could change what a crash leaves. */
  operations: number;
  /** Crashed disks that were opened and checked. */
  images: number;
  /** Of recoveries that crashed. */
  nested: number;
  /** Recovered disks that were cut off once more, as they were or after another commit. */
  settled: number;
  milliseconds: number;
}

/** The disk just before an operation, and what may be found on it. */
interface Frame {
  readonly operation: number;
  readonly disk: SimulatedDisk;
  readonly mark: Mark;
}

/**
 * Crashes a history before every operation that changes the disk, in every way of the plan, and holds each recovery to
 * the promises: it succeeds, and finds the state after some commit that is not older than promised, with nothing left
 * over, and safe from the next power cut.
 *
 * @throws CrashFailure naming the image
 */
export async function crashEverywhere(
  subject: CrashSubject,
  options: CrashOptions,
): Promise<CrashCounts> {
  const run = new CrashRun(subject, options);
  const frames = await record(subject, options);
  run.counts.operations = frames.length;
  for (const frame of frames) await run.crashAt(frame);
  run.end();
  return run.counts;
}

/**
 * As {@link crashEverywhere}, with every subset of what is pending instead of random ones. For histories that never have
 * more than a few sectors pending.
 *
 * @param piecesMax - refuses more pending pieces than this
 */
export async function crashExhaustively(
  subject: CrashSubject,
  options: CrashOptions,
  piecesMax = 12,
): Promise<CrashCounts> {
  const run = new CrashRun(subject, options);
  const frames = await record(subject, options);
  run.counts.operations = frames.length;
  for (const frame of frames) await run.cutAt(frame, piecesMax);
  run.end();
  return run.counts;
}

/** Runs the history once and keeps the disk before each operation, and at the end. */
async function record(subject: CrashSubject, options: CrashOptions): Promise<Frame[]> {
  const disk = emptyDisk(options);
  const log = new CommitLog(subject.initial);
  const frames: Frame[] = [];
  const keep = (operation: number): void => {
    frames.push({ operation, disk: disk.fork(), mark: log.mark() });
  };
  disk.before = ({ index, changes }) => {
    if (changes) keep(index);
  };
  await subject.run(disk, log);
  keep(disk.operations);
  return frames;
}

/** The disk a campaign with these options starts from. */
export function emptyDisk({ disk, seed }: CrashOptions): SimulatedDisk {
  return disk?.(seed) ?? new SimulatedDisk({ seed, syncTurnsMax: 3 });
}

class CrashRun {
  readonly counts: CrashCounts = {
    histories: 1,
    operations: 0,
    images: 0,
    nested: 0,
    settled: 0,
    milliseconds: 0,
  };
  readonly #subject: CrashSubject;
  readonly #options: CrashOptions;
  readonly #only: CrashSelection;
  readonly #begin = performance.now();

  constructor(subject: CrashSubject, options: CrashOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#only = options.only ?? selectionFromEnvironment();
  }

  end(): void {
    this.counts.milliseconds = performance.now() - this.#begin;
  }

  async crashAt(frame: Frame): Promise<void> {
    const { seed, plan = FULL_PLAN } = this.#options;
    if (!matches(this.#only.op, frame.operation)) return;
    for (const [mode, repetitions] of Object.entries(plan) as [CrashMode, number][]) {
      if (!matches(this.#only.mode, mode)) continue;
      for (let i = 0; i < repetitions; i++) {
        if (!matches(this.#only.i, i)) continue;
        const random = new Random(seedOf(seed, frame.operation, mode, i));
        const where = `CRASH_OP=${frame.operation} CRASH_MODE=${mode} CRASH_I=${i}`;
        const image = { disk: frame.disk.crash(mode, random), killed: mode === "kill" };
        await this.#check({ ...image, mark: frame.mark, where, nested: "", random });
      }
    }
  }

  async cutAt(frame: Frame, piecesMax: number): Promise<void> {
    if (!matches(this.#only.op, frame.operation)) return;
    let i = 0;
    for (const disk of frame.disk.crashes(piecesMax)) {
      const where = `CRASH_OP=${frame.operation} CRASH_MODE=all CRASH_I=${i}`;
      const random = new Random(seedOf(this.#options.seed, frame.operation, i));
      if (matches(this.#only.i, i)) {
        await this.#check({ disk, killed: false, mark: frame.mark, where, nested: "", random });
      }
      i++;
    }
  }

  async #check(image: Image): Promise<void> {
    const { nested: modes = [] } = this.#options;
    // All crashes of the first recovery; of later ones now and then a single one, so that the work stays bounded.
    const outer = image.nested === "";
    const crashes =
      modes.length > 0 && (outer || image.random.chance(DEEPER)) ? recordRecovery(image.disk) : [];
    this.counts.images++;
    if (!outer) this.counts.nested++;
    const reopened = await this.#open(image, image.disk);
    image.disk.before = undefined;
    this.#mustAccept(image, reopened.digest);
    await this.#survive(image, "check after recovery", () => reopened.check?.());
    if (outer) {
      for (const crash of crashes) await this.#crashRecovery(image, crash, modes);
    } else if (crashes.length > 0) {
      await this.#crashRecovery(image, image.random.pick(crashes), [image.random.pick(modes)]);
    }
    await this.#settle(image, reopened);
  }

  /** The crash before one operation of a recovery. */
  async #crashRecovery(
    image: Image,
    { operation, disk }: { readonly operation: number; readonly disk: SimulatedDisk },
    modes: readonly CrashMode[],
  ): Promise<void> {
    for (const mode of modes) {
      const nested = `${image.nested === "" ? "" : `${image.nested},`}${operation}/${mode}`;
      if (!leadsTo(this.#only.nested, nested)) continue;
      const random = new Random(seedOf(this.#options.seed, image.where, nested));
      const crashed = disk.crash(mode, random);
      const killed = image.killed && mode === "kill";
      await this.#check({ ...image, disk: crashed, killed, nested, random });
    }
  }

  /** What was recovered must not get lost again, nor a commit on top of it. */
  async #settle(image: Image, reopened: Reopened): Promise<void> {
    const every = this.#options.settleEvery ?? 4;
    const turn = image.random.below(2 * every);
    if (turn > 1) return;
    this.counts.settled++;
    const extended = turn === 1;
    let digest = reopened.digest;
    if (extended) {
      await this.#survive(image, "commit after recovery", async () => {
        digest = await reopened.extend();
      });
    }
    const mode = image.random.pick(["none", "subset", "tear"] as const);
    const cut = image.disk.crash(mode, image.random);
    const again = await this.#open(image, cut);
    if (again.digest === digest) return;
    const what = extended ? "a durable commit after recovery" : "what recovery had found";
    throw this.#failure(image, `a power cut lost ${what}: found ${again.digest}, had ${digest}`);
  }

  async #open(image: Image, disk: SimulatedDisk): Promise<Reopened> {
    try {
      return await this.#subject.reopen(disk);
    } catch (cause) {
      throw this.#failure(image, `recovery failed: ${described(cause)}`, cause);
    }
  }

  async #survive(image: Image, what: string, work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw this.#failure(image, `${what} failed: ${described(cause)}`, cause);
    }
  }

  #mustAccept(image: Image, digest: string): void {
    const floor = image.killed ? image.mark.acknowledged : image.mark.durable;
    const reason = refusal(image.mark, floor, digest);
    if (reason !== undefined) throw this.#failure(image, reason);
  }

  #failure(image: Image, what: string, cause?: unknown): CrashFailure {
    const nested = image.nested === "" ? "" : ` CRASH_NESTED=${image.nested}`;
    return CrashFailure.at(image.where + nested, what, cause);
  }
}

/** Probability that a recovery from a crash within a recovery crashes once more. */
const DEEPER = 0.2;

/** A crashed disk and what may be found on it. */
interface Image {
  readonly disk: SimulatedDisk;
  /** Whether nothing but processes died so far. */
  readonly killed: boolean;
  readonly mark: Mark;
  readonly where: string;
  /** Crashes within recoveries that led here; empty when it comes from the history itself. */
  readonly nested: string;
  readonly random: Random;
}

function recordRecovery(disk: SimulatedDisk): { operation: number; disk: SimulatedDisk }[] {
  const crashes: { operation: number; disk: SimulatedDisk }[] = [];
  disk.before = ({ index, changes }) => {
    if (changes) crashes.push({ operation: index, disk: disk.fork() });
  };
  return crashes;
}

function selectionFromEnvironment(): CrashSelection {
  const { CRASH_OP, CRASH_MODE, CRASH_I, CRASH_NESTED } = process.env;
  return {
    ...(CRASH_OP === undefined ? {} : { op: Number(CRASH_OP) }),
    ...(CRASH_MODE === undefined ? {} : { mode: CRASH_MODE }),
    ...(CRASH_I === undefined ? {} : { i: Number(CRASH_I) }),
    ...(CRASH_NESTED === undefined ? {} : { nested: CRASH_NESTED }),
  };
}

function matches<T>(wanted: T | undefined, found: T): boolean {
  return wanted === undefined || wanted === found;
}

function leadsTo(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found || wanted.startsWith(`${found},`);
}
