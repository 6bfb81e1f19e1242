/**
 * Index arithmetic of a Merkle mountain range: pure functions on numbers, no storage, no hashes.
 *
 * Nodes are numbered from 0 in the order in which they come into being: two trees of equal height are followed at once
 * by their common parent.
 *
 * ```text
 * height 3                14
 *            2       6          13
 *            1     2   5      9    12     17
 *            0    0 1 3 4    7 8 10 11  15 16 18
 * ```
 *
 * Five quantities are kept apart. `pos0` is a node's number; `size` is how many nodes there are, which is also the number
 * of the next node; a leaf index counts leaves from 0; `height` is 0 for a leaf; a peak is the root of a tree that has no
 * parent yet. A size is *valid* when no parent is missing.
 *
 * Arguments are checked to be integers in [0, 2^53 - 1]. Every answer up to there is exact; an answer above it is refused
 * with RangeError, never rounded. So every function works for all sizes up to 2^52.
 */

/** The trees of a size, and the height of the node that comes next. */
export interface PeakMap {
  /** Bit h is set when a complete tree of height h is among the peaks. At most 2^52. */
  readonly map: number;
  /** Height of the node at `pos0 = size`; 0 exactly when the size is valid. */
  readonly height: number;
}

/** A node's parent and sibling, whether or not a given range is large enough to hold them. */
export interface Family {
  readonly parent: number;
  readonly sibling: number;
}

/** Half-open: `begin` is inside, `end` is not. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a number as a size (which trees, and what comes next) or as a position (its height, and whether it is a right
 * child: bit `height` of the map is set). For a node of height h, bits 0 … h-1 of its map are all set.
 *
 * @example
 * peakMapHeight(10); // { map: 0b110, height: 0 }: trees of height 2 and 1, next a leaf
 * peakMapHeight(5); // { map: 0b11, height: 1 }: the node at 5 has height 1 and is a right child
 */
export function peakMapHeight(size: number): PeakMap {
  checkCount(size, "size");
  return split(size);
}

/** Height of the node at `pos0`; 0 for a leaf. */
export function heightOf(pos0: number): number {
  checkCount(pos0, "pos0");
  return split(pos0).height;
}

/** Whether the node at `pos0` is a leaf. */
export function isLeaf(pos0: number): boolean {
  return heightOf(pos0) === 0;
}

/** Whether a range can have this many nodes: 0, 1, 3, 4, 7, 8, 10, 11, 15 … */
export function isValidSize(size: number): boolean {
  checkCount(size, "size");
  return split(size).height === 0;
}

/**
 * Sizes of the trees, largest first, and the height of the next node.
 *
 * @example
 * peakSizes(11); // { sizes: [7, 3, 1], height: 0 }
 */
export function peakSizes(size: number): { readonly sizes: number[]; readonly height: number } {
  const { map, height } = peakMapHeight(size);
  const sizes: number[] = [];
  for (let rest = map; rest > 0;) {
    const bit = highestBit(rest);
    sizes.push(2 * bit - 1);
    rest -= bit;
  }
  return { sizes, height };
}

/** Positions of the peaks from left to right; none for size 0 and for an invalid size. */
export function peaks(size: number): number[] {
  const { sizes, height } = peakSizes(size);
  const positions: number[] = [];
  if (height !== 0) return positions;
  let end = 0;
  for (const treeSize of sizes) {
    end += treeSize;
    positions.push(end - 1);
  }
  return positions;
}

/**
 * Leaves among the first `size` nodes; of an invalid size too. So `leafCount(pos0 + 1)` counts the leaves up to and
 * including `pos0`, leaf or not. (`n_leaves` in Grin, for which an invalid size counts alike.)
 */
export function leafCount(size: number): number {
  const { map, height } = peakMapHeight(size);
  return height === 0 ? map : map + 1;
}

/** Position of the leaf with this index: 2n minus the bits set in n. Also the size of a range of so many leaves. */
export function leafPosition(leafIndex: number): number {
  checkCount(leafIndex, "leaf index");
  return exact(2 * leafIndex - bitCount(leafIndex), "position of the leaf");
}

/** Index of the leaf at `pos0`, or `undefined` if that node is no leaf. */
export function leafIndexAt(pos0: number): number | undefined {
  checkCount(pos0, "pos0");
  const { map, height } = split(pos0);
  return height === 0 ? map : undefined;
}

/** The least leaf position at or after `pos0`. Read as a size: the least valid size that is not smaller. */
export function roundUpToLeaf(pos0: number): number {
  checkCount(pos0, "pos0");
  const { map, height } = split(pos0);
  return leafPosition(height === 0 ? map : map + 1);
}

/**
 * Parent and sibling of a node. It knows of no size: for a peak it names the nodes of the larger range in which the peak
 * has a parent.
 *
 * @throws RangeError if the parent's position is above 2^53 - 1
 * @example
 * family(4); // { parent: 5, sibling: 3 }
 */
export function family(pos0: number): Family {
  checkCount(pos0, "pos0");
  const { map, height } = split(pos0);
  const leaves = power(height);
  if (hasBit(map, leaves))
    return { parent: exact(pos0 + 1, "parent"), sibling: pos0 + 1 - 2 * leaves };
  return { parent: exact(pos0 + 2 * leaves, "parent"), sibling: pos0 + 2 * leaves - 1 };
}

/** Whether the node at `pos0` is the left child of its parent. */
export function isLeftSibling(pos0: number): boolean {
  checkCount(pos0, "pos0");
  const { map, height } = split(pos0);
  return !hasBit(map, power(height));
}

/**
 * Parents and siblings from a node up to the peak above it, in a range of `size` nodes. Stops below a parent that does
 * not exist yet, even where the sibling does.
 *
 * @example
 * familyBranch(3, 7); // [{ parent: 5, sibling: 4 }, { parent: 6, sibling: 2 }]
 */
export function familyBranch(pos0: number, size: number): Family[] {
  checkCount(pos0, "pos0");
  checkCount(size, "size");
  const { map, height } = split(pos0);
  const branch: Family[] = [];
  let leaves = power(height);
  // Bit by bit from `height` up, the map says on which side each ancestor lies.
  let sides = Math.floor(map / leaves);
  for (let current = pos0; ;) {
    const isRight = sides % 2 === 1;
    const parent = isRight ? current + 1 : current + 2 * leaves;
    if (parent >= size) return branch;
    branch.push({ parent, sibling: isRight ? parent - 2 * leaves : parent - 1 });
    current = parent;
    leaves *= 2;
    sides = Math.floor(sides / 2);
  }
}

/** Position of the leftmost leaf below a node; the node itself if it is a leaf. */
export function leftmostLeaf(pos0: number): number {
  checkCount(pos0, "pos0");
  return pos0 - (2 * power(split(pos0).height) - 2);
}

/** Position of the rightmost leaf below a node; the node itself if it is a leaf. */
export function rightmostLeaf(pos0: number): number {
  checkCount(pos0, "pos0");
  return pos0 - split(pos0).height;
}

/** Positions of a node and of everything below it: they are contiguous and end with the node. */
export function subtreeRange(pos0: number): Range {
  return { begin: leftmostLeaf(pos0), end: exact(pos0 + 1, "end of the subtree") };
}

/** Indexes of the leaves at or below a node: they are contiguous. */
export function leafRangeBelow(pos0: number): Range {
  checkCount(pos0, "pos0");
  const { map, height } = split(pos0);
  // Of the leaves up to the node, itself included, the map misses one: the last.
  const end = map + 1;
  return { begin: end - power(height), end };
}

/**
 * Positions of the leaves at or below a node.
 *
 * @yields positions, ascending
 */
export function* leavesBelow(pos0: number): Generator<number, void, undefined> {
  const { begin, end } = leafRangeBelow(pos0);
  for (let index = begin; index < end; index++) yield leafPosition(index);
}

/**
 * Takes the trees of a size apart, largest first. A second tree as large as the one before means that their parent is
 * what comes next; by definition the map then continues with the trees that the second one contains.
 */
function split(size: number): PeakMap {
  let map = 0;
  let heightBefore = -1;
  for (let rest = size; rest > 0;) {
    const leaves = highestBit(rest + 1) / 2;
    const height = bitLength(leaves) - 1;
    if (height === heightBefore) return { map: map + leaves - 1, height: height + 1 };
    map += leaves;
    rest -= 2 * leaves - 1;
    heightBefore = height;
  }
  return { map, height: 0 };
}

const WORD = 4_294_967_296;

/** Bits in n, for 0 <= n <= 2^53. The two words are taken apart first: `Math.clz32` sees 32 bits. */
function bitLength(n: number): number {
  return n < WORD ? 32 - Math.clz32(n) : 64 - Math.clz32(Math.floor(n / WORD));
}

/** The highest bit of n as a number, for 1 <= n <= 2^53. */
function highestBit(n: number): number {
  return power(bitLength(n) - 1);
}

/** 2^k, for 0 <= k <= 53. */
function power(k: number): number {
  return k < 31 ? 1 << k : 2 ** k;
}

/** Whether the bit with value `bit` is set in n. */
function hasBit(n: number, bit: number): boolean {
  return Math.floor(n / bit) % 2 === 1;
}

/** Bits set in n, for 0 <= n < 2^53. */
function bitCount(n: number): number {
  return wordBitCount(n % WORD) + wordBitCount(Math.floor(n / WORD));
}

/** Bits set in a 32-bit word: sums of neighbours in fields of 2, 4 and 8 bits, then all fields at once. */
function wordBitCount(word: number): number {
  let n = word | 0;
  n -= (n >>> 1) & 0x5555_5555;
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  n = (n + (n >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(n, 0x0101_0101) >>> 24;
}

/** @throws RangeError if what `name` names is not an integer from 0 to 2^53 - 1 */
export function checkCount(value: number, name: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be an integer from 0 to 2^53 - 1, got ${value}`);
  }
}

function exact(value: number, name: string): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new RangeError(`${name} is above 2^53 - 1`);
  return value;
}
