/**
 * Little-endian numbers in bytes.
 *
 * Typed arrays store numbers in the byte order of the machine. Where that is little-endian, and it
 * nearly always is, bodies are copied whole; else their bytes are turned round afterwards.
 */

/** Whether this machine stores the low byte of a number first. */
export const IS_LITTLE_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Copies little-endian bytes into the memory of 16-bit numbers, which they must fill. */
export function readUnits(bytes: Uint8Array, target: Uint16Array): void {
  const view = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  view.set(bytes);
  if (!IS_LITTLE_ENDIAN) reverseEach(view, 2);
}

/** Copies little-endian bytes into the memory of 32-bit numbers, which they must fill. */
export function readWords(bytes: Uint8Array, target: Uint32Array): void {
  const view = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  view.set(bytes);
  if (!IS_LITTLE_ENDIAN) reverseEach(view, 4);
}

/** Copies numbers as little-endian bytes to `target`, from byte `at` on. */
export function writeNumbers(
  numbers: Uint16Array | Uint32Array,
  target: Uint8Array,
  at: number,
): void {
  const view = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  target.set(view, at);
  if (!IS_LITTLE_ENDIAN) {
    reverseEach(target.subarray(at, at + view.length), numbers.BYTES_PER_ELEMENT);
  }
}

/** Turns each group of `size` bytes round in place. */
export function reverseEach(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}
