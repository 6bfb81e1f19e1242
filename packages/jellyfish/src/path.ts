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

/** A path that has a certain bit at `depth`: the same bytes if it has it, else a copy. */
export function turned(path: Uint8Array, depth: number, bit: number): Uint8Array {
  if (bitAt(path, depth) === bit) return path;
  const copy = new Uint8Array(path);
  copy[depth >>> 3] = (copy[depth >>> 3] as number) ^ (128 >>> (depth & 7));
  return copy;
}

/** @throws TypeError, RangeError if what the caller gave as a path or a root is not 32 bytes */
export function checkArgument(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  if (bytes.length !== PATH_SIZE) {
    throw new RangeError(`${name} must be ${PATH_SIZE} bytes, got ${bytes.length}`);
  }
}
