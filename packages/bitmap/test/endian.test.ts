import { expect, test } from "vitest";
import { readUnits, readWords, reverseEach, writeUnits, writeWords } from "../src/endian.ts";

const BYTES = Uint8Array.from({ length: 512 }, (_, i) => (i * 37) & 255);

test("numbers are little-endian in bytes, at any offset, few or many", () => {
  for (const at of [0, 1, 2, 3]) {
    for (const count of [0, 1, 64, 65, 100]) {
      const view = new DataView(BYTES.buffer);
      const units = new Uint16Array(count);
      readUnits(BYTES, at, units);
      expect([...units]).toEqual(
        Array.from({ length: count }, (_, i) => view.getUint16(at + 2 * i, true)),
      );
      const words = new Uint32Array(count);
      readWords(BYTES, at, words);
      expect([...words]).toEqual(
        Array.from({ length: count }, (_, i) => view.getUint32(at + 4 * i, true)),
      );
      const target = new Uint8Array(512);
      writeUnits(units, 0, count, target, at);
      expect(target.slice(at, at + 2 * count)).toEqual(BYTES.slice(at, at + 2 * count));
      writeWords(words, count, target, at);
      expect(target.slice(at, at + 4 * count)).toEqual(BYTES.slice(at, at + 4 * count));
    }
  }
});

test("part of the units is written", () => {
  const target = new Uint8Array(6);
  writeUnits(Uint16Array.of(1, 0x0302, 0x0504, 7), 1, 2, target, 1);
  expect([...target]).toEqual([0, 2, 3, 4, 5, 0]);
});

test("groups of bytes are turned round, as machines of the other order need it", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  reverseEach(bytes, 2);
  expect([...bytes]).toEqual([2, 1, 4, 3, 6, 5, 8, 7]);
  reverseEach(bytes, 4);
  expect([...bytes]).toEqual([3, 4, 1, 2, 7, 8, 5, 6]);
});
