/** What a record of a database's log holds: `sequence (8) ‖ count (4) ‖ operations`, little-endian. Source: write_batch.cc of LevelDB. */
import { Cursor } from "./cursor.ts";
import { Damage } from "./damage.ts";
import { type LogRecord } from "./log-file.ts";

const HEADER_SIZE = 12;
const Tag = { deletion: 0, value: 1 } as const;

/** One operation, numbered through the whole life of the database. */
export interface NumberedOperation {
  readonly sequence: number;
  readonly key: Uint8Array;
  /** Absent: the key is deleted. */
  readonly value: Uint8Array | undefined;
}

/** Numbers of the operations of a batch: the first, and how many. */
export function batchSpan(record: LogRecord): { readonly first: number; readonly count: number } {
  const cursor = new Cursor(record.data.subarray(0, HEADER_SIZE), record.offset);
  return { first: cursor.uint64(), count: cursor.uint32() };
}

/** @throws Damage */
export function readBatch(record: LogRecord): NumberedOperation[] {
  const { first, count } = batchSpan(record);
  const cursor = new Cursor(record.data.subarray(HEADER_SIZE), record.offset);
  const operations: NumberedOperation[] = [];
  while (!cursor.isAtEnd) {
    const tag = cursor.byte();
    if (tag !== Tag.deletion && tag !== Tag.value)
      throw new Damage(record.offset, `an operation of type ${tag}`);
    const key = cursor.prefixed();
    const value = tag === Tag.value ? cursor.prefixed() : undefined;
    operations.push({ sequence: first + operations.length, key, value });
  }
  if (operations.length !== count)
    throw new Damage(record.offset, `${operations.length} operations where ${count} are announced`);
  return operations;
}
