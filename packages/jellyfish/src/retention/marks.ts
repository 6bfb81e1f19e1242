import { type Reading } from "@x/store";
import { keyText } from "@x/store/adapter";

import { type RunSource, visitRuns } from "./runs.ts";

/** One part of the space of hashes: those whose first bits are a number. */
export interface Part {
  /** 0 … `count - 1`. */
  readonly index: number;
  /** A power of two, at most 2^24. */
  readonly count: number;
}

/** How many parts, so that each has about `markCountMax` of `nodeCount` hashes at most. */
export function partCountFor(nodeCount: number, markCountMax: number): number {
  let count = 1;
  while (count < 2 ** 24 && nodeCount / count > markCountMax) count *= 2;
  return count;
}

/** Whether a hash is of a part. */
export function isInPart(hash: Uint8Array, { index, count }: Part): boolean {
  const first = ((hash[0] as number) << 16) | ((hash[1] as number) << 8) | (hash[2] as number);
  return Math.floor(first / (2 ** 24 / count)) === index;
}

/** The smallest key of a part, and of the one after it; `undefined`: there is none. */
export function boundsOfPart({ index, count }: Part): {
  readonly gte: Uint8Array | undefined;
  readonly lt: Uint8Array | undefined;
} {
  return {
    gte: index === 0 ? undefined : firstKey(index, count),
    lt: index + 1 === count ? undefined : firstKey(index + 1, count),
  };
}

function firstKey(index: number, count: number): Uint8Array {
  const first = (2 ** 24 / count) * index;
  return Uint8Array.of(first >>> 16, (first >>> 8) & 255, first & 255);
}

/**
 * The nodes of a part that some root needs, with their runs: exact, in memory O(nodes of the part). Reads every node of all
 * roots once, however often roots share it, whatever the part.
 *
 * @param roots - of the chain, oldest first; `undefined`: an empty tree
 * @throws JellyfishError JELLYFISH_MISSING_NODE if a root cannot be walked; nothing may be deleted then
 * @yields hashes of nodes
 */
export function* markRuns(
  source: RunSource,
  roots: readonly (Uint8Array | undefined)[],
  part: Part,
): Reading<Map<string, number>> {
  const runs = new Map<string, number>();
  for (const [at, middle] of roots.entries())
    yield* visitRuns(source, { before: roots[at - 1], middle, after: undefined }, (hash) => {
      if (!isInPart(hash, part)) return;
      const text = keyText(hash);
      runs.set(text, (runs.get(text) ?? 0) + 1);
    });
  return runs;
}
