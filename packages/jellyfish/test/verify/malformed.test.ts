import { describe, expect, it } from "vitest";
import {
  decodePathProof,
  encodeBcsPathProof,
  encodePartialTree,
  encodePathProof,
  encodeRangeProof,
  type PartialTree,
  partialTreeToJson,
  pathProofToJson,
  rangeProofOfRightSiblings,
  rangeProofToJson,
  updatedRoot,
  verifyBatch,
  verifyExclusion,
  verifyExclusionByNeighbours,
  verifyInclusion,
  verifyRange,
} from "../../src/verify/index.ts";
import { codeOf, NaiveTree, pathOf } from "./naive-tree.ts";
import { type Setting, SETTINGS } from "./small-trees.ts";

/** What a peer may send in place of a proof, or of a part of one, where objects are passed as they are. */
const STRANGE = [undefined, null, 0, "x", true, [], {}, { kind: "other" }, Symbol("a")] as never[];
const NOT_OBJECTS = STRANGE.slice(0, 5);

describe.each(SETTINGS)("under $scheme.name, what is no proof", ({ scheme, form }: Setting) => {
  const value = Uint8Array.of(1);
  const [a, b, c] = [pathOf("00"), pathOf("01"), pathOf("1")];
  const tree = new NaiveTree(
    scheme,
    [a, c].map((path) => ({ path, value })),
  );
  const { root } = tree;
  const removal = { path: a, value: undefined };

  it("is refused by every verifier as malformed", () => {
    for (const proof of STRANGE) {
      for (const call of [
        () => verifyInclusion({ scheme, root, path: a, value, proof }),
        () => verifyExclusion({ scheme, root, path: b, proof }),
        () => verifyBatch({ scheme, root, paths: [a], proof }),
        () => verifyBatch({ scheme, root, paths: [], proof }),
        () => updatedRoot({ scheme, root, changes: [removal], proof }),
        () => updatedRoot({ scheme, root, changes: [], proof }),
      ]) {
        expect(codeOf(call)).toBe("JELLYFISH_PROOF_FORMAT");
      }
    }
    for (const proof of NOT_OBJECTS) {
      const range = { scheme, root, from: undefined, to: undefined, entries: [], proof };
      expect(codeOf(() => verifyRange(range))).toBe("JELLYFISH_PROOF_FORMAT");
      const claim = { scheme, root, path: b, proof };
      expect(codeOf(() => verifyExclusionByNeighbours(claim))).toBe("JELLYFISH_PROOF_FORMAT");
    }
  });

  it("is refused wherever in a tree it stands", () => {
    const shown: PartialTree = { kind: "leaf", leaf: tree.leaf({ path: a, value }, form) };
    for (const part of STRANGE) {
      const nodes: PartialTree[] = [
        { kind: "inner", left: shown, right: part },
        { kind: "inner", left: part, right: shown },
        { kind: "inner", left: shown, right: { kind: "inner", left: part, right: part } },
        { kind: "leaf", leaf: part },
      ];
      for (const proof of nodes) {
        const changes = [removal];
        expect(codeOf(() => updatedRoot({ scheme, root, changes, proof }))).toBe(
          "JELLYFISH_PROOF_FORMAT",
        );
      }
      for (const proof of [nodes[1], nodes[3]] as PartialTree[]) {
        const paths = [a, c];
        expect(codeOf(() => verifyBatch({ scheme, root, paths, proof }))).toBe(
          "JELLYFISH_PROOF_FORMAT",
        );
      }
    }
  });

  it("has no encoding", () => {
    const siblings: Uint8Array[] = [];
    const sides = { leftSiblings: undefined, rightSiblings: undefined };
    for (const strange of STRANGE) {
      const revealed = { path: a, value: strange };
      const calls: (() => unknown)[] = [
        () => encodePathProof(strange, scheme),
        () => encodePathProof({ leaf: undefined, siblings: strange }, scheme),
        () => encodeBcsPathProof(strange),
        () => pathProofToJson(strange),
        () => encodePathProof({ leaf: revealed, siblings }, scheme),
        () => pathProofToJson({ leaf: revealed, siblings }),
        () => encodePartialTree(strange, scheme),
        () => partialTreeToJson(strange),
        () => encodePartialTree({ kind: "leaf", leaf: strange }, scheme),
        () => partialTreeToJson({ kind: "leaf", leaf: strange }),
        () => encodeRangeProof({ before: strange ?? null, after: undefined, ...sides }, scheme),
      ];
      if (Array.isArray(strange)) calls.splice(1, 1);
      for (const call of calls) expect(codeOf(call)).toBe("JELLYFISH_PROOF_FORMAT");
    }
    for (const strange of NOT_OBJECTS) {
      expect(codeOf(() => encodeRangeProof(strange, scheme))).toBe("JELLYFISH_PROOF_FORMAT");
      expect(codeOf(() => rangeProofToJson(strange))).toBe("JELLYFISH_PROOF_FORMAT");
      const read = (): unknown => rangeProofOfRightSiblings(strange, scheme);
      expect(codeOf(read)).toBe("JELLYFISH_PROOF_FORMAT");
    }
  });
});

describe("a caller's own mistake", () => {
  const { scheme } = SETTINGS[0] as Setting;
  const root = scheme.placeholder;
  const proof: PartialTree = { kind: "empty" };

  it("in a limit does not lift it", () => {
    const bytes = encodePathProof({ leaf: undefined, siblings: [] }, scheme);
    for (const bytesMax of [Number.NaN, {} as never, -1]) {
      expect(() => decodePathProof(bytes, scheme, { bytesMax })).toThrow(RangeError);
    }
    expect(codeOf(() => decodePathProof(bytes, scheme, { bytesMax: 4 }))).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
    expect(decodePathProof(bytes, scheme, { bytesMax: Infinity }).siblings).toEqual([]);
  });

  it("in the path of a change is named", () => {
    for (const path of [undefined, "x"] as never[]) {
      const changes = [path, path].map((each) => ({ path: each, value: undefined }));
      expect(() => updatedRoot({ scheme, root, changes, proof })).toThrow("path must be");
    }
  });

  it("of leaving out how a scheme's domains are turns no rule off", () => {
    const shared = (SETTINGS[1] as Setting).scheme;
    const { domains: _, ...rest } = shared;
    const path = pathOf("0");
    const value = new Uint8Array(64);
    const tree = new NaiveTree(shared, [{ path, value }]);
    const claim = { scheme: rest as never, root: tree.root, path, value };
    expect(codeOf(() => verifyInclusion({ ...claim, proof: tree.pathProof(path, "hashed") }))).toBe(
      "JELLYFISH_PROOF_UNSAFE",
    );
  });
});
