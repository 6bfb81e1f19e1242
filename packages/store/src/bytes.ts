/** Order of keys: as unsigned bytes, a shorter one before its extensions. Negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    const difference = byteAt(a, i) - byteAt(b, i);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether two byte strings are the same; absent ones are the same too. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Fresh bytes: `a`, then `b`. */
export function concatBytes(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** Fresh bytes, whatever subclass of `Uint8Array` the argument is (the `slice` of a `Buffer` would share its memory). */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** The smallest byte string after every extension of `prefix`; `undefined` where the prefix is 0xff throughout. */
export function afterPrefix(prefix: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  let size = prefix.length;
  while (size > 0 && byteAt(prefix, size - 1) === 0xff) size--;
  if (size === 0) return undefined;
  const after = new Uint8Array(prefix.subarray(0, size));
  after[size - 1] = byteAt(after, size - 1) + 1;
  return after;
}

/** The caller has checked the index. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
