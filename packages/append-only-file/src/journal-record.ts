import { readU64, sameBytes, viewOf, writeU64 } from "./bytes.ts";
import { AofError } from "./errors.ts";
import { META_BYTES_MAX, type Sha256 } from "./journal-header.ts";

/** One commit in the journal. Layout: FORMAT.md, "Record". */
export interface JournalRecord {
  /** Number of the commit: that of the record before, plus one. */
  readonly sequence: number;
  /** The highest number known to be on the medium when this record was written. */
  readonly durable: number;
  /** One per append file. */
  readonly files: readonly RecordFile[];
  /** One per blob: what changed, in the owner's format; empty when nothing did. */
  readonly deltas: readonly Uint8Array[];
  readonly meta: Uint8Array;
}

/** The file becomes its first `base` bytes followed by `length` bytes. */
export interface RecordFile {
  readonly base: number;
  readonly length: number;
  /** The bytes; `undefined` when they are already synced in the file ("direct"). */
  readonly bytes: Uint8Array | undefined;
}

/** What a record does not say itself. */
export interface RecordContext {
  /** 16 bytes, of the header. */
  readonly salt: Uint8Array;
  readonly fileCount: number;
  readonly blobCount: number;
}

/** Most bytes of one record's payload. */
export const PAYLOAD_BYTES_MAX = 0x4000_0000;

/** "REC1" */
const TAG = 0x52454331;
const HEAD_BYTES = 24;
const CHECKSUM_BYTES = 16;
const FILE_BYTES = 17;
const MODE_BYTES_FOLLOW = 0;
const MODE_DIRECT = 1;

/** Bytes of a record around its payload. */
export const RECORD_BYTES_MIN: number = HEAD_BYTES + CHECKSUM_BYTES;

/** Size in bytes of an encoded record. */
export function journalRecordLength(record: JournalRecord): number {
  let length = RECORD_BYTES_MIN + 4 + record.meta.length;
  for (const { bytes } of record.files) length += FILE_BYTES + (bytes?.length ?? 0);
  for (const delta of record.deltas) length += 4 + delta.length;
  return length;
}

/**
 * Writes a record into `into`, which has exactly {@link journalRecordLength} bytes.
 *
 * @param salt - of the journal the record goes to
 */
export function encodeJournalRecord(
  record: JournalRecord,
  salt: Uint8Array,
  sha256: Sha256,
  into: Uint8Array,
): void {
  const view = viewOf(into);
  view.setUint32(0, TAG);
  view.setUint32(4, into.length - RECORD_BYTES_MIN);
  writeU64(view, 8, record.sequence);
  writeU64(view, 16, record.durable);
  let at = HEAD_BYTES;
  for (const { base, length, bytes } of record.files) {
    writeU64(view, at, base);
    writeU64(view, at + 8, length);
    view.setUint8(at + 16, bytes === undefined ? MODE_DIRECT : MODE_BYTES_FOLLOW);
    into.set(bytes ?? [], at + FILE_BYTES);
    at += FILE_BYTES + (bytes?.length ?? 0);
  }
  for (const part of [...record.deltas, record.meta]) {
    view.setUint32(at, part.length);
    into.set(part, at + 4);
    at += 4 + part.length;
  }
  into.set(sha256([salt, into.subarray(0, at)]).subarray(0, CHECKSUM_BYTES), at);
}

/** A record and where it ends. */
export interface DecodedRecord {
  readonly record: JournalRecord;
  readonly end: number;
}

/**
 * Reads the record at `at`; `undefined` when there is none: another tag, an end beyond the bytes, or a checksum that does
 * not fit. All of these are what an interrupted write leaves.
 *
 * @returns arrays that alias `bytes`
 * @throws AofError `AOF_JOURNAL_DAMAGED` when the checksum fits and the content is nothing we write
 */
export function decodeJournalRecord(
  bytes: Uint8Array,
  at: number,
  context: RecordContext,
  sha256: Sha256,
): DecodedRecord | undefined {
  const end = recordEnd(bytes, at);
  if (end === undefined) return undefined;
  const checksumAt = end - CHECKSUM_BYTES;
  const checksum = sha256([context.salt, bytes.subarray(at, checksumAt)]);
  if (!sameBytes(checksum.subarray(0, CHECKSUM_BYTES), bytes.subarray(checksumAt, end))) {
    return undefined;
  }
  const record = readRecord(bytes.subarray(at, checksumAt), context);
  if (typeof record === "string") {
    throw new AofError("AOF_JOURNAL_DAMAGED", `the record at byte ${at} has ${record}`);
  }
  return { record, end };
}

/**
 * Where the record at `at` would end if its bytes are what we write, the checksum left aside; `undefined` if they are not.
 * Much cheaper than a checksum, for a search through arbitrary bytes.
 */
export function plausibleRecord(
  bytes: Uint8Array,
  at: number,
  context: RecordContext,
): DecodedRecord | undefined {
  const end = recordEnd(bytes, at);
  if (end === undefined) return undefined;
  const record = readRecord(bytes.subarray(at, end - CHECKSUM_BYTES), context);
  return typeof record === "string" ? undefined : { record, end };
}

function recordEnd(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length - at < RECORD_BYTES_MIN) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(at) !== TAG) return undefined;
  const end = at + RECORD_BYTES_MIN + view.getUint32(at + 4);
  return end <= bytes.length ? end : undefined;
}

/** The record in exactly these bytes, or what is wrong with them. */
function readRecord(bytes: Uint8Array, context: RecordContext): JournalRecord | string {
  const view = viewOf(bytes);
  const sequence = readU64(view, 8);
  const durable = readU64(view, 16);
  if (sequence === undefined || durable === undefined) return "a number above 2^53 - 1";
  if (durable >= sequence) return `durable sequence ${durable}, its own being ${sequence}`;
  const files: RecordFile[] = [];
  const rest: Uint8Array[] = [];
  let at = HEAD_BYTES;
  for (let i = 0; i < context.fileCount; i++) {
    const file = readFile(bytes, at);
    if (typeof file === "string") return file;
    files.push(file);
    at += FILE_BYTES + (file.bytes?.length ?? 0);
  }
  for (let i = 0; i <= context.blobCount; i++) {
    if (bytes.length - at < 4) return "an end before its parts";
    const length = view.getUint32(at);
    if (bytes.length - at - 4 < length) return "an end before its parts";
    rest.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (at !== bytes.length) return `${bytes.length - at} bytes too many`;
  const meta = rest[context.blobCount];
  if (meta === undefined || meta.length > META_BYTES_MAX) return "more meta than allowed";
  return { sequence, durable, files, deltas: rest.slice(0, context.blobCount), meta };
}

function readFile(bytes: Uint8Array, at: number): RecordFile | string {
  if (bytes.length - at < FILE_BYTES) return "an end before its parts";
  const view = viewOf(bytes);
  const base = readU64(view, at);
  const length = readU64(view, at + 8);
  if (base === undefined || length === undefined || !Number.isSafeInteger(base + length)) {
    return "a number above 2^53 - 1";
  }
  const mode = view.getUint8(at + 16);
  const bytesAt = at + FILE_BYTES;
  if (mode === MODE_DIRECT && length > 0) return { base, length, bytes: undefined };
  if (mode !== MODE_BYTES_FOLLOW) return `mode ${mode} at byte ${at + 16}`;
  if (bytes.length - bytesAt < length) return "an end before its parts";
  return { base, length, bytes: bytes.subarray(bytesAt, bytesAt + length) };
}
