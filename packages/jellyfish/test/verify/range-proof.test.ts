import { equalBytes, toHex } from "@x/hash";
import { Random, scaled } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  type ProvenEntry,
  type RangeProof,
  rangeProofToJson,
  rooch,
  verifyExclusionByNeighbours,
  verifyRange,
} from "../../src/verify/index.ts";
import { editsOfRange, flipped, ZERO } from "./edits.ts";
import { codeOf, NaiveTree, pathOf } from "./naive-tree.ts";
import { foreignTo, PATHS, type Setting, SETTINGS, smallTrees } from "./small-trees.ts";

/** Paths of leaves, and paths between and around them. */
const BOUNDS: readonly (Uint8Array | undefined)[] = [
  undefined,
  ...PATHS,
  ...PATHS.map((path) => flipped(path, 31)),
];

interface Answer {
  readonly entries: readonly ProvenEntry[];
  readonly proof: RangeProof;
}

function verdict(
  tree: NaiveTree,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
  answer: Answer,
): string | undefined {
  return codeOf(() => verifyRange({ scheme: tree.scheme, root: tree.root, from, to, ...answer }));
}

function randomBounds(random: Random): [Uint8Array | undefined, Uint8Array | undefined] {
  const [from, to] = [0, 0].map(() => BOUNDS[random.below(BOUNDS.length)]);
  const isTurned = from !== undefined && to !== undefined && toHex(to) < toHex(from);
  return isTurned ? [to, from] : [from, to];
}

function textOf({ entries, proof }: Answer): string {
  const texts = entries.map(({ path, value }) => `${toHex(path)}=${toHex(value)}`);
  return JSON.stringify([texts, rangeProofToJson(proof)]);
}

describe.each(SETTINGS)("range proofs under $scheme.name", ({ scheme, form }: Setting) => {
  it("verify for every range of every small tree, and say whether it reaches the ends", () => {
    for (const tree of smallTrees(scheme)) {
      const [first] = tree.entries;
      const last = tree.entries.at(-1);
      for (const from of [undefined, ...PATHS]) {
        for (const to of [undefined, ...PATHS]) {
          if (from !== undefined && to !== undefined && toHex(to) < toHex(from)) continue;
          const answer = tree.range(from, to, form);
          const { isFirst, isLast } = verifyRange({
            scheme,
            root: tree.root,
            from,
            to,
            ...answer,
          });
          const start = answer.entries[0] ?? answer.proof.after;
          const end = answer.entries.at(-1) ?? answer.proof.before;
          expect(isFirst).toBe(answer.proof.before === undefined && isAt(start, first));
          expect(isLast).toBe(answer.proof.after === undefined && isAt(end, last));
        }
      }
    }
  });

  it("fail after every single edit", () => {
    const random = new Random(15);
    let edits = 0;
    for (const tree of smallTrees(scheme)) {
      const entries = PATHS.filter((path) => tree.get(path) === undefined);
      const foreign = {
        ...foreignTo(tree, form),
        entries: entries.map((path) => ({ path, value: ZERO })).slice(0, 2),
      };
      for (let i = 0; i < scaled(3); i++) {
        const [from, to] = randomBounds(random);
        const answer = tree.range(from, to, form);
        const original = textOf(answer);
        for (const edited of editsOfRange(answer, foreign)) {
          const code = verdict(tree, from, to, edited);
          if (code === undefined && textOf(edited) !== original) {
            throw new Error(`an edited range verifies: ${original} as ${textOf(edited)}`);
          }
          edits++;
        }
      }
    }
    expect(edits).toBeGreaterThan(50_000);
  });

  it("are accepted between other bounds or under another root only where the entries are all there", () => {
    const random = new Random(151);
    const trees = [...smallTrees(scheme)];
    for (let i = 0; i < scaled(3000); i++) {
      const tree = random.pick(trees);
      const [from, to] = randomBounds(random);
      const answer = tree.range(from, to, form);
      const [otherFrom, otherTo] = randomBounds(random);
      const other = random.chance(0.5) ? tree : random.pick(trees);
      const isTrue =
        other.root === tree.root &&
        textOf({ ...answer, entries: other.range(otherFrom, otherTo, form).entries }) ===
          textOf(answer);
      const isAccepted = verdict(other, otherFrom, otherTo, answer) === undefined;
      expect(isAccepted && !isTrue && !equalBytes(other.root, tree.root)).toBe(false);
      expect(isAccepted && !isTrue && other === tree).toBe(false);
    }
  });

  it("prove an absence by its neighbours, and no presence", () => {
    for (const tree of smallTrees(scheme)) {
      for (const path of PATHS) {
        const { proof } = tree.range(path, path, form);
        const claim = { scheme, root: tree.root, path, proof };
        const isAbsent = tree.get(path) === undefined;
        expect(codeOf(() => verifyExclusionByNeighbours(claim)) === undefined).toBe(isAbsent);
        if (!isAbsent) continue;
        const smaller = tree.entries.findLast((entry) => toHex(entry.path) < toHex(path));
        const larger = tree.entries.find((entry) => toHex(path) < toHex(entry.path));
        const absence = verifyExclusionByNeighbours(claim);
        expect({ ...absence }).toEqual({
          kind: "absent",
          because: "neighbours",
          before: smaller?.path,
          after: larger?.path,
        });
      }
    }
  });

  it("hold for keys that share 0 to 255 bits", () => {
    const base = new Random(19).bytes(32);
    for (let shared = 0; shared < 256; shared += 5) {
      const other = flipped(base, shared >>> 3, 128 >>> (shared & 7));
      const value = Uint8Array.of(1);
      const tree = new NaiveTree(
        scheme,
        [base, other, ZERO].map((path) => ({ path, value })),
      );
      for (const [from, to] of [
        [base, base],
        [other, other],
        [undefined, base],
        [other, undefined],
      ]) {
        expect(verdict(tree, from, to, tree.range(from, to, form))).toBeUndefined();
      }
    }
  });
});

describe("a range verifier", () => {
  const { scheme } = SETTINGS[0] as Setting;
  const value = Uint8Array.of(1);
  const [a, b, c] = [pathOf("00"), pathOf("01"), pathOf("10")];
  const tree = new NaiveTree(
    scheme,
    [a, b, c].map((path) => ({ path, value })),
  );
  const root = tree.root;

  it("names what is wrong", () => {
    const answer = tree.range(b, b, "hashed");
    const { proof } = answer;
    const code = (edited: Answer, from = b, to = b): string | undefined =>
      verdict(tree, from, to, edited);
    expect(code(answer)).toBeUndefined();
    expect(code({ ...answer, entries: [] })).toBe("JELLYFISH_PROOF_INCOMPLETE");
    expect(code(answer, a)).toBe("JELLYFISH_PROOF_INCOMPLETE");
    expect(code(answer, c, c)).toBe("JELLYFISH_PROOF_KEY");
    expect(code({ ...answer, proof: { ...proof, leftSiblings: [] } })).toBe(
      "JELLYFISH_PROOF_FORMAT",
    );
    const far = { ...proof, leftSiblings: [ZERO], rightSiblings: Array(70).fill(ZERO) };
    const path = pathOf("01", new Uint8Array(32).fill(255));
    expect(code({ entries: [{ path, value }], proof: far }, path, path)).toBe(
      "JELLYFISH_PROOF_INCOMPLETE",
    );
    const more = [...(proof.leftSiblings ?? []), ZERO];
    expect(code({ ...answer, proof: { ...proof, leftSiblings: more } })).toMatch(
      /^JELLYFISH_PROOF_(?:SURPLUS|INCOMPLETE|ROOT)$/,
    );
    const before = tree.leaf({ path: a, value }, "hashed");
    expect(code({ ...answer, proof: { ...proof, before } })).toBe("JELLYFISH_PROOF_SURPLUS");
    expect(code({ entries: [{ path: b, value: ZERO }], proof })).toBe("JELLYFISH_PROOF_ROOT");
    const many = Array.from({ length: 257 }, () => ZERO);
    expect(code({ ...answer, proof: { ...proof, rightSiblings: many } })).toBe(
      "JELLYFISH_PROOF_TOO_LARGE",
    );
  });

  it("refuses doubled and disordered entries", () => {
    const { entries, proof } = tree.range(undefined, undefined, "hashed");
    for (const edited of [
      [...entries, entries[2] as ProvenEntry],
      entries.toReversed(),
      [entries[1], entries[0], entries[2]] as ProvenEntry[],
    ]) {
      expect(verdict(tree, undefined, undefined, { entries: edited, proof })).toBe(
        "JELLYFISH_PROOF_KEY",
      );
    }
  });

  it("takes wrong arguments for the caller's mistake", () => {
    const answer = tree.range(a, b, "hashed");
    expect(() => verifyRange({ scheme, root, from: b, to: a, ...answer })).toThrow(RangeError);
    expect(() => verifyRange({ scheme, root, from: value, to: a, ...answer })).toThrow(RangeError);
    const entries = [{ path: a, value: "x" as never }];
    expect(() =>
      verifyRange({ scheme, root, from: a, to: a, entries, proof: answer.proof }),
    ).toThrow(TypeError);
  });

  it("refuses a bare leaf beside the range, and a value of 64 bytes, where domains are shared", () => {
    const shared = rooch();
    const big = new Uint8Array(64);
    const other = new NaiveTree(shared, [
      { path: a, value },
      { path: c, value: big },
    ]);
    const bare = other.range(b, b, "hashed");
    expect(verdict(other, b, b, bare)).toBe("JELLYFISH_PROOF_UNSAFE");
    expect(verdict(other, c, c, other.range(c, c, "revealed"))).toBe("JELLYFISH_PROOF_UNSAFE");
    const rules = { refuse64ByteValues: false, absenceCarriesValue: false };
    const claim = { scheme: shared, root: other.root, from: b, to: b, ...bare, rules };
    expect(codeOf(() => verifyRange(claim))).toBeUndefined();
  });
});

function isAt(
  leaf: { readonly path: Uint8Array } | undefined,
  end: ProvenEntry | undefined,
): boolean {
  return end === undefined || (leaf !== undefined && equalBytes(leaf.path, end.path));
}
