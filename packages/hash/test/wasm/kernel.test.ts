import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { keccak_256, sha3_256 as nobleSha3 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Algorithm, concatBytes, equalBytes, type Hasher } from "../../src/index.ts";
import { createWasmEngine } from "../../src/wasm/index.ts";
import { COUNT_MAX, INPUT_SIZE } from "../../src/wasm/layout.ts";
import { bytes, openSsl, scale } from "../cases.ts";

const engines = [createWasmEngine({ simd: true }), createWasmEngine({ simd: false })];

/** The audited implementation of each algorithm, and its block size. */
const references: readonly {
  readonly algorithm: Algorithm;
  readonly blockSize: number;
  readonly noble: (message: Uint8Array) => Uint8Array;
}[] = [
  {
    algorithm: "blake2b-256",
    blockSize: 128,
    noble: (message) => blake2b(message, { dkLen: 32 }),
  },
  { algorithm: "sha-256", blockSize: 64, noble: nobleSha256 },
  { algorithm: "sha3-256", blockSize: 136, noble: nobleSha3 },
  { algorithm: "keccak-256", blockSize: 136, noble: keccak_256 },
];

const subjects = engines.flatMap((engine) =>
  references.map((reference) => Object.assign({ engine }, reference)),
);

/** Messages of one size side by side. */
function packOf(count: number, size: number): Uint8Array<ArrayBuffer> {
  return bytes(count * size, size + count);
}

function packed(hasher: Hasher, messages: Uint8Array, size: number, count: number): Uint8Array {
  const output = new Uint8Array(32 * count);
  hasher.hashMany(messages, size, count, output);
  return output;
}

function oneByOne(
  hash: (message: Uint8Array) => Uint8Array,
  messages: Uint8Array,
  size: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  const digests = Array.from({ length: count }, (_, i) =>
    hash(messages.subarray(i * size, (i + 1) * size)),
  );
  return concatBytes(digests);
}

describe.each(subjects)("$algorithm by $engine.name", ({ engine, algorithm, blockSize, noble }) => {
  test("agrees with noble at every length up to 300 in every pack of 1 to 17", () => {
    const hasher = engine.createHasher(algorithm, new Uint8Array(0));
    const wrong: string[] = [];
    for (let size = 0; size <= 300; size++) {
      const messages = packOf(17, size);
      const digests = oneByOne(noble, messages, size, 17);
      const single = oneByOne((message) => hasher.hash(message), messages, size, 17);
      if (!equalBytes(single, digests)) wrong.push(`one by one at ${size}`);
      for (let count = 1; count <= 17; count++) {
        const some = packed(hasher, messages, size, count);
        if (!equalBytes(some, digests.subarray(0, 32 * count))) wrong.push(`${count} of ${size}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each([1, 8, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, 3 * blockSize + 40])(
    "agrees with noble behind a prefix of %i bytes at every length up to 300",
    (prefixSize) => {
      const prefix = bytes(prefixSize, 9);
      const hasher = engine.createHasher(algorithm, prefix);
      const wrong: string[] = [];
      for (let size = 0; size <= 300; size++) {
        const messages = packOf(7, size);
        const prefixed = (message: Uint8Array): Uint8Array => noble(concatBytes([prefix, message]));
        const digests = oneByOne(prefixed, messages, size, 7);
        const single = oneByOne((message) => hasher.hash(message), messages, size, 7);
        if (!equalBytes(single, digests)) wrong.push(`one by one at ${size}`);
        if (!equalBytes(packed(hasher, messages, size, 7), digests))
          wrong.push(`packed at ${size}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  test("agrees with noble for any prefix, length, count and place", () => {
    fc.assert(
      fc.property(
        fc.record({
          prefix: fc.uint8Array({ maxLength: 400 }),
          size: fc.nat(700),
          count: fc.nat(40),
          offset: fc.nat(50),
        }),
        ({ prefix, size, count, offset }) => {
          const hasher = engine.createHasher(algorithm, prefix);
          const messages = packOf(count, size);
          const output = bytes(offset + 32 * count + 3, 5);
          const expected = output.slice();
          const reference = (message: Uint8Array): Uint8Array =>
            noble(concatBytes([prefix, message]));
          expected.set(oneByOne(reference, messages, size, count), offset);
          hasher.hashMany(messages, size, count, output, offset);
          expect(output).toEqual(expected);
        },
      ),
      { numRuns: 60 * scale },
    );
  });

  test("hashes packs that need several calls of the kernel", () => {
    const hasher = engine.createHasher(algorithm, bytes(blockSize + 3));
    const prefixed = (message: Uint8Array): Uint8Array =>
      noble(concatBytes([bytes(blockSize + 3), message]));
    for (const [size, count] of [
      [0, COUNT_MAX + 1],
      [1, COUNT_MAX - 1],
      [72, COUNT_MAX],
      [72, COUNT_MAX + 1],
      [40, 3 * COUNT_MAX + 2],
      [10_000, 13],
      [INPUT_SIZE - 1, 3],
      [INPUT_SIZE, 2],
      [INPUT_SIZE + 1, 3],
    ] as const) {
      const messages = packOf(count, size);
      const digests = oneByOne(prefixed, messages, size, count);
      expect(
        equalBytes(packed(hasher, messages, size, count), digests),
        `${count} of ${size}`,
      ).toBe(true);
    }
  });

  test("hashes messages and prefixes longer than the kernel's memory", () => {
    const short = bytes(5);
    for (const size of [
      INPUT_SIZE,
      INPUT_SIZE + 1,
      2 * INPUT_SIZE + blockSize,
      // Around whole blocks, where the last one must be told from the others.
      blockSize * 1000 - 1,
      blockSize * 1000,
      blockSize * 1000 + 1,
      blockSize * 1000 + blockSize - 8,
    ]) {
      const long = bytes(size, 3);
      const plain = engine.createHasher(algorithm, new Uint8Array(0));
      expect(plain.hash(long), `${size} bytes`).toEqual(noble(long));
      const behind = engine.createHasher(algorithm, short);
      expect(behind.hash(long), `5 and ${size} bytes`).toEqual(noble(concatBytes([short, long])));
      const before = engine.createHasher(algorithm, long);
      expect(before.hash(short), `${size} and 5 bytes`).toEqual(noble(concatBytes([long, short])));
      expect(before.hash(new Uint8Array(0)), `${size} bytes of prefix`).toEqual(noble(long));
    }
  });

  test("hashers of one engine do not disturb one another", () => {
    const prefixes = [new Uint8Array(0), bytes(3), bytes(blockSize, 2), bytes(blockSize + 1, 2)];
    const hashers = prefixes.map((prefix) => engine.createHasher(algorithm, prefix));
    const step = fc.record({
      hasher: fc.nat(prefixes.length - 1),
      // Sizes eight apart share a place in a hasher's memory of plans.
      size: fc.constantFrom(0, 8, 16, 64, 72, blockSize, 2 * blockSize),
      count: fc.constantFrom(1, 2, 5),
      isLong: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        for (const { hasher, size, count, isLong } of steps) {
          const prefix = prefixes[hasher] as Uint8Array;
          const subject = hashers[hasher] as Hasher;
          const reference = (message: Uint8Array): Uint8Array =>
            noble(concatBytes([prefix, message]));
          const messages = packOf(count, size);
          if (isLong) subject.hash(new Uint8Array(INPUT_SIZE + 1));
          expect(packed(subject, messages, size, count)).toEqual(
            oneByOne(reference, messages, size, count),
          );
        }
      }),
      { numRuns: 20 * scale },
    );
  });

  test("a call that fails half-way leaves the next one right", () => {
    const hasher = engine.createHasher(algorithm, bytes(7));
    const expected = hasher.hash(bytes(20));
    const detached = new Uint8Array(64);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => hasher.hashMany(bytes(40), 20, 2, detached)).toThrow(RangeError);
    expect(() => hasher.hash(undefined as unknown as Uint8Array)).toThrow(TypeError);
    expect(hasher.hash(bytes(20))).toEqual(expected);
  });
});

test.each([
  ["sha-256", "sha256"],
  ["sha3-256", "sha3-256"],
] as const)("%s agrees with OpenSSL at every length up to 300 in packs of 9", (algorithm, name) => {
  const wrong: string[] = [];
  for (const engine of engines) {
    const hasher = engine.createHasher(algorithm, new Uint8Array(0));
    for (let size = 0; size <= 300; size++) {
      const messages = packOf(9, size);
      const digests = oneByOne((message) => openSsl(name, message), messages, size, 9);
      if (!equalBytes(packed(hasher, messages, size, 9), digests)) {
        wrong.push(`${size} by ${engine.name}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});
