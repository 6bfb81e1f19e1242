/** The constants of the portable roaring format. FORMAT.md has the layout. */

/** First four bytes of a bitmap without run containers: 3a 30 00 00. */
export const COOKIE_WITHOUT_RUNS = 12346;
/** First two bytes of a bitmap with run containers; the next two hold the container count less one. */
export const COOKIE_WITH_RUNS = 12347;
/** Containers in the largest bitmap: one for each value of the high 16 bits. */
export const CONTAINER_COUNT_MAX = 0x10000;
/** With run containers, a bitmap of fewer containers than this has no offset table. */
export const OFFSETS_FROM_CONTAINER_COUNT = 4;
/** Bytes of one descriptor: the key, then the cardinality less one. */
export const DESCRIPTOR_BYTES = 4;
/** Bytes of one entry of the offset table. */
export const OFFSET_BYTES = 4;
/** Bytes of a bitset body. */
export const BITSET_BYTES = 8192;
/** Bytes of the number of runs, which a run body begins with. */
export const RUN_COUNT_BYTES = 2;
/** Bytes of one run: its first value, then its length less one. */
export const RUN_BYTES = 4;

/** Bytes before the first body. */
export function headerBytes(containerCount: number, hasRuns: boolean): number {
  const descriptors = containerCount * DESCRIPTOR_BYTES;
  if (!hasRuns) return 8 + descriptors + containerCount * OFFSET_BYTES;
  const hasOffsets = containerCount >= OFFSETS_FROM_CONTAINER_COUNT;
  const offsets = hasOffsets ? containerCount * OFFSET_BYTES : 0;
  return 4 + Math.ceil(containerCount / 8) + descriptors + offsets;
}
