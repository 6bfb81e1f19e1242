import {
  type ByteSource,
  checkSizes,
  rebuildSizes as rebuildFromData,
  SIZE_ENTRY_BYTES,
} from "@x/append-only-file";
import type { FolderShape, FolderView, Problems } from "./folder.ts";
import { DATA_FILE, SIZE_FILE } from "./names.ts";

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

const WORD = 4_294_967_296;

/** Reads entry number `index` of a packed run of entries. An offset above 2^53 - 1 comes out as `Infinity`. */
export function readSizeEntry(entries: Uint8Array, index: number): SizeEntry {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  const at = index * SIZE_ENTRY_BYTES;
  const offset = view.getUint32(at, false) * WORD + view.getUint32(at + 4, false);
  return {
    offset: Number.isSafeInteger(offset) ? offset : Number.POSITIVE_INFINITY,
    size: view.getUint16(at + 8, false),
  };
}

/** Reads every whole entry and stops at the first that is wrong; says which, or where data is left over. */
export function surveySizes(view: FolderView, problems: Problems): SizeSurvey {
  const dataSize = view.size(DATA_FILE) ?? 0;
  const fileSize = view.size(SIZE_FILE) ?? 0;
  const whole = fileSize - (fileSize % SIZE_ENTRY_BYTES);
  const { count, end, problem } = checkSizes(sourceOf(view, SIZE_FILE, whole), dataSize);
  if (problem === undefined) return { count, dataSize: end };
  const offset = count * SIZE_ENTRY_BYTES;
  if (offset < whole) {
    const found = readSizeEntry(view.read(SIZE_FILE, offset, SIZE_ENTRY_BYTES), 0);
    problems.add("size-entry", SIZE_FILE, `${SIZE_FILE}: ${problem}`, {
      offset,
      expected: String(end),
      found: String(found.offset),
    });
  } else {
    problems.add("size-entry", DATA_FILE, `${DATA_FILE}: ${problem}`, {
      offset: end,
      expected: String(end),
      found: String(dataSize),
    });
  }
  return { count, dataSize: end };
}

/** Writes the entries anew by reading a data file from record to record, up to the first that is not whole or not readable. */
export function rebuildSizes(
  view: FolderView,
  dataName: string,
  recordSizeAt: NonNullable<FolderShape["recordSizeAt"]>,
): Uint8Array<ArrayBuffer> {
  const data = sourceOf(view, dataName, view.size(dataName) ?? 0);
  return rebuildFromData(data, (bytes) => {
    try {
      return recordSizeAt(bytes, 0);
    } catch {
      // A codec says by throwing that no record begins so.
      return undefined;
    }
  }).entries;
}

function sourceOf(view: FolderView, name: string, size: number): ByteSource {
  return { size, read: (at, length) => view.read(name, at, length) };
}
