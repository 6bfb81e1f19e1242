import { concatBytes, equalBytes, toHex } from "@x/hash";
import { Random, scaled } from "@x/testing";
import { describe, expect, it } from "vitest";
import { JellyfishError } from "../../src/index.ts";
import { bitAt, commonBits } from "../../src/path.ts";
import {
  insertByProof,
  type PathProof,
  rooch,
  verifyExclusion,
  verifyInclusion,
} from "../../src/verify/index.ts";
import { editsOfPathProof, flipped, ZERO } from "./edits.ts";
import { codeOf, NaiveTree, pathOf } from "./naive-tree.ts";
import { foreignTo, nodesOf, PATHS, type Setting, SETTINGS, smallTrees } from "./small-trees.ts";

/** Whether a proof is accepted for what the tree has under a path. */
function verdict(tree: NaiveTree, path: Uint8Array, proof: PathProof): string | undefined {
  const value = tree.get(path);
  const claim = { scheme: tree.scheme, root: tree.root, path, proof };
  return codeOf(() =>
    value === undefined ? verifyExclusion(claim) : verifyInclusion({ ...claim, value }),
  );
}

/** How a lie about a path ends: that a value is absent, or that something else is stored. */
function verdictOfLie(tree: NaiveTree, path: Uint8Array, proof: PathProof): string | undefined {
  const isPresent = tree.get(path) !== undefined;
  const claim = { scheme: tree.scheme, root: tree.root, path, proof };
  const lie = Uint8Array.of(99);
  return codeOf(() =>
    isPresent ? verifyExclusion(claim) : verifyInclusion({ ...claim, value: lie }),
  );
}

describe.each(SETTINGS)("path proofs under $scheme.name", ({ scheme, form }: Setting) => {
  it("verify for every path of every small tree, and say why a path is absent", () => {
    for (const tree of smallTrees(scheme)) {
      for (const path of PATHS) {
        const proof = tree.pathProof(path, form);
        const value = tree.get(path);
        const claim = { scheme, root: tree.root, path, proof };
        const expected =
          value ??
          (proof.leaf === undefined
            ? { kind: "absent", because: "empty-place" }
            : { kind: "absent", because: "other-leaf", other: proof.leaf.path });
        expect(
          value === undefined ? verifyExclusion(claim) : verifyInclusion({ ...claim, value }),
        ).toEqual(expected);
      }
    }
  });

  it("fail after every single edit, on every path of every small tree", () => {
    let edits = 0;
    for (const tree of smallTrees(scheme)) {
      const foreign = foreignTo(tree, form);
      for (const path of PATHS) {
        const proof = tree.pathProof(path, form);
        for (const edited of editsOfPathProof(proof, foreign)) {
          if (isSame(edited, proof)) continue;
          edits++;
          if (verdict(tree, path, edited) === undefined) throw new Error(describeCase(tree, path));
          if (verdictOfLie(tree, path, edited) === undefined) {
            throw new Error(`a lie: ${describeCase(tree, path)}`);
          }
        }
      }
    }
    expect(edits).toBeGreaterThan(50_000);
  });

  it("of one path are accepted for another only where that one is absent and leads there too", () => {
    for (const tree of smallTrees(scheme)) {
      for (const path of PATHS) {
        const proof = tree.pathProof(path, form);
        const leaf = proof.leaf?.path;
        for (const other of PATHS) {
          if (equalBytes(other, path)) continue;
          const leadsThere = commonBits(other, path) >= proof.siblings.length;
          const isAbsent = tree.get(other) === undefined;
          const isItsLeaf = leaf !== undefined && equalBytes(leaf, other);
          // Where leaves show their values, that of a presence does not, and no other does for it.
          const isInForm = form === "hashed" || (tree.get(path) === undefined && !isItsLeaf);
          const expected = leadsThere && (isAbsent || isItsLeaf) && isInForm;
          expect(verdict(tree, other, proof) === undefined).toBe(expected);
          expect(verdictOfLie(tree, other, proof)).toBeDefined();
        }
      }
    }
  });

  it("given to the function of the other statement are refused, never true", () => {
    for (const tree of smallTrees(scheme)) {
      for (const path of PATHS) {
        const proof = tree.pathProof(path, form);
        const code = verdictOfLie(tree, path, proof);
        const isOther = tree.get(path) === undefined && proof.leaf !== undefined;
        expect(code).toBe(isOther ? "JELLYFISH_PROOF_KEY" : "JELLYFISH_PROOF_KIND");
      }
    }
  });

  it("of a tree are refused under the root of every other tree where the statement is false", () => {
    const trees = [...smallTrees(scheme)].filter((_, i) => i % 9 === 0);
    for (const tree of trees) {
      for (const other of trees) {
        for (const path of PATHS) {
          if (tree === other) continue;
          const proof = tree.pathProof(path, form);
          const isSameProof = isSame(other.pathProof(path, form), proof);
          expect(verdict(other, path, proof) === undefined).toBe(isSameProof);
          expect(verdictOfLie(other, path, proof)).toBeDefined();
        }
      }
    }
  });

  it("cannot show an inner node as a leaf, at its own place or any other", () => {
    for (const tree of smallTrees(scheme)) {
      const inners = nodesOf(tree.top).filter((node) => node.kind === "inner");
      for (const { left, right } of inners) {
        for (const place of PATHS) {
          const { siblings } = tree.pathProof(place, form);
          for (let from = 0; from <= siblings.length; from++) {
            const proof = {
              leaf: { path: left.hash, valueHash: right.hash },
              siblings: siblings.slice(from),
            };
            expect(verdictOfLie(tree, place, proof)).toBeDefined();
            expect(verdict(tree, place, proof)).toBeDefined();
          }
        }
      }
    }
  });

  it("with nothing in them hold for the empty tree alone", () => {
    const proof = { leaf: undefined, siblings: [] };
    for (const tree of smallTrees(scheme)) {
      const claim = { scheme, root: tree.root, path: PATHS[0] as Uint8Array, proof };
      expect(codeOf(() => verifyExclusion(claim)) === undefined).toBe(tree.entries.length === 0);
      expect(codeOf(() => verifyInclusion({ ...claim, value: ZERO }))).toBe("JELLYFISH_PROOF_KIND");
    }
  });

  it("are refused where roots, paths or siblings are zeros or placeholders", () => {
    const tree = new NaiveTree(scheme, [{ path: PATHS[2] as Uint8Array, value: ZERO }]);
    for (const hash of [ZERO, scheme.placeholder]) {
      for (const path of [ZERO, scheme.placeholder, ...PATHS]) {
        const proof = { leaf: { path, value: ZERO }, siblings: [hash, hash] };
        expect(verdict(tree, path, proof)).toBeDefined();
        expect(verdict(tree, path, { leaf: undefined, siblings: [hash] })).toBeDefined();
      }
    }
  });

  it("hold for keys that share 0 to 255 bits, with as many siblings and one more", () => {
    const random = new Random(19);
    const base = random.bytes(32);
    for (let shared = 0; shared < 256; shared++) {
      const other = flipped(base, shared >>> 3, 128 >>> (shared & 7));
      const tree = new NaiveTree(scheme, [
        { path: base, value: Uint8Array.of(1) },
        { path: other, value: Uint8Array.of(2) },
      ]);
      for (const path of [base, other]) {
        const proof = tree.pathProof(path, form);
        expect(proof.siblings).toHaveLength(shared + 1);
        expect(verdict(tree, path, proof)).toBeUndefined();
        expect(verdict(tree, path, { ...proof, siblings: proof.siblings.slice(1) })).toBeDefined();
      }
      const alone = new NaiveTree(scheme, [{ path: base, value: Uint8Array.of(1) }]);
      const proof = alone.pathProof(other, form);
      const claim = { scheme, root: alone.root, path: other, value: Uint8Array.of(2), proof };
      expect(toHex(insertByProof(claim).root)).toBe(toHex(tree.root));
    }
  });

  it("insert an entry: the root and the proof are those of the tree with it", () => {
    const random = new Random(18);
    for (let i = 0; i < scaled(300); i++) {
      const tree = new NaiveTree(scheme, randomEntries(random, random.below(12)));
      const path = randomPath(random);
      if (tree.get(path) !== undefined) continue;
      const value = random.bytes(random.below(40));
      const proof = tree.pathProof(path, form);
      const insertion = insertByProof({ scheme, root: tree.root, path, value, proof });
      const after = tree.with([{ path, value }]);
      expect(toHex(insertion.root)).toBe(toHex(after.root));
      expect(insertion.proof).toEqual(after.pathProof(path, "hashed"));
      verifyInclusion({ scheme, path, value, ...insertion });
    }
  });

  it("insert nothing where the proof is of a presence, another path or another root", () => {
    for (const tree of smallTrees(scheme)) {
      for (const path of PATHS) {
        const claim = { scheme, path, value: ZERO, root: tree.root };
        for (const other of PATHS) {
          const proof = tree.pathProof(other, form);
          const isProof = codeOf(() => verifyExclusion({ ...claim, proof })) === undefined;
          expect(codeOf(() => insertByProof({ ...claim, proof })) === undefined).toBe(isProof);
        }
        const proof = tree.pathProof(path, form);
        const root = flipped(tree.root);
        expect(codeOf(() => insertByProof({ ...claim, root, proof }))).toBeDefined();
      }
    }
  });
});

describe("in plain mode, under a shared scheme", () => {
  const scheme = rooch();
  const rules = {
    refuse64ByteValues: false,
    absenceCarriesValue: false,
    refusePlaceholderPath: false,
  };

  it("the verdict on every edited proof is the original's, forgeries included", () => {
    let accepted = 0;
    let forged = 0;
    for (const tree of smallTrees(scheme)) {
      const foreign = foreignTo(tree, "hashed");
      for (const path of PATHS.filter((_, i) => i % 2 === 0)) {
        const stored = tree.get(path);
        // The root as a leaf without siblings is the cheapest lie.
        const roots = foreign.leaves.slice(0, 1).map((leaf) => ({ leaf, siblings: [] }));
        const edits = editsOfPathProof(tree.pathProof(path, "hashed"), foreign);
        for (const proof of [...edits, ...roots]) {
          for (const value of [undefined, stored ?? ZERO]) {
            const claim = { scheme, root: tree.root, path, proof, rules };
            const code = codeOf(() =>
              value === undefined ? verifyExclusion(claim) : verifyInclusion({ ...claim, value }),
            );
            const isAccepted = originalAccepts(tree, path, value, proof);
            if ((code === undefined) !== isAccepted) throw new Error(describeCase(tree, path));
            if (isAccepted) accepted++;
            if (isAccepted && (value === undefined) !== (stored === undefined)) forged++;
          }
        }
      }
    }
    expect(accepted).toBeGreaterThan(0);
    // The root offered as a leaf: what the hardened rules are for.
    expect(forged).toBeGreaterThan(0);
  });

  /** The original's verifier, step by step from its description. */
  function originalAccepts(
    tree: NaiveTree,
    path: Uint8Array,
    value: Uint8Array | undefined,
    { leaf, siblings }: PathProof,
  ): boolean {
    if (siblings.length > 256) return false;
    if (leaf !== undefined && "value" in leaf) return false;
    if (value !== undefined) {
      if (leaf === undefined || !equalBytes(leaf.path, path)) return false;
      if (!equalBytes(leaf.valueHash, scheme.hashValue(value))) return false;
    } else if (leaf !== undefined) {
      if (equalBytes(leaf.path, path) || commonBits(leaf.path, path) < siblings.length)
        return false;
    }
    let hash = new Uint8Array(scheme.placeholder);
    if (leaf !== undefined) {
      hash = new Uint8Array(32);
      scheme.hashLeaves(concatBytes([leaf.path, leaf.valueHash]), 1, hash);
    }
    for (const [i, sibling] of siblings.entries()) {
      const isRight = bitAt(path, siblings.length - 1 - i) === 1;
      const parent = new Uint8Array(32);
      scheme.hashInners(concatBytes(isRight ? [sibling, hash] : [hash, sibling]), 1, parent);
      hash = parent;
    }
    return equalBytes(hash, tree.root);
  }
});

describe("a verifier", () => {
  const { scheme } = SETTINGS[0] as Setting;
  const path = PATHS[0] as Uint8Array;
  const value = Uint8Array.of(1);
  const tree = new NaiveTree(scheme, [{ path, value }]);
  const proof = tree.pathProof(path, "hashed");
  const claim = { scheme, root: tree.root, path, value, proof };

  const code = (edited: PathProof): string | undefined =>
    codeOf(() => verifyInclusion({ ...claim, proof: edited }));

  it("takes wrong arguments for the caller's mistake", () => {
    const short = new Uint8Array(31);
    expect(() => verifyInclusion({ ...claim, root: short })).toThrow(RangeError);
    expect(() => verifyInclusion({ ...claim, path: short })).toThrow(RangeError);
    expect(() => verifyInclusion({ ...claim, path: "a" as never })).toThrow(TypeError);
    expect(() => verifyInclusion({ ...claim, value: "a" as never })).toThrow(TypeError);
    expect(() => verifyExclusion({ ...claim, root: [] as never })).toThrow(TypeError);
  });

  it("names what is wrong with a proof", () => {
    const { leaf } = proof;
    expect(code({ leaf, siblings: Array.from({ length: 257 }, () => ZERO) })).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
    expect(code({ leaf, siblings: [new Uint8Array(33)] })).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ leaf, siblings: Array(2) as never })).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ leaf, siblings: {} as never })).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ leaf: null as never, siblings: [] })).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ leaf: { path } as never, siblings: [] })).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ leaf: { path, value: 1 } as never, siblings: [] })).toBe(
      "JELLYFISH_PROOF_FORMAT",
    );
    expect(code({ leaf: { path, valueHash: ZERO }, siblings: [] })).toBe("JELLYFISH_PROOF_VALUE");
    expect(code({ leaf, siblings: [ZERO] })).toBe("JELLYFISH_PROOF_ROOT");
  });

  it("returns bytes of its own", () => {
    const proven = verifyInclusion(claim);
    proven[0] = 9;
    expect(value[0]).toBe(1);
  });

  it("throws its error class with a code", () => {
    const edited = { ...claim, root: ZERO };
    expect(() => verifyInclusion(edited)).toThrow(JellyfishError);
  });
});

describe("each hardened rule of a shared scheme", () => {
  const scheme = rooch();
  const big = new Uint8Array(64);

  it("of 64-byte values refuses them in presence, in absence and in what is inserted", () => {
    const [a, b] = [pathOf("0"), pathOf("1")];
    const tree = new NaiveTree(scheme, [{ path: a, value: big }]);
    const present = { scheme, root: tree.root, path: a, proof: tree.pathProof(a, "hashed") };
    const absent = { scheme, root: tree.root, path: b, proof: tree.pathProof(b, "revealed") };
    const empty = { leaf: undefined, siblings: [] };
    const insert = { scheme, root: scheme.placeholder, path: a, value: big, proof: empty };
    const off = { refuse64ByteValues: false };
    for (const attempt of [
      (rules: object) => verifyInclusion({ ...present, value: big, rules }),
      (rules: object) => verifyExclusion({ ...absent, rules }),
      (rules: object) => insertByProof({ ...insert, rules }),
    ]) {
      expect(codeOf(() => attempt({}))).toBe("JELLYFISH_PROOF_UNSAFE");
      expect(codeOf(() => attempt(off))).toBeUndefined();
    }
  });

  it("of carried values refuses a bare value hash of another leaf", () => {
    const tree = new NaiveTree(scheme, [{ path: pathOf("0"), value: ZERO }]);
    const path = pathOf("1");
    const claim = { scheme, root: tree.root, path, proof: tree.pathProof(path, "hashed") };
    expect(codeOf(() => verifyExclusion(claim))).toBe("JELLYFISH_PROOF_UNSAFE");
    const rules = { absenceCarriesValue: false };
    expect(codeOf(() => verifyExclusion({ ...claim, rules }))).toBeUndefined();
  });

  it("of the placeholder refuses it as a path", () => {
    const path = scheme.placeholder;
    const tree = new NaiveTree(scheme, [{ path, value: ZERO }]);
    const proof = tree.pathProof(path, "hashed");
    const claim = { scheme, root: tree.root, path, value: ZERO, proof };
    expect(codeOf(() => verifyInclusion(claim))).toBe("JELLYFISH_PROOF_UNSAFE");
    const rules = { refusePlaceholderPath: false };
    expect(codeOf(() => verifyInclusion({ ...claim, rules }))).toBeUndefined();
  });

  it("means nothing under a separated scheme", () => {
    const separated = (SETTINGS[0] as Setting).scheme;
    const tree = new NaiveTree(separated, [{ path: separated.placeholder, value: big }]);
    const path = separated.placeholder;
    const proof = tree.pathProof(path, "hashed");
    const claim = { scheme: separated, root: tree.root, path, value: big, proof };
    expect(verifyInclusion(claim)).toEqual(big);
  });
});

describe("maps of eight paths to two values or nothing", () => {
  it("have 6,561 different roots", () => {
    const { scheme } = SETTINGS[0] as Setting;
    const roots = new Set<string>();
    for (let code = 0; code < 6561; code++) {
      const entries = PATHS.flatMap((path, i) => {
        const digit = Math.floor(code / 3 ** i) % 3;
        return digit === 0 ? [] : [{ path, value: Uint8Array.of(digit) }];
      });
      roots.add(toHex(new NaiveTree(scheme, entries).root));
    }
    expect(roots.size).toBe(6561);
  });
});

function randomPath(random: Random): Uint8Array {
  // Few first bytes, so that paths collide deep down.
  const path = random.bytes(32);
  path[0] = random.pick([0, 255]);
  path[1] = random.pick([0, 1, 128]);
  return path;
}

function randomEntries(random: Random, count: number): { path: Uint8Array; value: Uint8Array }[] {
  return Array.from({ length: count }, () => ({
    path: randomPath(random),
    value: random.bytes(random.below(40)),
  }));
}

function isSame(a: PathProof, b: PathProof): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ leaf, siblings }: PathProof): string {
  const fields = leaf === undefined ? [] : Object.values<Uint8Array>({ ...leaf });
  return [...fields.map(toHex), "", ...siblings.map(toHex)].join();
}

function describeCase(tree: NaiveTree, path: Uint8Array): string {
  return `an edited proof of ${toHex(path)} verifies, ${tree.entries.length} entries`;
}
