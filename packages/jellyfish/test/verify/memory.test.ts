import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { concatBytes } from "@x/hash";
import { printCounts } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  decodeBcsPathProof,
  decodePartialTree,
  decodePathProof,
  encodeBcsPathProof,
  encodePathProof,
} from "../../src/verify/index.ts";
import { flipped, ZERO } from "./edits.ts";
import { type Setting, SETTINGS } from "./small-trees.ts";

const { scheme } = SETTINGS[0] as Setting;
const SAMPLES = 32;
/** What a decoded proof may take for each byte of its encoding, and beside that. */
const BYTES_PER_BYTE_MAX = 32;
const BYTES_MAX = 65_536;

/** Inner nodes with one empty half, as deep as a path is long: a node for two bytes is the most there can be. */
function chains(): Uint8Array {
  const chain = concatBytes([
    ...Array.from({ length: 200 }, () => Uint8Array.of(3, 0)),
    Uint8Array.of(0),
  ]);
  let tree: Uint8Array = chain;
  for (let i = 0; i < 8; i++) tree = concatBytes([Uint8Array.of(3), tree, tree]);
  return concatBytes([Uint8Array.of(1, 2), tree]);
}

/** A whole tree of hashes. */
function hashes(): Uint8Array {
  let tree: Uint8Array = concatBytes([Uint8Array.of(4), ZERO]);
  for (let i = 0; i < 10; i++) tree = concatBytes([Uint8Array.of(3), tree, tree]);
  return concatBytes([Uint8Array.of(1, 2), tree]);
}

const siblings = Array.from({ length: 256 }, (_, i) => flipped(ZERO, i % 32));
const placeholders = Array.from({ length: 256 }, () => scheme.placeholder);

describe("a decoded proof takes no more memory than its bytes allow", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };

  it.each([
    ["chains of inner nodes", chains(), (bytes: Uint8Array) => decodePartialTree(bytes, scheme)],
    ["hidden parts", hashes(), (bytes: Uint8Array) => decodePartialTree(bytes, scheme)],
    [
      "siblings",
      encodePathProof({ leaf: undefined, siblings }, scheme),
      (bytes: Uint8Array) => decodePathProof(bytes, scheme),
    ],
    [
      "placeholders of one bit",
      encodePathProof({ leaf: undefined, siblings: placeholders }, scheme),
      (bytes: Uint8Array) => decodePathProof(bytes, scheme),
    ],
    [
      "BCS",
      encodeBcsPathProof({ leaf: undefined, siblings }),
      (bytes: Uint8Array) => decodeBcsPathProof(bytes),
    ],
  ])("%s", (name, bytes, decode) => {
    decode(bytes);
    const before = used();
    const kept = Array.from({ length: SAMPLES }, () => decode(bytes));
    const each = Math.round((used() - before) / SAMPLES);
    printCounts(`memory of ${name}`, { input: bytes.length, decoded: each });
    expect(kept).toHaveLength(SAMPLES);
    expect(each).toBeLessThan(BYTES_PER_BYTE_MAX * bytes.length + BYTES_MAX);
  });
});
