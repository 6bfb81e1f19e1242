import type { IndexSet } from "./backend.ts";
import {
  CHUNK_BITS,
  CHUNK_SIZE,
  bitmapChunkCodec,
  hasBit,
  popCount,
  setBit,
} from "./bitmap-chunk.ts";
import { grinHashing } from "./fast-hashing.ts";
import { type MmrHashing, bagPeaks } from "./hashing.ts";
import { digestAt, hashInners, hashLeaves } from "./levels.ts";
import { leafCount, leafPosition, peaks } from "./position.ts";
import { makeSegment } from "./segment-make.ts";
import type { Segment, SegmentId } from "./segment.ts";
import { HASH_SIZE } from "./wire.ts";

/** One above the largest index: positions of prunable ranges are stored in 32 bits. */
const INDEX_END = 4_294_967_296;

/** What {@link BitmapAccumulator} takes. */
export interface BitmapAccumulatorOptions {
  /** How nodes are hashed. Default: Grin's rule with BLAKE2b-256. */
  readonly hashing?: MmrHashing;
  /**
   * What happens to chunks without a bit at the end when {@link BitmapAccumulator.apply} runs.
   *
   * - `"trim"`: they go, so that the root is a function of the set alone: the one that {@link BitmapAccumulator.from} gives.
   * - `"keep"`: those before the first changed chunk stay, as in Grin. The root then depends on the order of changes: setting
   *   and clearing index 4095 leaves three empty chunks. On a chain where the newest leaf is always unspent, as every block's
   *   reward is on Grin's, the two agree.
   *
   * Default: `"trim"`.
   */
  readonly trailing?: "trim" | "keep";
}

/**
 * A set of leaf indexes with a root: a mountain range in memory whose leaves are chunks of 1024 bits. Grin's headers commit
 * to the set of unspent outputs with it.
 *
 * It is also an {@link IndexSet}, so what was built from bitmap segments can be handed on as the set of unspent leaves.
 *
 * Memory: one bit per index up to the largest member, and 64 bytes per chunk for hashes.
 */
export class BitmapAccumulator implements IndexSet {
  readonly hashing: MmrHashing;
  readonly #trims: boolean;
  /** Chunks side by side. Longer than needed; zero beyond the last chunk. */
  #bits = new Uint8Array(CHUNK_SIZE);
  /** Hashes of all nodes by position. Longer than needed. */
  #hashes = new Uint8Array(2 * HASH_SIZE);
  #chunkCount = 0;
  /** Members before each chunk, and all of them at the end; made when first needed after a change. */
  #countsBefore: Uint32Array | undefined;

  constructor(options: BitmapAccumulatorOptions = {}) {
    this.hashing = options.hashing ?? grinHashing();
    this.#trims = (options.trailing ?? "trim") === "trim";
  }

  /**
   * The accumulator of a set, as after a single change to the empty one. (`init`.)
   *
   * @param indexes - members, in any order; those at or above `indexEnd` are passed over
   * @param indexEnd - leaves of the range whose leaves are indexed. Default: no end
   * @throws RangeError if a member is not an integer from 0 to 2^32 - 1
   */
  static from(
    indexes: Iterable<number>,
    indexEnd: number = INDEX_END,
    options: BitmapAccumulatorOptions = {},
  ): BitmapAccumulator {
    const accumulator = new BitmapAccumulator(options);
    accumulator.apply([0], indexes, indexEnd);
    return accumulator;
  }

  /** Chunks, empty ones included. */
  get chunkCount(): number {
    return this.#chunkCount;
  }

  /** Nodes of the range of chunks. */
  get mmrSize(): number {
    return leafPosition(this.#chunkCount);
  }

  /** Root over the chunks: the rule's empty root if there is none. O(log n) hashes, fresh bytes. */
  root(): Uint8Array<ArrayBuffer> {
    const { mmrSize } = this;
    return bagPeaks(
      this.hashing,
      mmrSize,
      peaks(mmrSize).map((peak) => this.#hashView(peak)),
    );
  }

  /**
   * Brings the accumulator to a set that differs from its own only at, or in chunks after, the least changed index.
   * Chunks that stay as they are are not hashed again. Nothing happens if nothing is `changed`.
   *
   * @param changed - indexes that entered or left, in any order
   * @param indexes - members of the new set from the beginning of the first changed chunk on, in any order; members below
   *   are passed over, and so are those at or above `indexEnd`
   * @param indexEnd - leaves of the range whose leaves are indexed
   * @throws RangeError if an index is not an integer from 0 to 2^32 - 1; then nothing has changed
   */
  apply(changed: Iterable<number>, indexes: Iterable<number>, indexEnd: number): void {
    let first = INDEX_END;
    for (const index of changed) first = Math.min(first, checkIndex(index));
    if (first === INDEX_END) return;
    const chunkBegin = Math.floor(first / CHUNK_BITS);
    const tail = collectChunks(indexes, chunkBegin, indexEnd);
    let chunkCount = chunkBegin + tail.length / CHUNK_SIZE;
    if (this.#trims && tail.length === 0) chunkCount = this.#trimmedCount(chunkBegin);
    this.#replace(Math.min(chunkBegin, chunkCount), tail, chunkCount);
  }

  /**
   * Appends chunks as they are, empty ones included: for chunks whose root is known, as in validated segments.
   *
   * @param chunks - 128 bytes each; copied
   * @throws RangeError if one has another length; then nothing has changed
   */
  append(chunks: readonly Uint8Array[]): void {
    const tail = new Uint8Array(chunks.length * CHUNK_SIZE);
    for (const [i, chunk] of chunks.entries()) {
      tail.set(bitmapChunkCodec.store(chunk), i * CHUNK_SIZE);
    }
    this.#replace(this.#chunkCount, tail, this.#chunkCount + chunks.length);
  }

  /**
   * Makes a segment: a segment like any other, of a range that is not prunable, whose records are chunks.
   * `encodeBitmapSegment` writes it in its compact form.
   *
   * @throws PmmrError `PMMR_OUT_OF_RANGE` if there are no chunks in it
   * @throws RangeError if the identifier is none
   */
  segment(id: SegmentId): Segment {
    return makeSegment(
      {
        size: this.mmrSize,
        prunable: false,
        hashing: this.hashing,
        hashAt: (pos0) => new Uint8Array(this.#hashView(pos0)),
        recordAt: (pos0) => this.chunk(leafCount(pos0)),
      },
      id,
    );
  }

  /** Fresh 128 bytes of a chunk, or `undefined` beyond the last. */
  chunk(chunkIndex: number): Uint8Array<ArrayBuffer> | undefined {
    if (!(0 <= chunkIndex && chunkIndex < this.#chunkCount)) return undefined;
    return this.#bits.slice(chunkIndex * CHUNK_SIZE, (chunkIndex + 1) * CHUNK_SIZE);
  }

  /** Members. O(chunks) after a change. */
  get size(): number {
    return this.#counts().at(-1) as number;
  }

  /** @throws RangeError or TypeError if `index` is not an integer from 0 to 2^32 - 1 */
  has(index: number): boolean {
    return checkIndex(index) < this.#chunkCount * CHUNK_BITS && hasBit(this.#bits, index);
  }

  /**
   * How many members are `<= index`. O(chunks) after a change, else at most one chunk.
   *
   * @throws RangeError or TypeError if `index` is not an integer from 0 to 2^32 - 1
   */
  rank(index: number): number {
    checkIndex(index);
    const chunk = Math.floor(index / CHUNK_BITS);
    if (this.#chunkCount <= chunk) return this.size;
    const begin = chunk * CHUNK_SIZE;
    const end = Math.floor(index / 8);
    const upTo = 0xff00 >> ((index % 8) + 1);
    return (
      (this.#counts()[chunk] as number) +
      popCount(this.#bits.subarray(begin, end)) +
      popCount(Uint8Array.of((this.#bits[end] as number) & upTo))
    );
  }

  max(): number | undefined {
    for (let byte = this.#chunkCount * CHUNK_SIZE - 1; 0 <= byte; byte--) {
      const value = this.#bits[byte] as number;
      // The lowest bit set is the last member: bits are counted from the most significant.
      if (value !== 0) return byte * 8 + Math.clz32(value & -value) - 24;
    }
    return undefined;
  }

  /** @yields members, ascending, as of each step */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let byte = 0; byte < this.#chunkCount * CHUNK_SIZE; byte++) {
      if (this.#bits[byte] === 0) continue;
      for (let bit = byte * 8; bit < byte * 8 + 8; bit++) {
        if (hasBit(this.#bits, bit)) yield bit;
      }
    }
  }

  /** Chunks below `count` up to the last with a bit set. */
  #trimmedCount(count: number): number {
    let trimmed = Math.min(count, this.#chunkCount);
    const isEmpty = (chunk: number): boolean =>
      this.#bits.subarray(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE).every((byte) => byte === 0);
    while (0 < trimmed && isEmpty(trimmed - 1)) trimmed--;
    return trimmed;
  }

  /** Puts `tail` in place of everything from `begin` on; between the old end and `begin` chunks are empty. */
  #replace(begin: number, tail: Uint8Array, chunkCount: number): void {
    const before = this.#chunkCount;
    const bits = withRoom(this.#bits, chunkCount * CHUNK_SIZE);
    const changed: number[] = [];
    for (let chunk = Math.min(begin, before); chunk < chunkCount; chunk++) {
      const now = tail.subarray(
        Math.max(chunk - begin, 0) * CHUNK_SIZE,
        Math.max(chunk - begin + 1, 0) * CHUNK_SIZE,
      );
      const target = bits.subarray(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE);
      if (chunk < before && now.every((byte, i) => byte === target[i])) continue;
      target.set(now);
      changed.push(chunk);
    }
    bits.fill(0, chunkCount * CHUNK_SIZE);
    this.#bits = bits;
    this.#hashes = withRoom(this.#hashes, leafPosition(chunkCount) * HASH_SIZE);
    this.#chunkCount = chunkCount;
    this.#countsBefore = undefined;
    this.#rehash(changed);
  }

  /** Hashes changed chunks and what is above them, a level at a time. */
  #rehash(changed: readonly number[]): void {
    const positions = changed.map(leafPosition);
    const chunks = changed.map((chunk) =>
      this.#bits.subarray(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE),
    );
    this.#put(positions, hashLeaves(this.hashing, positions, chunks));
    let level = changed;
    for (let height = 1; 0 < level.length; height++) {
      const nodes = Math.floor(this.#chunkCount / 2 ** height);
      const parents = new Set(level.map((node) => Math.floor(node / 2)));
      level = [...parents].filter((node) => node < nodes);
      this.#hashParents(level, height);
    }
  }

  #hashParents(nodes: readonly number[], height: number): void {
    const positions = nodes.map((node) => leafPosition((node + 1) * 2 ** height - 1) + height);
    const inners = positions.map((pos0) => ({
      pos0,
      left: this.#hashView(pos0 - 2 ** height),
      right: this.#hashView(pos0 - 1),
    }));
    this.#put(positions, hashInners(this.hashing, inners));
  }

  #put(positions: readonly number[], hashes: Uint8Array<ArrayBuffer>): void {
    for (const [i, pos0] of positions.entries()) this.#hashView(pos0).set(digestAt(hashes, i));
  }

  #hashView(pos0: number): Uint8Array<ArrayBuffer> {
    return digestAt(this.#hashes, pos0);
  }

  #counts(): Uint32Array {
    if (this.#countsBefore !== undefined) return this.#countsBefore;
    const counts = new Uint32Array(this.#chunkCount + 1);
    for (let chunk = 0; chunk < this.#chunkCount; chunk++) {
      const bits = this.#bits.subarray(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE);
      counts[chunk + 1] = (counts[chunk] as number) + popCount(bits);
    }
    this.#countsBefore = counts;
    return counts;
  }
}

/**
 * Nodes that the accumulator of a range has when its newest leaf is unspent: what a receiver expects.
 *
 * @param size - of the range whose leaves are indexed
 */
export function bitmapMmrSize(size: number): number {
  return leafPosition(Math.ceil(leafCount(size) / CHUNK_BITS));
}

/** Bits of the chunks from `chunkBegin` to that of the largest index; none if there is no index. */
function collectChunks(
  indexes: Iterable<number>,
  chunkBegin: number,
  indexEnd: number,
): Uint8Array<ArrayBuffer> {
  let bits = new Uint8Array(CHUNK_SIZE);
  let last = -1;
  for (const index of indexes) {
    const bit = checkIndex(index) - chunkBegin * CHUNK_BITS;
    if (bit < 0 || indexEnd <= index) continue;
    bits = withRoom(bits, (Math.floor(bit / CHUNK_BITS) + 1) * CHUNK_SIZE);
    setBit(bits, bit);
    last = Math.max(last, bit);
  }
  return bits.slice(0, (Math.floor(last / CHUNK_BITS) + 1) * CHUNK_SIZE);
}

/** The array itself, or a longer copy with zeros at the end: at least twice as long, so that growing stays cheap. */
function withRoom(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (size <= bytes.length) return bytes;
  const longer = new Uint8Array(Math.max(size, 2 * bytes.length));
  longer.set(bytes);
  return longer;
}

function checkIndex(index: number): number {
  if (typeof index !== "number") throw new TypeError(`index must be a number, got ${typeof index}`);
  if (!Number.isInteger(index) || index < 0 || INDEX_END <= index) {
    throw new RangeError(`index must be an integer from 0 to 2^32 - 1, got ${index}`);
  }
  return index;
}
