import { type Bytes } from "@x/store";
import { compareBytes } from "@x/store/adapter";

import { type ByteReader } from "../codec/byte-reader.ts";
import { type ByteWriter } from "../codec/byte-writer.ts";
import { encodeText } from "../codec/text.ts";
import { RecordKind } from "./record-keys.ts";
import { decodeRecord, encodeRecord, readId, readText, textOf, writeText } from "./record.ts";

/** What a commit says of itself besides its content. */
export interface CommitMetadata {
  readonly message?: string;
  readonly author?: string;
  /** Anything else, by name; in the order of the names' bytes. Not there where there is none. */
  readonly fields?: ReadonlyMap<string, string>;
}

/** One state of a map, and what it came from. */
export interface Commit extends CommitMetadata {
  /** 1 or more; greater than those of its parents, and never given out again. */
  readonly id: number;
  /** Root of its tree; 0 is the empty map. */
  readonly root: number;
  /** None of the first commit of a history, two of a merge: the target's head before, and the source's. */
  readonly parents: readonly number[];
  /** Microseconds since 1970. For information: it need not rise. */
  readonly time: number;
  /** It had parents, which were cut off. */
  readonly isCut: boolean;
}

/** Most parents of a commit. */
export const PARENT_COUNT_MAX = 2;

/** Which optional parts a record has. Layout: FORMAT.md, "Commit". */
const Flag = { message: 1, author: 2, fields: 4, cut: 8 } as const;
const FLAGS = Flag.message | Flag.author | Flag.fields | Flag.cut;

/** The record of a commit. Its id is in the key. */
export function encodeCommit(commit: Commit): Bytes {
  const { message, author, fields = NO_FIELDS } = commit;
  return encodeRecord({ kind: RecordKind.commit, id: commit.id }, (writer) => {
    writer.u8(
      (message === undefined ? 0 : Flag.message) |
        (author === undefined ? 0 : Flag.author) |
        (fields.size === 0 ? 0 : Flag.fields) |
        (commit.isCut ? Flag.cut : 0),
    );
    writer.varint(commit.root);
    writer.u8(commit.parents.length);
    for (const parent of commit.parents) writer.varint(parent);
    writer.varint(commit.time);
    if (message !== undefined) writeText(writer, message);
    if (author !== undefined) writeText(writer, author);
    if (fields.size > 0) writeFields(writer, fields);
  });
}

/**
 * Reads a commit back. That every parent's id is below its own is what keeps walks over commits from going round.
 *
 * @throws VerMapError VERMAP_CORRUPT
 */
export function decodeCommit(id: number, bytes: Uint8Array): Commit {
  return decodeRecord({ kind: RecordKind.commit, id }, bytes, `commit ${id}`, (reader) => {
    const flags = reader.u8();
    if ((flags & ~FLAGS) !== 0) throw reader.damage("flags that are unknown", reader.offset - 1);
    const root = reader.varint();
    const parents = readParents(reader, id);
    const isCut = (flags & Flag.cut) !== 0;
    if (isCut && parents.length > 0) throw reader.damage("parents that were cut off");
    const time = reader.varint();
    return {
      id,
      root,
      parents,
      time,
      isCut,
      ...((flags & Flag.message) === 0 ? {} : { message: readText(reader) }),
      ...((flags & Flag.author) === 0 ? {} : { author: readText(reader) }),
      ...((flags & Flag.fields) === 0 ? {} : { fields: readFields(reader) }),
    };
  });
}

const NO_FIELDS: ReadonlyMap<string, string> = /* @__PURE__ */ new Map();

function readParents(reader: ByteReader, id: number): number[] {
  const { offset } = reader;
  const count = reader.u8();
  if (count > PARENT_COUNT_MAX) throw reader.damage(`${count} parents`, offset);
  const parents: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = reader.offset;
    const parent = readId(reader);
    if (parent >= id || parents.includes(parent)) throw reader.damage(`parent ${parent}`, at);
    parents.push(parent);
  }
  return parents;
}

function writeFields(writer: ByteWriter, fields: ReadonlyMap<string, string>): void {
  const sorted = [...fields]
    .map(([name, text]) => ({ name: encodeText(name), text }))
    .toSorted((a, b) => compareBytes(a.name, b.name));
  writer.varint(sorted.length);
  for (const { name, text } of sorted) {
    writer.putSized(name);
    writeText(writer, text);
  }
}

function readFields(reader: ByteReader): Map<string, string> {
  const { offset } = reader;
  const count = reader.count(2);
  if (count === 0) throw reader.damage("no fields where there should be some", offset);
  const fields = new Map<string, string>();
  let last: Uint8Array | undefined;
  for (let i = 0; i < count; i++) {
    const at = reader.offset;
    const name = readText(reader);
    const bytes = encodeText(name);
    if (last !== undefined && compareBytes(last, bytes) >= 0)
      throw reader.damage("fields out of order", at);
    last = bytes;
    fields.set(name, textOf(reader, reader.varint()));
  }
  return fields;
}
