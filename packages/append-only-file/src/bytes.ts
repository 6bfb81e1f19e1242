/** The empty byte string. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

const TWO_32 = 0x1_0000_0000;

/** A view over exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes a safe, non-negative integer as 8 big-endian bytes. */
export function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value % TWO_32);
}

/** Reads 8 big-endian bytes; `undefined` above 2^53 - 1. */
export function readU64(view: DataView, at: number): number | undefined {
  const high = view.getUint32(at);
  return high < 0x20_0000 ? high * TWO_32 + view.getUint32(at + 4) : undefined;
}

/** Whether two byte strings are the same. Not constant in time: for checksums, not for secrets. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

/** One fresh byte string of all parts. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Refuses what cannot be an offset, a size or a count. */
export function checkCount(name: string, value: number): void {
  if (typeof value !== "number")
    throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be an integer from 0 to 2^53 - 1, got ${value}`);
  }
}

/** Refuses what is not a byte array. */
export function checkBytes(name: string, value: Uint8Array): void {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a Uint8Array, got ${typeof value}`);
  }
}
