import { Bitmap } from "@x/bitmap";
import { PmmrError } from "../errors.ts";
import { decodeSetDelta, type SetDelta } from "./delta.ts";
import { POSITION1_MAX } from "./prune-list.ts";

/**
 * The unspent leaves, and what changed among them since the last commit.
 *
 * Positions are 0-based here and 1-based in the bitmap and in deltas. A set that was {@link LeafSet.freeze}d stays as it was: copies
 * share memory until one of them changes.
 */
export class LeafSet {
  #bitmap: Bitmap;
  /** 1-based positions whose membership differs from that at the last commit. */
  #changed = new Bitmap();

  /** @param bitmap - 1-based positions; belongs to the set from now on */
  constructor(bitmap: Bitmap = new Bitmap()) {
    this.#bitmap = bitmap;
  }

  /** How many leaves are unspent. */
  get size(): number {
    return this.#bitmap.size;
  }

  has(pos0: number): boolean {
    return this.#bitmap.has(pos0 + 1);
  }

  /** @returns whether it was absent */
  add(pos0: number): boolean {
    const added = this.#bitmap.add(pos0 + 1);
    if (added) this.#toggle(pos0 + 1);
    return added;
  }

  /** @returns whether it was there */
  delete(pos0: number): boolean {
    const deleted = this.#bitmap.delete(pos0 + 1);
    if (deleted) this.#toggle(pos0 + 1);
    return deleted;
  }

  /** Deletes everything at or beyond `size`; linear in what is deleted. */
  rewind(size: number): void {
    if (size >= POSITION1_MAX) return;
    const gone = [...this.#bitmap.values({ from: size + 1 })];
    for (const pos1 of gone) this.#toggle(pos1);
    this.#bitmap.deleteRange(size + 1, 2 ** 32);
  }

  /** Unspent leaves at positions below `pos0`. */
  countBelow(pos0: number): number {
    return pos0 === 0 ? 0 : this.#bitmap.rank(pos0);
  }

  /** The first unspent leaf at or after a position. */
  next(pos0: number): number | undefined {
    const pos1 = this.#bitmap.select(this.#bitmap.rank(pos0));
    return pos1 === undefined ? undefined : pos1 - 1;
  }

  /** A copy of the set as it is, in 1-based positions. */
  freeze(): Bitmap {
    return this.#bitmap.clone();
  }

  /** What changed since the last commit. From now on, this is the last commit. */
  takeDelta(): SetDelta {
    const added: number[] = [];
    const removed: number[] = [];
    for (const pos1 of this.#changed) (this.#bitmap.has(pos1) ? added : removed).push(pos1);
    this.#changed = new Bitmap();
    return { added, removed };
  }

  /** Counts changes from an earlier commit on again. Linear in the set. */
  rebase(frozen: Bitmap): void {
    this.#changed = this.#bitmap.xor(frozen);
  }

  /** Becomes another set of 1-based positions; that counts as a change. */
  replace(bitmap: Bitmap): void {
    this.#changed.xorInPlace(this.#bitmap.xor(bitmap));
    this.#bitmap = bitmap.clone();
  }

  /** Becomes the set of an earlier commit. */
  restore(frozen: Bitmap): void {
    this.#bitmap = frozen.clone();
    this.#changed = new Bitmap();
  }

  #toggle(pos1: number): void {
    if (!this.#changed.delete(pos1)) this.#changed.add(pos1);
  }
}

/**
 * A set as it was after the last of several commits.
 *
 * @param bytes - the set at the checkpoint before them; `undefined` for the empty set
 * @param deltas - what each commit changed, in order
 * @throws PmmrError `PMMR_DAMAGED` if a delta adds what is there or removes what is not; the codes of {@link decodeSetDelta};
 *   BitmapError for bytes that are no bitmap
 */
export function restoreSet(bytes: Uint8Array | undefined, deltas: readonly Uint8Array[]): Bitmap {
  const bitmap = bytes === undefined ? new Bitmap() : readSet(bytes);
  for (const encoded of deltas) {
    const { added, removed } = decodeSetDelta(encoded);
    for (const pos1 of removed) if (!bitmap.delete(pos1)) throw mismatch("removes", pos1);
    for (const pos1 of added) if (!bitmap.add(pos1)) throw mismatch("adds", pos1);
  }
  return bitmap;
}

/** A bitmap of any size: its bytes are in memory already, and nothing larger than they are is made of them. */
export function readSet(bytes: Uint8Array): Bitmap {
  return Bitmap.deserialize(bytes, { bytesMax: bytes.length });
}

function mismatch(verb: string, pos1: number): PmmrError {
  return new PmmrError("PMMR_DAMAGED", `a set delta ${verb} position ${pos1} in vain`);
}
