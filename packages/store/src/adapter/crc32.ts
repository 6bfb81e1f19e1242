/** CRC-32 as in zlib: polynomial 0xedb88320, reflected, inverted before and after. */
export type Crc32 = (bytes: Uint8Array, previous: number) => number;

/** Bytes taken per step, each with a table of its own. */
const STRIDE = 8;

/**
 * Makes the checksum of a reflected polynomial.
 *
 * @returns a function of bytes and the checksum of what comes before them (0: nothing)
 */
export function makeCrc32(polynomial: number): Crc32 {
  const tables = makeTables(polynomial);
  return (bytes, previous) => {
    let crc = ~previous;
    let at = 0;
    for (; at + STRIDE <= bytes.length; at += STRIDE) {
      const first = crc ^ wordAt(bytes, at);
      const second = wordAt(bytes, at + 4);
      crc =
        look(tables, 7, first) ^
        look(tables, 6, first >>> 8) ^
        look(tables, 5, first >>> 16) ^
        look(tables, 4, first >>> 24) ^
        look(tables, 3, second) ^
        look(tables, 2, second >>> 8) ^
        look(tables, 1, second >>> 16) ^
        look(tables, 0, second >>> 24);
    }
    for (; at < bytes.length; at++)
      crc = look(tables, 0, crc ^ (bytes[at] as number)) ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

/** The portable CRC-32. */
export const crc32: Crc32 = /* @__PURE__ */ makeCrc32(0xedb88320);

/** What the low byte of `value` does to the checksum when `k` more bytes follow it. */
function look(tables: Uint32Array, k: number, value: number): number {
  return tables[k * 256 + (value & 0xff)] as number;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Table k holds what a byte does to the checksum when k more bytes follow it. */
function makeTables(polynomial: number): Uint32Array {
  const tables = new Uint32Array(STRIDE * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++)
      value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial;
    tables[byte] = value;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}
