import { describe, expect, test } from "vitest";
import { type Algorithm, concatBytes, equalBytes, portableEngine } from "../../src/index.ts";
import { nodeEngine } from "../../src/node/index.ts";
import { preferredEngine } from "../../src/wasm/index.ts";
import { bytes } from "../cases.ts";

const ALGORITHMS: readonly Algorithm[] = ["blake2b-256", "sha-256", "sha3-256", "keccak-256"];
/** Both sides of every size from which OpenSSL takes over. */
const SIZES = [0, 1, 64, 127, 128, 129, 511, 512, 513, 1023, 1024, 1025, 65_535, 65_536, 65_537];

test("the engine says what it is made of", () => {
  expect(nodeEngine.name).toBe(`node/${preferredEngine.name}`);
});

describe.each(ALGORITHMS)("%s of the engine for Node", (algorithm) => {
  test.each([0, 1, 64, 200])("gives the portable digests behind a prefix of %i bytes", (size) => {
    const prefix = bytes(size, 4);
    const hasher = nodeEngine.createHasher(algorithm, prefix);
    const portable = portableEngine.createHasher(algorithm, bytes(size, 4));
    // The prefix was copied.
    prefix.fill(0);
    expect([hasher.name, hasher.outputSize]).toEqual([algorithm, 32]);
    for (const messageSize of SIZES) {
      const messages = bytes(3 * messageSize, 8);
      const digests = [0, 1, 2].map((i) =>
        portable.hash(messages.subarray(i * messageSize, (i + 1) * messageSize)),
      );
      const output = bytes(5 + 3 * 32 + 2, 6);
      const expected = concatBytes([output.slice(0, 5), ...digests, output.slice(-2)]);
      hasher.hashMany(messages, messageSize, 3, output, 5);
      expect(equalBytes(output, expected), `packed, ${messageSize} bytes`).toBe(true);
      const single = hasher.hash(messages.subarray(0, messageSize));
      expect(single, `single, ${messageSize} bytes`).toEqual(digests[0]);
    }
  });

  test("refuses what no hasher takes, and stays usable", () => {
    const hasher = nodeEngine.createHasher(algorithm, new Uint8Array(0));
    const portable = portableEngine.createHasher(algorithm, new Uint8Array(0));
    const text = "text" as unknown as Uint8Array;
    expect(() => hasher.hash(text)).toThrow(TypeError);
    expect(() => hasher.hashMany(text, 70_000, 1, new Uint8Array(32))).toThrow(TypeError);
    expect(() => hasher.hashMany(bytes(70_000), 70_000, 2, new Uint8Array(64))).toThrow(RangeError);
    expect(() => hasher.hashMany(bytes(70_000), 70_000, 1, new Uint8Array(31))).toThrow(RangeError);
    expect(() => hasher.hashMany(bytes(5000), Number.NaN, 1, new Uint8Array(32))).toThrow(
      RangeError,
    );
    expect(hasher.hash(bytes(5000))).toEqual(portable.hash(bytes(5000)));
  });
});
