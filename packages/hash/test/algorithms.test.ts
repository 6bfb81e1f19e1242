import { readFileSync } from "node:fs";
import { blake2b } from "@noble/hashes/blake2.js";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  blake2b256,
  concatBytes,
  fromHex,
  type Hasher,
  portableEngine,
  sha256,
  sha3_256,
  toHex,
} from "../src/index.ts";
import { bytes, cases, scale } from "./cases.ts";

interface Vectors {
  readonly vectors: readonly { readonly message: string; readonly digest: string }[];
  /** Digest of a million times the letter a. */
  readonly millionTimesA?: string;
  readonly selfTest?: {
    readonly digestSizes: readonly number[];
    readonly messageSizes: readonly number[];
    readonly digest: string;
  };
}

function readVectors(name: string): Vectors {
  const text = readFileSync(new URL(`vectors/${name}.json`, import.meta.url), "utf8");
  return JSON.parse(text) as Vectors;
}

describe.each(cases)("$algorithm by $engine", ({ algorithm, create, oracle }) => {
  test("gives the published digests", () => {
    const { vectors } = readVectors(algorithm);
    expect(vectors.length).toBeGreaterThan(3);
    for (const { message, digest } of vectors) {
      expect(toHex(create().hash(fromHex(message)))).toBe(digest);
    }
  });

  test("agrees with an independent implementation on any message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (message) => {
        expect(create().hash(message)).toEqual(oracle(message));
      }),
      { numRuns: 200 * scale },
    );
  });

  test("agrees with an independent implementation at every length up to 300", () => {
    const hasher = create();
    for (let size = 0; size <= 300; size++) {
      expect(hasher.hash(bytes(size)), `${size} bytes`).toEqual(oracle(bytes(size)));
    }
  });

  test("hashes a view as it hashes a copy, wherever the view starts", () => {
    const whole = bytes(300);
    for (let start = 0; start < 9; start++) {
      const view = whole.subarray(start, start + 250);
      expect(create().hash(view)).toEqual(create().hash(view.slice()));
    }
  });

  test("a prefix is the same as its bytes before every message", () => {
    for (const size of [0, 1, 7, 32, 55, 56, 63, 64, 65, 127, 128, 129, 135, 136, 137, 200, 272]) {
      const prefix = bytes(size, 2);
      const hasher = create({ prefix });
      for (const messageSize of [0, 1, 8, 55, 64, 72, 127, 128, 129, 136, 300]) {
        const message = bytes(messageSize, 3);
        expect(hasher.hash(message), `${size} and ${messageSize} bytes`).toEqual(
          oracle(concatBytes([prefix, message])),
        );
      }
    }
  });

  test("keeps neither the prefix nor the message, and changes neither", () => {
    const prefix = bytes(40, 4);
    const message = bytes(200, 5);
    const hasher = create({ prefix });
    const digest = hasher.hash(message);
    expect([prefix, message]).toEqual([bytes(40, 4), bytes(200, 5)]);
    prefix.fill(0);
    message.fill(0);
    expect(hasher.hash(bytes(200, 5))).toEqual(digest);
  });

  test("returns fresh bytes each time", () => {
    const hasher = create();
    const first = hasher.hash(bytes(10));
    const copy = first.slice();
    const second = hasher.hash(bytes(11));
    expect(first).toEqual(copy);
    second.fill(0);
    expect(hasher.hash(bytes(11))).toEqual(oracle(bytes(11)));
    expect(first.buffer.byteLength).toBe(32);
  });

  test("says its name and its digest size, with a prefix or without", () => {
    for (const hasher of [create(), create({ prefix: bytes(3) })]) {
      expect([hasher.name, hasher.outputSize]).toEqual([algorithm, 32]);
    }
  });

  test("refuses what is not bytes, and stays usable", () => {
    const hasher = create();
    expect(() => hasher.hash("text" as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => hasher.hash([1, 2] as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => create({ prefix: "text" as unknown as Uint8Array })).toThrow(TypeError);
    expect(hasher.hash(bytes(5))).toEqual(oracle(bytes(5)));
  });

  test("gives what the portable engine gives", () => {
    const portable = create({ engine: portableEngine, prefix: bytes(9) });
    expect(portable.hash(bytes(90))).toEqual(create({ prefix: bytes(9) }).hash(bytes(90)));
    expect(portable.name).toBe(algorithm);
  });
});

test.each([
  ["sha-256", sha256],
  ["sha3-256", sha3_256],
])("%s of a million times the letter a is the published digest", (name, create) => {
  const { millionTimesA } = readVectors(name);
  expect(toHex(create().hash(new Uint8Array(1_000_000).fill(0x61)))).toBe(millionTimesA);
});

test("BLAKE2b-256 passes the self-test of RFC 7693", () => {
  const { selfTest } = readVectors("blake2b-256");
  if (selfTest === undefined) throw new Error("the vectors hold no self-test");
  const digests: Uint8Array[] = [];
  for (const size of selfTest.digestSizes) {
    for (const messageSize of selfTest.messageSizes) {
      const message = selfTestBytes(messageSize, messageSize);
      // Other sizes and keys are not offered here; they stand in so that the sum can be compared.
      digests.push(
        size === 32 ? blake2b256().hash(message) : blake2b(message, { dkLen: size }),
        blake2b(message, { dkLen: size, key: selfTestBytes(size, size) }),
      );
    }
  }
  expect(digests).toHaveLength(48);
  expect(toHex(blake2b256().hash(concatBytes(digests)))).toBe(selfTest.digest);
});

/** RFC 7693, appendix E: the top bytes of a Fibonacci-like sequence. */
function selfTestBytes(size: number, seed: number): Uint8Array {
  const result = new Uint8Array(size);
  let a = Math.imul(0xdead4bad, seed);
  let b = 1;
  for (let i = 0; i < size; i++) {
    const sum = (a + b) | 0;
    a = b;
    b = sum;
    result[i] = sum >>> 24;
  }
  return result;
}

test("a hasher's digests are plain bytes over their own buffer", () => {
  expectTypeOf<Hasher["hash"]>().returns.toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf(sha256).returns.toEqualTypeOf<Hasher>();
});
