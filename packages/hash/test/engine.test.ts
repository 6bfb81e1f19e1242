import { describe, expect, test } from "vitest";
import {
  type Algorithm,
  type HashEngine,
  type Hasher,
  portableEngine,
  taggedSha256,
} from "../src/index.ts";
import { bytes, cases } from "./cases.ts";

/** Records what it is asked for, and gives digests that no algorithm gives. */
class RecordingEngine implements HashEngine {
  readonly name = "recording";
  readonly asked: [algorithm: Algorithm, prefix: Uint8Array][] = [];

  createHasher(algorithm: Algorithm, prefix: Uint8Array): Hasher {
    this.asked.push([algorithm, prefix.slice()]);
    return {
      name: algorithm,
      outputSize: 32,
      hash: (message) => new Uint8Array(32).fill(message.length),
      hashMany: (_messages, messageSize, count, output, outputOffset = 0) => {
        output.fill(messageSize, outputOffset, outputOffset + 32 * count);
      },
    };
  }
}

describe.each(cases.filter(({ engine }) => engine === "portable"))(
  "an engine given to $algorithm",
  ({ algorithm, create }) => {
    test("makes the hasher, knowing algorithm and prefix", () => {
      const engine = new RecordingEngine();
      const hasher = create({ engine, prefix: bytes(3) });
      expect(engine.asked).toEqual([[algorithm, bytes(3)]]);
      expect(hasher.hash(bytes(7))).toEqual(new Uint8Array(32).fill(7));
      create({ engine });
      expect(engine.asked[1]).toEqual([algorithm, new Uint8Array(0)]);
    });

    test("is forgotten by the next hasher", () => {
      create({ engine: new RecordingEngine() });
      const digest = create().hash(bytes(7));
      expect(digest).toEqual(
        portableEngine.createHasher(algorithm, new Uint8Array(0)).hash(bytes(7)),
      );
    });
  },
);

test("a tagged hasher takes both of its hashes from the engine", () => {
  const engine = new RecordingEngine();
  const hasher = taggedSha256("tag", { engine, prefix: Uint8Array.of(9) });
  const block = new Uint8Array(65).fill(3);
  block[64] = 9;
  expect(engine.asked).toEqual([
    ["sha-256", new Uint8Array(0)],
    ["sha-256", block],
  ]);
  expect(hasher.hash(bytes(5))).toEqual(new Uint8Array(32).fill(5));
});
