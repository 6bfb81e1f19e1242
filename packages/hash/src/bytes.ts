/**
 * Whether two byte arrays hold the same bytes.
 *
 * The time taken depends on the lengths and not on where the bytes differ, as far as a JavaScript engine allows;
 * arrays of different lengths are told apart at once.
 *
 * @param left - read, not kept
 * @param right - read, not kept
 * @throws TypeError if one is not a Uint8Array: two texts of one length would otherwise pass for equal
 */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  checkBytes(left, "left");
  checkBytes(right, "right");
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= byteAt(left, i) ^ byteAt(right, i);
  return difference === 0;
}

/**
 * Orders byte arrays as unsigned bytes, first byte first; a proper prefix comes before what it begins.
 * Not constant-time: it stops at the first difference.
 *
 * @param left - read, not kept
 * @param right - read, not kept
 * @returns -1, 0 or 1, so that it can be given to `sort`
 * @throws TypeError if one is not a Uint8Array
 */
export function compareBytes(left: Uint8Array, right: Uint8Array): -1 | 0 | 1 {
  checkBytes(left, "left");
  checkBytes(right, "right");
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const difference = byteAt(left, i) - byteAt(right, i);
    if (difference !== 0) return difference < 0 ? -1 : 1;
  }
  if (left.length === right.length) return 0;
  return left.length < right.length ? -1 : 1;
}

/**
 * Joins byte arrays in order.
 *
 * @param parts - read, not kept
 * @returns fresh bytes, as many as all parts together
 * @throws TypeError if a part is not a Uint8Array
 */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) {
    checkBytes(part, "part");
    size += part.length;
  }
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** @throws TypeError if what should be bytes is not a Uint8Array; `name` says which argument it is */
export function checkBytes(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
}

/** The byte at `index`, which the caller has checked to be below the length. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
