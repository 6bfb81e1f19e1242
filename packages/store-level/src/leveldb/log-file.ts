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
}

/**
 * How the records end.
 *
 * - `whole`: with the file.
 * - `torn`: with a write that was cut short, as a crash leaves it: the file ends in it, or sectors of it were never written.
 * - `damaged`: with bytes that were written, and changed since, or with whole records behind bytes that are none.
 */
export interface LogEnd {
  readonly kind: "whole" | "torn" | "damaged";
  readonly offset: number;
  readonly reason: string;
}

/** Reads a log; never fails. */
export function readLog(bytes: Uint8Array): LogContent {
  const records: LogRecord[] = [];
  let pieces: Piece[] = [];
  let offset = 0;
  for (;;) {
    offset = skipTrailer(offset);
    if (offset >= bytes.length) break;
    const piece = readPiece(bytes, offset);
    if (typeof piece === "string") return ended(bytes, records, pieces, offset, piece);
    const isBegin = piece.type === Type.full || piece.type === Type.first;
    if (isBegin !== (pieces.length === 0)) {
      const reason = isBegin ? "a record begins inside another" : "a record has no beginning";
      return { records, end: { kind: "damaged", offset: begin(pieces, offset), reason } };
    }
    pieces.push(piece);
    offset += HEADER_SIZE + piece.data.length;
    if (piece.type === Type.full || piece.type === Type.last) {
      records.push({ offset: begin(pieces, offset), data: joined(pieces) });
      pieces = [];
    }
  }
  if (pieces.length === 0) return { records, end: { kind: "whole", offset, reason: "" } };
  const end: LogEnd = {
    kind: "torn",
    offset: begin(pieces, offset),
    reason: "a record has no end",
  };
  return { records, end };
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

function ended(
  bytes: Uint8Array,
  records: readonly LogRecord[],
  pieces: readonly Piece[],
  offset: number,
  reason: string,
): LogContent {
  const isTorn = !hasPieceAfter(bytes, offset) && isUnwritten(bytes, offset);
  return {
    records,
    end: { kind: isTorn ? "torn" : "damaged", offset: begin(pieces, offset), reason },
  };
}

/** Whether a whole piece lies behind bytes that are none: then those were not the last to be written. */
function hasPieceAfter(bytes: Uint8Array, offset: number): boolean {
  const end = Math.min(blockEnd(offset), bytes.length) - HEADER_SIZE;
  for (let at = offset + 1; at <= end; at++)
    if (typeof readPiece(bytes, at) !== "string") return true;
  // Every block begins with a header.
  for (let at = blockEnd(offset); at < bytes.length; at += BLOCK_SIZE)
    if (typeof readPiece(bytes, at) !== "string") return true;
  return false;
}

/** Whether the last bytes of a file look as a write leaves them that did not finish: cut off, or with sectors of zeros. */
function isUnwritten(bytes: Uint8Array, offset: number): boolean {
  if (bytes.length - offset < HEADER_SIZE) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_SIZE);
  const end = offset + HEADER_SIZE + view.getUint16(4, true);
  if (end > bytes.length && end <= blockEnd(offset)) return true;
  for (let from = offset; from < bytes.length; from = sectorEnd(from)) {
    const sector = bytes.subarray(from, Math.min(sectorEnd(from), bytes.length));
    if (sector.length >= ZERO_COUNT_MIN && sector.every((byte) => byte === 0)) return true;
  }
  return bytes.subarray(offset).every((byte) => byte === 0);
}

function blockEnd(offset: number): number {
  return (Math.floor(offset / BLOCK_SIZE) + 1) * BLOCK_SIZE;
}

function sectorEnd(offset: number): number {
  return (Math.floor(offset / SECTOR_SIZE) + 1) * SECTOR_SIZE;
}

function begin(pieces: readonly Piece[], otherwise: number): number {
  return pieces[0]?.offset ?? otherwise;
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
