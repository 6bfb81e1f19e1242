import { StoreError } from "@x/store";
import { compareBytes, crc32 } from "@x/store/adapter";

import { Damage } from "./leveldb/damage.ts";
import { type LogContent, type LogEnd, type LogRecord, readLog } from "./leveldb/log-file.ts";
import { type Manifest, readManifest } from "./leveldb/manifest.ts";
import { readTable } from "./leveldb/table-file.ts";
import { batchSpan, readBatch } from "./leveldb/write-batch.ts";
import { type Folder, logFiles, tableFiles } from "./folder.ts";
import { decodeFormat, FORMAT_KEY, type FormatRecord, isFormatKey } from "./wrap/format-record.ts";

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
  /** What LevelDB would leave out although it was acknowledged as durable, or may have been. */
  readonly lost: Finding | undefined;
  /**
   * Logs to be cut, and to which length, before LevelDB replays them: what a power cut left behind the last batch that
   * reached the disk in order. LevelDB would leave out the middle and take the end.
   */
  readonly cuts: readonly { readonly file: string; readonly size: number }[];
  /** Logs that end in a write that did not reach the disk as a whole; LevelDB may say that it drops it. */
  readonly torn: readonly string[];
}

/**
 * Reads the logs of a database before LevelDB replays them and deletes them. Changes nothing.
 *
 * Batches must follow each other without a gap: within a log, and from log to log. Where they do not, the records behind
 * the gap say how many batches were durable when they were written. If all that is missing is newer than that, power was
 * cut, and the store ends before the gap; else what is missing was promised, and is lost.
 */
export async function checkLogs(folder: Folder): Promise<LogCheck> {
  // The names first: what comes into the manifest later can only make logs superfluous.
  const names = await folder.names();
  const manifest = await currentManifest(folder);
  const logs = await readLogs(folder, names, manifest);
  const { last, gap, behind } = followRecords(logs, manifest);
  if (gap === undefined) return { lost: undefined, cuts: [], torn: [] };
  const { end } = gap;
  const file = logs[gap.at]?.name ?? "";
  if (behind.length === 0 && end.kind === "cut") return { lost: undefined, cuts: [], torn: [file] };
  const before = last === undefined ? await formatInTables(folder, manifest) : formatIn(last);
  const isPowerCut =
    end.kind === "cut" &&
    before !== undefined &&
    behind.every((record) => (formatIn(record)?.durable ?? Infinity) <= before.sequence);
  if (!isPowerCut)
    return { lost: { file, offset: end.offset, reason: end.reason }, cuts: [], torn: [] };
  const cuts = logs
    .slice(gap.at)
    .map(({ name }, index) => ({ file: name, size: index === 0 ? end.offset : 0 }));
  return { lost: undefined, cuts, torn: [] };
}

interface Log {
  readonly name: string;
  readonly content: LogContent;
}

/** The logs that LevelDB would replay, the oldest first. */
async function readLogs(
  folder: Folder,
  names: readonly string[],
  manifest: Manifest | undefined,
): Promise<readonly Log[]> {
  const logs: Log[] = [];
  for (const { name, number } of logFiles(names))
    if (isReplayed(number, manifest))
      logs.push({ name, content: readLog((await folder.read(name)) ?? new Uint8Array()) });
  return logs;
}

/** Whether LevelDB replays a log; the content of the others is in tables. */
export function isReplayed(number: number, manifest: Manifest | undefined): boolean {
  return (
    manifest === undefined || number >= manifest.logNumber || number === manifest.prevLogNumber
  );
}

/** What follows without a gap, and what does not. */
interface Followed {
  /** The last record before the gap. */
  readonly last: LogRecord | undefined;
  /** The first place where records end: in which log, and how. */
  readonly gap: { readonly at: number; readonly end: LogEnd } | undefined;
  /** All records behind it. */
  readonly behind: readonly LogRecord[];
}

function followRecords(logs: readonly Log[], manifest: Manifest | undefined): Followed {
  const behind: LogRecord[] = [];
  let last: LogRecord | undefined;
  let gap: Followed["gap"];
  for (const [at, { content }] of logs.entries()) {
    for (const record of content.records) {
      const jump = gap === undefined ? jumpBetween(last, record, manifest) : undefined;
      if (jump !== undefined)
        gap = { at, end: { kind: "cut", offset: record.offset, reason: jump } };
      if (gap === undefined) last = record;
      else behind.push(record);
    }
    if (content.end.kind !== "whole") gap ??= { at, end: content.end };
    for (const record of content.rest) behind.push(record);
  }
  return { last, gap, behind };
}

/** Why a record does not follow another, or does not follow what is in tables. */
function jumpBetween(
  last: LogRecord | undefined,
  record: LogRecord,
  manifest: Manifest | undefined,
): string | undefined {
  const { first } = batchSpan(record);
  if (last !== undefined) {
    const { first: from, count } = batchSpan(last);
    return first === from + count ? undefined : `operation ${first} follows ${from + count - 1}`;
  }
  // The first log may begin with what is in tables already.
  if (manifest === undefined || first <= manifest.lastSequence + 1) return undefined;
  return `operation ${first} follows ${manifest.lastSequence}`;
}

/** What a batch says of the store; nothing where it is not a store's, or cannot be read. */
function formatIn(record: LogRecord): FormatRecord | undefined {
  try {
    const own = readBatch(record).findLast(({ key }) => isFormatKey(key));
    return own?.value === undefined ? undefined : decodeFormat(own.value, crc32);
  } catch (error) {
    if (error instanceof Damage || error instanceof StoreError) return undefined;
    throw error;
  }
}

/** What the newest of the tables say of the store. */
async function formatInTables(
  folder: Folder,
  manifest: Manifest | undefined,
): Promise<FormatRecord | undefined> {
  let newest = { sequence: -1, value: new Uint8Array() as Uint8Array | undefined };
  for (const { name, number } of tableFiles(await folder.names())) {
    const range = manifest?.tables.get(number);
    if (range === undefined) continue;
    const { smallest, largest } = range;
    if (compareBytes(FORMAT_KEY, smallest) < 0 || compareBytes(largest, FORMAT_KEY) < 0) continue;
    for (const { operations } of readTable((await folder.read(name)) ?? new Uint8Array()))
      for (const { key, sequence, value } of operations)
        if (isFormatKey(key) && newest.sequence < sequence) newest = { sequence, value };
  }
  return newest.sequence === -1 || newest.value === undefined
    ? undefined
    : decodeFormat(newest.value, crc32);
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

/** The error for writes that are lost. */
export function lostWrites({ file, offset, reason }: Finding): StoreError {
  return new StoreError(
    "STORE_LOST_WRITES",
    `acknowledged batches are lost: ${reason} in ${file} at ${offset}`,
  );
}
