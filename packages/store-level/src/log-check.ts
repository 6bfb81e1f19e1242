import { StoreError } from "@x/store";

import { Damage } from "./leveldb/damage.ts";
import { type LogContent, readLog } from "./leveldb/log-file.ts";
import { type Manifest, readManifest } from "./leveldb/manifest.ts";
import { batchSpan } from "./leveldb/write-batch.ts";
import { type Folder, logFiles } from "./folder.ts";

/** Something wrong with a file of a database. */
export interface Finding {
  /** The file's name. */
  readonly file: string;
  /** Where, in bytes. */
  readonly offset: number;
  readonly reason: string;
}

/** What the logs that LevelDB is about to replay hold. */
export interface LogCheck {
  /** Acknowledged batches that LevelDB would drop without a word: empty where all is well. */
  readonly findings: readonly Finding[];
  /** Logs that end in a write that was cut short; LevelDB may say that it drops it. */
  readonly torn: readonly string[];
}

/** Reads the logs of a database before LevelDB replays them and deletes them. Reads only. */
export async function checkLogs(folder: Folder): Promise<LogCheck> {
  const names = await folder.names();
  const manifest = await currentManifest(folder);
  const torn: string[] = [];
  // Operations are numbered without gaps; this is the number of the next one.
  let next: number | undefined;
  for (const { name, number } of logFiles(names)) {
    // LevelDB does not replay a log whose content is in tables.
    if (manifest !== undefined && number < manifest.logNumber && number !== manifest.prevLogNumber)
      continue;
    const content = readLog((await folder.read(name)) ?? new Uint8Array());
    if (content.end.kind === "damaged") return found(name, content.end);
    const gap = gapIn(content, next, manifest);
    if (gap !== undefined) return found(name, gap);
    next = nextSequence(content) ?? next;
    if (content.end.kind === "torn") torn.push(name);
  }
  return { findings: [], torn };

  function found(file: string, { offset, reason }: { offset: number; reason: string }): LogCheck {
    return { findings: [{ file, offset, reason }], torn };
  }
}

/**
 * The manifest that CURRENT names.
 *
 * @returns nothing where there is none or it cannot be read: LevelDB says so itself
 */
export async function currentManifest(folder: Folder): Promise<Manifest | undefined> {
  const current = await folder.read("CURRENT");
  const name = current === undefined ? "" : new TextDecoder().decode(current).trimEnd();
  if (!/^MANIFEST-\d+$/.test(name)) return undefined;
  const bytes = await folder.read(name);
  if (bytes === undefined) return undefined;
  try {
    return readManifest(readLog(bytes).records);
  } catch (error) {
    if (error instanceof Damage) return undefined;
    throw error;
  }
}

/** Where the numbers of a log's operations do not follow those before. */
function gapIn(
  { records }: LogContent,
  before: number | undefined,
  manifest: Manifest | undefined,
): { offset: number; reason: string } | undefined {
  let next = before;
  for (const record of records) {
    if (record.data.length < 12) return { offset: record.offset, reason: "a record is too small" };
    const { first, count } = batchSpan(record);
    // The first log may begin with what is in tables already, but not behind what was written when they were.
    const isNext =
      next === undefined ? first <= (manifest?.lastSequence ?? first) + 1 : first === next;
    if (!isNext)
      return { offset: record.offset, reason: `operation ${first} follows ${(next ?? 1) - 1}` };
    next = first + count;
  }
  return undefined;
}

function nextSequence({ records }: LogContent): number | undefined {
  const last = records.at(-1);
  if (last === undefined) return undefined;
  const { first, count } = batchSpan(last);
  return first + count;
}

/** The error for writes that are lost. */
export function lostWrites(findings: readonly Finding[]): StoreError {
  const [first] = findings;
  const where = first === undefined ? "" : `: ${first.reason} in ${first.file} at ${first.offset}`;
  return new StoreError("STORE_LOST_WRITES", `acknowledged batches are lost${where}`);
}
