/** CRC-32 as zip and Ethernet have it: polynomial edb88320 reflected, all ones at the beginning and the end. */
const POLYNOMIAL = 0xedb88320;

const TABLE: Uint32Array = /* @__PURE__ */ makeTable();

/** The checksum of two byte strings, one behind the other. */
export function crc32(head: Uint8Array, rest: Uint8Array): number {
  return ~add(add(-1, head), rest) >>> 0;
}

function add(register: number, bytes: Uint8Array): number {
  let crc = register;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
  return crc;
}

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  return table;
}
