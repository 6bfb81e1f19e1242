import { type Bytes } from "@x/store";

import { VerMapError } from "../errors.ts";
import { RecordKind } from "./record-keys.ts";
import { decodeRecord, encodeRecord, readId, readText, writeText } from "./record.ts";

/** What a map was made as. Never changes. Layout: FORMAT.md, "Format record". */
export interface FormatRecord {
  /** Name of the codec of the keys. */
  readonly key: string;
  /** Name of the codec of the values. */
  readonly value: string;
}

/** What changes with every batch. Layout: FORMAT.md, "State record". */
export interface StateRecord {
  /** Batches written so far: no two states of a map have the same record. */
  readonly sequence: number;
  /** Ids that are given out next; 1 or more. */
  readonly nextCommit: number;
  readonly nextBranch: number;
  /** The branch that cannot be deleted. */
  readonly main: number;
}

export function encodeFormat({ key, value }: FormatRecord): Bytes {
  return encodeRecord({ kind: RecordKind.format, id: 0 }, (writer) => {
    writeText(writer, key);
    writeText(writer, value);
  });
}

/** @throws VerMapError VERMAP_CORRUPT */
export function decodeFormat(bytes: Uint8Array): FormatRecord {
  return decodeRecord({ kind: RecordKind.format, id: 0 }, bytes, "the format record", (reader) => ({
    key: readText(reader),
    value: readText(reader),
  }));
}

export function encodeState(state: StateRecord): Bytes {
  return encodeRecord({ kind: RecordKind.state, id: 0 }, (writer) => {
    writer.varint(state.sequence);
    writer.varint(state.nextCommit);
    writer.varint(state.nextBranch);
    writer.varint(state.main);
  });
}

/** @throws VerMapError VERMAP_CORRUPT */
export function decodeState(bytes: Uint8Array): StateRecord {
  return decodeRecord({ kind: RecordKind.state, id: 0 }, bytes, "the state record", (reader) => {
    const sequence = reader.varint();
    const nextCommit = readId(reader);
    const nextBranch = readId(reader);
    const { offset } = reader;
    const main = readId(reader);
    if (main >= nextBranch) throw reader.damage(`main branch ${main}`, offset);
    return { sequence, nextCommit, nextBranch, main };
  });
}

/** Batches written so far, by a state record that may be damaged; `undefined` then. */
export function sequenceOf(bytes: Uint8Array): number | undefined {
  try {
    return decodeState(bytes).sequence;
  } catch (error) {
    if (error instanceof VerMapError) return undefined;
    throw error;
  }
}
