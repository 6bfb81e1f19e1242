import { expect, test } from "vitest";

import { crc32c, maskCrc } from "../../src/leveldb/crc32c.ts";

// RFC 3720, appendix B.4.
const vectors: [Uint8Array, number][] = [
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [new TextEncoder().encode("123456789"), 0xe3069283],
];

test("the vectors of RFC 3720 hold, in one piece or two", () => {
  for (const [bytes, crc] of vectors) {
    expect(crc32c(bytes, 0)).toBe(crc);
    expect(crc32c(bytes.subarray(5), crc32c(bytes.subarray(0, 5), 0))).toBe(crc);
  }
});

test("a masked checksum is rotated by 15 bits and moved by a constant", () => {
  expect(maskCrc(0)).toBe(0xa282ead8);
  expect(maskCrc(0x8000)).toBe(0xa282ead9);
  expect(maskCrc(1)).toBe(0xa284ead8);
  expect(maskCrc(0xffffffff)).toBe(0xa282ead7);
});
