/**
 * Paths: 32 bytes that name a place in the tree. Bit `i` is bit `7 - i % 8` of byte `i / 8`, the most significant first; a
 * 0 goes left. Nibble `2i` is the high half of byte `i`. The order of the tree is the order of the bytes.
 */

/** Bytes of a path, and of every hash. */
export const PATH_SIZE = 32;
/** Bits of a path: the most siblings a proof has. */
export const PATH_BITS = 256;
/** Nibbles of a path: the most internal nodes above a leaf. */
export const PATH_NIBBLES = 64;

/** Bit `index` (0…255) of a path: 0 or 1. */
export function bitAt(path: Uint8Array, index: number): number {
  return ((path[index >>> 3] as number) >>> (7 - (index & 7))) & 1;
}

/** Nibble `index` (0…63) of a path: 0…15. */
export function nibbleAt(path: Uint8Array, index: number): number {
  const byte = path[index >>> 1] as number;
  return (index & 1) === 0 ? byte >>> 4 : byte & 15;
}

/** Number of leading bits two paths share: 0…256. */
export function commonBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < PATH_SIZE; i++) {
    const difference = (a[i] as number) ^ (b[i] as number);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return PATH_BITS;
}
