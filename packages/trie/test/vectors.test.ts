import { fromHex, toHex } from "@x/hash";
import { describe, expect, test } from "vitest";
import { type Change, MptCalc, SmtCalc, TrieError } from "../src/index.ts";
import { type MptProof, type SmtProof, verifyMpt, verifySmt } from "../src/verify/index.ts";
import { vectors } from "./vectors.ts";

interface MptProofVector {
  readonly key: string;
  readonly value: string | null;
  readonly nodes: readonly string[];
}

interface SmtProofVector {
  readonly keyHash: string;
  readonly leaf: { readonly keyHash: string; readonly value: string } | null;
  readonly siblings: readonly string[];
}

interface Case {
  readonly name: string;
  readonly ops: readonly (readonly [key: string, value: string | null])[];
  readonly mptRejected?: readonly number[];
  readonly mptRoot: string;
  readonly smtRoot: string;
  readonly mptProofs: readonly MptProofVector[];
  readonly smtProofs: readonly (SmtProofVector & { readonly key: string })[];
}

type Verdict =
  | { readonly trie: "mpt"; readonly proof: MptProofVector }
  | { readonly trie: "smt"; readonly proof: SmtProofVector };

const cases = vectors("cases") as readonly Case[];
const verdicts = vectors("verify") as readonly (Verdict & {
  readonly name: string;
  readonly root: string;
  readonly key: string;
  readonly result: boolean | "error";
})[];

describe("cases of the original", () => {
  test.each(cases)("MPT: $name", ({ ops, mptRejected = [], mptRoot, mptProofs }) => {
    const trie = new MptCalc();
    for (const [i, op] of ops.entries()) {
      expect(outcome(() => trie.batch([changeOf(op)]) === undefined)).toBe(
        mptRejected.includes(i) ? "error" : true,
      );
    }
    const root = trie.root();
    expect(toHex(root)).toBe(mptRoot);
    for (const vector of mptProofs) {
      const key = fromHex(vector.key);
      const proof = trie.prove(key);
      expect(mptVector(proof)).toEqual(vector);
      expect(verifyMpt({ root, key, proof })).toBe(true);
      expect(verifyMpt({ root, key, proof, mode: "compatible" })).toBe(true);
      expect(trie.get(key)).toEqual(proof.value);
    }
  });

  test.each(cases)("SMT: $name", ({ ops, smtRoot, smtProofs }) => {
    const trie = new SmtCalc();
    trie.batch(ops.map(changeOf));
    const root = trie.root();
    expect(toHex(root)).toBe(smtRoot);
    for (const { key: keyText, ...vector } of smtProofs) {
      const key = fromHex(keyText);
      const proof = trie.prove(key);
      expect(smtVector(proof)).toEqual(vector);
      expect(verifySmt({ root, key, proof })).toBe(true);
      expect(verifySmt({ root, key, proof, mode: "compatible" })).toBe(true);
    }
  });
});

describe("verdicts of the original", () => {
  test.each(verdicts)("$trie: $name", (vector) => {
    const claim = {
      root: fromHex(vector.root),
      key: fromHex(vector.key),
      mode: "compatible",
    } as const;
    const verify = () =>
      vector.trie === "mpt"
        ? verifyMpt({ ...claim, proof: mptProof(vector.proof) })
        : verifySmt({ ...claim, proof: smtProof(vector.proof) });
    expect(outcome(verify)).toBe(vector.result);
  });
});

/** What a call returns, or `"error"` for an error of this package. */
function outcome(call: () => boolean): boolean | "error" {
  try {
    return call();
  } catch (error) {
    if (error instanceof TrieError) return "error";
    throw error;
  }
}

function changeOf([key, value]: readonly [string, string | null]): Change {
  return value === null
    ? { type: "del", key: fromHex(key) }
    : { type: "put", key: fromHex(key), value: fromHex(value) };
}

function mptVector({ key, value, nodes }: MptProof): MptProofVector {
  return {
    key: toHex(key),
    value: value === undefined ? null : toHex(value),
    nodes: nodes.map(toHex),
  };
}

function mptProof({ key, value, nodes }: MptProofVector): MptProof {
  return {
    key: fromHex(key),
    value: value === null ? undefined : fromHex(value),
    nodes: nodes.map((node) => fromHex(node)),
  };
}

function smtVector({ keyHash, leaf, siblings }: SmtProof): SmtProofVector {
  return {
    keyHash: toHex(keyHash),
    leaf: leaf === undefined ? null : { keyHash: toHex(leaf.keyHash), value: toHex(leaf.value) },
    siblings: siblings.map(toHex),
  };
}

function smtProof({ keyHash, leaf, siblings }: SmtProofVector): SmtProof {
  return {
    keyHash: fromHex(keyHash),
    leaf:
      leaf === null ? undefined : { keyHash: fromHex(leaf.keyHash), value: fromHex(leaf.value) },
    siblings: siblings.map((sibling) => fromHex(sibling)),
  };
}
