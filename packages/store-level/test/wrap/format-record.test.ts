import { scaled } from "@x/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

import { crc32 } from "@x/store/adapter";
import {
  decodeFormat,
  encodeFormat,
  FORMAT_KEY,
  type FormatRecord,
  isFormatKey,
} from "../../src/wrap/format-record.ts";

const count = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);
const someRecord: fc.Arbitrary<FormatRecord> = fc
  .record({ checksums: fc.boolean(), createdMs: count, a: count, b: count })
  .map(({ checksums, createdMs, a, b }) => ({
    checksums,
    createdMs,
    sequence: Math.max(a, b),
    durable: Math.min(a, b),
  }));

test("the bytes of FORMAT.md", () => {
  const record = { checksums: true, createdMs: 1_700_000_000_000, sequence: 5, durable: 4 };
  expect(hex(encodeFormat(record, crc32))).toBe(
    "78 73 74 6f 72 6c 76 6c 01 01 00 00 00 00 00 00 00 00 01 8b cf e5 68 00 " +
      "00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 04 fe 2d 1c 21",
  );
  expect(hex(FORMAT_KEY)).toBe("00 73 74 6f 72 65 2d 6c 65 76 65 6c 00");
});

test("a record comes back as it was", () => {
  fc.assert(
    fc.property(someRecord, (record) => {
      expect(decodeFormat(encodeFormat(record, crc32), crc32)).toEqual(record);
    }),
  );
});

test("every flipped bit and every other length is STORE_CORRUPT", () => {
  const bytes = encodeFormat({ checksums: true, createdMs: 1, sequence: 2, durable: 2 }, crc32);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(codeOf(flipped)).toBe("STORE_CORRUPT");
  }
  for (let size = 0; size < bytes.length; size++)
    expect(codeOf(bytes.subarray(0, size))).toBe("STORE_CORRUPT");
  expect(codeOf(Uint8Array.from([...bytes, 0]))).toBe("STORE_CORRUPT");
});

test("what another version or another meaning would have written is refused, though its checksum holds", () => {
  expect(changed(8, 2)).toBe("STORE_FORMAT");
  expect(changed(8, 0)).toBe("STORE_FORMAT");
  expect(changed(9, 2)).toBe("STORE_CORRUPT");
  for (let offset = 10; offset < 16; offset++) expect(changed(offset, 1)).toBe("STORE_CORRUPT");
  // Larger than a safe integer.
  for (const offset of [16, 24, 32]) expect(changed(offset, 0x20)).toBe("STORE_CORRUPT");
  // More durable than written.
  expect(changed(39, 3)).toBe("STORE_CORRUPT");
  expect(changed(39, 2)).toBe("accepted");
});

test("any bytes are refused or are what would be written again", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 44, maxLength: 44 }), (bytes) => {
      expect(codeOf(bytes)).toBe("STORE_CORRUPT");
    }),
    { numRuns: scaled(2000) },
  );
});

test("only one key is the store's own", () => {
  expect(isFormatKey(FORMAT_KEY)).toBe(true);
  expect(isFormatKey(FORMAT_KEY.slice(0, -1))).toBe(false);
  expect(isFormatKey(Uint8Array.from([...FORMAT_KEY, 0]))).toBe(false);
  expect(isFormatKey(FORMAT_KEY.map((byte, index) => (index === 5 ? byte ^ 1 : byte)))).toBe(false);
});

/** What becomes of a record in which a byte is another, and the checksum is right. */
function changed(offset: number, value: number): string {
  const bytes = encodeFormat({ checksums: true, createdMs: 1, sequence: 2, durable: 2 }, crc32);
  bytes[offset] = value;
  const view = new DataView(bytes.buffer);
  view.setUint32(40, crc32(bytes.subarray(0, 40), crc32(FORMAT_KEY, 0)));
  return codeOf(bytes);
}

function codeOf(bytes: Uint8Array): string {
  try {
    const record = decodeFormat(bytes, crc32);
    expect(encodeFormat(record, crc32)).toEqual(bytes);
    return "accepted";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
