import { PmmrError } from "../errors.ts";
import type { SetDelta } from "./delta.ts";
import { family, heightOf, leafRangeBelow, leftmostLeaf } from "../position.ts";

/**
 * The roots of the subtrees that were pruned, and how far they shift every later record.
 *
 * Invariants
 * 1. Roots ascend strictly, none lies below another, and no two are siblings: a pair is replaced by its parent.
 * 2. A root of height h stands for `2^(h+1) - 2` absent hashes and, if it is no leaf, for `2^h` absent records. Its own hash
 *    is present; so is the record of a root that is a leaf.
 * 3. `shifts[i]` and `leafShifts[i]` are the sums of both over roots 0…i. A root counts its own, because its hash comes
 *    after its absent descendants.
 *
 * Positions are 0-based except where the name ends in 1. Looking something up costs one binary search, appending is
 * O(1) amortised, so building from n roots or leaves in ascending order is linear.
 */
export class PruneList {
  #roots1: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #shifts: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #leafShifts: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #count = 0;
  /** Leading roots that are as they were when the list was made or its changes were last taken. */
  #unchanged = 0;

  /**
   * Builds a list from 1-based positions of subtree roots or leaves, rolling siblings up and dropping what lies below a
   * later root.
   *
   * @param positions1 - strictly ascending, 1 or more
   */
  static from(positions1: Iterable<number>): PruneList {
    const list = new PruneList();
    for (const pos1 of positions1) {
      // A value that an earlier pair already rolled up into says nothing new.
      if (pos1 > list.#lastRoot1()) list.append(pos1 - 1);
    }
    return list;
  }

  /** Number of roots. */
  get count(): number {
    return this.#count;
  }

  /** Hashes absent because of all roots. */
  get totalShift(): number {
    return this.#count === 0 ? 0 : at(this.#shifts, this.#count - 1);
  }

  /** Records absent because of all roots. */
  get totalLeafShift(): number {
    return this.#count === 0 ? 0 : at(this.#leafShifts, this.#count - 1);
  }

  /** An independent copy; O(count). */
  clone(): PruneList {
    const copy = new PruneList();
    copy.#roots1 = this.#roots1.slice(0, this.#count);
    copy.#shifts = this.#shifts.slice(0, this.#count);
    copy.#leafShifts = this.#leafShifts.slice(0, this.#count);
    copy.#count = this.#count;
    copy.#unchanged = this.#count;
    return copy;
  }

  /** Roots at or before a position. */
  rank(pos0: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (at(this.#roots1, middle) <= pos0 + 1) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Hashes absent at or before a position: its own record number is `pos0 - shift(pos0)`. */
  shift(pos0: number): number {
    const rank = this.rank(pos0);
    return rank === 0 ? 0 : at(this.#shifts, rank - 1);
  }

  /** Records absent at or before a position: leaf i at `pos0` has record number `i - leafShift(pos0)`. */
  leafShift(pos0: number): number {
    const rank = this.rank(pos0);
    return rank === 0 ? 0 : at(this.#leafShifts, rank - 1);
  }

  /**
   * Record number of the hash at a position, or `undefined` below a root. One search: this is the path of every read.
   */
  hashRecord(pos0: number): number | undefined {
    const rank = this.rank(pos0);
    if (this.#isBelowNext(pos0, rank)) return undefined;
    return rank === 0 ? pos0 : pos0 - at(this.#shifts, rank - 1);
  }

  /** Record number of the element of leaf `leafIndex` at `pos0`, or `undefined` below a root. */
  elementRecord(pos0: number, leafIndex: number): number | undefined {
    const rank = this.rank(pos0);
    if (this.#isBelowNext(pos0, rank)) return undefined;
    return rank === 0 ? leafIndex : leafIndex - at(this.#leafShifts, rank - 1);
  }

  /** Whether `pos0` is the root of a pruned subtree. */
  isRoot(pos0: number): boolean {
    const rank = this.rank(pos0);
    return rank !== 0 && at(this.#roots1, rank - 1) === pos0 + 1;
  }

  /** Whether `pos0` lies strictly below a root, so that nothing of it is stored. */
  isBelowRoot(pos0: number): boolean {
    return this.#isBelowNext(pos0, this.rank(pos0));
  }

  /** Whether `pos0` is a root or lies below one. */
  isPruned(pos0: number): boolean {
    return this.isRoot(pos0) || this.isBelowRoot(pos0);
  }

  /**
   * The root that has leaves on both sides of an end, or `undefined`.
   *
   * @param size - a valid size
   */
  spanning(size: number): number | undefined {
    if (size === 0) return undefined;
    const rank = this.rank(size - 1);
    if (rank === this.#count) return undefined;
    const root = at(this.#roots1, rank) - 1;
    return leftmostLeaf(root) < size ? root : undefined;
  }

  /**
   * Adds the subtree under `pos0`. It takes in the roots below it, and rolls up with its left sibling as far as that is
   * pruned.
   *
   * @param pos0 - after every root in the list
   * @returns the root that now stands for it
   * @throws RangeError if `pos0` is not after every root
   * @throws PmmrError `PMMR_CAPACITY` if the root cannot be held in 32 bits
   */
  append(pos0: number): number {
    if (pos0 < this.#lastRoot1()) {
      throw new RangeError(`pruned root ${pos0} must come after root ${this.#lastRoot1() - 1}`);
    }
    let root = pos0;
    for (;;) {
      const leftmost = leftmostLeaf(root);
      while (this.#count > 0 && leftmost < this.#lastRoot1()) this.#shrink(this.#count - 1);
      const { parent, sibling } = family(root);
      // Later siblings cannot be in the list, and an earlier one would be its end.
      if (this.#lastRoot1() !== sibling + 1) break;
      root = parent;
    }
    if (root >= POSITION1_MAX) {
      throw new PmmrError("PMMR_CAPACITY", `position ${root + 1} does not fit into 32 bits`);
    }
    this.#push(root);
    return root;
  }

  /**
   * The subtree that begins where a range ends and of which `rootPos0` is what it rolls up to: going down its right edge,
   * everything to the left is a pruned root already.
   *
   * @param size - of the range
   * @throws RangeError if there is none, or if `rootPos0` would roll up further
   */
  partPushed(rootPos0: number, size: number): number {
    let pos0 = rootPos0;
    let height = heightOf(rootPos0);
    while (leftmostLeaf(pos0) < size && height > 0 && this.isRoot(pos0 - 2 ** height)) {
      pos0--;
      height--;
    }
    if (leftmostLeaf(pos0) !== size || this.isRoot(family(rootPos0).sibling)) {
      throw new RangeError(`pruned root ${rootPos0} does not continue a range of ${size} nodes`);
    }
    return pos0;
  }

  /**
   * Drops the roots at or after `size`.
   *
   * @returns whether there were any
   * @throws PmmrError `PMMR_COMPACTED` if a pruned subtree has leaves on both sides of the new end; nothing has changed then
   */
  rewind(size: number): boolean {
    const root = this.spanning(size);
    if (root !== undefined) {
      throw new PmmrError(
        "PMMR_COMPACTED",
        `size ${size} lies inside the compacted subtree at position ${root}`,
      );
    }
    const kept = size === 0 ? 0 : this.rank(size - 1);
    const dropped = kept < this.#count;
    this.#shrink(kept);
    return dropped;
  }

  /**
   * Roots in ascending order. Ends early if the list shrinks meanwhile.
   *
   * @yields 1-based positions
   */
  *roots1(): Generator<number, void, undefined> {
    for (let i = 0; i < this.#count; i++) yield at(this.#roots1, i);
  }

  /** 1-based position of root number `index`, in ascending order. */
  root1At(index: number): number {
    if (index < 0 || this.#count <= index) {
      throw new RangeError(`root number ${index} of ${this.#count}`);
    }
    return at(this.#roots1, index);
  }

  /**
   * What changed since an earlier copy was made.
   *
   * @param before - the copy made when changes were last taken
   */
  takeDelta(before: PruneList): SetDelta {
    const kept = this.#unchanged;
    const removed = new Set(before.#roots1.subarray(kept, before.#count));
    const added: number[] = [];
    for (const root1 of this.#roots1.subarray(kept, this.#count)) {
      if (!removed.delete(root1)) added.push(root1);
    }
    this.#unchanged = this.#count;
    return { added, removed: [...removed] };
  }

  /** Makes the next {@link PruneList.takeDelta} compare everything. */
  rebase(): void {
    this.#unchanged = 0;
  }

  /** Subtrees are contiguous and end with their root, so only the next root can span a position that is none itself. */
  #isBelowNext(pos0: number, rank: number): boolean {
    if (rank === this.#count || (rank > 0 && at(this.#roots1, rank - 1) === pos0 + 1)) return false;
    return leftmostLeaf(at(this.#roots1, rank) - 1) <= pos0;
  }

  #shrink(count: number): void {
    this.#count = count;
    this.#unchanged = Math.min(this.#unchanged, count);
  }

  #lastRoot1(): number {
    return this.#count === 0 ? 0 : at(this.#roots1, this.#count - 1);
  }

  #push(root: number): void {
    if (this.#count === this.#roots1.length) this.#grow();
    const height = heightOf(root);
    const leaves = height === 0 ? 0 : 2 ** height;
    const { totalShift, totalLeafShift } = this;
    this.#roots1[this.#count] = root + 1;
    this.#shifts[this.#count] = totalShift + 2 ** (height + 1) - 2;
    this.#leafShifts[this.#count] = totalLeafShift + leaves;
    this.#count++;
  }

  #grow(): void {
    const capacity = Math.max(16, 2 * this.#roots1.length);
    this.#roots1 = grown(this.#roots1, capacity);
    this.#shifts = grown(this.#shifts, capacity);
    this.#leafShifts = grown(this.#leafShifts, capacity);
  }
}

/** Largest 1-based position that the two bitmap files can hold. */
export const POSITION1_MAX = 4_294_967_295;

/** Leaves below a root that have no record any more. */
export function absentLeaves(root: number): { readonly begin: number; readonly end: number } {
  const range = leafRangeBelow(root);
  return heightOf(root) === 0 ? { begin: range.end, end: range.end } : range;
}

function grown(array: Uint32Array<ArrayBuffer>, capacity: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(capacity);
  copy.set(array);
  return copy;
}

/** `array[index]`, where the caller knows that the index is below the length. */
function at(array: Uint32Array, index: number): number {
  return array[index] as number;
}
