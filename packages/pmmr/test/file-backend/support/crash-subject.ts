import type { CommitLog, CrashSubject, Reopened, SimulatedDisk } from "@x/testing";
import type { OpenPmmrOptions, PmmrFolder } from "../../../src/file-backend/index.ts";
import { fastHashing } from "./fast-hashing.ts";
import { element, type Kind, openKind, type Step, Twin } from "./history.ts";
import { digestOf, type Files, NaiveStore } from "./naive-store.ts";

/** A small store: commits reach the medium directly, and checkpoints come often. */
const OPTIONS: Partial<OpenPmmrOptions<Uint8Array, Uint8Array>> = {
  hashing: fastHashing,
  bulkBytesMin: 400,
  journalBytesMax: 2048,
};

const FORMAT = /^pmmr_(?:hash|data|size|leaf|prun)\.bin$/;
/** What may lie in a folder after recovery: the format's files, snapshots, and the journal. */
const EXPECTED =
  /^pmmr_(?:(?:hash|data|size|leaf|prun|journal)\.bin|leaf\.bin\.[0-9a-f]{12}|lock)$/;

/**
 * A history of a range in a folder, for crashing it.
 *
 * A state's digest is that of the five files as the naive store writes them. What a crash leaves is digested from the files on
 * the disk after recovery: they must be those of one committed state, byte for byte, and nothing else may lie around.
 */
export function folderSubject(kind: Kind, steps: readonly Step[]): CrashSubject {
  let turn = 0;
  return {
    initial: digestOf(new NaiveStore(kind, fastHashing).files()),
    run: (disk, log) => run(disk, log, kind, steps),
    reopen: async (disk) => reopened(disk, kind, ++turn % 8 === 0),
  };
}

async function run(
  disk: SimulatedDisk,
  log: CommitLog,
  kind: Kind,
  steps: readonly Step[],
): Promise<void> {
  const twin = await Twin.open(disk, kind, OPTIONS);
  let last = 0;
  for (const one of steps) {
    // A compaction first commits what is pending.
    if (one.do === "compact" && twin.hasChanged) {
      last = await announced(twin, log, twin.naive, { do: "commit", sync: true, wait: true });
    }
    const after = stateAfter(twin, one);
    if (after === undefined) {
      await twin.apply(one);
    } else if (one.do === "commit" && !one.wait) {
      last = unawaited(twin, log, one.sync);
    } else {
      last = await announced(twin, log, after, one);
    }
    if (one.do === "checkpoint" || one.do === "reopen") log.durable(last);
  }
  await twin.idle();
  await twin.folder.close();
  log.durable(last);
}

/** The state that a step commits, or `undefined` if it commits none. */
function stateAfter(twin: Twin, one: Step): NaiveStore | undefined {
  if (one.do === "commit") return twin.hasChanged ? twin.naive : undefined;
  if (one.do !== "compact" || !twin.kind.prunable) return undefined;
  return twin.afterCompaction(one.horizon, one.restorable);
}

/** Calls a commit and goes on; the log hears when it is done. Returns the number of the state. */
function unawaited(twin: Twin, log: CommitLog, sync: boolean): number {
  const state = log.started(digestOf(twin.naive.files()));
  void twin.commitNow(sync).then(
    () => (sync ? log.durable(state) : log.acknowledged(state)),
    () => undefined,
  );
  return state;
}

/**
 * Carries out a step that commits, telling the log before and after. A step that was rejected by a folder that is still open is
 * tried once more: what it held must still be there. Returns the number of the state.
 */
async function announced(
  twin: Twin,
  log: CommitLog,
  after: NaiveStore,
  one: Step,
  isRetry = false,
): Promise<number> {
  await twin.idle();
  const state = log.started(digestOf(after.files()));
  try {
    await twin.apply(one);
  } catch (error) {
    if (twin.folder.state !== "open") throw error;
    log.withdrawn(state);
    if (isRetry) throw error;
    return announced(twin, log, after, one, true);
  }
  if (one.do === "commit" && !one.sync) log.acknowledged(state);
  else log.durable(state);
  return state;
}

async function reopened(disk: SimulatedDisk, kind: Kind, isThorough: boolean): Promise<Reopened> {
  const folder = await openKind(disk, kind, OPTIONS);
  return {
    digest: digestOf(filesOn(disk)),
    check: () => check(disk, folder, isThorough),
    extend: async () => {
      if (isThorough) await folder.checkpoint();
      folder.pmmr.push(element(9999, kind));
      if (kind.prunable) folder.pmmr.prune(0);
      await folder.commit();
      // What it would open to, opened from a copy so that this one stays as it is.
      const copy = disk.fork();
      await openKind(copy, kind, OPTIONS);
      return digestOf(filesOn(copy));
    },
  };
}

async function check(
  disk: SimulatedDisk,
  folder: PmmrFolder<Uint8Array, Uint8Array>,
  isThorough: boolean,
): Promise<void> {
  const foreign = disk.names().filter((name) => !EXPECTED.test(name));
  if (foreign.length > 0) throw new Error(`left over: ${foreign.join(" ")}`);
  if (!isThorough) return;
  const { ok, problems } = await folder.verify();
  if (!ok) throw new Error(`verify: ${problems[0]?.message}`);
}

function filesOn(disk: SimulatedDisk): Files {
  const files: Files = {};
  for (const name of disk.names()) {
    const bytes = FORMAT.test(name) ? disk.bytesOf(name) : undefined;
    if (bytes !== undefined) files[name] = bytes;
  }
  return files;
}
