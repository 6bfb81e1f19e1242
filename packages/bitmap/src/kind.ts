/** The three forms a container can have, in memory and in a file. */
export const Kind = { array: 0, bitset: 1, run: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Values a container covers: those that share their high 16 bits. */
export const CONTAINER_SPAN = 0x10000;
/** Values in the largest array container; a container with more is a bitset or has runs. */
export const ARRAY_COUNT_MAX = 4096;
/** Runs in the largest run container that is smaller than a bitset: 2 + 4 * 2047 < 8192. */
export const RUN_COUNT_MAX = 2047;

/**
 * The kind that stores a container in the fewest bytes: the form our writer gives it. Ties go to
 * runs. FORMAT.md, "Choice of containers".
 *
 * @param cardinality - values in the container, 1 to 65,536
 * @param runCount - maximal sequences of consecutive values; any number above
 *   {@link runCountLimit} may stand for a larger one
 */
export function cheapestKind(cardinality: number, runCount: number): Kind {
  if (runCount <= runCountLimit(cardinality)) return Kind.run;
  return cardinality > ARRAY_COUNT_MAX ? Kind.bitset : Kind.array;
}

/** The most runs with which a container of this many values is stored as runs. */
export function runCountLimit(cardinality: number): number {
  return cardinality > ARRAY_COUNT_MAX ? RUN_COUNT_MAX : (cardinality - 1) >>> 1;
}
