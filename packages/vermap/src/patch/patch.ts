import { type Difference } from "@x/btree";
import { type Bytes } from "@x/store";
import { compareBytes, sameBytes } from "@x/store/adapter";

import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { type Codecs } from "../codec/codecs.ts";
import { decodeText, encodeText } from "../codec/text.ts";
import { VerMapError } from "../errors.ts";
import { decodeDifference, type MapDifference } from "../reads/map-difference.ts";

/**
 * What changes some keys of a map, with what they held before: it can be checked, applied, taken back, and sent. Ascending
 * by the bytes of the keys, each key once; what a diff gives is one.
 */
export type Patch<K, V> = readonly MapDifference<K, V>[];

/** First bytes of an encoded patch: "vmp", then a byte that text tools mangle. Layout: FORMAT.md, "Patch". */
const MAGIC: readonly number[] = [0x76, 0x6d, 0x70, 0x1a];
const VERSION = 1;
/** What happened to a key, as a byte. */
const KINDS = ["added", "removed", "modified"] as const;
/** Bytes of the shortest change: its kind, and the sizes of a key and a value. */
const CHANGE_BYTE_COUNT_MIN = 3;

/** The patch that takes another one back. */
export function invertPatch<K, V>(patch: Patch<K, V>): MapDifference<K, V>[] {
  return patch.map((change) => {
    const { key } = change;
    switch (change.type) {
      case "added":
        return { type: "removed", key, oldValue: change.value };
      case "removed":
        return { type: "added", key, value: change.oldValue };
      case "modified":
        return { type: "modified", key, oldValue: change.value, value: change.oldValue };
    }
  });
}

/**
 * The changes of a patch in bytes, in the order of keys.
 *
 * @throws RangeError if a key occurs twice, or a change changes nothing
 * @throws TypeError, RangeError if a key or a value cannot be encoded
 */
export function encodeChanges<K, V>(codecs: Codecs<K, V>, patch: Patch<K, V>): Difference[] {
  const changes = patch
    .map((change) => encodeChange(codecs, change))
    .toSorted((a, b) => compareBytes(a.key, b.key));
  for (const [index, change] of changes.entries()) {
    if (change.type === "modified" && sameBytes(change.oldValue, change.value))
      throw new RangeError(`change ${index} of the patch changes nothing`);
    const before = changes[index - 1];
    if (before !== undefined && sameBytes(before.key, change.key))
      throw new RangeError(`change ${index} of the patch has the key of the one before`);
  }
  return changes;
}

function encodeChange<K, V>(codecs: Codecs<K, V>, change: MapDifference<K, V>): Difference {
  const key = new Uint8Array(codecs.key.encode(change.key));
  const encode = (value: V): Bytes => new Uint8Array(codecs.value.encode(value));
  const { type } = change;
  switch (type) {
    case "added":
      return { type, key, value: encode(change.value) };
    case "removed":
      return { type, key, oldValue: encode(change.oldValue) };
    case "modified":
      return { type, key, oldValue: encode(change.oldValue), value: encode(change.value) };
    default:
      throw new TypeError(`a change is added, removed or modified, not ${String(type)}`);
  }
}

/**
 * A patch as bytes. One patch has one form: the order in which its changes are given makes no difference.
 *
 * @param codecs - of the map; their names are in the bytes
 * @throws TypeError, RangeError as {@link encodeChanges}
 */
export function encodePatch<K, V>(codecs: Codecs<K, V>, patch: Patch<K, V>): Bytes {
  const changes = encodeChanges(codecs, patch);
  const writer = new ByteWriter();
  for (const byte of MAGIC) writer.u8(byte);
  writer.u8(VERSION);
  writer.putSized(encodeText(codecs.key.name));
  writer.putSized(encodeText(codecs.value.name));
  writer.varint(changes.length);
  for (const change of changes) {
    writer.u8(KINDS.indexOf(change.type));
    writer.putSized(change.key);
    if (change.type !== "added") writer.putSized(change.oldValue);
    if (change.type !== "removed") writer.putSized(change.value);
  }
  return writer.finish();
}

/**
 * Reads a patch back. Whatever {@link encodePatch} would not have written is refused; memory stays in proportion to the bytes.
 *
 * @param codecs - those it was made with
 * @throws VerMapError VERMAP_PATCH_CORRUPT if the bytes are no patch, with the offset
 * @throws VerMapError VERMAP_FORMAT if it was made with other codecs
 */
export function decodePatch<K, V>(codecs: Codecs<K, V>, bytes: Uint8Array): MapDifference<K, V>[] {
  const reader = new ByteReader(bytes, "VERMAP_PATCH_CORRUPT", "patch");
  for (const byte of MAGIC) if (reader.u8() !== byte) throw reader.damage("another magic", 0);
  const version = reader.u8();
  if (version !== VERSION) throw reader.damage(`version ${version}`, MAGIC.length);
  checkCodec("key", readText(reader), codecs.key.name);
  checkCodec("value", readText(reader), codecs.value.name);
  const patch: MapDifference<K, V>[] = [];
  let before: Uint8Array | undefined;
  for (let left = reader.count(CHANGE_BYTE_COUNT_MIN); left > 0; left--) {
    const { offset } = reader;
    const change = readChange(reader);
    if (before !== undefined && compareBytes(before, change.key) >= 0)
      throw reader.damage("keys out of order", offset);
    before = change.key;
    patch.push(typed(codecs, change, reader, offset));
  }
  reader.end();
  return patch;
}

function readChange(reader: ByteReader): Difference {
  const { offset } = reader;
  const type = KINDS[reader.u8()];
  if (type === undefined) throw reader.damage("an unknown kind of change", offset);
  const key = readBytes(reader);
  if (type === "added") return { type, key, value: readBytes(reader) };
  const oldValue = readBytes(reader);
  if (type === "removed") return { type, key, oldValue };
  const value = readBytes(reader);
  if (sameBytes(oldValue, value)) throw reader.damage("a change that changes nothing", offset);
  return { type, key, oldValue, value };
}

/** Codecs that are less strict than they should be would give one patch several forms, so what is decoded is encoded again. */
function typed<K, V>(
  codecs: Codecs<K, V>,
  change: Difference,
  reader: ByteReader,
  offset: number,
): MapDifference<K, V> {
  let decoded: MapDifference<K, V>;
  let again: Difference;
  try {
    decoded = decodeDifference(codecs, change);
    again = encodeChange(codecs, decoded);
  } catch (cause) {
    throw reader.damage("a key or a value that its codec refuses", offset, cause);
  }
  const isSame =
    sameBytes(again.key, change.key) &&
    sameBytes(valueOf(again), valueOf(change)) &&
    sameBytes(oldValueOf(again), oldValueOf(change));
  if (!isSame) throw reader.damage("a key or a value in another form than its own", offset);
  return decoded;
}

/** What the key holds after a change; `undefined`: it is not there. */
export function valueOf(change: Difference): Uint8Array | undefined {
  return change.type === "removed" ? undefined : change.value;
}

/** What the key held before. */
export function oldValueOf(change: Difference): Uint8Array | undefined {
  return change.type === "added" ? undefined : change.oldValue;
}

function checkCodec(part: string, stored: string, wanted: string): void {
  if (stored === wanted) return;
  throw new VerMapError(
    "VERMAP_FORMAT",
    `the ${part} codec is not the one the patch was made with`,
  );
}

function readBytes(reader: ByteReader): Bytes {
  return reader.take(reader.count(1));
}

function readText(reader: ByteReader): string {
  const { offset } = reader;
  const encoded = reader.view(reader.count(1));
  try {
    return decodeText(encoded);
  } catch (cause) {
    throw reader.damage("text that is no UTF-8", offset, cause);
  }
}
