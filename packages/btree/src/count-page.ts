import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, varintSize } from "./byte-writer.ts";
import { type Bytes } from "./types.ts";

/** Ids whose counts are one record: nodes made together are shared together. */
export const IDS_PER_PAGE = 128;

/** Counts above one, by id. A node without an entry is referred to once. */
export type CountPage = ReadonlyMap<number, number>;

/** The page of an id. */
export function pageOf(id: number): number {
  return Math.floor(id / IDS_PER_PAGE);
}

/** Bytes of a page with at least one entry. Layout: FORMAT.md, "Count page". */
export function encodeCountPage(page: number, counts: CountPage): Bytes {
  const ids = [...counts.keys()].toSorted((a, b) => a - b);
  let size = 0;
  for (const id of ids) size += 1 + varintSize((counts.get(id) ?? 0) - 2);
  const writer = new ByteWriter(size);
  for (const id of ids) {
    writer.u8(id - page * IDS_PER_PAGE);
    writer.varint((counts.get(id) ?? 0) - 2);
  }
  return writer.bytes;
}

/** @throws BTreeError BTREE_CORRUPT */
export function decodeCountPage(page: number, bytes: Uint8Array): CountPage {
  const reader = new ByteReader(bytes);
  const counts = new Map<number, number>();
  let last = -1;
  do {
    const index = reader.u8();
    if (index <= last || index >= IDS_PER_PAGE) throw reader.damage(`place ${index} out of order`);
    last = index;
    const count = reader.varint() + 2;
    if (!Number.isSafeInteger(count)) throw reader.damage("a count above 2^53 - 1");
    counts.set(page * IDS_PER_PAGE + index, count);
  } while (reader.remaining > 0);
  return counts;
}
