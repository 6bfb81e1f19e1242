import { BitmapAccumulator } from "./bitmap-accumulator.ts";
import { bitmapChunkCodec } from "./bitmap-chunk.ts";
import { PmmrError } from "./errors.ts";
import type { MmrHashing } from "./hashing.ts";
import { leafCount } from "./position.ts";
import { type PairedRoot, ownTarget, validateSegment } from "./segment-validate.ts";
import { type Segment, type SegmentId, segmentCapacity, segmentsRequired } from "./segment.ts";

/** The accumulator that is to be brought about. Everything in it comes from a trusted place, never from a sender. */
export interface BitmapSyncTarget {
  /** Nodes of the accumulator: `bitmapMmrSize` of the range whose leaves it indexes. */
  readonly size: number;
  /** Root of the accumulator, or of the pair if `paired` is given. 32 bytes. */
  readonly root: Uint8Array;
  /** Height of the segments asked for. */
  readonly height: number;
  /** Default: Grin's rule with BLAKE2b-256. */
  readonly hashing?: MmrHashing;
  /** Default: the root stands alone. In Grin's headers the accumulator is the right part, so the other is the left. */
  readonly paired?: PairedRoot;
}

/**
 * Gathers a bitmap accumulator from segments that anybody may have sent. They are applied in order; each is validated
 * strictly and as a whole before anything of it is kept.
 */
export class BitmapSync {
  readonly #target: BitmapSyncTarget;
  readonly #accumulator: BitmapAccumulator;

  /** @throws RangeError if the target's size, root or height is none */
  constructor(target: BitmapSyncTarget) {
    this.#target = ownTarget(target);
    this.#accumulator = new BitmapAccumulator(
      target.hashing === undefined ? {} : { hashing: target.hashing },
    );
  }

  /** Segments of the whole accumulator. */
  get required(): number {
    return segmentsRequired(this.#target.size, this.#target.height);
  }

  /** Whether all chunks are there. */
  get done(): boolean {
    return this.#accumulator.mmrSize === this.#target.size;
  }

  /** The segment to ask for, or `undefined` when {@link done}. */
  get next(): SegmentId | undefined {
    if (this.done) return undefined;
    const { height } = this.#target;
    return { height, index: this.#accumulator.chunkCount / segmentCapacity(height) };
  }

  /**
   * Validates a segment and keeps its chunks. A segment that was applied before changes nothing.
   *
   * @throws PmmrError what `validateSegment` throws, and `PMMR_OUT_OF_RANGE` if the segment is of another height or its turn
   *   has not come; then nothing has changed
   */
  apply(segment: Segment): void {
    const { size, root, height, hashing, paired } = this.#target;
    const { id, leaves } = segment;
    if (id.height !== height) {
      throw outOfTurn(id, `height ${height} was asked for`);
    }
    validateSegment(segment, {
      size,
      root,
      codec: bitmapChunkCodec,
      ...(hashing === undefined ? {} : { hashing }),
      ...(paired === undefined ? {} : { paired }),
    });
    const index = this.next?.index ?? this.required;
    if (index < id.index) throw outOfTurn(id, `${index} is the next`);
    if (index === id.index) this.#accumulator.append(leaves.map(({ record }) => record));
  }

  /**
   * The accumulator, whose root is now the target's.
   *
   * @throws PmmrError `PMMR_SEGMENT_MISSING` if chunks are not there yet
   */
  finish(): BitmapAccumulator {
    if (!this.done) {
      const want = leafCount(this.#target.size);
      throw new PmmrError(
        "PMMR_SEGMENT_MISSING",
        `the accumulator has ${this.#accumulator.chunkCount} of ${want} chunks`,
      );
    }
    return this.#accumulator;
  }
}

function outOfTurn({ height, index }: SegmentId, why: string): PmmrError {
  return new PmmrError("PMMR_OUT_OF_RANGE", `bitmap segment ${index} of height ${height}: ${why}`);
}
