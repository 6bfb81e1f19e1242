/** Unsigned LEB128: seven bits a byte, the lowest first; the top bit says that more follow. Shortest form only. */

/** Bytes that a number takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Writes `value`, a safe integer of 0 or more. @returns the offset after it */
export function writeVarint(value: number, target: Uint8Array, offset: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

/**
 * Reads a number back.
 *
 * @returns the number and the offset after it; `undefined` if the bytes end, the form is not the shortest, or the number
 *   is above `max`, a safe integer
 */
export function readVarint(
  bytes: Uint8Array,
  offset: number,
  max: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let at = offset; at < bytes.length && factor <= max; at++) {
    const byte = bytes[at] as number;
    value += (byte & 127) * factor;
    if (value > max) return undefined;
    if (byte < 128) return byte === 0 && at > offset ? undefined : { value, end: at + 1 };
    factor *= 128;
  }
  return undefined;
}
