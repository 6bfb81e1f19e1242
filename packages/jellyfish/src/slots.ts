/** The sixteen slots of an internal node as bit masks: bit `s` is slot `s`. */

/** Number of bits set in a 16-bit mask. */
export function bitCount(mask: number): number {
  let count = mask - ((mask >>> 1) & 0x5555);
  count = (count & 0x3333) + ((count >>> 2) & 0x3333);
  count = (count + (count >>> 4)) & 0x0f0f;
  return (count + (count >>> 8)) & 0x1f;
}

/** Whether exactly one bit of a mask is set. */
export function isSingle(mask: number): boolean {
  return mask !== 0 && (mask & (mask - 1)) === 0;
}

/** The lowest slot of a mask that is not 0. */
export function lowestSlot(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** The highest slot of a mask that is not 0. */
export function highestSlot(mask: number): number {
  return 31 - Math.clz32(mask);
}

/** How many slots of a mask are below `slot`: a child's index among the children. */
export function indexOfSlot(mask: number, slot: number): number {
  return bitCount(mask & ((1 << slot) - 1));
}

/** The slots from `first` to `last`, both included. */
export function slotsBetween(first: number, last: number): number {
  return (0xffff << first) & (0xffff >>> (15 - last)) & 0xffff;
}
