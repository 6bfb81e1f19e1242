import { crc32 as zlibCrc32 } from "node:zlib";

import { expect, test } from "vitest";

import { crc32 } from "@x/store/adapter";
import { crcSeal, noSeal } from "../../src/wrap/value-seal.ts";

test("a sealed value is the value and four bytes, and another key's or a changed one is refused", () => {
  const seal = crcSeal(crc32);
  const sealed = (key: Uint8Array, value: Uint8Array): Uint8Array => {
    const into = new Uint8Array(value.length + seal.size);
    seal.write(into, key, value);
    return into;
  };
  const key = Uint8Array.of(1, 2);
  for (const value of [new Uint8Array(), Uint8Array.of(3, 4, 5)]) {
    const stored = sealed(key, value);
    expect(seal.valueSize(key, stored)).toBe(value.length);
    expect(stored.subarray(0, value.length)).toEqual(value);
    expect(stored.subarray(value.length).reduce((sum, byte) => sum * 256 + byte, 0)).toBe(
      zlibCrc32(Uint8Array.of(1, 2, ...value)),
    );
    const refused = expect.objectContaining({ code: "STORE_DAMAGED", key });
    for (let bit = 0; bit < 8 * stored.length; bit++) {
      const flipped = stored.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => seal.valueSize(key, flipped)).toThrow(refused);
    }
    for (let size = 0; size < stored.length; size++)
      expect(() => seal.valueSize(key, stored.subarray(0, size))).toThrow(refused);
    expect(() => seal.valueSize(Uint8Array.of(1, 3), stored)).toThrow(
      expect.objectContaining({ code: "STORE_DAMAGED" }),
    );
  }
});

test("without a seal a value is all that is stored", () => {
  const into = new Uint8Array(2);
  noSeal.write(into, Uint8Array.of(9), Uint8Array.of(1, 2));
  expect(into).toEqual(Uint8Array.of(1, 2));
  expect([noSeal.size, noSeal.valueSize(Uint8Array.of(9), into)]).toEqual([0, 2]);
});
