import { concatBytes, toHex } from "@x/hash";
import { describe, expect, it } from "vitest";
import {
  decodeBcsPathProof,
  decodePartialTree,
  decodePathProof,
  decodeRangeProof,
  encodeBcsPathProof,
  encodePartialTree,
  encodePathProof,
  encodeRangeProof,
  type PartialTree,
  partialTreeFromJson,
  partialTreeToJson,
  pathProofFromJson,
  pathProofToJson,
  rangeProofFromJson,
  rangeProofToJson,
} from "../../src/verify/index.ts";
import { ZERO } from "./edits.ts";
import { codeOf } from "./naive-tree.ts";
import { sampleProofs } from "./sample-proofs.ts";
import { PATHS, type Setting, SETTINGS, smallTrees } from "./small-trees.ts";

const FORMAT = "JELLYFISH_PROOF_FORMAT";

describe.each(SETTINGS)("bytes of proofs under $scheme.name", (setting: Setting) => {
  const { scheme, form } = setting;

  it("and their JSON give back every proof of every small tree", () => {
    for (const tree of smallTrees(scheme)) {
      for (const path of PATHS) {
        const proof = tree.pathProof(path, form);
        expect(decodePathProof(encodePathProof(proof, scheme), scheme)).toEqual(proof);
        expect(pathProofFromJson(JSON.parse(JSON.stringify(pathProofToJson(proof))))).toEqual(
          proof,
        );
        const { proof: range } = tree.range(path, PATHS[7], form);
        expect(decodeRangeProof(encodeRangeProof(range, scheme), scheme)).toEqual(range);
        expect(rangeProofFromJson(JSON.parse(JSON.stringify(rangeProofToJson(range))))).toEqual(
          range,
        );
      }
      const batch = tree.batchProof(PATHS.slice(2, 5), form);
      expect(decodePartialTree(encodePartialTree(batch, scheme), scheme)).toEqual(batch);
      expect(partialTreeFromJson(JSON.parse(JSON.stringify(partialTreeToJson(batch))))).toEqual(
        batch,
      );
    }
  });

  for (const { name, bytes, verify, recode } of sampleProofs(setting)) {
    it(`prove a statement as they are, and nothing after any byte has changed: ${name}`, () => {
      expect(verify(bytes)).toBeDefined();
      expect(recode(bytes)).toEqual(bytes);
      for (let i = 0; i < bytes.length; i++) {
        for (const mask of [1, 8, 32, 128, 255]) {
          const changed = bytes.with(i, (bytes[i] as number) ^ mask);
          if (codeOf(() => verify(changed)) === undefined) throw new Error(`${name}, byte ${i}`);
        }
      }
    });

    it(`prove nothing when cut short, lengthened, or with a byte dropped or doubled: ${name}`, () => {
      for (let i = 0; i < bytes.length; i++) {
        const [head, tail] = [bytes.subarray(0, i), bytes.subarray(i)];
        for (const changed of [
          head,
          concatBytes([head, tail.subarray(1)]),
          concatBytes([head, tail.subarray(0, 1), tail]),
          concatBytes([head, Uint8Array.of(0), tail]),
        ]) {
          if (toHex(changed) === toHex(bytes)) continue;
          if (codeOf(() => verify(changed)) === undefined) throw new Error(`${name}, byte ${i}`);
        }
      }
      expect(codeOf(() => verify(concatBytes([bytes, ZERO])))).toBeDefined();
    });
  }
});

describe("a decoder", () => {
  const { scheme } = SETTINGS[0] as Setting;
  const path = PATHS[0] as Uint8Array;
  const proof = { leaf: { path, valueHash: ZERO }, siblings: [scheme.placeholder, ZERO] };
  const bytes = encodePathProof(proof, scheme);

  it("gives the layout of FORMAT.md: version, kind, leaf, count, bitmap, siblings", () => {
    const hex = toHex(bytes);
    expect(hex).toBe(`010001${toHex(path)}${toHex(ZERO)}000280${toHex(ZERO)}`);
  });

  it("refuses an unknown version, another kind, bits without sibling, and a placeholder as a hash", () => {
    const code = (changed: Uint8Array): string | undefined =>
      codeOf(() => decodePathProof(changed, scheme));
    expect(code(bytes.with(0, 2))).toBe(FORMAT);
    expect(code(bytes.with(1, 1))).toBe(FORMAT);
    expect(code(bytes.with(2, 3))).toBe(FORMAT);
    expect(code(bytes.with(69, 0xa0))).toBe(FORMAT);
    expect(code(concatBytes([bytes.slice(0, 70), scheme.placeholder]))).toBe(FORMAT);
    expect(code(concatBytes([bytes, ZERO]))).toBe(FORMAT);
    expect(code(bytes.slice(0, -1))).toBe(FORMAT);
    expect(code(concatBytes([bytes.slice(0, 67), Uint8Array.of(0xff, 0xff)]))).toBe(FORMAT);
    expect(code(concatBytes([bytes.slice(0, 67), Uint8Array.of(1, 1)]))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
  });

  it("refuses more bytes than its limit before it looks at them", () => {
    const big = new Uint8Array(16_385);
    expect(codeOf(() => decodePathProof(big, scheme))).toBe("JELLYFISH_PROOF_TOO_LARGE");
    const limits = { bytesMax: bytes.length - 1 };
    expect(codeOf(() => decodePathProof(bytes, scheme, limits))).toBe("JELLYFISH_PROOF_TOO_LARGE");
    expect(codeOf(() => decodeRangeProof(big, scheme, { bytesMax: 9 }))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
    expect(codeOf(() => decodePartialTree(big, scheme, { bytesMax: 9 }))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
    expect(codeOf(() => decodeBcsPathProof(big, { bytesMax: 9 }))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
  });

  it("has room for the largest proof there is", () => {
    const largest = { leaf: proof.leaf, siblings: Array.from({ length: 256 }, () => ZERO) };
    expect(decodePathProof(encodePathProof(largest, scheme), scheme)).toEqual(largest);
    expect(decodeBcsPathProof(encodeBcsPathProof(largest))).toEqual(largest);
    const range = {
      before: proof.leaf,
      after: proof.leaf,
      leftSiblings: largest.siblings,
      rightSiblings: largest.siblings,
    };
    expect(decodeRangeProof(encodeRangeProof(range, scheme), scheme)).toEqual(range);
  });

  it("refuses a partial tree deeper than a path, without unbounded recursion", () => {
    const deep = new Uint8Array(100_000).fill(3);
    deep.set([1, 2]);
    expect(codeOf(() => decodePartialTree(deep, scheme))).toBe(FORMAT);
    let json: unknown = null;
    for (let i = 0; i < 1000; i++) json = [json, null];
    expect(codeOf(() => partialTreeFromJson(json))).toBe(FORMAT);
  });

  it("gives bytes of its own", () => {
    const input = new Uint8Array(bytes);
    const decoded = decodePathProof(input, scheme);
    input.fill(9);
    expect(decoded).toEqual(proof);
    decoded.siblings[0]?.fill(1);
    expect(scheme.placeholder).not.toEqual(decoded.siblings[0]);
  });

  it("takes what is no Uint8Array for the caller's mistake", () => {
    expect(() => decodePathProof("01" as never, scheme)).toThrow(TypeError);
    expect(() => decodeBcsPathProof([] as never)).toThrow(TypeError);
  });
});

describe("an encoder", () => {
  const { scheme } = SETTINGS[0] as Setting;
  const path = PATHS[0] as Uint8Array;

  it("refuses what no decoder would read back", () => {
    const short = new Uint8Array(31);
    const many = Array.from({ length: 257 }, () => ZERO);
    expect(codeOf(() => encodePathProof({ leaf: undefined, siblings: many }, scheme))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
    expect(codeOf(() => encodePathProof({ leaf: undefined, siblings: [short] }, scheme))).toBe(
      FORMAT,
    );
    const leaf = { path: short, value: ZERO };
    expect(codeOf(() => encodePathProof({ leaf, siblings: [] }, scheme))).toBe(FORMAT);
    const placeholder: PartialTree = { kind: "hash", hash: scheme.placeholder };
    expect(codeOf(() => encodePartialTree(placeholder, scheme))).toBe(FORMAT);
    expect(codeOf(() => encodePartialTree({ kind: "none" } as never, scheme))).toBe(FORMAT);
    let deep: PartialTree = { kind: "empty" };
    for (let i = 0; i < 257; i++) deep = { kind: "inner", left: deep, right: deep };
    expect(codeOf(() => encodePartialTree(deep, scheme))).toBe(FORMAT);
    expect(codeOf(() => partialTreeToJson(deep))).toBe(FORMAT);
    expect(codeOf(() => partialTreeToJson({ kind: "none" } as never))).toBe(FORMAT);
  });

  it("of BCS has no form for a leaf with its value", () => {
    const leaf = { path, value: ZERO };
    expect(() => encodeBcsPathProof({ leaf, siblings: [] })).toThrow(RangeError);
  });
});

describe("BCS", () => {
  const leaf = { path: PATHS[0] as Uint8Array, valueHash: ZERO };
  const bytes = encodeBcsPathProof({ leaf, siblings: [ZERO] });

  it("refuses upper-case digits, other lengths, and counts that are not the shortest", () => {
    expect(bcsCode(bytes)).toBeUndefined();
    expect(bcsCode(bytes.with(0, 2))).toBe(FORMAT);
    expect(bcsCode(bytes.with(1, 0x41))).toBe(FORMAT);
    expect(bcsCode(bytes.with(3, 0x58))).toBe(FORMAT);
    expect(bcsCode(bytes.with(5, 0x41))).toBe(FORMAT);
    const [head, tail] = [bytes.slice(0, 135), bytes.slice(136)];
    expect(bcsCode(concatBytes([head, Uint8Array.of(0x81, 0x00), tail]))).toBe(FORMAT);
    expect(bcsCode(concatBytes([head, Uint8Array.of(0x81, 0x02), tail]))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
    expect(bcsCode(concatBytes([head, Uint8Array.of(0x81, 0x81), tail]))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
  });
});

describe("JSON", () => {
  const hash = `0x${"0".repeat(64)}`;

  it("refuses missing, unknown and inherited fields", () => {
    for (const value of [
      null,
      [],
      {},
      "x",
      { leaf: null },
      { leaf: null, siblings: [], more: 1 },
      JSON.parse('{"leaf":null,"siblings":[],"__proto__":1}'),
      JSON.parse('{"leaf":null,"siblings":[],"constructor":1}'),
      Object.create({ leaf: null, siblings: [] }),
      { leaf: null, siblings: {} },
      { leaf: null, siblings: [null] },
      { leaf: null, siblings: Array(3) },
      { leaf: [hash], siblings: [] },
      { leaf: [hash, hash, hash], siblings: [] },
      { leaf: { path: hash }, siblings: [] },
      { leaf: { path: hash, value: "00" }, siblings: [] },
      { leaf: { path: hash, value: "0x0" }, siblings: [] },
      { leaf: null, siblings: [hash.slice(2)] },
      { leaf: null, siblings: [`0x${"A".repeat(64)}`] },
    ]) {
      expect(codeOf(() => pathProofFromJson(value))).toBe(FORMAT);
    }
    expect(codeOf(() => rangeProofFromJson({ before: null, after: null }))).toBe(FORMAT);
    for (const value of [undefined, 1, [null], [null, null, null], {}, { leaf: null }, "0x00"]) {
      expect(codeOf(() => partialTreeFromJson(value))).toBe(FORMAT);
    }
  });

  it("refuses more than 256 siblings", () => {
    const siblings = Array.from({ length: 257 }, () => hash);
    expect(codeOf(() => pathProofFromJson({ leaf: null, siblings }))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
  });
});

/** What becomes of reading bytes as BCS. */
function bcsCode(bytes: Uint8Array): string | undefined {
  return codeOf(() => decodeBcsPathProof(bytes));
}
