/** What a MANIFEST says: which files are the database, and how far it got. Source: version_edit.cc of LevelDB. */
import { Cursor } from "./cursor.ts";
import { Damage } from "./damage.ts";
import { type LogRecord } from "./log-file.ts";

const Tag = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  prevLogNumber: 9,
} as const;

/** The state a manifest describes. */
export interface Manifest {
  /** Logs with this number or a higher one are replayed, and this one. */
  readonly logNumber: number;
  readonly prevLogNumber: number;
  /** Number of the last operation when it was written. */
  readonly lastSequence: number;
  /** The table files, by their numbers. */
  readonly tables: ReadonlyMap<number, TableRange>;
}

/** What a manifest says of a table. */
export interface TableRange {
  /** Bytes in the file. */
  readonly size: number;
  /** First and last key in it. */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** Behind each key in a table: sequence and type. */
const KEY_TRAILER_SIZE = 8;

/** @throws Damage */
export function readManifest(records: readonly LogRecord[]): Manifest {
  const state = {
    logNumber: 0,
    prevLogNumber: 0,
    lastSequence: 0,
    tables: new Map<number, TableRange>(),
  };
  if (records.length === 0) throw new Damage(0, "a manifest holds no record");
  for (const record of records) applyEdit(state, new Cursor(record.data, record.offset));
  return state;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type State = Mutable<Omit<Manifest, "tables">> & { readonly tables: Map<number, TableRange> };

function applyEdit(state: State, cursor: Cursor): void {
  while (!cursor.isAtEnd) {
    const tag = cursor.varint();
    if (tag === Tag.comparator) cursor.prefixed();
    else if (tag === Tag.logNumber) state.logNumber = cursor.varint();
    else if (tag === Tag.nextFileNumber) cursor.varint();
    else if (tag === Tag.lastSequence) state.lastSequence = cursor.varint();
    else if (tag === Tag.prevLogNumber) state.prevLogNumber = cursor.varint();
    else if (tag === Tag.compactPointer) {
      cursor.varint();
      cursor.prefixed();
    } else if (tag === Tag.deletedFile) {
      cursor.varint();
      state.tables.delete(cursor.varint());
    } else if (tag === Tag.newFile) {
      cursor.varint();
      const number = cursor.varint();
      const size = cursor.varint();
      state.tables.set(number, { size, smallest: userKey(cursor), largest: userKey(cursor) });
    } else throw new Damage(cursor.offset, `an entry of type ${tag}`);
  }
}

function userKey(cursor: Cursor): Uint8Array {
  const key = cursor.prefixed();
  if (key.length < KEY_TRAILER_SIZE)
    throw new Damage(cursor.offset, `a key of ${key.length} bytes`);
  return key.subarray(0, key.length - KEY_TRAILER_SIZE);
}
