import { naiveHash, nodesOf } from "./range-model.ts";

/**
 * The verifier as the original has it, for comparison: size and position may be anything, a path is as long as it is. Written
 * over a list of nodes instead of position arithmetic.
 */
export function originalVerdict(
  root: Uint8Array,
  hashForm: Uint8Array,
  pos0: number,
  proof: { readonly size: number; readonly path: readonly Uint8Array[] },
): boolean {
  const { size, path } = proof;
  const peaks = peaksOf(size);
  let current: Uint8Array[] = [hashForm];
  let position = pos0;
  for (const other of [...path, undefined]) {
    const hash = naiveHash(Math.min(position, size), ...current);
    if (other === undefined) return sameBytes(hash, root);
    const { parent, isRight } = parentOf(position);
    if (peaks.includes(position)) {
      current = position === peaks.at(-1) ? [other, hash] : [hash, other];
    } else if (parent >= size) {
      current = [other, hash];
    } else {
      current = isRight ? [other, hash] : [hash, other];
    }
    position = parent;
  }
  return false;
}

/** More nodes than any climb from a small range reaches. */
const FOREST = nodesOf(2 ** 13);

function parentOf(pos0: number): { parent: number; isRight: boolean } {
  const node = FOREST[pos0];
  if (node === undefined) throw new RangeError(`position ${pos0} is beyond the forest`);
  const isRight = FOREST[pos0 + 1]?.height === node.height + 1;
  return { parent: isRight ? pos0 + 1 : pos0 + 2 ** (node.height + 1), isRight };
}

/** Peaks of a size; none if no range has that size. */
function peaksOf(size: number): number[] {
  const peaks: number[] = [];
  let heightBefore = Infinity;
  for (let pos0 = size - 1; 0 <= pos0;) {
    peaks.unshift(pos0);
    pos0 -= 2 ** ((FOREST[pos0]?.height ?? 0) + 1) - 1;
  }
  for (const peak of peaks) {
    const height = FOREST[peak]?.height ?? 0;
    if (heightBefore <= height) return [];
    heightBefore = height;
  }
  return peaks;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}
