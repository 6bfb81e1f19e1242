import type { PmmrBackend } from "./backend.ts";
import { checkRecord } from "./codec.ts";
import { PmmrError } from "./errors.ts";
import { hashNewNodes } from "./levels.ts";
import {
  family,
  heightOf,
  isLeaf,
  isLeftSibling,
  leafCount,
  leafPosition,
  leftmostLeaf,
  type Range,
  roundUpToLeaf,
} from "./position.ts";
import { PmmrView, type ViewOptions } from "./pmmr-view.ts";
import { HASH_SIZE } from "./wire.ts";

/**
 * A mountain range that grows: the one writer of its backend.
 *
 * Its size is the backend's, so it follows a backend that is discarded or compacted. Every write happens as a whole or, if it
 * throws, not at all; when it becomes durable is the backend's matter.
 */
export class Pmmr<E, S = E> extends PmmrView<E, S> {
  readonly #backend: PmmrBackend<E, S>;

  /** @throws PmmrError PMMR_INVALID_SIZE if the backend holds nodes that no range can have */
  constructor(backend: PmmrBackend<E, S>, options: ViewOptions = {}) {
    super(backend, options);
    this.#backend = backend;
    this.#checkedSize();
  }

  override get size(): number {
    return this.#backend.size;
  }

  protected override get epoch(): number {
    return this.#backend.epoch;
  }

  /**
   * Appends one element. One leaf hash, and one hash per parent that it completes.
   *
   * @returns position of the new leaf
   * @throws PmmrError PMMR_CAPACITY if the record or the position cannot be represented, PMMR_MISSING_HASH if a left sibling is
   *   not stored
   */
  push(element: E): number {
    this.#append([element]);
    return leafPosition(this.leafCount - 1);
  }

  /**
   * Appends elements as one write. The same bytes as pushing them one by one, with whole levels hashed in packs.
   *
   * @returns leaf indexes of the new leaves
   * @throws as {@link push}; then none of them was appended
   */
  pushMany(elements: Iterable<E>): Range {
    return this.#append(elements);
  }

  /**
   * Spends a leaf: its element is no longer read, its hash and record stay until a compaction, and the root does not change.
   * (`prune`, and `remove_from_leaf_set`.)
   *
   * @returns whether it was unspent
   * @throws RangeError if `pos0` is not a leaf of the range
   * @throws PmmrError PMMR_NOT_PRUNABLE
   */
  prune(pos0: number): boolean {
    this.#requirePrunable();
    if (!isLeaf(pos0) || this.size <= pos0) {
      throw new RangeError(`position ${pos0} is not a leaf below ${this.size}`);
    }
    return this.#backend.spend(pos0);
  }

  /**
   * Goes back to the least valid size that is not below `size`.
   *
   * @param restored - positions of leaves to make unspent again: those that were spent since. Leaves at or beyond the new end
   *   are passed over. Default: none
   * @throws RangeError if that is above the present size, or `restored` names an inner node
   * @throws PmmrError PMMR_COMPACTED if the new end lies inside a compacted subtree or a restored leaf is compacted, PMMR_NOT_PRUNABLE
   *   if leaves are to be restored where none can be spent
   */
  rewind(size: number, restored: Iterable<number> = []): void {
    const target = roundUpToLeaf(size);
    if (this.size < target) throw new RangeError(`cannot rewind from ${this.size} to ${target}`);
    const leaves: number[] = [];
    for (const pos0 of restored) {
      this.#requirePrunable();
      if (!isLeaf(pos0)) throw new RangeError(`position ${pos0} is not a leaf`);
      if (target <= pos0) continue;
      if (this.#backend.isCompacted(pos0)) {
        throw new PmmrError("PMMR_COMPACTED", `leaf at position ${pos0} is compacted`);
      }
      leaves.push(pos0);
    }
    this.#backend.rewind(target, leaves);
  }

  /**
   * Appends one hash that stands for a subtree and everything below it, all of it spent and compacted elsewhere. Where its left
   * sibling is compacted too, the two become one, and the parent stands for both. (`push_pruned_subtree`.)
   *
   * @param hash - of the subtree's root; 32 bytes, copied
   * @param pos0 - the subtree's root: its leftmost leaf is the next position
   * @throws RangeError if the subtree does not begin at the end of the range, or is a single leaf without a compacted sibling
   *   to its left (a leaf that is compacted alone keeps its record, and here there is none)
   * @throws PmmrError PMMR_NOT_PRUNABLE, PMMR_CAPACITY, PMMR_MISSING_HASH
   */
  pushPrunedSubtree(hash: Uint8Array, pos0: number): void {
    this.#requirePrunable();
    if (!(hash instanceof Uint8Array)) throw new TypeError("hash must be a Uint8Array");
    if (hash.length !== HASH_SIZE) {
      throw new RangeError(`hash must be ${HASH_SIZE} bytes, got ${hash.length}`);
    }
    const size = this.#checkedSize();
    if (leftmostLeaf(pos0) !== size) {
      throw new RangeError(`subtree at position ${pos0} does not begin at position ${size}`);
    }
    let root = pos0;
    let nodes: Uint8Array[] = [new Uint8Array(hash)];
    let current = hash;
    for (let node = pos0; !isLeftSibling(node);) {
      const { parent, sibling } = family(node);
      current = this.hashing.hashInner(parent, this.#leftSibling(sibling), current);
      if (node === root && this.#backend.isCompacted(sibling)) {
        root = parent;
        nodes = [];
      }
      nodes.push(current);
      node = parent;
    }
    if (heightOf(root) === 0) {
      throw new RangeError(`a single leaf at position ${pos0} cannot be pushed as pruned`);
    }
    const hashes = new Uint8Array(nodes.length * HASH_SIZE);
    for (const [i, node] of nodes.entries()) hashes.set(node, i * HASH_SIZE);
    this.#backend.appendPruned(root, hashes);
  }

  #append(elements: Iterable<E>): Range {
    const { codec } = this.#backend;
    const records: Uint8Array[] = [];
    const hashForms: Uint8Array[] = [];
    for (const element of elements) {
      const record = codec.store(element);
      checkRecord(record, codec.recordSize);
      records.push(record);
      const hashForm = codec.hashForm(element);
      if (!(hashForm instanceof Uint8Array)) {
        throw new TypeError("codec's hash form must be a Uint8Array");
      }
      hashForms.push(hashForm);
    }
    // Taken after the caller's code has run, which may have written.
    const size = this.#checkedSize();
    const begin = leafCount(size);
    if (records.length === 0) return { begin, end: begin };
    const readPeak = (pos0: number): Uint8Array => this.#leftSibling(pos0);
    this.#backend.append(records, hashNewNodes(this.hashing, size, hashForms, readPeak));
    return { begin, end: begin + records.length };
  }

  #leftSibling(pos0: number): Uint8Array {
    const hash = this.#backend.hashAt(pos0);
    if (hash !== undefined) return hash;
    throw new PmmrError("PMMR_MISSING_HASH", `left sibling at position ${pos0} is not stored`);
  }

  #checkedSize(): number {
    const { size } = this.#backend;
    if (roundUpToLeaf(size) === size) return size;
    throw new PmmrError(
      "PMMR_INVALID_SIZE",
      `backend holds ${size} nodes, which is not a valid size`,
    );
  }

  #requirePrunable(): void {
    if (!this.prunable) throw new PmmrError("PMMR_NOT_PRUNABLE", "the range is not prunable");
  }
}
