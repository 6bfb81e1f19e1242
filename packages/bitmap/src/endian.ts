/**
 * Little-endian numbers in bytes.
 *
 * Typed arrays store numbers in the byte order of the machine. Where that is little-endian, and it
 * nearly always is, bodies are copied whole; else their bytes are turned round afterwards.
 */

/** Whether this machine stores the low byte of a number first. */
export const IS_LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Fills 16-bit numbers from the little-endian bytes at `at`. */
export function readUnits(bytes: Uint8Array, at: number, target: Uint16Array): void {
  const view = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  view.set(bytes.subarray(at, at + view.length));
  if (!IS_LITTLE_ENDIAN) reverseEach(view, 2);
}

/** Fills 32-bit numbers from the little-endian bytes at `at`. */
export function readWords(bytes: Uint8Array, at: number, target: Uint32Array): void {
  const view = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  view.set(bytes.subarray(at, at + view.length));
  if (!IS_LITTLE_ENDIAN) reverseEach(view, 4);
}

/** Units that are written one by one: making the views for a copy takes as long. */
const FEW_COUNT = 64;

/** Writes `count` 16-bit numbers, from index `start` on, as little-endian bytes from byte `at` on. */
export function writeUnits(
  units: Uint16Array,
  start: number,
  count: number,
  target: Uint8Array,
  at: number,
): void {
  if (count > FEW_COUNT && IS_LITTLE_ENDIAN) {
    target.set(new Uint8Array(units.buffer, units.byteOffset + start * 2, count * 2), at);
    return;
  }
  for (let i = start, to = at; i < start + count; i++, to += 2) {
    const unit = units[i] as number;
    target[to] = unit;
    target[to + 1] = unit >>> 8;
  }
}

/** Writes the first `count` 32-bit numbers as little-endian bytes from byte `at` on. */
export function writeWords(
  words: Uint32Array,
  count: number,
  target: Uint8Array,
  at: number,
): void {
  target.set(new Uint8Array(words.buffer, words.byteOffset, count * 4), at);
  if (!IS_LITTLE_ENDIAN) reverseEach(target.subarray(at, at + count * 4), 4);
}

/** Turns each group of `size` bytes round in place. */
export function reverseEach(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}
