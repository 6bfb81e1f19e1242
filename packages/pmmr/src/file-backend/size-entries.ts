import { ByteWriter } from "../wire.ts";
import { chunksOf, type FolderView, type Problems } from "./folder.ts";
import { DATA_FILE, SIZE_ENTRY_SIZE, SIZE_FILE } from "./names.ts";

/** Where a record of variable size lies in the data file. */
export interface SizeEntry {
  readonly offset: number;
  readonly size: number;
}

/** What the size file says about the data file. */
export interface SizeSurvey {
  /** Entries from the first on that are right: each begins where the one before ended, and ends inside the data. */
  readonly count: number;
  /** Where the last of them ends, in bytes of the data file. */
  readonly dataSize: number;
}

/** Bytes of entries read at once. */
const CHUNK_SIZE = 6554 * SIZE_ENTRY_SIZE;
const WORD = 4_294_967_296;

/** Reads entry number `index` of a packed run of entries. An offset above 2^53 - 1 comes out as `Infinity`. */
export function readSizeEntry(entries: Uint8Array, index: number): SizeEntry {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const at = index * SIZE_ENTRY_SIZE;
  const high = view.getUint32(at, false);
  const offset = high * WORD + view.getUint32(at + 4, false);
  return {
    offset: Number.isSafeInteger(offset) ? offset : Number.POSITIVE_INFINITY,
    size: view.getUint16(at + 8, false),
  };
}

/** Appends an entry. */
export function writeSizeEntry(writer: ByteWriter, offset: number, size: number): void {
  writer.u64(offset);
  writer.u16(size);
}

/** Reads every entry and stops at the first that is wrong; says which, and whether data is left over. */
export function surveySizes(view: FolderView, problems: Problems): SizeSurvey {
  const dataSize = view.size(DATA_FILE) ?? 0;
  const fileSize = view.size(SIZE_FILE) ?? 0;
  let count = 0;
  let end = 0;
  const whole = fileSize - (fileSize % SIZE_ENTRY_SIZE);
  for (const chunk of chunksOf(view, SIZE_FILE, 0, whole, CHUNK_SIZE)) {
    for (let i = 0; i < Math.floor(chunk.length / SIZE_ENTRY_SIZE); i++) {
      const entry = readSizeEntry(chunk, i);
      if (entry.offset !== end || entry.size === 0 || end + entry.size > dataSize) {
        addWrongEntry(problems, count, entry, end, dataSize);
        return { count, dataSize: end };
      }
      end += entry.size;
      count++;
    }
  }
  if (end !== dataSize) {
    problems.add("size-entry", DATA_FILE, `data ends at ${dataSize}, its records at ${end}`, {
      offset: end,
      expected: String(end),
      found: String(dataSize),
    });
  }
  return { count, dataSize: end };
}

function addWrongEntry(
  problems: Problems,
  index: number,
  entry: SizeEntry,
  end: number,
  dataSize: number,
): void {
  const range = `[${entry.offset}, ${entry.offset + entry.size})`;
  problems.add(
    "size-entry",
    SIZE_FILE,
    `size entry ${index} is ${range}, want a record from ${end} inside ${dataSize} bytes`,
    {
      offset: index * SIZE_ENTRY_SIZE,
      expected: String(end),
      found: String(entry.offset),
    },
  );
}

/**
 * Writes the entries anew by reading the data file from record to record; stops at the first that is not whole or not
 * readable.
 *
 * @param recordSizeAt - see `ElementCodec.recordSizeAt`
 */
export function rebuildSizes(
  view: FolderView,
  dataName: string,
  recordSizeAt: (bytes: Uint8Array, offset: number) => number | undefined,
): { readonly entries: Uint8Array<ArrayBuffer>; readonly survey: SizeSurvey } {
  const dataSize = view.size(dataName) ?? 0;
  const writer = new ByteWriter();
  let count = 0;
  let end = 0;
  // A window that holds a whole record of any size.
  const windowSize = 1 << 18;
  let window = new Uint8Array(0);
  let windowBegin = 0;
  while (end < dataSize) {
    if (end - windowBegin + 65_535 > window.length && windowBegin + window.length < dataSize) {
      windowBegin = end;
      window = view.read(dataName, end, windowSize);
    }
    const size = sizeOrUndefined(() => recordSizeAt(window, end - windowBegin));
    if (size === undefined || size < 1 || size > 65_535 || end + size > dataSize) break;
    writeSizeEntry(writer, end, size);
    end += size;
    count++;
  }
  return { entries: writer.finish(), survey: { count, dataSize: end } };
}

/** A codec refuses what it cannot read by throwing: then no record begins there. */
function sizeOrUndefined(read: () => number | undefined): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
