import { type Bytes } from "@x/store";

import { RecordKind } from "./record-keys.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

/**
 * How often a commit is mentioned by heads, parents and anchors, where that is not once: 2 or more. Layout: FORMAT.md,
 * "Mentions".
 */
export function encodeMentions(id: number, count: number): Bytes {
  return encodeRecord({ kind: RecordKind.mentions, id }, (writer) => writer.varint(count - 2));
}

/** @throws VerMapError VERMAP_CORRUPT */
export function decodeMentions(id: number, bytes: Uint8Array): number {
  return decodeRecord(
    { kind: RecordKind.mentions, id },
    bytes,
    `the count of commit ${id}`,
    (reader) => {
      const { offset } = reader;
      const count = reader.varint() + 2;
      if (!Number.isSafeInteger(count)) throw reader.damage("too great a count", offset);
      return count;
    },
  );
}
