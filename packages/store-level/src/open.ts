import { crc32 as zlibCrc32 } from "node:zlib";

import { StoreError } from "@x/store";
import { ClassicLevel } from "classic-level";

import { DiskMedium } from "./disk-medium.ts";
import { checkDropped, expectTorn } from "./dropped-writes.ts";
import { Folder, isLevelFile, logFiles, tableFiles } from "./folder.ts";
import { checkLogs, lostWrites } from "./log-check.ts";
import {
  beginCreating,
  endCreating,
  isCreating,
  leftovers,
  readClosed,
  writeClosed,
} from "./own-files.ts";
import { type Crc32, crc32 as portableCrc32 } from "@x/store/adapter";
import { levelCode, readError } from "./wrap/database-errors.ts";
import { type FormatRecord } from "./wrap/format-record.ts";
import { SyncLevelStore } from "./wrap/level-store.ts";
import {
  type CheckedOptions,
  checkOptions,
  checkSequence,
  closeAfter,
  type LevelStoreOptions,
  makeStore,
  readFormat,
  refuseOwn,
} from "./wrap/wrap.ts";

/** How {@link open} opens a folder. */
export interface OpenOptions extends LevelStoreOptions {
  /** Make the store where there is none. Default: true. */
  readonly createIfMissing?: boolean;
  /**
   * Read LevelDB's logs and check them before LevelDB replays and deletes them, so that damage is found while they are
   * still there. Costs about a millisecond per MiB of logs. Default: true.
   */
  readonly paranoid?: boolean;
  /** Open although acknowledged batches are lost, and forget that they are. Default: false. */
  readonly allowLostWrites?: boolean;
  /** Handed to LevelDB. Defaults: LevelDB's. */
  readonly level?: LevelTuning;
}

/** Settings of LevelDB; see classic-level. Sizes in bytes. */
export interface LevelTuning {
  readonly cacheSize?: number;
  readonly writeBufferSize?: number;
  readonly blockSize?: number;
  readonly blockRestartInterval?: number;
  readonly maxFileSize?: number;
  readonly maxOpenFiles?: number;
  readonly compression?: boolean;
}

/** LevelDB's default. */
const WRITE_BUFFER_SIZE = 4 * 2 ** 20;
/** Bytes from which on a call into zlib is cheaper than our own loop (`npm run bench -- store`). */
const ZLIB_SIZE_MIN = 256;
/** Bytes in the log of a store that was made and never written: one batch with the format record. */
const CREATION_LOG_SIZE_MAX = 128;

/**
 * Opens the store in a folder, or makes it: a LevelDB, with what LevelDB lacks.
 *
 * @param path - of the folder, which is LevelDB's own
 * @throws StoreError STORE_LOCKED if another store has the folder open, in this process or another
 * @throws StoreError STORE_MISSING if there is none and `createIfMissing` is false
 * @throws StoreError STORE_INCOMPLETE if there is a database that is not a store, or whose CURRENT is missing
 * @throws StoreError STORE_LOST_WRITES if acknowledged batches are lost, unless `allowLostWrites`
 * @throws StoreError STORE_ROLLED_BACK, STORE_FORMAT, STORE_CORRUPT, STORE_DAMAGED, STORE_IO
 * @throws RangeError if a number is not a count
 */
export async function open(path: string, options: OpenOptions = {}): Promise<SyncLevelStore> {
  if (typeof path !== "string" || path === "") throw new TypeError("path is not a name");
  const checked = checkOptions(options);
  const folder = new Folder(path);
  try {
    const creating = await prepare(folder, checked, options);
    const database = await openDatabase(folder, creating, options.level ?? {});
    try {
      return await finish(folder, database, creating, checked, options);
    } catch (error) {
      await closeAfter(database, error);
      throw error;
    }
  } catch (error) {
    throw error instanceof RangeError ? error : readError(error);
  }
}

/** Checks what is in the folder before LevelDB touches it. Gives whether a store is to be made there. */
async function prepare(
  folder: Folder,
  { foreign }: CheckedOptions,
  { createIfMissing = true, paranoid = true, allowLostWrites = false }: OpenOptions,
): Promise<boolean> {
  const names = await folder.names();
  // What was begun and not finished was never anybody's: it is begun again.
  if (isCreating(names)) return true;
  if (!names.some(isLevelFile)) {
    if (!createIfMissing) throw new StoreError("STORE_MISSING", "there is no store");
    await folder.make();
    if (!foreign) await beginCreating(folder);
    return true;
  }
  // LevelDB would begin anew, and delete what is there.
  if (!names.includes("CURRENT"))
    throw new StoreError("STORE_INCOMPLETE", "there are files of a database, and no CURRENT");
  await checkDropped(folder, allowLostWrites);
  if (paranoid) await prepareLogs(folder, allowLostWrites);
  return false;
}

/** Sees to it that what LevelDB will replay is a beginning of what was written, with all that was promised. */
async function prepareLogs(folder: Folder, allowLostWrites: boolean): Promise<void> {
  let check = await checkLogs(folder);
  if (check.lost === undefined && check.cuts.length === 0) return expectTorn(folder, check.torn);
  // A store that is open changes its logs while they are read: then this finding means nothing.
  await refuseLocked(folder);
  check = await checkLogs(folder);
  if (check.lost !== undefined && !allowLostWrites) throw lostWrites(check.lost);
  // LevelDB never uses a name again: should another process open the store now, these are no files of its.
  for (const { file, size } of check.cuts) await folder.cut(file, size);
  await expectTorn(folder, check.torn);
}

/**
 * Asks LevelDB for something it refuses after it has taken its lock.
 *
 * @throws StoreError STORE_LOCKED
 */
async function refuseLocked(folder: Folder): Promise<void> {
  const database = new ClassicLevel(folder.path);
  try {
    await database.open({ createIfMissing: false, errorIfExists: true });
    await database.close();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : error;
    if (levelCode(cause) === "LEVEL_LOCKED") throw openError(cause);
  }
}

async function openDatabase(
  folder: Folder,
  creating: boolean,
  tuning: LevelTuning,
): Promise<ClassicLevel> {
  const database = new ClassicLevel(folder.path, tuning);
  try {
    await database.open({ ...tuning, createIfMissing: creating });
    return database;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : error;
    if (creating && levelCode(cause) === "LEVEL_CORRUPTION" && (await isUnborn(folder))) {
      await ClassicLevel.destroy(folder.path);
      return openDatabase(folder, creating, tuning);
    }
    throw openError(cause);
  }
}

/**
 * Whether a database that cannot be opened was never more than begun: power was cut while it was made, which leaves names
 * of files without their content. LevelDB has just had its lock, so nobody else has it open.
 */
async function isUnborn(folder: Folder): Promise<boolean> {
  const names = await folder.names();
  if (!isCreating(names) || tableFiles(names).length > 0) return false;
  let logSize = 0;
  for (const { name } of logFiles(names)) logSize += await folder.sizeOf(name);
  return logSize <= CREATION_LOG_SIZE_MAX;
}

function openError(cause: unknown): StoreError {
  switch (levelCode(cause) ?? "") {
    case "LEVEL_LOCKED":
      return new StoreError("STORE_LOCKED", "the folder is open in another store or process", {
        cause,
      });
    case "LEVEL_CORRUPTION":
      return new StoreError("STORE_CORRUPT", "LevelDB cannot read its own files", { cause });
    default:
      return new StoreError("STORE_IO", "LevelDB did not open", { cause });
  }
}

/** Checks what LevelDB made of the folder, and makes a store of it. */
async function finish(
  folder: Folder,
  database: ClassicLevel,
  creating: boolean,
  checked: CheckedOptions,
  { allowLostWrites = false, iteratorCountMax, level = {} }: OpenOptions,
): Promise<SyncLevelStore> {
  await checkDropped(folder, allowLostWrites);
  const format = checked.foreign
    ? await refuseOwn(database, crc32)
    : await formatOf(database, creating, checked);
  checkSequence(format, checked);
  if (format !== undefined) await checkClosed(folder, format, allowLostWrites);
  const names = await folder.names();
  await syncAll(folder, names);
  for (const name of leftovers(names)) await folder.remove(name);
  if (isCreating(names)) await endCreating(folder);
  const medium = new DiskMedium(
    {
      logs: async () => logFiles(await folder.names()).map(({ name }) => name),
      syncFile: (name) => folder.syncFile(name),
      sync: () => folder.sync(),
    },
    logFiles(await folder.names()).map(({ name }) => name),
    level.writeBufferSize ?? WRITE_BUFFER_SIZE,
    async (sequence) => {
      if (format !== undefined) await writeClosed(folder, sequence, crc32);
    },
  );
  return new SyncLevelStore({
    database,
    format,
    medium,
    crc32,
    copiesWrites: true,
    iteratorCountMax,
  });
}

async function formatOf(
  database: ClassicLevel,
  creating: boolean,
  checked: CheckedOptions,
): Promise<FormatRecord> {
  const format = await readFormat(database, crc32);
  if (format !== undefined) return format;
  if (creating) return makeStore(database, checked, crc32);
  throw new StoreError("STORE_INCOMPLETE", "the database has no format record");
}

/** What was there when the store was closed is still there. */
async function checkClosed(
  folder: Folder,
  { sequence }: FormatRecord,
  allowLostWrites: boolean,
): Promise<void> {
  const closed = await readClosed(folder, crc32);
  if (sequence >= closed) return;
  if (!allowLostWrites)
    throw new StoreError(
      "STORE_LOST_WRITES",
      `the store holds ${sequence} batches, and held ${closed} when it was closed`,
    );
  await writeClosed(folder, sequence, crc32);
}

/**
 * Makes durable what LevelDB leaves to chance: the first MANIFEST and CURRENT, without which the folder cannot be opened.
 * Tables it syncs itself, before anything points to them.
 */
async function syncAll(folder: Folder, names: readonly string[]): Promise<void> {
  const tables = new Set(tableFiles(names).map(({ name }) => name));
  const files = names.filter((name) => isLevelFile(name) && !tables.has(name));
  await Promise.all(files.map((name) => folder.syncFile(name)));
  await folder.sync();
}

/** Small pieces in JavaScript, large ones in zlib. */
const crc32: Crc32 = (bytes, previous) =>
  bytes.length < ZLIB_SIZE_MIN ? portableCrc32(bytes, previous) : zlibCrc32(bytes, previous);
