import { crc32 as zlibCrc32 } from "node:zlib";

import fc from "fast-check";
import { expect, test } from "vitest";

import { crc32 } from "../../src/adapter/crc32.ts";

const someBytes = fc.uint8Array({ maxLength: 200, size: "max" });

test("the checksum is zlib's, in one piece or two, wherever the bytes lie", () => {
  fc.assert(
    fc.property(someBytes, someBytes, fc.nat({ max: 9 }), (a, b, offset) => {
      const lying = new Uint8Array(offset + b.length);
      lying.set(b, offset);
      expect(crc32(lying.subarray(offset), crc32(a, 0))).toBe(zlibCrc32(b, zlibCrc32(a)));
    }),
  );
  expect(crc32(new TextEncoder().encode("123456789"), 0)).toBe(0xcbf43926);
});
