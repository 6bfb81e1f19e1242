import { ByteSlab } from "./byte-slab.ts";
import { type InternalNode } from "./node.ts";
import { PATH_SIZE } from "./path.ts";
import { type HashScheme } from "./scheme/scheme.ts";
import { isSingle } from "./slots.ts";

/**
 * The binary tree inside an internal node, as a heap of 32 hashes of 32 bytes: 1 is the node itself, 2 and 3 its halves, …,
 * 16 + `s` the child in slot `s`; what is below `h` is 2`h` and 2`h` + 1. Hash 0 is not used.
 *
 * Two shortcuts: a range of slots without child is the placeholder; a range with one child, if it is a leaf, is that leaf.
 *
 * @see FORMAT.md, "Hash of an internal node"
 */
export const HEAP_SIZE: number = 32 * PATH_SIZE;
/** The inner hashes alone: the first half of a heap. */
export const INNER_SIZE: number = 16 * PATH_SIZE;

/** Every slot has a child. */
export const ALL_SLOTS = 0xffff;

/** The slots below entry `h` (1…31) of a heap. */
const SLOTS_BELOW: readonly number[] = Array.from({ length: 32 }, (_, h) => {
  if (h === 0) return 0;
  const level = 31 - Math.clz32(h);
  const width = 16 >>> level;
  return ((1 << width) - 1) << ((h - (1 << level)) * width);
});

/** The slots below entry `h` (1…31) of a heap, as a mask. */
export function slotsBelow(h: number): number {
  return SLOTS_BELOW[h] as number;
}

/** A heap that is about to be hashed. */
export interface HeapShape {
  readonly existence: number;
  readonly leaves: number;
  /** Slots whose child changed; inner hashes above no such slot are right already. 0xffff: all are to be made. */
  readonly touched: number;
}

/** Hashes heaps that lie side by side, each binary level of all of them in one packed call. */
export class HeapHasher {
  readonly #scheme: HashScheme;
  readonly #slab: ByteSlab;
  #pairs = new Uint8Array(0);
  #digests = new Uint8Array(0);
  readonly #targets: number[] = [];

  /** @param slab - gives the memory for packs */
  constructor(scheme: HashScheme, slab: ByteSlab = new ByteSlab()) {
    this.#scheme = scheme;
    this.#slab = slab;
  }

  /**
   * Fills the inner hashes above touched slots.
   *
   * @param heaps - heap `i` at `i * HEAP_SIZE`; children are in place, the placeholder where there is none
   */
  hash(heaps: Uint8Array, shapes: readonly HeapShape[]): void {
    this.#reserve(shapes.length * 8);
    for (let first = 8; first >= 1; first >>>= 1) this.#hashLevel(heaps, shapes, first);
  }

  #hashLevel(heaps: Uint8Array, shapes: readonly HeapShape[], first: number): void {
    const { placeholder } = this.#scheme;
    let count = 0;
    for (let i = 0; i < shapes.length; i++) {
      const { existence, leaves, touched } = shapes[i] as HeapShape;
      const base = i * HEAP_SIZE;
      for (let h = first; h < 2 * first; h++) {
        const below = SLOTS_BELOW[h] as number;
        if ((touched & below) === 0) continue;
        const used = existence & below;
        const target = base + h * PATH_SIZE;
        if (used === 0) heaps.set(placeholder, target);
        else if ((used & leaves) !== 0 && isSingle(used)) {
          const isLeft = (used & (SLOTS_BELOW[2 * h] as number)) !== 0;
          const source = base + (isLeft ? 2 * h : 2 * h + 1) * PATH_SIZE;
          heaps.copyWithin(target, source, source + PATH_SIZE);
        } else {
          copyBlock(heaps, base + 2 * h * PATH_SIZE, this.#pairs, count * 64, 64);
          this.#targets[count++] = target;
        }
      }
    }
    this.#scheme.hashInners(this.#pairs, count, this.#digests, 0);
    for (let i = 0; i < count; i++)
      copyBlock(this.#digests, i * PATH_SIZE, heaps, this.#targets[i] as number, PATH_SIZE);
  }

  #reserve(count: number): void {
    if (this.#pairs.length >= count * 64) return;
    this.#pairs = this.#slab.take(count * 64);
    this.#digests = this.#slab.take(count * PATH_SIZE);
  }
}

/** Copies `size` bytes; for so few, a loop is quicker than `set` of a view. */
export function copyBlock(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  size: number,
): void {
  for (let i = 0; i < size; i++) target[targetOffset + i] = source[sourceOffset + i] as number;
}

/** Writes the hashes of a node's children, and the placeholder where there is none, into the heap at `base`. */
export function placeChildren(
  heaps: Uint8Array,
  base: number,
  { existence, hashes }: Pick<InternalNode, "existence" | "hashes">,
  placeholder: Uint8Array,
): void {
  let target = base + INNER_SIZE;
  let source = 0;
  // So are all nodes near the root.
  if (existence === ALL_SLOTS) {
    heaps.set(hashes, target);
    return;
  }
  for (let slot = 0; slot < 16; slot++, target += PATH_SIZE) {
    if (((existence >>> slot) & 1) === 0) copyBlock(placeholder, 0, heaps, target, PATH_SIZE);
    else {
      copyBlock(hashes, source, heaps, target, PATH_SIZE);
      source += PATH_SIZE;
    }
  }
}

/** The whole heap of a node: up to 15 pair hashes in four packed calls. Fresh bytes; the node's hash is entry 1. */
export function heapOf(node: InternalNode, scheme: HashScheme): Uint8Array<ArrayBuffer> {
  const heap = new Uint8Array(HEAP_SIZE);
  placeChildren(heap, 0, node, scheme.placeholder);
  const { existence, leaves } = node;
  new HeapHasher(scheme).hash(heap, [{ existence, leaves, touched: 0xffff }]);
  return heap;
}

/** The hash of an internal node. Fresh 32 bytes. */
export function hashInternal(node: InternalNode, scheme: HashScheme): Uint8Array<ArrayBuffer> {
  return heapOf(node, scheme).slice(PATH_SIZE, 2 * PATH_SIZE);
}
