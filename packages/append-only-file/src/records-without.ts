import { checkCount } from "./bytes.ts";
import { AofError } from "./errors.ts";
import { type ByteSource, encodeSizeEntry, SIZE_ENTRY_BYTES, sizeEntries } from "./size-entries.ts";

/** Entries written at once. */
const BLOCK_ENTRIES = 4096;

/**
 * Indexes of records to remove, ascending, each once.
 *
 * @throws AofError `AOF_OUT_OF_RANGE`
 */
export function removedRecords(indexes: Iterable<number>, count: number): Float64Array {
  const sorted = Float64Array.from(indexes).toSorted();
  let kept = 0;
  for (const index of sorted) {
    checkCount("an index", index);
    if (index >= count) {
      throw new AofError("AOF_OUT_OF_RANGE", `there are ${count} records, none has index ${index}`);
    }
    if (kept === 0 || sorted[kept - 1] !== index) sorted[kept++] = index;
  }
  return sorted.subarray(0, kept);
}

/**
 * Byte ranges of the records that stay.
 *
 * @yields ranges, ascending
 */
export function* fixedRangesWithout(
  recordSize: number,
  count: number,
  removed: Float64Array,
): Generator<readonly [begin: number, end: number], void> {
  let begin = 0;
  for (const index of removed) {
    if (index > begin) yield [begin * recordSize, index * recordSize];
    begin = index + 1;
  }
  if (count > begin) yield [begin * recordSize, count * recordSize];
}

/**
 * As {@link fixedRangesWithout}, for a data file described by a size file.
 *
 * @yields ranges, ascending
 */
export function* variableRangesWithout(
  sizes: ByteSource,
  count: number,
  removed: Float64Array,
): Generator<readonly [begin: number, end: number], void> {
  let begin = 0;
  let end = 0;
  for (const { offset, size, isRemoved } of markedEntries(sizes, count, removed)) {
    if (!isRemoved) {
      end = offset + size;
      continue;
    }
    if (end > begin) yield [begin, end];
    begin = offset + size;
    end = begin;
  }
  if (end > begin) yield [begin, end];
}

/**
 * The size file after the removal.
 *
 * @yields blocks of entries, valid until the next is asked for
 */
export function* sizesWithout(
  sizes: ByteSource,
  count: number,
  removed: Float64Array,
): Generator<Uint8Array, void> {
  const block = new Uint8Array(BLOCK_ENTRIES * SIZE_ENTRY_BYTES);
  let at = 0;
  let offset = 0;
  for (const { size, isRemoved } of markedEntries(sizes, count, removed)) {
    if (isRemoved) continue;
    encodeSizeEntry({ offset, size }, block, at);
    offset += size;
    at += SIZE_ENTRY_BYTES;
    if (at < block.length) continue;
    yield block;
    at = 0;
  }
  if (at > 0) yield block.subarray(0, at);
}

function* markedEntries(
  sizes: ByteSource,
  count: number,
  removed: Float64Array,
): Generator<{ readonly offset: number; readonly size: number; readonly isRemoved: boolean }> {
  let next = 0;
  let index = 0;
  let expected = 0;
  for (const { offset, size, damaged } of sizeEntries(sizes, 0, count)) {
    if (damaged || offset !== expected) {
      throw new AofError("AOF_DAMAGED", `size entry ${index} is at ${offset}, not at ${expected}`);
    }
    const isRemoved = removed[next] === index;
    if (isRemoved) next++;
    yield { offset, size, isRemoved };
    expected = offset + size;
    index++;
  }
}
