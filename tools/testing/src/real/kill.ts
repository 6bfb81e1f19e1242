import { Child, type ChildEnd, sleep } from "../child.ts";
import { Random, seedOf } from "../random.ts";
import { printCounts } from "../scale.ts";
import { ReportedHistory } from "./reported-history.ts";
import { DiskFailure, mustKeep, type StoreOnDisk } from "./store.ts";

export interface KillOptions {
  /** For the printed line, as `T-KILL group`. */
  readonly title: string;
  /** Existing folders, one per lane: each holds one store, whose history goes on over all its cycles. */
  readonly folders: readonly string[];
  /** Children to kill, over all lanes. */
  readonly cycles: number;
  readonly seed: number;
  /** Milliseconds from the opening of the store, or now and then from the child's start, to the kill. Default: 20 to 600. */
  readonly lifeMs?: readonly [min: number, max: number];
}

export interface KillCounts {
  cycles: number;
  /** Commits that resolved before the kill. */
  commits: number;
  /** Children that were killed before they had opened the store. */
  early: number;
}

/**
 * Kills children in the middle of writing and opens what they leave: nothing acknowledged may be missing, and every
 * tenth time everything is checked.
 *
 * @throws DiskFailure naming seed and cycle
 */
export async function killCampaign(store: StoreOnDisk, options: KillOptions): Promise<KillCounts> {
  const counts: KillCounts = { cycles: 0, commits: 0, early: 0 };
  const queue = Array.from({ length: options.cycles }, (_, cycle) => cycle);
  const lanes = options.folders.map((folder) => lane(store, folder, queue, options, counts));
  await allOrFirstError(lanes);
  printCounts(options.title, { ...counts });
  return counts;
}

async function lane(
  store: StoreOnDisk,
  folder: string,
  queue: number[],
  { seed, lifeMs = [20, 600] }: KillOptions,
  counts: KillCounts,
): Promise<void> {
  let digest = store.empty;
  for (let cycle = queue.shift(); cycle !== undefined; cycle = queue.shift()) {
    const where = `KILL_SEED=${seed} cycle=${cycle}`;
    const random = new Random(seedOf(seed, cycle));
    const history = new ReportedHistory(digest);
    const child = startHistory(store, folder, random.next(), history);
    // Now and then the kill comes while the store is being opened.
    if (random.chance(0.8)) await firstWord(history, child);
    await Promise.race([child.ended, sleep(random.between(...lifeMs))]);
    mustHaveBeenKilled(await child.kill(), history, where);
    mustHaveFound(history, digest, where);
    const mark = history.mark();
    const thorough = cycle % 10 === 0;
    digest = await mustKeep(store, folder, { mark, floor: mark.acknowledged, thorough }, where);
    counts.cycles++;
    counts.commits += history.commits;
    if (history.opened === undefined) counts.early++;
  }
}

/** Starts a child and lets the history hear it. */
export function startHistory(
  store: StoreOnDisk,
  folder: string,
  seed: number,
  history: ReportedHistory,
): Child {
  return Child.start(store.child(folder, seed, Number.MAX_SAFE_INTEGER), {
    onOutput: (text) => history.read(text),
  });
}

/** Longest time a child may take to open its store, in milliseconds. */
const OPEN_MS_MAX = 20_000;

/** Waits until the child has opened its store, or has ended. */
export async function firstWord(history: ReportedHistory, child: Child): Promise<void> {
  for (let waited = 0; waited < OPEN_MS_MAX; waited += 5) {
    if (history.opened !== undefined || !child.running) return;
    await sleep(5);
  }
}

/** What a child found must be what was left there, once it said what it found. */
export function mustHaveFound(history: ReportedHistory, digest: string, where: string): void {
  if (history.opened === undefined || history.opened === digest) return;
  throw new DiskFailure(`a child found ${history.opened}, left was ${digest} [${where}]`);
}

function mustHaveBeenKilled(end: ChildEnd, history: ReportedHistory, where: string): void {
  if (end.signal === "SIGKILL" && history.errors.length === 0) return;
  const what = history.errors.map(({ code, cause }) => `${code} by ${cause}`).join();
  throw new DiskFailure(`a child ended by itself: ${end.code} ${what} ${end.errors} [${where}]`);
}

/** Waits for all, even if one fails, so that nothing runs on after the test; then throws the first failure. */
export async function allOrFirstError(promises: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
