import { AofError, type FileSystem, type OpenFile } from "@x/append-only-file";
import type { Bitmap } from "@x/bitmap";
import { PmmrError } from "../errors.ts";
import { reasonOf } from "./folder.ts";
import { readSet } from "./leaf-set.ts";
import { GROUP_PREFIX, snapshotId, snapshotName } from "./names.ts";

/**
 * Snapshots of the leaf set: copies under names of their own, which only their owner removes.
 *
 * A snapshot is written beside its name, synced, renamed, and the folder synced; so under its name it is always whole. What an
 * interruption leaves carries a name that the next opening clears away.
 */

/** Ids of the snapshots in a folder, in the order of the alphabet. */
export function listSnapshots(fs: FileSystem): string[] {
  const ids = fs.list().flatMap((name) => snapshotId(name) ?? []);
  return ids.toSorted();
}

/**
 * Writes a snapshot; one with the same id is replaced.
 *
 * @param unspent - 1-based positions of unspent leaves
 */
export async function writeSnapshot(fs: FileSystem, id: string, unspent: Bitmap): Promise<void> {
  const name = snapshotName(id);
  const draft = `${GROUP_PREFIX}_next.0.${name}`;
  try {
    const file = fs.open(draft, "create");
    try {
      file.truncate(0);
      writeAll(file, unspent.serialize(), name);
      await file.sync();
    } finally {
      file.close();
    }
    fs.rename(draft, name);
    await fs.sync();
  } catch (error) {
    removeIfThere(fs, draft);
    throw failed(error, `writing ${name}`);
  }
}

/**
 * Reads a snapshot.
 *
 * @throws PmmrError PMMR_DAMAGED if it is no bitmap
 * @throws AofError AOF_MISSING if there is none, AOF_IO
 */
export function readSnapshot(fs: FileSystem, id: string): Bitmap {
  const name = snapshotName(id);
  if (!fs.list().includes(name)) throw new AofError("AOF_MISSING", `${name} is missing`);
  let bytes: Uint8Array;
  try {
    bytes = readAll(fs, name);
  } catch (error) {
    throw failed(error, `reading ${name}`);
  }
  try {
    return readSet(bytes);
  } catch (error) {
    const problem = {
      kind: "bitmap" as const,
      file: name,
      message: `${name} is no bitmap: ${reasonOf(error)}`,
    };
    throw new PmmrError("PMMR_DAMAGED", problem.message, { cause: error, problems: [problem] });
  }
}

/** Removes a snapshot. */
export async function removeSnapshot(fs: FileSystem, id: string): Promise<void> {
  const name = snapshotName(id);
  if (!fs.list().includes(name)) throw new AofError("AOF_MISSING", `${name} is missing`);
  try {
    fs.remove(name);
    await fs.sync();
  } catch (error) {
    throw failed(error, `removing ${name}`);
  }
}

function writeAll(file: OpenFile, bytes: Uint8Array, name: string): void {
  let stalled = false;
  for (let at = 0; at < bytes.length;) {
    const written = file.write(at, bytes.subarray(at));
    // A write may be short, even empty once; twice in a row nothing more will come.
    if (written === 0 && stalled) throw new AofError("AOF_NO_SPACE", `${name} cannot be written`);
    stalled = written === 0;
    at += written;
  }
}

function readAll(fs: FileSystem, name: string): Uint8Array {
  const file = fs.open(name, "existing");
  try {
    const bytes = new Uint8Array(file.size());
    for (let at = 0; at < bytes.length;) {
      const count = file.read(at, bytes.subarray(at));
      if (count === 0) throw new AofError("AOF_TRUNCATED", `${name} ends at ${at}`);
      at += count;
    }
    return bytes;
  } finally {
    file.close();
  }
}

function removeIfThere(fs: FileSystem, name: string): void {
  try {
    if (fs.list().includes(name)) fs.remove(name);
  } catch {
    // The first failure is the one to report, and the next opening clears this name away.
  }
}

function failed(cause: unknown, what: string): Error {
  return cause instanceof AofError ? cause : new AofError("AOF_IO", `${what} failed`, { cause });
}
