import { type Bytes } from "@x/store";

import { RecordKind } from "./record-keys.ts";
import { decodeRecord, encodeRecord, readId } from "./record.ts";

/** Kinds of anchors, the first byte of their keys. */
export const AnchorKind = { tag: 0, reflog: 1, setting: 3 } as const;
export type AnchorKind = (typeof AnchorKind)[keyof typeof AnchorKind];

/** Something besides branches that keeps commits or trees: a tag, an entry of the reflog. */
export interface Anchor {
  /** Commits it mentions; each mention counts. */
  readonly commits: readonly number[];
  /** Roots of trees it mentions, none of them 0; each mention counts. */
  readonly roots: readonly number[];
  /** Whatever else its kind needs. */
  readonly payload: Uint8Array;
}

/** Names are of any length: they are not in the checksum. */
const PLACE = { kind: RecordKind.anchor, id: 0 };

/** The record of an anchor. Kind and name are in the key. Layout: FORMAT.md, "Anchor". */
export function encodeAnchor({ commits, roots, payload }: Anchor): Bytes {
  return encodeRecord(PLACE, (writer) => {
    writer.varint(commits.length);
    for (const id of commits) writer.varint(id);
    writer.varint(roots.length);
    for (const root of roots) writer.varint(root);
    writer.put(payload);
  });
}

/** @throws VerMapError VERMAP_CORRUPT */
export function decodeAnchor(bytes: Uint8Array): Anchor {
  return decodeRecord(PLACE, bytes, "an anchor", (reader) => {
    const commits: number[] = [];
    for (let left = reader.count(1); left > 0; left--) commits.push(readId(reader));
    const roots: number[] = [];
    for (let left = reader.count(1); left > 0; left--) roots.push(readId(reader));
    return { commits, roots, payload: reader.take(reader.remaining) };
  });
}
