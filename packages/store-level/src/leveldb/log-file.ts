/**
 * LevelDB's log format: blocks of 32 KiB; in each, records `masked crc32c (4) ‖ length (2) ‖ type (1) ‖ data`, little-endian,
 * the checksum over type and data; a record that does not fit is cut into a first, middle and last piece. The end of a
 * block that has no room for a header is zero. Source: doc/log_format.md of LevelDB.
 */
import { crc32c, maskCrc } from "./crc32c.ts";

const BLOCK_SIZE = 32_768;
const HEADER_SIZE = 7;
const SECTOR_SIZE = 512;
/** Zeros in a row, in a sector, that are taken for a sector that was never written. */
const ZERO_COUNT_MIN = 16;

const Type = { full: 1, first: 2, middle: 3, last: 4 } as const;

/** A whole record: what was appended in one call. */
export interface LogRecord {
  /** Where it begins. */
  readonly offset: number;
  readonly data: Uint8Array;
}

/** What a log holds. */
export interface LogContent {
  /** In order, up to `end.offset`. */
  readonly records: readonly LogRecord[];
  readonly end: LogEnd;
  /** Whole records behind that. Empty where `end.kind` is `whole`. */
  readonly rest: readonly LogRecord[];
}

/**
 * How the records end.
 *
 * - `whole`: with the file.
 * - `cut`: in a write that did not reach the disk as a whole: the file ends in it, or sectors of it were never written.
 * - `damaged`: in bytes that were written, and changed since.
 */
export interface LogEnd {
  readonly kind: "whole" | "cut" | "damaged";
  readonly offset: number;
  readonly reason: string;
}

/** Reads a log; never fails. */
export function readLog(bytes: Uint8Array): LogContent {
  const { records, end } = readRecords(bytes, 0);
  return { records, end, rest: end.kind === "whole" ? [] : salvage(bytes, end) };
}

interface Records {
  readonly records: readonly LogRecord[];
  readonly end: LogEnd & {
    /** Where the bytes begin that are no piece of a record; behind `offset` where a record had begun. */
    readonly brokenAt: number;
  };
}

/** Records from an offset to the first bytes that are none. */
function readRecords(bytes: Uint8Array, from: number): Records {
  const records: LogRecord[] = [];
  let pieces: Piece[] = [];
  let offset = skipTrailer(from);
  while (offset < bytes.length) {
    const piece = readPiece(bytes, offset);
    if (typeof piece === "string")
      return ended(isUnwritten(bytes, offset) ? "cut" : "damaged", piece);
    if (isBegin(piece) !== (pieces.length === 0))
      return ended("damaged", `a piece of type ${piece.type} is out of place`);
    pieces.push(piece);
    offset = skipTrailer(offset + HEADER_SIZE + piece.data.length);
    if (piece.type === Type.full || piece.type === Type.last) {
      records.push({ offset: pieces[0]?.offset ?? 0, data: joined(pieces) });
      pieces = [];
    }
  }
  return pieces.length === 0 ? ended("whole", "") : ended("cut", "a record has no end");

  function ended(kind: LogEnd["kind"], reason: string): Records {
    const begin = pieces[0]?.offset ?? Math.min(offset, bytes.length);
    return { records, end: { kind, offset: begin, reason, brokenAt: offset } };
  }
}

/** Whole records behind bytes that are none. */
function salvage(bytes: Uint8Array, { brokenAt }: Records["end"]): LogRecord[] {
  const rest: LogRecord[] = [];
  let offset = brokenAt;
  while (offset < bytes.length) {
    offset = nextBegin(bytes, offset + 1);
    const { records, end } = readRecords(bytes, offset);
    for (const record of records) rest.push(record);
    offset = end.kind === "whole" ? bytes.length : Math.max(end.brokenAt, offset);
  }
  return rest;
}

/** The next place where a record begins: anywhere in this block, and where a block begins. */
function nextBegin(bytes: Uint8Array, from: number): number {
  const end = blockEnd(from - 1);
  for (let at = from; at < end; at++) if (isBegin(readPiece(bytes, at))) return at;
  for (let at = end; at < bytes.length; at += BLOCK_SIZE) {
    const piece = readPiece(bytes, at);
    if (isBegin(piece)) return at;
    // The end of a record that began before: behind it the next may begin.
    if (typeof piece !== "string") return nextBegin(bytes, at + HEADER_SIZE + piece.data.length);
  }
  return bytes.length;
}

function isBegin(piece: Piece | string): boolean {
  return typeof piece !== "string" && (piece.type === Type.full || piece.type === Type.first);
}

interface Piece {
  readonly offset: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** No header lies in the last six bytes of a block. */
function skipTrailer(offset: number): number {
  const left = BLOCK_SIZE - (offset % BLOCK_SIZE);
  return left < HEADER_SIZE ? offset + left : offset;
}

/** The piece at an offset, or why there is none. */
function readPiece(bytes: Uint8Array, offset: number): Piece | string {
  if (bytes.length - offset < HEADER_SIZE) return "a header is cut off";
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_SIZE);
  const size = view.getUint16(4, true);
  const type = view.getUint8(6);
  const end = offset + HEADER_SIZE + size;
  if (end > blockEnd(offset)) return `a record of ${size} bytes does not fit its block`;
  if (end > bytes.length) return `a record of ${size} bytes is cut off`;
  if (type < Type.full || type > Type.last) return `a record is of type ${type}`;
  if (view.getUint32(0, true) !== maskCrc(crc32c(bytes.subarray(offset + 6, end), 0)))
    return `checksum of a record of ${size} bytes does not match`;
  return { offset, type, data: bytes.subarray(offset + HEADER_SIZE, end) };
}

/** Whether a piece looks as a write leaves it that did not reach the disk as a whole: cut off, or with sectors of zeros. */
function isUnwritten(bytes: Uint8Array, offset: number): boolean {
  if (bytes.length - offset < HEADER_SIZE) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_SIZE);
  const end = offset + HEADER_SIZE + view.getUint16(4, true);
  if (end > bytes.length && end <= blockEnd(offset)) return true;
  // As far as the piece reaches, and the sector in which its header ends.
  const last = Math.min(Math.max(end, sectorEnd(offset + HEADER_SIZE - 1)), blockEnd(offset));
  for (let from = offset; from < Math.min(last, bytes.length); from = sectorEnd(from)) {
    const sector = bytes.subarray(from, Math.min(sectorEnd(from), last, bytes.length));
    if (sector.length >= ZERO_COUNT_MIN && sector.every(isZero)) return true;
  }
  return bytes.subarray(offset, offset + HEADER_SIZE).every(isZero);
}

function isZero(byte: number): boolean {
  return byte === 0;
}

function blockEnd(offset: number): number {
  return (Math.floor(offset / BLOCK_SIZE) + 1) * BLOCK_SIZE;
}

function sectorEnd(offset: number): number {
  return (Math.floor(offset / SECTOR_SIZE) + 1) * SECTOR_SIZE;
}

/** One piece is a view, several are copied together. */
function joined(pieces: readonly Piece[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only.data;
  const data = new Uint8Array(pieces.reduce((size, piece) => size + piece.data.length, 0));
  let at = 0;
  for (const piece of pieces) {
    data.set(piece.data, at);
    at += piece.data.length;
  }
  return data;
}
