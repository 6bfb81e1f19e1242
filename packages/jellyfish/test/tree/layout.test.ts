import { createHash } from "node:crypto";
import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import {
  decodeRuns,
  decodeTreeRecord,
  decodeVersion,
  encodeRuns,
  encodeTreeRecord,
  encodeVersion,
  TREE_KEY,
  type Version,
  versionKey,
} from "../../src/tree/layout.ts";

const record = {
  scheme: "jmt-sha256",
  format: "compact+keys",
  keys: "hashed",
  nested: true,
  generation: 2 ** 40 + 1,
  nodeCount: 2 ** 33,
  runCountCount: 7,
} as const;

const version: Version = {
  sequence: 2 ** 34 + 5,
  kind: "committed",
  root: new Uint8Array(32).fill(3),
  leafCount: 9,
  holdCount: 2,
  target: undefined,
};

/** The bytes with a right seal over them: what is wrong then is inside. */
function sealed(key: Uint8Array, body: Uint8Array): Uint8Array {
  const seal = createHash("sha256").update(key).update(body).digest().subarray(0, 4);
  return Uint8Array.of(...body, ...seal);
}

function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  const body = [...bytes.subarray(0, -4)];
  const at = random.below(body.length);
  const kind = random.below(3);
  if (kind === 0) body[at] = random.below(256);
  else if (kind === 1) body.splice(at, 1 + random.below(3));
  else body.splice(at, 0, random.below(256));
  return Uint8Array.from(body);
}

function bytesOrCode(run: () => Uint8Array): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

describe("records", () => {
  test("are read back as they were written", () => {
    expect(decodeTreeRecord(encodeTreeRecord(record))).toEqual(record);
    const unfinished = {
      ...version,
      kind: "restore",
      holdCount: 0,
      target: new Uint8Array(32).fill(9),
    } as const;
    for (const one of [version, unfinished, { ...version, kind: "load", holdCount: 0 } as const])
      expect(decodeVersion(versionKey(one.sequence), encodeVersion(one))).toEqual(one);
    for (const count of [2, 255, 2 ** 32, Number.MAX_SAFE_INTEGER])
      expect(decodeRuns(encodeRuns(count))).toBe(count);
    expect(decodeRuns(undefined)).toBe(1);
  });

  test("that are sealed and changed are refused, or are what another value writes", () => {
    const random = new Random(seedOf("records"));
    for (let round = 0; round < scaled(5000); round++) {
      const tree = sealed(TREE_KEY, mutated(random, encodeTreeRecord(record)));
      expect([tree, "JELLYFISH_RECORD"]).toContainEqual(
        bytesOrCode(() => encodeTreeRecord(decodeTreeRecord(tree))),
      );
      const key = versionKey(version.sequence);
      const one = sealed(key, mutated(random, encodeVersion(version)));
      expect([one, "JELLYFISH_RECORD"]).toContainEqual(
        bytesOrCode(() => encodeVersion(decodeVersion(key, one))),
      );
    }
  });

  test("without their seal, under another key, or of a wrong length are refused", () => {
    const refused = expect.objectContaining({ code: "JELLYFISH_RECORD" });
    for (let size = 0; size < 40; size++) {
      expect(() => decodeTreeRecord(new Uint8Array(size))).toThrow(refused);
      expect(() => decodeVersion(versionKey(1), new Uint8Array(size))).toThrow(refused);
    }
    expect(() => decodeVersion(versionKey(1), encodeVersion(version))).toThrow(refused);
    expect(() => decodeVersion(TREE_KEY, encodeVersion(version))).toThrow(refused);
    for (const bytes of [[], [0, 0, 0, 0, 0, 0, 0, 1], [255, 0, 0, 0, 0, 0, 0, 0]])
      expect(() => decodeRuns(Uint8Array.from(bytes))).toThrow(refused);
  });
});
