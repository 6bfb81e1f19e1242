import { EMPTY } from "./bytes.ts";
import { type Adoption, type AdoptView } from "./layout.ts";
import {
  type ByteSource,
  checkSizes,
  rebuildSizes,
  type RecordParser,
  SIZE_ENTRY_BYTES,
} from "./size-entries.ts";

/** Judges a file of records of one size: it must hold whole records. Repair cuts the rest off. */
export function adoptFixed(
  folder: AdoptView,
  repair: boolean,
  name: string,
  recordSize: number,
): Adoption {
  const size = folder.size(name) ?? 0;
  const surplus = size % recordSize;
  if (surplus === 0) return { kind: "accept", meta: EMPTY };
  if (repair) return { kind: "repair", meta: EMPTY, sizes: [size - surplus], blobs: [] };
  const problem = `${name} ends ${surplus} bytes into record ${Math.floor(size / recordSize)}`;
  return { kind: "damaged", problems: [problem], repairable: true };
}

/**
 * Judges a data file and its size file: entry by entry they must describe the data from its first byte to its last. Repair cuts
 * both to the records they agree on, or makes the size file anew from the data where a parser is given.
 */
export function adoptVariable(
  folder: AdoptView,
  repair: boolean,
  { data, sizes }: { readonly data: string; readonly sizes: string },
  parse: RecordParser | undefined,
): Adoption {
  const dataSource = sourceOf(folder, data);
  const check = checkSizes(sourceOf(folder, sizes), dataSource.size);
  if (check.problem === undefined) return { kind: "accept", meta: EMPTY };
  const missing = folder.size(sizes) === undefined;
  if (!repair) {
    const problem = missing ? `${sizes} is missing` : `${sizes}: ${check.problem}`;
    return { kind: "damaged", problems: [problem], repairable: !missing || parse !== undefined };
  }
  if (parse === undefined) {
    // Cutting all data away because its sizes are lost would not be a repair.
    if (missing) {
      return { kind: "damaged", problems: [`${sizes} is missing`], repairable: false };
    }
    const kept = [check.end, check.count * SIZE_ENTRY_BYTES];
    return { kind: "repair", meta: EMPTY, sizes: kept, blobs: [] };
  }
  const { entries, end } = rebuildSizes(dataSource, parse);
  return {
    kind: "repair",
    meta: EMPTY,
    sizes: [end, entries.length],
    content: [undefined, entries],
    blobs: [],
  };
}

function sourceOf(folder: AdoptView, name: string): ByteSource {
  return {
    size: folder.size(name) ?? 0,
    read: (at, length) => folder.read(name, at, length),
  };
}
