import { concatBytes, readU64, sameBytes, viewOf, writeU64 } from "./bytes.ts";
import { AofError } from "./errors.ts";

/** What a journal starts with: the state its records build on. Layout: FORMAT.md, "Header". */
export interface JournalHeader {
  /** Whether the group was closed after this header was written, with nothing to recover. */
  readonly clean: boolean;
  /** Counts checkpoints; 1 or more. Names the side files. */
  readonly generation: number;
  /** 16 bytes, random for each journal: no record of another journal can pass for one of this. */
  readonly salt: Uint8Array;
  /** Number of the commit that left the state described here. */
  readonly sequence: number;
  /** SHA-256 of the group's names: see {@link namesDigest}. */
  readonly names: Uint8Array;
  readonly files: readonly HeaderFile[];
  readonly blobs: readonly HeaderBlob[];
  /** The owner's bytes, at most {@link META_BYTES_MAX}. */
  readonly meta: Uint8Array;
}

/** An append file, as the header describes it. */
export interface HeaderFile {
  /** Whether its content was prepared as a side file that may still have to be renamed. */
  readonly pending: boolean;
  readonly length: number;
  /** Bytes per record; 0 when they vary. */
  readonly recordSize: number;
}

/** A blob, as the header describes it. */
export interface HeaderBlob {
  readonly pending: boolean;
  /** `undefined`: there is no such file. */
  readonly content: { readonly length: number; readonly digest: Uint8Array } | undefined;
}

/** SHA-256 of the concatenated parts. */
export type Sha256 = (parts: readonly Uint8Array[]) => Uint8Array;

/** Most append files, and most blobs, of one group. */
export const FILES_MAX = 8;
/** Most bytes of the owner's identity of a state. */
export const META_BYTES_MAX = 1024;
/** No header is longer than this. */
export const HEADER_BYTES_MAX = 4096;
/** Bytes before the header's length is known. */
export const HEADER_BYTES_MIN = 12;

/** "AOFJRNL1" */
const MAGIC: readonly number[] = [0x41, 0x4f, 0x46, 0x4a, 0x52, 0x4e, 0x4c, 0x31];
const FLAG_CLEAN = 1;
const FIXED_BYTES = 88;
const ENTRY_BYTES = 48;
const DIGEST_BYTES = 32;
const SALT_BYTES = 16;

/** Bytes of a header with this many entries and this much meta. */
function headerBytes(entries: number, metaBytes: number): number {
  return FIXED_BYTES + ENTRY_BYTES * entries + Math.ceil(metaBytes / 8) * 8 + DIGEST_BYTES;
}

/** SHA-256 over `u8 length ‖ ASCII` of each name: append files first, then blobs. */
export function namesDigest(names: readonly string[], sha256: Sha256): Uint8Array {
  return sha256([
    concatBytes(
      names.map((name) =>
        Uint8Array.of(name.length, ...Array.from(name, (letter) => letter.charCodeAt(0))),
      ),
    ),
  ]);
}

/** The bytes of a header; fresh. */
export function encodeJournalHeader(
  header: JournalHeader,
  sha256: Sha256,
): Uint8Array<ArrayBuffer> {
  const { files, blobs, meta } = header;
  const length = headerBytes(files.length + blobs.length, meta.length);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint32(8, length);
  view.setUint32(12, header.clean ? FLAG_CLEAN : 0);
  writeU64(view, 16, header.generation);
  bytes.set(header.salt, 24);
  writeU64(view, 40, header.sequence);
  view.setUint8(48, files.length);
  view.setUint8(49, blobs.length);
  view.setUint16(50, meta.length);
  view.setUint32(52, pendingBits([...files, ...blobs]));
  bytes.set(header.names, 56);
  let at = FIXED_BYTES;
  for (const file of files) {
    writeU64(view, at, file.length);
    view.setUint32(at + 40, file.recordSize);
    view.setUint32(at + 44, 1);
    at += ENTRY_BYTES;
  }
  for (const { content } of blobs) {
    if (content !== undefined) {
      writeU64(view, at, content.length);
      bytes.set(content.digest, at + 8);
      view.setUint32(at + 44, 1);
    }
    at += ENTRY_BYTES;
  }
  bytes.set(meta, at);
  const digestAt = length - DIGEST_BYTES;
  bytes.set(sha256([bytes.subarray(0, digestAt)]), digestAt);
  return bytes;
}

/**
 * How long the header is that starts with these bytes.
 *
 * @param bytes - at least the first {@link HEADER_BYTES_MIN} bytes of the journal, or the whole shorter file
 * @throws AofError `AOF_JOURNAL_DAMAGED`
 */
export function journalHeaderLength(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES_MIN) throw damaged(`the header ends at byte ${bytes.length}`);
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw damaged("the header has another magic");
  const length = viewOf(bytes).getUint32(8);
  if (length < FIXED_BYTES + DIGEST_BYTES || length > HEADER_BYTES_MAX || length % 8 !== 0) {
    throw damaged(`the header's length at byte 8 is ${length}`);
  }
  return length;
}

/**
 * Reads a header back; anything {@link encodeJournalHeader} would not have written is refused.
 *
 * @param bytes - starts with the header; what follows it is not looked at
 * @returns fresh arrays; nothing aliases `bytes`
 * @throws AofError `AOF_JOURNAL_DAMAGED`
 */
export function decodeJournalHeader(bytes: Uint8Array, sha256: Sha256): JournalHeader {
  const length = journalHeaderLength(bytes);
  if (bytes.length < length) {
    throw damaged(`the header of ${length} bytes ends at byte ${bytes.length}`);
  }
  const digestAt = length - DIGEST_BYTES;
  const digest = sha256([bytes.subarray(0, digestAt)]);
  if (!sameBytes(digest, bytes.subarray(digestAt, length))) {
    throw damaged("the header does not match its digest");
  }
  return readFields(bytes.subarray(0, length));
}

function readFields(bytes: Uint8Array): JournalHeader {
  const view = viewOf(bytes);
  const flags = view.getUint32(12);
  if (flags > FLAG_CLEAN) throw damaged(`the header's flags at byte 12 are ${flags}`);
  const generation = count(view, 16);
  if (generation === 0) throw damaged("the header's generation at byte 16 is 0");
  const fileCount = view.getUint8(48);
  const blobCount = view.getUint8(49);
  const metaBytes = view.getUint16(50);
  if (fileCount > FILES_MAX || blobCount > FILES_MAX || metaBytes > META_BYTES_MAX) {
    throw damaged(
      `the header names ${fileCount} files, ${blobCount} blobs, ${metaBytes} meta bytes`,
    );
  }
  const entries = fileCount + blobCount;
  if (bytes.length !== headerBytes(entries, metaBytes)) {
    throw damaged(`the header's length at byte 8 is ${bytes.length} and does not fit its entries`);
  }
  const pending = view.getUint32(52);
  if (pending >= 2 ** entries) throw damaged(`the header's pending bits at byte 52 are ${pending}`);
  const metaAt = FIXED_BYTES + ENTRY_BYTES * entries;
  requireZeros(bytes, metaAt + metaBytes, bytes.length - DIGEST_BYTES);
  const indexes = Array.from({ length: entries }, (_, i) => i);
  return {
    clean: flags === FLAG_CLEAN,
    generation,
    salt: bytes.slice(24, 24 + SALT_BYTES),
    sequence: count(view, 40),
    names: bytes.slice(56, FIXED_BYTES),
    files: indexes.slice(0, fileCount).map((i) => readFile(bytes, i, isSet(pending, i))),
    blobs: indexes.slice(fileCount).map((i) => readBlob(bytes, i, isSet(pending, i))),
    meta: bytes.slice(metaAt, metaAt + metaBytes),
  };
}

function readFile(bytes: Uint8Array, index: number, pending: boolean): HeaderFile {
  const view = viewOf(bytes);
  const at = FIXED_BYTES + ENTRY_BYTES * index;
  requireZeros(bytes, at + 8, at + 40);
  const present = view.getUint32(at + 44);
  if (present !== 1) throw damaged(`the header's byte ${at + 44} says ${present} of a file`);
  return { pending, length: count(view, at), recordSize: view.getUint32(at + 40) };
}

function readBlob(bytes: Uint8Array, index: number, pending: boolean): HeaderBlob {
  const view = viewOf(bytes);
  const at = FIXED_BYTES + ENTRY_BYTES * index;
  requireZeros(bytes, at + 40, at + 44);
  const present = view.getUint32(at + 44);
  if (present > 1) throw damaged(`the header's byte ${at + 44} says ${present} of a blob`);
  if (present === 1) {
    return { pending, content: { length: count(view, at), digest: bytes.slice(at + 8, at + 40) } };
  }
  requireZeros(bytes, at, at + 40);
  if (pending) throw damaged(`the header prepares blob ${index}, which it says is absent`);
  return { pending, content: undefined };
}

function pendingBits(entries: readonly { readonly pending: boolean }[]): number {
  let bits = 0;
  for (const [i, { pending }] of entries.entries()) if (pending) bits += 2 ** i;
  return bits;
}

function isSet(bits: number, index: number): boolean {
  return Math.floor(bits / 2 ** index) % 2 === 1;
}

function count(view: DataView, at: number): number {
  const value = readU64(view, at);
  if (value === undefined) throw damaged(`the header's number at byte ${at} is above 2^53 - 1`);
  return value;
}

function requireZeros(bytes: Uint8Array, from: number, to: number): void {
  for (let at = from; at < to; at++) {
    if (bytes[at] !== 0) throw damaged(`the header's byte ${at} is ${bytes[at]}, not zero`);
  }
}

function damaged(found: string): AofError {
  return new AofError("AOF_JOURNAL_DAMAGED", found);
}
