import { type Bytes } from "@x/store";

import { encodeText } from "../codec/text.ts";
import { RecordKind } from "./record-keys.ts";
import { decodeRecord, encodeRecord, textOf } from "./record.ts";

/** A branch as it is stored. */
export interface BranchRecord {
  readonly name: string;
  /** Its last commit; 0 where it has none. */
  readonly head: number;
  /** Root of its working state. */
  readonly root: number;
}

/** The record of a branch. Layout: FORMAT.md, "Branch". */
export function encodeBranch(id: number, { name, head, root }: BranchRecord): Bytes {
  return encodeRecord({ kind: RecordKind.branch, id }, (writer) => {
    writer.varint(head);
    writer.varint(root);
    writer.put(encodeText(name));
  });
}

/** @throws VerMapError VERMAP_CORRUPT */
export function decodeBranch(id: number, bytes: Uint8Array): BranchRecord {
  return decodeRecord({ kind: RecordKind.branch, id }, bytes, `branch ${id}`, (reader) => {
    const head = reader.varint();
    const root = reader.varint();
    return { name: textOf(reader, reader.remaining), head, root };
  });
}
