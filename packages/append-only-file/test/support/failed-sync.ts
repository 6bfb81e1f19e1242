import {
  CommitLog,
  CrashFailure,
  type CrashMode,
  type CrashSubject,
  Random,
  seedOf,
  SimulatedDisk,
} from "@x/testing";

/** What {@link crashAfterFailedSyncs} did. */
export interface FailedSyncCounts {
  syncs: number;
  images: number;
}

/**
 * Lets every sync of a history fail, reopens in the same boot, where readers still see what the medium lost, and crashes that
 * recovery at every operation. What an earlier process believed in vain must not mislead the next one.
 *
 * @throws CrashFailure naming sync, operation and mode
 */
export async function crashAfterFailedSyncs(
  subject: CrashSubject,
  seed: number,
): Promise<FailedSyncCounts> {
  const counts = { syncs: 0, images: 0 };
  const syncs: number[] = [];
  const plain = new SimulatedDisk({ seed, syncTurnsMax: 3 });
  plain.before = ({ index, kind }) => {
    if (kind === "sync" || kind === "folderSync") syncs.push(index);
  };
  await subject.run(plain, new CommitLog(subject.initial));
  for (const at of syncs) {
    const disk = new SimulatedDisk({ seed, syncTurnsMax: 3 });
    disk.failAt(at, "EIO");
    const log = new CommitLog(subject.initial);
    try {
      await subject.run(disk, log);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
    }
    counts.syncs++;
    const { durable, digests } = log.mark();
    const allowed = new Set(digests.slice(durable));
    const same = disk.crash("kill", new Random(seed));
    const frames: { operation: number; disk: SimulatedDisk }[] = [];
    same.before = ({ index, changes }) => {
      if (changes) frames.push({ operation: index, disk: same.fork() });
    };
    await subject.reopen(same);
    for (const frame of frames) {
      for (const mode of ["none", "prefix", "subset", "tear"] satisfies CrashMode[]) {
        const where = `sync ${at} fails, recovery crashes at ${frame.operation}, ${mode}`;
        const cut = frame.disk.crash(mode, new Random(seedOf(seed, at, frame.operation, mode)));
        counts.images++;
        try {
          const reopened = await subject.reopen(cut);
          if (!allowed.has(reopened.digest)) throw new Error(`found ${reopened.digest}`);
          await reopened.check?.();
        } catch (cause) {
          throw new CrashFailure(`${where}: ${String(cause)}`, where, { cause });
        }
      }
    }
  }
  return counts;
}
