import { blake2b256, type Hasher } from "@x/hash";
import { HASH_SIZE } from "./wire.ts";

/** Bytes before the element in a leaf's row: the position. */
export const POSITION_SIZE = 8;
/** Bytes in the row of an inner node: position, left hash, right hash. */
export const INNER_ROW_SIZE: number = POSITION_SIZE + 2 * HASH_SIZE;

/**
 * How nodes are hashed and peaks are bagged. Every hash is 32 bytes. The functions are pure: equal arguments give equal
 * bytes, arguments are read and not kept, results are fresh.
 *
 * The packed forms take one row per node, side by side from byte 0, with the position in front as a 64-bit big-endian
 * integer. A rule that hashes something else than the row builds it from the row. They must give what the single forms give.
 */
export interface MmrHashing {
  /** Stable name, for example `"grin/blake2b-256"`. */
  readonly name: string;
  /** Hash of the leaf at `pos0` from its element's hash form. */
  hashLeaf(pos0: number, hashForm: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Hash of the inner node at `pos0` from its children's hashes. */
  hashInner(pos0: number, left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Adds one peak to the bag, going from right to left; the first bag is the last peak itself. */
  bag(size: number, peak: Uint8Array, bagged: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Root of the range without nodes. */
  emptyRoot(): Uint8Array<ArrayBuffer>;
  /**
   * Hashes many leaves whose hash forms have one length.
   *
   * @param rows - `count` rows of `rowSize` bytes: position, hash form
   * @param output - receives `32 * count` bytes from byte 0; does not overlap `rows`
   */
  hashLeaves(rows: Uint8Array, rowSize: number, count: number, output: Uint8Array): void;
  /**
   * Hashes many inner nodes.
   *
   * @param rows - `count` rows of {@link INNER_ROW_SIZE} bytes: position, left hash, right hash
   * @param output - receives `32 * count` bytes from byte 0; does not overlap `rows`
   */
  hashInners(rows: Uint8Array, count: number, output: Uint8Array): void;
}

/**
 * Grin's rule: a leaf is `H(position || element)`, an inner node `H(position || left || right)`, a bag
 * `H(size || peak || bagged)`, with positions and sizes as 64-bit big-endian integers, counting nodes from 0. The empty
 * root is 32 zero bytes. Preimages: FORMAT.md, "Hashes".
 *
 * Byte-compatible with Grin when `hasher` is unprefixed BLAKE2b-256, as it is by default.
 *
 * @param hasher - any hash function of 32 bytes
 * @throws RangeError if the hasher's output is not 32 bytes
 */
export function grinHashing(hasher: Hasher = blake2b256()): MmrHashing {
  if (hasher.outputSize !== HASH_SIZE) {
    throw new RangeError(`hasher must give ${HASH_SIZE} bytes, gives ${hasher.outputSize}`);
  }
  // Written and hashed within one call, so that no inner node allocates its preimage.
  const row = new Uint8Array(INNER_ROW_SIZE);
  const hashPair = (
    prefix: number,
    left: Uint8Array,
    right: Uint8Array,
  ): Uint8Array<ArrayBuffer> => {
    checkHash(left, "left hash");
    checkHash(right, "right hash");
    writePosition(row, 0, prefix);
    row.set(left, POSITION_SIZE);
    row.set(right, POSITION_SIZE + HASH_SIZE);
    return hasher.hash(row);
  };
  return {
    name: `grin/${hasher.name}`,
    hashLeaf: (pos0, hashForm) => {
      const message = new Uint8Array(POSITION_SIZE + hashForm.length);
      writePosition(message, 0, pos0);
      message.set(hashForm, POSITION_SIZE);
      return hasher.hash(message);
    },
    hashInner: hashPair,
    bag: hashPair,
    emptyRoot: () => new Uint8Array(HASH_SIZE),
    hashLeaves: (rows, rowSize, count, output) => hasher.hashMany(rows, rowSize, count, output),
    hashInners: (rows, count, output) => hasher.hashMany(rows, INNER_ROW_SIZE, count, output),
  };
}

/**
 * Root of a range from its peaks: the peaks are bagged from right to left, each with the size. One peak is the root itself.
 *
 * @param size - of the range; hashed into the bag
 * @param peaks - hashes of all peaks from left to right; none exactly for size 0
 * @returns fresh 32 bytes
 */
export function bagPeaks(
  hashing: MmrHashing,
  size: number,
  peaks: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  let bagged: Uint8Array<ArrayBuffer> | undefined;
  for (let i = peaks.length - 1; 0 <= i; i--) {
    const peak = peaks[i] as Uint8Array;
    bagged = bagged === undefined ? new Uint8Array(peak) : hashing.bag(size, peak, bagged);
  }
  return bagged ?? hashing.emptyRoot();
}

/** Writes a position or size as a 64-bit big-endian integer. `value` is a safe integer, `offset + 8` inside `bytes`. */
export function writePosition(bytes: Uint8Array, offset: number, value: number): void {
  let high = Math.floor(value / 4_294_967_296);
  let low = value >>> 0;
  for (let i = 3; 0 <= i; i--) {
    bytes[offset + i] = high;
    bytes[offset + 4 + i] = low;
    high >>>= 8;
    low >>>= 8;
  }
}

function checkHash(hash: Uint8Array, name: string): void {
  if (hash.length !== HASH_SIZE) {
    throw new RangeError(`${name} must be ${HASH_SIZE} bytes, got ${hash.length}`);
  }
}
