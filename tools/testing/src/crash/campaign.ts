import fc from "fast-check";

import { fromEnvironment, printCounts } from "../scale.ts";
import { type CrashCounts, crashEverywhere, type CrashOptions } from "./crash.ts";
import { CrashFailure, described } from "./failure.ts";
import { failEverywhere, type FaultCounts } from "./faults.ts";
import { type CrashSubject } from "./subject.ts";

/** What a campaign runs over. */
export interface Campaign<H> {
  /** For the printed line, as `T-CRASH journal`. */
  readonly title: string;
  /** Histories, as plain data that shrinks. */
  readonly histories: fc.Arbitrary<H>;
  /** A store that lives through this history. Called once per run. */
  readonly subject: (history: H) => CrashSubject;
  /** Number of histories; the most, where there is a {@link Campaign.volume}. */
  readonly runs: number;
  /** Ends the campaign after the history with which all of these are reached. Default: all histories run. */
  readonly volume?: { readonly images?: number; readonly nested?: number };
  /** Histories that failed once: run first, always. Default: none. */
  readonly examples?: readonly H[];
  /** Seed of histories and crashes; the environment's `CRASH_SEED` goes before. Default: 1. */
  readonly seed?: number;
  /** Ends the search for a shorter history after this. Default: 20,000. */
  readonly shrinkMsMax?: number;
}

/**
 * Crashes generated histories everywhere ({@link crashEverywhere}) and prints what was done.
 *
 * A failure is one error whose message holds the line of environment variables that runs the failing image alone, the
 * shortest failing history, and what went wrong.
 */
export async function crashCampaign<H>(
  campaign: Campaign<H>,
  options: Omit<CrashOptions, "seed"> = {},
): Promise<CrashCounts> {
  const total: CrashCounts = {
    histories: 0,
    operations: 0,
    images: 0,
    nested: 0,
    settled: 0,
    milliseconds: 0,
  };
  const { title } = campaign;
  const { volume } = campaign;
  await overHistories(campaign, async (subject, seed) => {
    if (volume !== undefined && reached(total, volume)) return;
    add(total, await crashEverywhere(subject, { ...options, seed }));
  });
  const { milliseconds, ...counts } = total;
  printCounts(title, { ...counts, "images/s": rate(total.images, milliseconds) });
  return total;
}

/** As {@link crashCampaign}, with failing operations instead of crashes ({@link failEverywhere}). */
export async function faultCampaign<H>(
  campaign: Campaign<H>,
  options: Omit<CrashOptions, "seed"> = {},
): Promise<FaultCounts> {
  const total: FaultCounts = {
    histories: 0,
    operations: 0,
    faults: 0,
    reported: 0,
    images: 0,
    milliseconds: 0,
  };
  await overHistories(campaign, async (subject, seed) => {
    add(total, await failEverywhere(subject, { ...options, seed }));
  });
  const { milliseconds, ...counts } = total;
  printCounts(campaign.title, { ...counts, "images/s": rate(total.images, milliseconds) });
  return total;
}

/** Whether a campaign finds something wrong: for tests that plant a mistake. The mistake's message, else `undefined`. */
export async function findsMistake(campaign: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await campaign();
    return undefined;
  } catch (error) {
    if (error instanceof CrashFailure) return error.message;
    throw error;
  }
}

async function overHistories<H>(
  campaign: Campaign<H>,
  work: (subject: CrashSubject, seed: number) => Promise<void>,
): Promise<void> {
  const { title, histories, subject, runs, examples = [], shrinkMsMax = 20_000 } = campaign;
  const seed = fromEnvironment("CRASH_SEED", campaign.seed ?? 1);
  const only = process.env["CRASH_PATH"];
  const state: { failedAt?: number } = {};
  const property = fc.asyncProperty(histories, async (history) => {
    // Shrinking is allowed some time, then the shortest history so far has to do.
    if (state.failedAt !== undefined && performance.now() - state.failedAt > shrinkMsMax) return;
    try {
      await work(subject(history), seed);
    } catch (error) {
      state.failedAt ??= performance.now();
      throw error;
    }
  });
  const result = await fc.check(property, {
    seed,
    numRuns: runs,
    examples: only === undefined ? examples.map((example): [H] => [example]) : [],
    ...(only === undefined ? {} : { path: only, endOnFailure: true }),
  });
  if (!result.failed) return;
  const error: unknown = result.errorInstance;
  const found = error instanceof CrashFailure;
  const path = `CRASH_SEED=${seed} CRASH_PATH=${result.counterexamplePath ?? ""}`;
  const line = found ? `${path} ${error.where}` : path;
  const history = fc.stringify(result.counterexample?.[0]);
  const message = `${title}: ${described(error)}\n${line}\nhistory ${history}`;
  // A test that fails by itself has found nothing.
  throw found
    ? new CrashFailure(message, line, { cause: error })
    : new Error(message, { cause: error });
}

function reached(
  total: CrashCounts,
  { images = 0, nested = 0 }: { readonly images?: number; readonly nested?: number },
): boolean {
  return images <= total.images && nested <= total.nested;
}

function add<T extends CrashCounts | FaultCounts>(total: T, more: T): void {
  for (const key of Object.keys(more) as (keyof T)[]) {
    total[key] = ((total[key] as number) + (more[key] as number)) as T[keyof T];
  }
}

function rate(count: number, milliseconds: number): number {
  return Math.round((count * 1000) / Math.max(1, milliseconds));
}
