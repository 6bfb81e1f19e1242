import * as hashtree from "@chainsafe/hashtree";
import { expect, test } from "vitest";
import { concatBytes, portableEngine, sha256 } from "../../src/index.ts";
import { hashtreeEngine, type Hashtree } from "../../src/hashtree/index.ts";
import { preferredEngine } from "../../src/wasm/index.ts";
import { bytes } from "../cases.ts";

/** The addon, which also counts how often it is asked. */
class CountingHashtree implements Hashtree {
  calls = 0;

  hashInto(input: Uint8Array, output: Uint8Array): void {
    this.calls++;
    hashtree.hashInto(input, output);
  }
}

test("the addon gives the digests of every pack of 64-byte messages, wherever they lie", () => {
  const addon = new CountingHashtree();
  const hasher = sha256({ engine: hashtreeEngine(addon) });
  const portable = sha256();
  for (let count = 1; count <= 40; count++) {
    const messages = bytes(3 + 64 * count + 1, count).subarray(3);
    const output = bytes(7 + 32 * count + 2, 9);
    const expected = output.slice();
    portable.hashMany(messages, 64, count, expected, 7);
    hasher.hashMany(messages, 64, count, output, 7);
    expect(output, `${count} messages`).toEqual(expected);
  }
  expect(hasher.hash(bytes(64))).toEqual(portable.hash(bytes(64)));
  expect(addon.calls).toBe(41);
});

test("all else comes from the other engine", () => {
  const addon = new CountingHashtree();
  const engine = hashtreeEngine(addon, { base: portableEngine });
  expect(engine.name).toBe("hashtree/portable");
  expect(hashtreeEngine(addon).name).toBe(`hashtree/${preferredEngine.name}`);
  const plain = sha256({ engine });
  const prefixed = sha256({ engine, prefix: bytes(64) });
  expect([plain.name, plain.outputSize]).toEqual(["sha-256", 32]);
  expect(prefixed.hash(bytes(64, 2))).toEqual(
    sha256().hash(concatBytes([bytes(64), bytes(64, 2)])),
  );
  for (const size of [0, 63, 65, 128]) {
    const output = new Uint8Array(64);
    plain.hashMany(bytes(2 * size), size, 2, output);
    expect(plain.hash(bytes(2 * size).subarray(0, size))).toEqual(output.slice(0, 32));
    expect(sha256().hash(bytes(2 * size).subarray(0, size))).toEqual(output.slice(0, 32));
  }
  const blake = engine.createHasher("blake2b-256", new Uint8Array(0));
  expect(blake.name).toBe("blake2b-256");
  plain.hashMany(new Uint8Array(0), 64, 0, new Uint8Array(0));
  expect(addon.calls).toBe(0);
});

test("what the addon would not check is checked before it", () => {
  const addon = new CountingHashtree();
  const hasher = sha256({ engine: hashtreeEngine(addon) });
  expect(() => hasher.hash("text" as unknown as Uint8Array)).toThrow(TypeError);
  expect(() => hasher.hashMany(bytes(127), 64, 2, new Uint8Array(64))).toThrow(RangeError);
  expect(() => hasher.hashMany(bytes(128), 64, 2, new Uint8Array(63))).toThrow(RangeError);
  const shared = bytes(128);
  expect(() => hasher.hashMany(shared, 64, 2, shared, 32)).toThrow(RangeError);
  expect(addon.calls).toBe(0);
  expect(() => hashtreeEngine({} as Hashtree)).toThrow(TypeError);
});
