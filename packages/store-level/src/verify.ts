import { StoreError } from "@x/store";

import { Folder, logFiles, type NumberedFile, tableFiles } from "./folder.ts";
import { Damage } from "./leveldb/damage.ts";
import { readLog } from "./leveldb/log-file.ts";
import { type Manifest, readManifest } from "./leveldb/manifest.ts";
import { readTable } from "./leveldb/table-file.ts";
import { type NumberedOperation, readBatch } from "./leveldb/write-batch.ts";
import { checkLogs, type Finding, isReplayed } from "./log-check.ts";
import { crc32 } from "@x/store/adapter";
import { decodeFormat, isFormatKey } from "./wrap/format-record.ts";
import { crcSeal, noSeal, type ValueSeal } from "./wrap/value-seal.ts";

/** What asks a long operation to stop. An `AbortSignal` is one; it is read, never subscribed to. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** See {@link verify}. */
export interface VerifyOptions {
  /** Looked at before each file; once aborted, its reason is thrown. Default: never. */
  readonly signal?: StopSignal;
  /** Called after each file, in files, and awaited. What it throws ends the verification. Default: nothing. */
  readonly onProgress?: (progress: {
    readonly done: number;
    readonly total: number;
  }) => void | Promise<void>;
}

/** What {@link verify} found. */
export interface VerifyReport {
  /** Nothing is damaged or missing. */
  readonly ok: boolean;
  /** At most one of each file: what is behind damage cannot be trusted. In the order manifest, logs, tables. */
  readonly findings: readonly Finding[];
  /** Logs and tables, their bytes, and the operations in them; old values and deletions count too. */
  readonly fileCount: number;
  readonly byteCount: number;
  readonly operationCount: number;
}

/**
 * Checks every byte of a store's files without LevelDB, and changes nothing: the checksum of every block and record, that
 * every file is there and complete, that the logs miss no operation, and the checksum of every value. Names file and
 * offset of what is wrong.
 *
 * LevelDB aborts the process on some damaged tables; this does not. One file is in memory at a time. For a store that is
 * not open: an open one changes its files meanwhile.
 *
 * @param path - of the folder
 * @throws StoreError STORE_MISSING if there is no database, STORE_IO
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const folder = new Folder(path);
  const names = await folder.names();
  if (!names.includes("CURRENT")) throw new StoreError("STORE_MISSING", "there is no database");
  const findings: Finding[] = [];
  const manifest = await readCurrent(folder, findings);
  const logs = logFiles(names).filter(({ number }) => isReplayed(number, manifest));
  const tables = tableFiles(names).filter(({ number }) => manifest?.tables.has(number) ?? true);
  const seal = await findSeal(folder, [...logs, ...tables]);
  const counts = { fileCount: 0, byteCount: 0, operationCount: 0 };
  for (const file of [...logs, ...tables]) {
    if (options.signal?.aborted === true) throw options.signal.reason;
    const bytes = await readFile(folder, file);
    const finding = checkFile(file, bytes, seal, manifest, counts);
    if (finding !== undefined) findings.push(finding);
    counts.fileCount++;
    counts.byteCount += bytes.length;
    await options.onProgress?.({ done: counts.fileCount, total: logs.length + tables.length });
  }
  // What no single log shows: that one does not go on where the one before it ended.
  const { lost } = await checkLogs(folder);
  if (lost !== undefined && !findings.some(({ file }) => file === lost.file)) findings.push(lost);
  findings.push(...missingTables(manifest, tables));
  return { ok: findings.length === 0, findings, ...counts };
}

type Counts = { -readonly [K in "fileCount" | "byteCount" | "operationCount"]: number };

async function readCurrent(folder: Folder, findings: Finding[]): Promise<Manifest | undefined> {
  const current = new TextDecoder().decode(await folder.read("CURRENT"));
  if (!/^MANIFEST-\d+\n$/.test(current)) {
    findings.push({ file: "CURRENT", offset: 0, reason: "does not name a manifest" });
    return undefined;
  }
  const file = current.trimEnd();
  const bytes = await folder.read(file);
  if (bytes === undefined) {
    findings.push({ file, offset: 0, reason: "the file is missing" });
    return undefined;
  }
  const { records, end } = readLog(bytes);
  if (end.kind !== "whole") findings.push({ file, offset: end.offset, reason: end.reason });
  try {
    return readManifest(records);
  } catch (error) {
    findings.push(toFinding(file, error));
    return undefined;
  }
}

/** How values are sealed never changes, so any format record tells. None: the database is foreign. */
async function findSeal(folder: Folder, files: readonly NumberedFile[]): Promise<ValueSeal> {
  // Every batch writes it, so the newest file most likely has it.
  for (const file of files.toSorted((a, b) => b.number - a.number)) {
    try {
      for (const { operations } of readOperations(file, await readFile(folder, file)))
        for (const { key, value } of operations)
          if (isFormatKey(key) && value !== undefined)
            return decodeFormat(value, crc32).checksums ? crcSeal(crc32) : noSeal;
    } catch (error) {
      // Reported when the file is checked.
      toFinding(file.name, error);
    }
  }
  return noSeal;
}

function checkFile(
  { name, number }: NumberedFile,
  bytes: Uint8Array,
  seal: ValueSeal,
  manifest: Manifest | undefined,
  counts: Counts,
): Finding | undefined {
  const size = manifest?.tables.get(number)?.size;
  if (size !== undefined && bytes.length !== size && isTable(name))
    return {
      file: name,
      offset: Math.min(size, bytes.length),
      reason: `${bytes.length} bytes, want ${size}`,
    };
  let offset = 0;
  try {
    for (const block of readOperations({ name, number }, bytes)) {
      ({ offset } = block);
      for (const { key, value } of block.operations) {
        counts.operationCount++;
        if (value === undefined) continue;
        if (isFormatKey(key)) decodeFormat(value, crc32);
        else seal.valueSize(key, value);
      }
    }
    return undefined;
  } catch (error) {
    return toFinding(name, error, offset);
  }
}

/**
 * The operations of a log or table, piece by piece.
 *
 * @yields those of a record or block, and where it begins
 * @throws Damage
 */
function* readOperations(
  { name }: NumberedFile,
  bytes: Uint8Array,
): Generator<{ readonly offset: number; readonly operations: readonly NumberedOperation[] }, void> {
  if (isTable(name)) {
    yield* readTable(bytes);
    return;
  }
  const { records, end } = readLog(bytes);
  for (const record of records) yield { offset: record.offset, operations: readBatch(record) };
  if (end.kind === "damaged") throw new Damage(end.offset, end.reason);
}

function isTable(name: string): boolean {
  return !name.endsWith(".log");
}

async function readFile(folder: Folder, { name }: NumberedFile): Promise<Uint8Array> {
  return (await folder.read(name)) ?? new Uint8Array();
}

function missingTables(manifest: Manifest | undefined, tables: readonly NumberedFile[]): Finding[] {
  const present = new Set(tables.map(({ number }) => number));
  return [...(manifest?.tables.keys() ?? [])]
    .filter((number) => !present.has(number))
    .map((number) => ({
      file: `${String(number).padStart(6, "0")}.ldb`,
      offset: 0,
      reason: "the file is missing",
    }));
}

/** What damage says, where there is damage; anything else is thrown on. */
function toFinding(file: string, error: unknown, offset = 0): Finding {
  if (error instanceof Damage) return { file, offset: error.offset, reason: error.message };
  if (error instanceof StoreError && error.code !== "STORE_IO")
    return { file, offset, reason: error.message };
  throw error;
}
