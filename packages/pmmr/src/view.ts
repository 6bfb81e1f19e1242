import type { PmmrReader } from "./backend.ts";
import { PmmrError } from "./errors.ts";
import { PmmrView, type ViewOptions } from "./pmmr-view.ts";
import { isValidSize, roundUpToLeaf } from "./position.ts";

export type { PmmrStats } from "./pmmr-view.ts";

/**
 * A view of fixed size. It goes stale when the backend is rewound, discarded or compacted, and then refuses every read;
 * appending and spending leave it valid.
 */
export class ReadonlyPmmr<E, S = E> extends PmmrView<E, S> {
  readonly #size: number;
  readonly #epoch: number;

  /**
   * @param options - `size`: nodes to see, a valid size at most the backend's; default: the backend's
   * @throws PmmrError PMMR_INVALID_SIZE
   * @throws RangeError if the backend has fewer nodes
   */
  constructor(
    reader: PmmrReader<E, S>,
    options: ViewOptions & { readonly size?: number | undefined } = {},
  ) {
    super(reader, options);
    this.#size = checkSize(options.size ?? reader.size, reader.size);
    this.#epoch = reader.epoch;
  }

  override get size(): number {
    return this.#size;
  }

  protected override get epoch(): number {
    return this.#epoch;
  }
}

/**
 * A {@link ReadonlyPmmr} whose size can be lowered without touching the backend: to walk back through the roots of a range that
 * is not pruned.
 */
export class RewindablePmmr<E, S = E> extends ReadonlyPmmr<E, S> {
  /** Absent until the first rewind. */
  #lowered: number | undefined;

  override get size(): number {
    return this.#lowered ?? super.size;
  }

  /**
   * Lowers the size of this view to the least valid size that is not below `size`.
   *
   * @throws RangeError if that is above the present size
   */
  rewind(size: number): void {
    const target = roundUpToLeaf(size);
    if (this.size < target) throw new RangeError(`cannot rewind from ${this.size} to ${target}`);
    this.#lowered = target;
  }
}

function checkSize(size: number, sizeMax: number): number {
  if (!isValidSize(size)) throw new PmmrError("PMMR_INVALID_SIZE", `${size} is not a valid size`);
  if (sizeMax < size) throw new RangeError(`a view of ${size} nodes wants more than ${sizeMax}`);
  return size;
}
