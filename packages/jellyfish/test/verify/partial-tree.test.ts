import { toHex } from "@x/hash";
import { Random, scaled } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  jmtSha256,
  type PartialTree,
  partialTreeToJson,
  type PathChange,
  rooch,
  updatedRoot,
  verifyBatch,
  verifyUpdate,
} from "../../src/verify/index.ts";
import { editsOfTree, flipped, ZERO } from "./edits.ts";
import { codeOf, NaiveTree, outcomeOf, pathOf } from "./naive-tree.ts";
import { foreignTo, PATHS, type Setting, SETTINGS, smallTrees } from "./small-trees.ts";

function textOf(tree: PartialTree): string {
  return JSON.stringify(partialTreeToJson(tree));
}

/** Some of the eight paths, in any order. */
function somePaths(random: Random): Uint8Array[] {
  const paths = PATHS.filter(() => random.chance(0.4));
  return random.chance(0.5) ? paths.toReversed() : paths;
}

/** Puts and removals of some of the eight paths. */
function someChanges(random: Random): PathChange[] {
  return somePaths(random).map((path) => ({
    path,
    value: random.chance(0.5) ? undefined : random.bytes(random.below(3)),
  }));
}

describe.each(SETTINGS)("batch proofs under $scheme.name", ({ scheme, form }: Setting) => {
  it("give the value or the absence of every asked path, in the order asked", () => {
    const random = new Random(1);
    for (const tree of smallTrees(scheme)) {
      const paths = somePaths(random);
      const proof = tree.batchProof(paths, form);
      const results = verifyBatch({ scheme, root: tree.root, paths, proof });
      expect(results).toHaveLength(paths.length);
      for (const [i, path] of paths.entries()) {
        const single = tree.pathProof(path, form);
        expect(results[i]).toEqual(
          tree.get(path) === undefined
            ? single.leaf === undefined
              ? { kind: "absent", because: "empty-place" }
              : { kind: "absent", because: "other-leaf", other: single.leaf.path }
            : { kind: "present", value: tree.get(path) },
        );
      }
    }
  });

  it("answer a path asked twice twice", () => {
    const path = PATHS[3] as Uint8Array;
    const tree = new NaiveTree(scheme, [{ path, value: Uint8Array.of(5) }]);
    const paths = [path, path];
    const results = verifyBatch({
      scheme,
      root: tree.root,
      paths,
      proof: tree.batchProof(paths, form),
    });
    expect(results).toEqual([1, 2].map(() => ({ kind: "present", value: Uint8Array.of(5) })));
  });

  it("fail after every single edit", () => {
    const random = new Random(2);
    let edits = 0;
    for (const tree of smallTrees(scheme)) {
      const foreign = { scheme, ...foreignTo(tree, form) };
      for (let i = 0; i < scaled(1); i++) {
        const paths = somePaths(random);
        const proof = tree.batchProof(paths, form);
        const original = textOf(proof);
        for (const edited of editsOfTree(proof, foreign)) {
          edits++;
          const code = codeOf(() => verifyBatch({ scheme, root: tree.root, paths, proof: edited }));
          if (code === undefined && textOf(edited) !== original) {
            throw new Error(`an edited batch verifies: ${original} as ${textOf(edited)}`);
          }
        }
      }
    }
    expect(edits).toBeGreaterThan(30_000);
  });

  it("give nothing but the truth about other paths than they were made for", () => {
    const random = new Random(3);
    let refused = 0;
    for (const tree of smallTrees(scheme)) {
      const proof = tree.batchProof(somePaths(random), form);
      const paths = somePaths(random);
      const claim = { scheme, root: tree.root, paths };
      const answers = outcomeOf(() => verifyBatch({ ...claim, proof }));
      if (typeof answers === "string") refused++;
      const truth = verifyBatch({ ...claim, proof: tree.batchProof(paths, form) });
      expect(answers).toEqual(typeof answers === "string" ? answers : truth);
    }
    expect(refused).toBeGreaterThan(100);
  });

  it("are smaller than the proofs of their paths", () => {
    const random = new Random(4);
    const entries = Array.from({ length: 200 }, () => ({
      path: random.bytes(32),
      value: random.bytes(8),
    }));
    const tree = new NaiveTree(scheme, entries);
    const paths = entries.slice(0, 50).map(({ path }) => path);
    const hashCount = (node: PartialTree): number =>
      node.kind === "inner"
        ? hashCount(node.left) + hashCount(node.right)
        : node.kind === "hash"
          ? 1
          : 0;
    const batch = hashCount(tree.batchProof(paths, form));
    const single = paths.reduce((sum, path) => sum + tree.pathProof(path, form).siblings.length, 0);
    expect(batch * 2).toBeLessThan(single);
  });
});

describe.each(SETTINGS)("update proofs under $scheme.name", ({ scheme, form }: Setting) => {
  it("lead from the old root to the new one, for puts and removals of every kind", () => {
    const random = new Random(5);
    for (const tree of smallTrees(scheme)) {
      for (let i = 0; i < scaled(8); i++) {
        const changes = someChanges(random);
        const proof = tree.updateProof(changes, form);
        const claim = { scheme, root: tree.root, changes, proof };
        const newRoot = tree.with(changes).root;
        expect(toHex(updatedRoot(claim))).toBe(toHex(newRoot));
        verifyUpdate({ ...claim, newRoot });
        expect(codeOf(() => verifyUpdate({ ...claim, newRoot: flipped(newRoot) }))).toBe(
          "JELLYFISH_PROOF_ROOT",
        );
      }
    }
  });

  it("fail after every single edit", () => {
    const random = new Random(6);
    let edits = 0;
    for (const tree of smallTrees(scheme)) {
      const foreign = { scheme, ...foreignTo(tree, form) };
      for (let i = 0; i < scaled(1); i++) {
        const changes = someChanges(random);
        const proof = tree.updateProof(changes, form);
        const original = textOf(proof);
        for (const edited of editsOfTree(proof, foreign)) {
          edits++;
          const claim = { scheme, root: tree.root, changes, proof: edited };
          if (codeOf(() => updatedRoot(claim)) === undefined && textOf(edited) !== original) {
            throw new Error(`an edited update verifies: ${original} as ${textOf(edited)}`);
          }
        }
      }
    }
    expect(edits).toBeGreaterThan(30_000);
  });

  it("of some changes are refused for others, or lead to what these make", () => {
    const random = new Random(7);
    const trees = [...smallTrees(scheme)];
    for (let i = 0; i < scaled(2000); i++) {
      const tree = random.pick(trees);
      const proof = tree.updateProof(someChanges(random), form);
      const changes = someChanges(random);
      let found: string | undefined;
      const code = codeOf(() => {
        found = toHex(updatedRoot({ scheme, root: tree.root, changes, proof }));
      });
      expect(code === undefined ? found : undefined).toBe(
        code === undefined ? toHex(tree.with(changes).root) : undefined,
      );
    }
  });

  it("hold for keys that share 0 to 255 bits: each removed, both removed, both put", () => {
    const base = new Random(19).bytes(32);
    const value = Uint8Array.of(1);
    for (let shared = 0; shared < 256; shared += 3) {
      const other = flipped(base, shared >>> 3, 128 >>> (shared & 7));
      const both = [base, other].map((path) => ({ path, value }));
      const removals = both.map(({ path }) => ({ path, value: undefined }));
      const tree = new NaiveTree(scheme, both);
      const empty = new NaiveTree(scheme, []);
      for (const changes of [removals, removals.slice(1), removals.slice(0, 1)]) {
        const proof = tree.updateProof(changes, form);
        const newRoot = tree.with(changes).root;
        verifyUpdate({ scheme, root: tree.root, newRoot, changes, proof });
      }
      const proof = empty.updateProof(both, form);
      const newRoot = updatedRoot({ scheme, root: empty.root, changes: both, proof });
      expect(toHex(newRoot)).toBe(toHex(tree.root));
    }
  });
});

describe.each(SETTINGS)(
  "proofs of another tree under $scheme.name",
  ({ scheme, form }: Setting) => {
    it("are refused, whatever they show", () => {
      const random = new Random(9);
      const trees = [...smallTrees(scheme)];
      for (let i = 0; i < scaled(2000); i++) {
        const [tree, other] = [random.pick(trees), random.pick(trees)];
        if (tree === other) continue;
        const paths = somePaths(random);
        const changes = someChanges(random);
        const { root } = other;
        const batch = { scheme, root, paths, proof: tree.batchProof(paths, form) };
        expect(codeOf(() => verifyBatch(batch))).toBe("JELLYFISH_PROOF_ROOT");
        const step = { scheme, root, changes, proof: tree.updateProof(changes, form) };
        expect(codeOf(() => updatedRoot(step))).toBe("JELLYFISH_PROOF_ROOT");
      }
    });
  },
);

describe("a verifier of partial trees", () => {
  const scheme = jmtSha256();
  const value = Uint8Array.of(1);
  const [a, b, c] = [pathOf("00"), pathOf("01"), pathOf("1")];
  const tree = new NaiveTree(
    scheme,
    [a, b, c].map((path) => ({ path, value })),
  );
  const { root } = tree;
  const hidden: PartialTree = { kind: "hash", hash: root };

  it("names what is wrong with a batch", () => {
    const code = (proof: PartialTree, paths = [a]): string | undefined =>
      codeOf(() => verifyBatch({ scheme, root, paths, proof }));
    const proof = tree.batchProof([a], "hashed");
    expect(code(proof)).toBeUndefined();
    expect(code(hidden)).toBe("JELLYFISH_PROOF_INCOMPLETE");
    expect(code(hidden, [])).toBeUndefined();
    expect(code(tree.batchProof([a, c], "hashed"))).toBe("JELLYFISH_PROOF_SURPLUS");
    expect(code(tree.updateProof([{ path: a, value }], "hashed"))).toBe(
      "JELLYFISH_PROOF_INCOMPLETE",
    );
    const elsewhere: PartialTree = { kind: "leaf", leaf: tree.leaf({ path: c, value }, "hashed") };
    expect(code({ kind: "inner", left: elsewhere, right: { kind: "empty" } })).toBe(
      "JELLYFISH_PROOF_KEY",
    );
    expect(code({ kind: "other" } as never)).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ kind: "hash", hash: scheme.placeholder }, [])).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ kind: "hash", hash: value }, [])).toBe("JELLYFISH_PROOF_FORMAT");
    expect(code({ kind: "hash", hash: ZERO }, [])).toBe("JELLYFISH_PROOF_ROOT");
  });

  it("refuses a tree deeper than a path", () => {
    let proof: PartialTree = { kind: "leaf", leaf: { path: ZERO, value } };
    for (let i = 0; i < 300; i++) proof = { kind: "inner", left: proof, right: { kind: "empty" } };
    const claim = { scheme, root, proof };
    expect(codeOf(() => verifyBatch({ ...claim, paths: [ZERO] }))).toBe("JELLYFISH_PROOF_FORMAT");
    const changes = [{ path: ZERO, value }];
    expect(codeOf(() => updatedRoot({ ...claim, changes }))).toBe("JELLYFISH_PROOF_FORMAT");
  });

  it("wants to see whether what is left beside a removal is a leaf", () => {
    const changes = [{ path: a, value: undefined }];
    const proof = tree.updateProof(changes, "hashed");
    expect(codeOf(() => updatedRoot({ scheme, root, changes, proof }))).toBeUndefined();
    const bare = tree.updateProof([{ path: a, value }], "hashed");
    expect(codeOf(() => updatedRoot({ scheme, root, changes, proof: bare }))).toBe(
      "JELLYFISH_PROOF_INCOMPLETE",
    );
  });

  it("takes a path changed twice, and malformed arguments, for the caller's mistake", () => {
    const change = { path: a, value };
    const claim = { scheme, root, proof: hidden };
    expect(() => updatedRoot({ ...claim, changes: [change, change] })).toThrow(RangeError);
    expect(() => updatedRoot({ ...claim, changes: [{ path: value, value }] })).toThrow(RangeError);
    expect(() => updatedRoot({ ...claim, changes: [{ path: a, value: "x" as never }] })).toThrow(
      TypeError,
    );
    expect(() => verifyBatch({ ...claim, paths: [value] })).toThrow(RangeError);
  });
});

describe("where domains are shared, a leaf that passes for an inner node", () => {
  const scheme = rooch();
  const value = Uint8Array.of(1);
  const [a, b] = [pathOf("0"), pathOf("1")];
  const tree = new NaiveTree(
    scheme,
    [a, b].map((path) => ({ path, value })),
  );
  const changes = [{ path: a, value: undefined }];
  // The leaf of b, shown as two hidden children: its path and its value hash.
  const forged: Extract<PartialTree, { kind: "inner" }> = {
    kind: "inner",
    left: { kind: "leaf", leaf: { path: a, value } },
    right: {
      kind: "inner",
      left: { kind: "hash", hash: b },
      right: { kind: "hash", hash: scheme.hashValue(value) },
    },
  };
  const claim = { scheme, root: tree.root, changes, proof: forged };

  it("leads to a false root in plain mode", () => {
    const rules = { absenceCarriesValue: false };
    expect(toHex(updatedRoot({ ...claim, rules }))).not.toBe(toHex(tree.with(changes).root));
  });

  it("is refused by the hardened rules, which want a leaf below with its value", () => {
    expect(codeOf(() => updatedRoot(claim))).toBe("JELLYFISH_PROOF_UNSAFE");
    const proof = tree.updateProof(changes, "revealed");
    expect(toHex(updatedRoot({ ...claim, proof }))).toBe(toHex(tree.with(changes).root));
  });

  it("is refused under jmtSha256 by its hash", () => {
    const separated = jmtSha256();
    const twin = new NaiveTree(separated, tree.entries);
    const left: PartialTree = { kind: "leaf", leaf: twin.leaf({ path: a, value }, "hashed") };
    const proof = { ...forged, left };
    expect(codeOf(() => updatedRoot({ scheme: separated, root: twin.root, changes, proof }))).toBe(
      "JELLYFISH_PROOF_ROOT",
    );
  });
});
