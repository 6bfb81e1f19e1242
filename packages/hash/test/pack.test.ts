import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concatBytes, type Hasher } from "../src/index.ts";
import { bytes, cases, scale } from "./cases.ts";

function oneByOne(hasher: Hasher, messages: Uint8Array, size: number, count: number): Uint8Array {
  const digests: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    digests.push(hasher.hash(messages.subarray(i * size, (i + 1) * size)));
  }
  return concatBytes(digests);
}

function packed(hasher: Hasher, messages: Uint8Array, size: number, count: number): Uint8Array {
  const output = new Uint8Array(count * hasher.outputSize);
  hasher.hashMany(messages, size, count, output);
  return output;
}

describe.each(cases)("a pack of $algorithm by $engine", ({ create, oracle }) => {
  test("gives what one by one gives, at every message length up to 300", () => {
    const hasher = create();
    for (let size = 0; size <= 300; size++) {
      const messages = bytes(size * 3, size + 1);
      expect(packed(hasher, messages, size, 3), `${size} bytes`).toEqual(
        oneByOne(hasher, messages, size, 3),
      );
    }
  });

  test("gives what an independent implementation gives", () => {
    const messages = bytes(72 * 20);
    const expected = Array.from({ length: 20 }, (_, i) =>
      oracle(messages.subarray(72 * i, 72 * i + 72)),
    );
    expect(packed(create(), messages, 72, 20)).toEqual(concatBytes(expected));
  });

  test.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100])(
    "of %i messages is complete",
    (count) => {
      const hasher = create();
      const messages = bytes(72 * count, count + 1);
      expect(packed(hasher, messages, 72, count)).toEqual(oneByOne(hasher, messages, 72, count));
    },
  );

  test("gives what one by one gives, for any size, count, prefix and place", () => {
    fc.assert(
      fc.property(
        fc.record({
          size: fc.nat(300),
          count: fc.nat(12),
          prefix: fc.uint8Array({ maxLength: 150 }),
          start: fc.nat(9),
          outputOffset: fc.nat(9),
          surplus: fc.nat(5),
        }),
        ({ size, count, prefix, start, outputOffset, surplus }) => {
          const hasher = create({ prefix });
          const messages = bytes(start + size * count + surplus, size + 1).subarray(start);
          const output = bytes(outputOffset + 32 * count + surplus, 7);
          const expected = output.slice();
          expected.set(oneByOne(hasher, messages, size, count), outputOffset);
          const before = messages.slice();
          hasher.hashMany(messages, size, count, output, outputOffset);
          expect(output).toEqual(expected);
          expect(messages).toEqual(before);
        },
      ),
      { numRuns: 150 * scale },
    );
  });

  test("refuses buffers that are too short by one byte, and takes exact ones", () => {
    const hasher = create();
    const output = new Uint8Array(70);
    expect(() => hasher.hashMany(bytes(143), 72, 2, output)).toThrow(RangeError);
    expect(() => hasher.hashMany(bytes(144), 72, 2, new Uint8Array(63))).toThrow(RangeError);
    expect(() => hasher.hashMany(bytes(144), 72, 2, output, 7)).toThrow(RangeError);
    expect(output).toEqual(new Uint8Array(70));
    hasher.hashMany(bytes(144), 72, 2, output, 6);
    expect(output.subarray(6)).toEqual(packed(hasher, bytes(144), 72, 2));
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1"])(
    "refuses %s as a number",
    (value) => {
      const wrong = value as number;
      const hasher = create();
      const [messages, output] = [bytes(64), new Uint8Array(64)];
      expect(() => hasher.hashMany(messages, wrong, 1, output)).toThrow(RangeError);
      expect(() => hasher.hashMany(messages, 1, wrong, output)).toThrow(RangeError);
      expect(() => hasher.hashMany(messages, 1, 1, output, wrong)).toThrow(RangeError);
      expect(output).toEqual(new Uint8Array(64));
    },
  );

  test("refuses a product of size and count beyond any buffer", () => {
    const hasher = create();
    const huge = Number.MAX_SAFE_INTEGER;
    expect(() => hasher.hashMany(bytes(8), huge, huge, new Uint8Array(32))).toThrow(RangeError);
    expect(() => hasher.hashMany(bytes(8), 0, huge, new Uint8Array(32))).toThrow(RangeError);
  });

  test("refuses what is not bytes", () => {
    const hasher = create();
    const list = [1, 2, 3] as unknown as Uint8Array;
    expect(() => hasher.hashMany(list, 1, 1, new Uint8Array(32))).toThrow(TypeError);
    expect(() => hasher.hashMany(bytes(1), 1, 1, list)).toThrow(TypeError);
  });

  test("refuses to write over the messages it reads, and may share their buffer otherwise", () => {
    const hasher = create();
    const shared = bytes(200);
    const expected = packed(hasher, shared.slice(), 32, 2);
    // Messages are bytes 0 to 64; digests would be at 63, at 0, and around the messages.
    expect(() => hasher.hashMany(shared, 32, 2, shared, 63)).toThrow(RangeError);
    expect(() => hasher.hashMany(shared, 32, 2, shared, 0)).toThrow(RangeError);
    expect(() => hasher.hashMany(shared.subarray(63), 32, 2, shared, 0)).toThrow(RangeError);
    expect(() => hasher.hashMany(shared.subarray(20), 8, 2, shared, 0)).toThrow(RangeError);
    expect(shared).toEqual(bytes(200));
    hasher.hashMany(shared, 32, 2, shared, 64);
    expect(shared.subarray(64, 128)).toEqual(expected);
    const behind = bytes(200);
    hasher.hashMany(behind.subarray(64), 32, 2, behind, 0);
    expect(behind.subarray(0, 64)).toEqual(oneByOne(hasher, bytes(200).subarray(64), 32, 2));
  });

  test("of empty messages may be written anywhere, for nothing is read", () => {
    const hasher = create();
    const shared = bytes(100);
    hasher.hashMany(shared.subarray(40), 0, 2, shared, 8);
    const empty = oracle(new Uint8Array(0));
    expect(shared.subarray(8, 72)).toEqual(concatBytes([empty, empty]));
  });

  test("of nothing writes nothing", () => {
    const output = bytes(40);
    create().hashMany(new Uint8Array(0), 72, 0, output, 40);
    expect(output).toEqual(bytes(40));
  });
});
