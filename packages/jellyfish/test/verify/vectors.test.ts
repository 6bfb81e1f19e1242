import { concatBytes, fromHex, toHex } from "@x/hash";
import { describe, expect, it } from "vitest";
import {
  decodeBcsPathProof,
  decodeBcsRightSiblings,
  decodePathProof,
  encodeBcsPathProof,
  encodeBcsRightSiblings,
  encodePathProof,
  insertByProof,
  jmtSha256,
  type PathProof,
  pathProofFromJson,
  pathProofToJson,
  rangeProofOfRightSiblings,
  rooch,
  verifyExclusion,
  verifyInclusion,
  verifyRange,
} from "../../src/verify/index.ts";
import type { ProofRules } from "../../src/index.ts";
import { foldSiblings } from "../../src/verify/path-proof.ts";
import { vectors } from "../vectors.ts";
import { codeOf, NaiveTree, outcomeOf } from "./naive-tree.ts";

interface ProofVector {
  readonly leaf: readonly [string, string] | null;
  readonly siblings?: readonly string[];
  /** Long lists: so many placeholders, or one hash and so many placeholders. */
  readonly siblingsAllPlaceholder?: number;
  readonly siblings0?: string;
  readonly thenPlaceholders?: number;
  readonly bcs?: string;
}
interface ProofCase {
  readonly key: string;
  readonly raw: string | null;
  readonly proof: ProofVector;
}
interface TreeCase {
  readonly name: string;
  readonly entries: readonly (readonly [string, string])[];
  readonly root: string;
  readonly proofs: readonly ProofCase[];
  readonly rangeProofs: readonly {
    readonly rightmost: string;
    readonly rightSiblings: readonly string[];
    readonly bcs?: string;
  }[];
}
interface VerifyCase extends ProofCase {
  readonly name: string;
  readonly root: string;
  readonly result: { readonly ok: boolean } | { readonly error: string };
}
interface ForgeryCase extends ProofCase {
  readonly statement: string;
  readonly entries: readonly (readonly [string, string])[];
  readonly root: string;
}
interface UpdateCase {
  readonly name: string;
  readonly proof: ProofVector;
  readonly key: string;
  readonly raw: string;
  readonly result:
    | { readonly ok: { readonly root: string; readonly proof: ProofVector } }
    | { readonly error: string }
    | { readonly crash: string };
}

const scheme = rooch();
/** The verdicts of the original. */
const PLAIN: ProofRules = {
  refuse64ByteValues: false,
  absenceCarriesValue: false,
  refusePlaceholderPath: false,
};
/** Our codes for the vectors' reasons. */
const CODES: Readonly<Record<string, string>> = {
  VALUE_MISMATCH: "JELLYFISH_PROOF_VALUE",
  KEY_MISMATCH: "JELLYFISH_PROOF_KEY",
  KEY_PRESENT: "JELLYFISH_PROOF_KIND",
  EXPECTED_INCLUSION: "JELLYFISH_PROOF_KIND",
  NOT_IN_SUBTREE: "JELLYFISH_PROOF_KEY",
  ROOT_MISMATCH: "JELLYFISH_PROOF_ROOT",
  TOO_MANY_SIBLINGS: "JELLYFISH_PROOF_TOO_LARGE",
};

const trees = (vectors("trees") as { readonly cases: readonly TreeCase[] }).cases;
const verifications = (vectors("verify") as { readonly cases: readonly VerifyCase[] }).cases;
const forgeries = (vectors("forgeries") as { readonly cases: readonly ForgeryCase[] }).cases;
const updates = (vectors("updateLeaf") as { readonly cases: readonly UpdateCase[] }).cases;

function proofOf({ leaf, ...vector }: ProofVector): PathProof {
  const { siblings = [], siblings0, siblingsAllPlaceholder, thenPlaceholders } = vector;
  const placeholders = siblingsAllPlaceholder ?? thenPlaceholders ?? 0;
  return {
    leaf: leaf === null ? undefined : { path: fromHex(leaf[0]), valueHash: fromHex(leaf[1]) },
    siblings: [
      ...(siblings0 === undefined ? siblings : [siblings0]).map((text) => fromHex(text)),
      ...Array.from({ length: placeholders }, () => scheme.placeholder),
    ],
  };
}

function treeOf(entries: readonly (readonly [string, string])[]): NaiveTree {
  return new NaiveTree(
    scheme,
    entries.map(([key, raw]) => ({ path: fromHex(key), value: fromHex(raw) })),
  );
}

function verify(root: string, { key, raw }: ProofCase, proof: PathProof, rules: ProofRules): void {
  const claim = { scheme, root: fromHex(root), path: fromHex(key), proof, rules };
  if (raw === null) verifyExclusion(claim);
  else verifyInclusion({ ...claim, value: fromHex(raw) });
}

/** Where a proof leads to; the vectors name no root. */
function rootOf({ leaf, siblings }: PathProof, path: Uint8Array): Uint8Array {
  const hash = new Uint8Array(scheme.placeholder);
  if (leaf !== undefined && "valueHash" in leaf) {
    scheme.hashLeaves(concatBytes([leaf.path, leaf.valueHash]), 1, hash);
  }
  return foldSiblings(scheme, path, hash, siblings);
}

describe("the original's trees", () => {
  for (const { name, entries, root, proofs, rangeProofs } of trees) {
    const tree = treeOf(entries);

    it(`${name}: every path proof verifies, and is what the definition gives`, () => {
      expect(toHex(tree.root)).toBe(root);
      for (const each of proofs) {
        const proof = proofOf(each.proof);
        verify(root, each, proof, PLAIN);
        expect(tree.pathProof(fromHex(each.key), "hashed")).toEqual(proof);
      }
    });

    it(`${name}: path proofs have the original's bytes and JSON`, () => {
      for (const { proof: vector } of proofs) {
        const proof = proofOf(vector);
        const bytes = encodeBcsPathProof(proof);
        expect(decodeBcsPathProof(bytes)).toEqual(proof);
        // The longest have no bytes in the vectors.
        expect(toHex(bytes)).toBe(vector.bcs ?? toHex(bytes));
        const json = {
          leaf: vector.leaf?.map((text) => `0x${text}`) ?? null,
          siblings: (vector.siblings ?? []).map((text) => `0x${text}`),
        };
        expect(pathProofToJson(proof)).toEqual(json);
        expect(pathProofFromJson(json)).toEqual(proof);
        expect(decodePathProof(encodePathProof(proof, scheme), scheme)).toEqual(proof);
      }
    });

    it(`${name}: every range proof of the original verifies, with its bytes`, () => {
      for (const { rightmost, rightSiblings, bcs } of rangeProofs) {
        const siblings = rightSiblings.map((text) => fromHex(text));
        const bytes = encodeBcsRightSiblings(siblings);
        expect(toHex(bytes)).toBe(bcs ?? toHex(bytes));
        expect(decodeBcsRightSiblings(bytes)).toEqual(siblings);
        const to = fromHex(rightmost);
        const proof = rangeProofOfRightSiblings(siblings, scheme);
        const { entries: upTo } = tree.range(undefined, to, "hashed");
        const claim = { scheme, root: tree.root, from: undefined, to, entries: upTo, proof };
        expect(verifyRange(claim).isFirst).toBe(true);
        for (let i = 0; i < upTo.length; i++) {
          expect(codeOf(() => verifyRange({ ...claim, entries: upTo.toSpliced(i, 1) }))).toMatch(
            /^JELLYFISH_PROOF_/,
          );
        }
      }
    });
  }
});

describe("the original's verdicts", () => {
  for (const each of verifications) {
    it(`in plain mode: ${each.name}`, () => {
      const expected = "error" in each.result ? CODES[each.result.error] : undefined;
      expect(codeOf(() => verify(each.root, each, proofOf(each.proof), PLAIN))).toBe(expected);
    });
  }
});

describe("what the original inserts by proof", () => {
  for (const { name, proof: vector, key, raw, result } of updates) {
    it(`as there: ${name}`, () => {
      const proof = proofOf(vector);
      const path = fromHex(key);
      const root = rootOf(proof, path);
      const claim = { scheme, root, path, value: fromHex(raw), proof, rules: PLAIN };
      const insert = (): unknown => {
        const insertion = insertByProof(claim);
        verifyInclusion({ ...claim, root: insertion.root, proof: insertion.proof });
        return { root: toHex(insertion.root), proof: insertion.proof };
      };
      expect(outcomeOf(insert)).toEqual(
        "ok" in result
          ? { root: result.ok.root, proof: proofOf(result.ok.proof) }
          : // Where the original ends the process, the shared prefix is shorter than the path.
            `JELLYFISH_PROOF_${"error" in result ? "KIND" : "KEY"}`,
      );
    });
  }
});

describe("forgeries that the original accepts", () => {
  for (const forgery of forgeries) {
    it(`in plain mode: ${forgery.statement}`, () => {
      expect(toHex(treeOf(forgery.entries).root)).toBe(forgery.root);
      verify(forgery.root, forgery, proofOf(forgery.proof), PLAIN);
    });

    it(`are refused by the hardened rules, in the proof or before storing: ${forgery.statement}`, () => {
      const planted = forgery.entries.find(([, raw]) => raw.length === 128);
      const proof = proofOf(forgery.proof);
      const empty = { root: scheme.placeholder, proof: { leaf: undefined, siblings: [] } };
      const attempt = (): unknown => {
        if (planted === undefined) return verify(forgery.root, forgery, proof, {});
        const [path, value] = [fromHex(planted[0]), fromHex(planted[1])];
        return insertByProof({ scheme, ...empty, path, value });
      };
      expect(codeOf(attempt)).toBe("JELLYFISH_PROOF_UNSAFE");
    });
  }

  it("cannot be made under jmtSha256: the same steps lead to no root", () => {
    const separated = jmtSha256();
    for (const { entries, key, raw, proof } of forgeries) {
      const tree = new NaiveTree(
        separated,
        entries.map(([path, value]) => ({ path: fromHex(path), value: fromHex(value) })),
      );
      if (tree.top.kind !== "inner") throw new Error("the forgeries have two entries and more");
      // The root as a leaf, as in the vectors, with hashes of this scheme.
      const { left, right } = tree.top;
      const leaf = { path: left.hash, valueHash: right.hash };
      const forged = { leaf, siblings: [] };
      const claim = { scheme: separated, root: tree.root, path: fromHex(key) };
      expect(codeOf(() => verifyExclusion({ ...claim, proof: forged }))).toBe(
        "JELLYFISH_PROOF_ROOT",
      );
      const vector = proofOf(proof);
      const verdict = codeOf(() =>
        raw === null
          ? verifyExclusion({ ...claim, proof: vector })
          : verifyInclusion({ ...claim, value: fromHex(raw), proof: vector }),
      );
      expect(verdict).toMatch(/^JELLYFISH_PROOF_(?:ROOT|VALUE)$/);
    }
  });
});
