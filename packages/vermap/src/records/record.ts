import { type Bytes } from "@x/store";

import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { decodeText, encodeText } from "../codec/text.ts";
import { VerMapError } from "../errors.ts";
import { crc32 } from "@x/store/adapter";

/** First byte of every record. */
const VERSION = 1;

/** Bytes of the checksum at the end of a record. */
const CHECKSUM_SIZE = 4;

/** Which record it is, so that one in the place of another is seen. */
export interface RecordPlace {
  /** First byte of its key behind the prefix. */
  readonly kind: number;
  /** The id in its key; 0 where there is none. */
  readonly id: number;
}

/** Encodes a record: its version, what `write` adds, and a checksum of them and its place. */
export function encodeRecord(place: RecordPlace, write: (writer: ByteWriter) => void): Bytes {
  const writer = new ByteWriter();
  writer.u8(VERSION);
  write(writer);
  const content = writer.finish();
  const bytes = new Uint8Array(content.length + CHECKSUM_SIZE);
  bytes.set(content);
  new DataView(bytes.buffer).setUint32(content.length, crc32(content, crc32(placeBytes(place), 0)));
  return bytes;
}

/**
 * Decodes a record, all of it.
 *
 * @param noun - what it is, for messages
 * @throws VerMapError VERMAP_CORRUPT if no writer of this version would have written these bytes
 */
export function decodeRecord<T>(
  place: RecordPlace,
  bytes: Uint8Array,
  noun: string,
  read: (reader: ByteReader) => T,
): T {
  const size = Math.max(0, bytes.length - CHECKSUM_SIZE);
  const content = bytes.subarray(0, size);
  const reader = new ByteReader(content, "VERMAP_CORRUPT", noun);
  const version = reader.u8();
  if (version !== VERSION) throw reader.damage(`version ${version}, which is unknown,`, 0);
  const checksum = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(size);
  if (checksum !== crc32(content, crc32(placeBytes(place), 0)))
    throw reader.damage("a checksum that does not match", size);
  const record = read(reader);
  reader.end();
  return record;
}

function placeBytes({ kind, id }: RecordPlace): Bytes {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, Math.floor(id / 0x1_0000_0000));
  view.setUint32(5, id >>> 0);
  return bytes;
}

/** An integer of 1 or more. */
export function readId(reader: ByteReader): number {
  const { offset } = reader;
  const id = reader.varint();
  if (id === 0) throw reader.damage("the id 0", offset);
  return id;
}

export function writeText(writer: ByteWriter, text: string): void {
  writer.putSized(encodeText(text));
}

/** @throws VerMapError VERMAP_CORRUPT if it is not well-formed */
export function readText(reader: ByteReader): string {
  const size = reader.varint();
  return textOf(reader, size);
}

/** The next `size` bytes as text. */
export function textOf(reader: ByteReader, size: number): string {
  const { offset } = reader;
  const bytes = reader.view(size);
  try {
    return decodeText(bytes);
  } catch (cause) {
    if (cause instanceof VerMapError) throw reader.damage("text that is no UTF-8", offset, cause);
    throw cause;
  }
}
