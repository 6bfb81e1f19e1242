import { compareBytes, equalBytes, keccak256 } from "@x/hash";
import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Change, MptCalc, SmtCalc, TrieError } from "../../src/index.ts";
import * as verify from "../../src/verify/index.ts";
import { anyKey, history, modelOf, valueIn } from "../histories.ts";
import { type Subject, subjectsOf } from "./subjects.ts";

const world = fc.record({
  changes: history,
  keys: fc.array(anyKey, { minLength: 1, maxLength: 3 }),
  bounds: fc.tuple(anyKey, anyKey),
});

function rangeOf([a, b]: [Uint8Array, Uint8Array]): verify.KeyRange {
  return compareBytes(a, b) <= 0 ? { gte: a, lte: b } : { gte: b, lte: a };
}

function isRefused({ check, root }: Subject, bytes: Uint8Array): boolean {
  try {
    check(bytes, root);
    return false;
  } catch (error) {
    if (error instanceof TrieError && error.code.startsWith("TRIE_PROOF_")) return true;
    throw error;
  }
}

test("every honest proof is accepted, in bytes and as JSON, and shows what the entries are", () => {
  fc.assert(
    fc.property(world, ({ changes, keys, bounds }) => {
      const range = rangeOf(bounds);
      for (const subject of subjectsOf(changes, keys, range)) {
        subject.check(subject.bytes, subject.root);
        expect(subject.recode(subject.bytes)).toEqual(subject.bytes);
        expect(subject.read(JSON.parse(JSON.stringify(subject.json)))).toEqual(subject.bytes);
      }
      const model = modelOf(changes);
      const mpt = new MptCalc();
      mpt.batch(changes);
      const smt = new SmtCalc();
      smt.batch(changes);
      const want = keys.map((key) => valueIn(model, key));
      const shown = [
        verify.verifyMptBatch({ root: mpt.root(), keys, proof: mpt.proveBatch(keys) }),
        verify.verifySmtBatch({ root: smt.root(), keys, proof: smt.proveBatch(keys) }),
      ];
      for (const list of shown)
        expect(list.map((one) => (one.kind === "present" ? one.value : undefined))).toEqual(want);
      for (const bound of [range, {}, { gt: bounds[0] }, { lt: Uint8Array.of(0xff, 0xff) }]) {
        const proof = mpt.proveRange(bound);
        const entries = verify.verifyMptRange({ root: mpt.root(), range: bound, proof });
        expect(entries.map(({ key }) => key)).toEqual(keysIn(model, bound));
        for (const { key, value } of entries) expect(value).toEqual(valueIn(model, key));
      }
    }),
    { numRuns: scaled(100) },
  );
});

test("no change of a byte, and no shorter or longer proof, is accepted", () => {
  fc.assert(
    fc.property(world, fc.integer({ min: 1, max: 255 }), ({ changes, keys, bounds }, change) => {
      for (const subject of subjectsOf(changes, keys, rangeOf(bounds))) {
        const { bytes } = subject;
        const forgeries = [Uint8Array.of(...bytes, 0)];
        for (let at = 0; at < bytes.length; at++) {
          const changed = bytes.slice();
          changed[at] = (changed[at] as number) ^ change;
          forgeries.push(changed, bytes.slice(0, at));
        }
        expect(accepted(subject, forgeries)).toEqual([]);
      }
    }),
    { numRuns: scaled(12) },
  );
});

test("no dropped, doubled, added or swapped node is accepted", () => {
  fc.assert(
    fc.property(world, ({ changes, keys, bounds }) => {
      for (const subject of subjectsOf(changes, keys, rangeOf(bounds))) {
        const forgeries = editsOf(subject).filter((bytes) => !equalBytes(bytes, subject.bytes));
        expect(accepted(subject, forgeries)).toEqual([]);
      }
    }),
    { numRuns: scaled(30) },
  );
});

/** Proofs with one list changed in every place, in every way. */
function editsOf(subject: Subject): Uint8Array[] {
  let size = 0;
  subject.edited((list) => {
    size = list.length;
    return list;
  });
  const proofs: Uint8Array[] = [];
  for (let i = 0; i < size; i++) {
    proofs.push(
      subject.edited((list) => list.toSpliced(i, 1)),
      subject.edited((list) => list.toSpliced(i, 0, list[i])),
      subject.edited((list) => [...list, list[i]]),
      subject.edited((list) => [list[i], ...list]),
    );
    if (i > 0)
      proofs.push(subject.edited((list) => list.toSpliced(i - 1, 2, list[i], list[i - 1])));
  }
  return proofs;
}

/** Places of the proofs that are not refused. */
function accepted(subject: Subject, proofs: readonly Uint8Array[]): number[] {
  return proofs.flatMap((bytes, i) => (isRefused(subject, bytes) ? [] : [i]));
}

test("no proof is accepted for another key, another root or another kind", () => {
  fc.assert(
    fc.property(world, history, anyKey, ({ changes, keys, bounds }, others, other) => {
      const subjects = subjectsOf(changes, keys, rangeOf(bounds));
      const foreign = subjectsOf(others, keys, rangeOf(bounds));
      for (const [i, subject] of subjects.entries()) {
        const roots = [new Uint8Array(32).fill(7), (foreign[i] as Subject).root];
        const wrong = roots.filter((root) => !equalBytes(root, subject.root));
        for (const root of wrong)
          expect(accepted({ ...subject, root }, [subject.bytes])).toEqual([]);
        const otherKinds = subjects.filter(({ name }) => name !== subject.name);
        expect(
          accepted(
            subject,
            otherKinds.map(({ bytes }) => bytes),
          ),
        ).toEqual([]);
      }
      const [key] = keys as [Uint8Array];
      fc.pre(!equalBytes(key, other));
      const mpt = new MptCalc();
      mpt.batch(changes);
      const claim = { root: mpt.root(), key: other, proof: mpt.prove(key) };
      expect(verify.verifyMpt(claim)).toBe(false);
      const smt = new SmtCalc();
      smt.batch(changes);
      const smtClaim = { root: smt.root(), key: other, proof: smt.prove(key) };
      expect(verify.verifySmt(smtClaim)).toBe(false);
    }),
    { numRuns: scaled(60) },
  );
});

test("a proof relabelled to another key shows at most what is true of it", () => {
  fc.assert(
    fc.property(history, anyKey, anyKey, (changes, key, other) => {
      const value = valueIn(modelOf(changes), other);
      const mpt = new MptCalc();
      mpt.batch(changes);
      const claim = {
        root: mpt.root(),
        key: other,
        proof: { ...mpt.prove(key), key: other, value: undefined },
      };
      const isAbsent = value === undefined;
      expect(verify.verifyMpt(claim) && !isAbsent).toBe(false);
      expect(verify.verifyMpt({ ...claim, mode: "compatible" }) && !isAbsent).toBe(false);
      const smt = new SmtCalc();
      smt.batch(changes);
      const keyHash = keccak256().hash(other);
      const { leaf, siblings } = smt.prove(key);
      for (const one of [leaf, undefined]) {
        const proof = { keyHash, leaf: one, siblings };
        if (!verify.verifySmt({ root: smt.root(), key: other, proof })) continue;
        const isShown = one !== undefined && equalBytes(one.keyHash, keyHash);
        expect(isShown ? one.value : undefined).toEqual(value);
      }
    }),
    { numRuns: scaled(300) },
  );
});

describe("inclusion and absence are not each other", () => {
  const key = Uint8Array.of(1);
  const absent = Uint8Array.of(2);
  const put: Change = { type: "put", key, value: Uint8Array.of(3) };
  const kind = expect.objectContaining({ code: "TRIE_PROOF_KIND" });

  test("each verifier refuses the other's proof by its kind", () => {
    const mpt = new MptCalc();
    mpt.batch([put]);
    const smt = new SmtCalc();
    smt.batch([put]);
    const mptClaim = (one: Uint8Array) => ({ root: mpt.root(), key: one, proof: mpt.prove(one) });
    const smtClaim = (one: Uint8Array) => ({ root: smt.root(), key: one, proof: smt.prove(one) });
    expect(verify.verifyMptInclusion(mptClaim(key))).toEqual(Uint8Array.of(3));
    expect(verify.verifySmtInclusion(smtClaim(key))).toEqual(Uint8Array.of(3));
    verify.verifyMptExclusion(mptClaim(absent));
    verify.verifySmtExclusion(smtClaim(absent));
    expect(() => verify.verifyMptInclusion(mptClaim(absent))).toThrow(kind);
    expect(() => verify.verifyMptExclusion(mptClaim(key))).toThrow(kind);
    expect(() => verify.verifySmtInclusion(smtClaim(absent))).toThrow(kind);
    expect(() => verify.verifySmtExclusion(smtClaim(key))).toThrow(kind);
  });

  test("an inner node of the sparse trie is not taken for a leaf, nor a root for an entry", () => {
    const keccak = keccak256();
    for (let size = 1; size <= 40; size++) {
      const trie = new SmtCalc();
      const batch: Change[] = [];
      for (let i = 0; i < size; i++)
        batch.push({ type: "put", key: Uint8Array.of(i), value: new Uint8Array(64).fill(i) });
      trie.batch(batch);
      const root = trie.root();
      for (let i = 0; i <= size; i++) {
        const one = Uint8Array.of(i);
        const { siblings, leaf } = trie.prove(one);
        const keyHash = keccak.hash(one);
        for (let depth = 0; depth < siblings.length; depth++) {
          const value = siblings[depth] as Uint8Array;
          const proof = { keyHash, leaf: { keyHash, value }, siblings: siblings.slice(0, depth) };
          expect(verify.verifySmt({ root, key: one, proof })).toBe(false);
        }
        if (leaf === undefined) continue;
        const empty = { keyHash, leaf: undefined, siblings: [] };
        expect(verify.verifySmt({ root, key: one, proof: empty })).toBe(false);
      }
    }
  });

  test.each([
    ["TRIE_PROOF_FORMAT", { key, value: undefined, nodes: [Uint8Array.of(9)] }],
    ["TRIE_PROOF_INCOMPLETE", { key, value: undefined, nodes: [] }],
    ["TRIE_PROOF_KEY", { key: absent, value: undefined, nodes: [] }],
  ] as const)("%s", (code, proof) => {
    const node = proof.nodes[0] ?? Uint8Array.of(0);
    const claim = { root: keccak256().hash(node), key, proof };
    expect(() => verify.verifyMptExclusion(claim)).toThrow(expect.objectContaining({ code }));
  });

  test("a value that the nodes do not have, nodes after the walk, a wrong root, too many siblings", () => {
    const mpt = new MptCalc();
    mpt.batch([put]);
    const root = mpt.root();
    const proof = mpt.prove(key);
    const refuse = (code: string, claim: Partial<verify.MptClaim>) =>
      expect(() => verify.verifyMptInclusion({ root, key, proof, ...claim })).toThrow(
        expect.objectContaining({ code }),
      );
    refuse("TRIE_PROOF_VALUE", { proof: { ...proof, value: Uint8Array.of(4) } });
    refuse("TRIE_PROOF_SURPLUS", { proof: { ...proof, nodes: [...proof.nodes, ...proof.nodes] } });
    refuse("TRIE_PROOF_ROOT", { root: new Uint8Array(32) });
    const siblings = Array.from({ length: 257 }, () => new Uint8Array(32));
    const deep = { keyHash: keccak256().hash(key), leaf: undefined, siblings };
    const tooLarge = expect.objectContaining({ code: "TRIE_PROOF_TOO_LARGE" });
    expect(() => verify.verifySmtExclusion({ root, key, proof: deep })).toThrow(tooLarge);
    const surplus = { ...deep, siblings: siblings.slice(0, 1) };
    const claim = { root: new Uint8Array(32), key, proof: surplus };
    expect(verify.verifySmt({ ...claim, mode: "compatible" })).toBe(true);
    expect(() => verify.verifySmtExclusion(claim)).toThrow(
      expect.objectContaining({ code: "TRIE_PROOF_SURPLUS" }),
    );
  });
});

function keysIn(model: ReadonlyMap<string, string>, range: verify.KeyRange): Uint8Array[] {
  const keys = [...model.keys()].map((text) =>
    Uint8Array.from((text.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16))),
  );
  const { gte, gt, lte, lt } = range;
  return keys
    .filter((one) => gte === undefined || compareBytes(one, gte) >= 0)
    .filter((one) => gt === undefined || compareBytes(one, gt) > 0)
    .filter((one) => lte === undefined || compareBytes(one, lte) <= 0)
    .filter((one) => lt === undefined || compareBytes(one, lt) < 0)
    .toSorted(compareBytes);
}
