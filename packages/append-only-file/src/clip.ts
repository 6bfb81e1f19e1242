/** One step of a file in the journal: its first `base` bytes, then `length` more. */
export interface Step {
  readonly base: number;
  readonly length: number;
  /** `undefined` when the bytes are in the file already ("direct"). */
  readonly bytes: Uint8Array | undefined;
}

/** What is left of one step when all later ones are known. */
export interface ClippedRange {
  readonly at: number;
  readonly length: number;
  /** The bytes that belong there; `undefined` when they are in the file already. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * The parts of the steps that no later step replaces or cuts away.
 *
 * Applying every step in full would be wrong: an early step would be written over bytes that a later direct step has put into
 * the file before the journal is replayed. And a direct step is only checked where it still counts.
 *
 * @param steps - in commit order
 * @returns disjoint ranges, ascending; the smallest base of all steps (`before` when there are none); the final size
 */
export function clip(
  steps: readonly Step[],
  before: number,
): { readonly ranges: ClippedRange[]; readonly baseMin: number; readonly size: number } {
  const ranges: ClippedRange[] = [];
  let limit = Infinity;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i];
    if (step === undefined) continue;
    const end = Math.min(step.base + step.length, limit);
    if (end > step.base) {
      const length = end - step.base;
      ranges.push({ at: step.base, length, bytes: step.bytes?.subarray(0, length) });
    }
    limit = Math.min(limit, step.base);
  }
  const last = steps.at(-1);
  return {
    ranges: ranges.toReversed(),
    baseMin: Math.min(limit, before),
    size: last === undefined ? before : last.base + last.length,
  };
}
