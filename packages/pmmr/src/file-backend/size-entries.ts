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
  if (count * SIZE_ENTRY_BYTES < whole) {
    const { index, expected, found } = firstWrong(view, count, end, dataSize);
    problems.add("size-entry", SIZE_FILE, `size entry ${index} does not join its neighbours`, {
      offset: index * SIZE_ENTRY_BYTES,
      expected: String(expected),
      found: String(found),
    });
  } else {
    problems.add("size-entry", DATA_FILE, `data ends at ${dataSize}, its records at ${end}`, {
      offset: end,
      expected: String(end),
      found: String(dataSize),
    });
  }
  return { count, dataSize: end };
}

/**
 * Which entry is wrong, when all before entry `count` are right and that one, or its size as the next tells it, is not: of two
 * that do not join, the one that does not join its other neighbour either.
 */
function firstWrong(
  view: FolderView,
  count: number,
  end: number,
  dataSize: number,
): { readonly index: number; readonly expected: number; readonly found: number } {
  const at = count * SIZE_ENTRY_BYTES;
  const entries = view.read(SIZE_FILE, at, 3 * SIZE_ENTRY_BYTES);
  const entryAt = (i: number): SizeEntry | undefined =>
    SIZE_ENTRY_BYTES * (i + 1) <= entries.length ? readSizeEntry(entries, i) : undefined;
  const here = readSizeEntry(entries, 0);
  const next = entryAt(1);
  const nextEnd = next === undefined ? dataSize : next.offset + next.size;
  if (here.offset !== end) return { index: count, expected: end, found: here.offset };
  const nextBegin = next?.offset ?? dataSize;
  const joinsOn = nextEnd === (entryAt(2)?.offset ?? dataSize);
  if (next === undefined || joinsOn) {
    return { index: count, expected: nextBegin - end, found: here.size };
  }
  return { index: count + 1, expected: end + here.size, found: nextBegin };
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
