/** Bits of a path: Keccak-256 of a key. */
export const PATH_BITS = 256;

/** The bit at a depth, the most significant of byte 0 first. */
export function bitAt(path: Uint8Array, depth: number): 0 | 1 {
  return (((path[depth >>> 3] as number) >>> (7 - (depth & 7))) & 1) as 0 | 1;
}

/** Leading bits that two paths of 32 bytes have in common, at most `limit`. */
export function commonBits(a: Uint8Array, b: Uint8Array, limit: number = PATH_BITS): number {
  for (let i = 0; 8 * i < limit; i++) {
    const difference = (a[i] as number) ^ (b[i] as number);
    if (difference !== 0) return Math.min(limit, 8 * i + Math.clz32(difference) - 24);
  }
  return limit;
}

/** A fresh copy of the first bits; those after are zero. `size` bytes long. */
export function maskBits(path: Uint8Array, count: number, size: number): Uint8Array<ArrayBuffer> {
  const masked = new Uint8Array(size);
  masked.set(path.subarray(0, Math.ceil(count / 8)));
  const last = count >>> 3;
  if (count % 8 !== 0) masked[last] = (masked[last] as number) & (0xff00 >>> (count & 7));
  return masked;
}
