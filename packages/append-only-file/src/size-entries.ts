import { readU64, viewOf, writeU64 } from "./bytes.ts";
import { AofError } from "./errors.ts";

/** Where a record of varying size lies in its data file. Layout: FORMAT.md, "Size file". */
export interface SizeEntry {
  readonly offset: number;
  /** Bytes, 1 to 65,535. */
  readonly size: number;
}

/** Bytes per entry of a size file. */
export const SIZE_ENTRY_BYTES = 10;
/** Largest record whose size fits its entry. */
export const RECORD_BYTES_MAX = 0xffff;

/** Bytes that can be read at any offset: a file of a group, or one seen through an `AdoptView`. */
export interface ByteSource {
  readonly size: number;
  read(at: number, length: number): Uint8Array;
}

/**
 * Length of the record that `bytes` starts with, or `undefined` when it is none or incomplete. `bytes` ends with the file or holds
 * 65,535 bytes, which is as long as a record can be.
 */
export type RecordParser = (bytes: Uint8Array) => number | undefined;

/** How far a size file describes its data file truly. */
export interface SizeCheck {
  /** Leading entries that lie side by side from offset 0, within the data, and are not contradicted by the next. */
  readonly count: number;
  /** Where the last of them ends in the data. */
  readonly end: number;
  /** What is wrong after them; `undefined` when nothing is. */
  readonly problem: string | undefined;
}

/** Entries read at once. */
const BLOCK_ENTRIES = 4096;
/** Bytes of data looked at at once when sizes are rebuilt. */
const WINDOW_BYTES = 4 * 65_536;

/** Writes an entry at byte `at`. */
export function encodeSizeEntry(entry: SizeEntry, into: Uint8Array, at: number): void {
  const view = viewOf(into);
  writeU64(view, at, entry.offset);
  view.setUint16(at + 8, entry.size);
}

/**
 * Reads the entry at byte `at`.
 *
 * @throws AofError `AOF_DAMAGED` for a size of 0, or an end above 2^53 - 1
 */
export function decodeSizeEntry(bytes: Uint8Array, at: number): SizeEntry {
  const view = viewOf(bytes);
  const offset = readU64(view, at);
  const size = view.getUint16(at + 8);
  if (offset === undefined || size === 0 || !Number.isSafeInteger(offset + size)) {
    throw new AofError("AOF_DAMAGED", `a size entry has offset ${offset} and size ${size}`);
  }
  return { offset, size };
}

/**
 * Compares a size file with the length of its data file, entry by entry.
 *
 * @param sizes - read in blocks of 40 KiB
 * @param dataSize - bytes of the data file
 */
export function checkSizes(sizes: ByteSource, dataSize: number): SizeCheck {
  const entries = Math.floor(sizes.size / SIZE_ENTRY_BYTES);
  let count = 0;
  let begin = 0;
  let end = 0;
  for (const { offset, size, damaged } of sizeEntries(sizes, 0, entries)) {
    if (damaged) return { count, end, problem: `entry ${count} is none that is ever written` };
    if (offset !== end) {
      // Either this entry's offset is wrong or the size before it: neither can be believed.
      const problem = `entry ${count} starts at ${offset}, not at ${end}`;
      return { count: Math.max(0, count - 1), end: begin, problem };
    }
    if (end + size > dataSize) {
      return {
        count,
        end,
        problem: `entry ${count} ends at ${end + size}, the data at ${dataSize}`,
      };
    }
    begin = end;
    end += size;
    count++;
  }
  const surplus = sizes.size - count * SIZE_ENTRY_BYTES;
  if (surplus > 0) return { count, end, problem: `${surplus} bytes follow entry ${count - 1}` };
  if (end < dataSize) {
    return { count, end, problem: `the entries end at ${end}, the data at ${dataSize}` };
  }
  return { count, end, problem: undefined };
}

/**
 * Makes the content of a size file from the data alone, as far as the parser goes.
 *
 * @returns the entries, and where the last record ends
 */
export function rebuildSizes(
  data: ByteSource,
  parse: RecordParser,
): { readonly entries: Uint8Array<ArrayBuffer>; readonly end: number } {
  let entries = new Uint8Array(BLOCK_ENTRIES * SIZE_ENTRY_BYTES);
  let length = 0;
  let end = 0;
  let window: Uint8Array = new Uint8Array(0);
  let windowAt = 0;
  while (end < data.size) {
    const windowEnd = windowAt + window.length;
    if (windowEnd - end < RECORD_BYTES_MAX && windowEnd < data.size) {
      windowAt = end;
      window = data.read(end, Math.min(WINDOW_BYTES, data.size - end));
    }
    const bytes = window.subarray(end - windowAt, end - windowAt + RECORD_BYTES_MAX);
    const size = parse(bytes);
    if (size === undefined || !Number.isInteger(size) || size < 1 || size > bytes.length) break;
    if (length === entries.length) {
      const grown = new Uint8Array(entries.length * 2);
      grown.set(entries);
      entries = grown;
    }
    encodeSizeEntry({ offset: end, size }, entries, length);
    length += SIZE_ENTRY_BYTES;
    end += size;
  }
  return { entries: entries.slice(0, length), end };
}

/**
 * Entries in order, read in blocks.
 *
 * @yields each entry from `begin` to before `end`; `damaged` ones have size 0
 */
export function* sizeEntries(
  sizes: ByteSource,
  begin: number,
  end: number,
): Generator<SizeEntry & { readonly damaged: boolean }, void> {
  for (let index = begin; index < end; index += BLOCK_ENTRIES) {
    const count = Math.min(BLOCK_ENTRIES, end - index);
    const block = sizes.read(index * SIZE_ENTRY_BYTES, count * SIZE_ENTRY_BYTES);
    const view = viewOf(block);
    for (let at = 0; at < block.length; at += SIZE_ENTRY_BYTES) {
      const offset = readU64(view, at);
      const size = view.getUint16(at + 8);
      const damaged = offset === undefined || size === 0 || !Number.isSafeInteger(offset + size);
      yield { offset: offset ?? 0, size: damaged ? 0 : size, damaged };
    }
  }
}
