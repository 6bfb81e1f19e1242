import confio from "@confio/ics23";
import { compareBytes, concatBytes, equalBytes, toHex } from "@x/hash";
import { type Reading, runSync } from "@x/store";
import { Random, scaled } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  compactNodes,
  encodeIcs23Proof,
  ICS23_SPEC,
  type Ics23Proof,
  jmtSha256,
  proveIcs23,
  rooch,
  type TreeContext,
  update,
} from "../../src/index.ts";
import { asciiBytes } from "../../src/scheme/ascii.ts";
import { codeOf } from "../verify/naive-tree.ts";

type Existence = confio.ics23.IExistenceProof;
type InnerOp = confio.ics23.IInnerOp;

const scheme = jmtSha256();
const text = new TextEncoder();
const { leafSpec, innerSpec } = ICS23_SPEC;

/** The published specification, as the peer's verifier takes it. It knows no empty children and compares bare keys. */
const PEER_SPEC: confio.ics23.IProofSpec = {
  leafSpec: { ...leafSpec, prefix: asciiBytes(leafSpec.prefix) },
  innerSpec: {
    ...innerSpec,
    childOrder: [...innerSpec.childOrder],
    emptyChild: asciiBytes(innerSpec.emptyChild),
  },
  maxDepth: ICS23_SPEC.maxDepth,
};

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A stored tree that keeps its keys. */
class KeyedTree {
  readonly #nodes = new Map<string, Uint8Array>();
  readonly context: TreeContext;
  root: Uint8Array = scheme.placeholder;

  constructor(entries: readonly Entry[], keys = true) {
    this.context = { scheme, format: compactNodes({ keys }) };
    const changes = entries.map(({ key, value }) => ({ path: scheme.hashKey(key), value, key }));
    const { root, nodes } = this.run(update(this.context, this.root, changes));
    for (const [hash, bytes] of nodes) this.#nodes.set(toHex(hash), bytes);
    this.root = root;
  }

  run<T>(reading: Reading<T>): T {
    return runSync(reading, {
      viewManySync: (hashes) => hashes.map((hash) => this.#nodes.get(toHex(hash))),
    });
  }

  prove(key: Uint8Array): Ics23Proof {
    return this.run(proveIcs23(this.context, this.root, key));
  }
}

/** What the peer reads out of our bytes. */
function decoded(proof: Ics23Proof): confio.ics23.ICommitmentProof {
  const bytes = encodeIcs23Proof(proof);
  const message = confio.ics23.CommitmentProof.decode(bytes);
  // The peer's encoder gives the same bytes.
  expect(toHex(confio.ics23.CommitmentProof.encode(message).finish())).toBe(toHex(bytes));
  return message;
}

/**
 * The published rule for absence, which the peer does not know in full: both neighbours exist under the spec, hashed keys are in
 * order, and nothing but empty children is between their paths.
 */
function checkAbsence(
  proof: confio.ics23.INonExistenceProof,
  root: Uint8Array,
  key: Uint8Array,
): void {
  const path = scheme.hashKey(key);
  const [left, right] = [proof.left ?? undefined, proof.right ?? undefined];
  for (const side of [left, right]) {
    if (side !== undefined) {
      confio.verifyExistence(
        side,
        PEER_SPEC,
        root,
        side.key as Uint8Array,
        side.value as Uint8Array,
      );
    }
  }
  const isBetween =
    (left === undefined || compareBytes(hashedKey(left), path) < 0) &&
    (right === undefined || compareBytes(path, hashedKey(right)) < 0);
  if (!isBetween) throw new Error("key is not between its neighbours");
  const [above, below] = [[...(left?.path ?? [])], [...(right?.path ?? [])]];
  if (left !== undefined && right !== undefined) {
    let [a, b] = [above.pop(), below.pop()];
    while (a !== undefined && b !== undefined && isSameStep(a, b))
      [a, b] = [above.pop(), below.pop()];
    if (a === undefined || b === undefined) throw new Error("one path ends on the other");
    if (sideOf(a) !== 0 || sideOf(b) !== 1) throw new Error("paths do not part left and right");
  } else if (left === undefined && right === undefined) throw new Error("no neighbour");
  if (!above.every((step) => sideOf(step) === 1 || isEmptyBeside(step))) {
    throw new Error("something is right of the left neighbour");
  }
  if (!below.every((step) => sideOf(step) === 0 || isEmptyBeside(step))) {
    throw new Error("something is left of the right neighbour");
  }
}

function hashedKey(existence: Existence): Uint8Array {
  return scheme.hashKey(existence.key as Uint8Array);
}

function bytesOf(bytes: Uint8Array | null | undefined): Uint8Array {
  return new Uint8Array(bytes ?? []);
}

function isSameStep(a: InnerOp, b: InnerOp): boolean {
  return (
    equalBytes(bytesOf(a.prefix), bytesOf(b.prefix)) &&
    equalBytes(bytesOf(a.suffix), bytesOf(b.suffix))
  );
}

/** 0: the path comes from the left child; 1: from the right one. */
function sideOf({ prefix, suffix }: InnerOp): 0 | 1 {
  if (bytesOf(prefix).length === 16 && bytesOf(suffix).length === 32) return 0;
  if (bytesOf(prefix).length === 48 && bytesOf(suffix).length === 0) return 1;
  throw new Error("a step of no side");
}

function isEmptyBeside(step: InnerOp): boolean {
  const sibling = sideOf(step) === 0 ? bytesOf(step.suffix) : bytesOf(step.prefix).slice(16);
  return equalBytes(sibling, asciiBytes(innerSpec.emptyChild));
}

function entriesOf(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => ({
    key: text.encode(`key-${i}`),
    value: text.encode(`value-${i}`),
  }));
}

describe("ICS23 proofs of existence", () => {
  it("verify with the published verifier, under the published specification", () => {
    for (const count of [1, 2, 3, 20, 100]) {
      const entries = entriesOf(count);
      const tree = new KeyedTree(entries);
      for (const { key, value } of entries) {
        const { exist } = decoded(tree.prove(key));
        const verify = (): void =>
          confio.verifyExistence(exist as Existence, PEER_SPEC, tree.root, key, value);
        expect(throws(verify)).toBe(false);
      }
    }
  });

  it("fail there for another key, value, root, and for every changed byte", () => {
    const entries = entriesOf(9);
    const tree = new KeyedTree(entries);
    const [{ key, value }, other] = entries as [Entry, Entry];
    const proof = tree.prove(key);
    const bytes = encodeIcs23Proof(proof);
    const verifies = (
      input: Uint8Array,
      root: Uint8Array,
      k: Uint8Array,
      v: Uint8Array,
    ): boolean => {
      try {
        const { exist } = confio.ics23.CommitmentProof.decode(input);
        confio.verifyExistence(exist as Existence, PEER_SPEC, root, k, v);
        // Where the peer's decoder is lenient, the bytes say the same.
        return (
          toHex(confio.ics23.CommitmentProof.encode({ exist: exist ?? null }).finish()) !==
          toHex(bytes)
        );
      } catch {
        return false;
      }
    };
    confio.verifyExistence(decoded(proof).exist as Existence, PEER_SPEC, tree.root, key, value);
    expect(verifies(bytes, tree.root, other.key, value)).toBe(false);
    expect(verifies(bytes, tree.root, key, other.value)).toBe(false);
    expect(verifies(bytes, new KeyedTree(entriesOf(8)).root, key, value)).toBe(false);
    for (let i = 0; i < bytes.length; i++) {
      for (const mask of [1, 128, 255]) {
        const changed = bytes.with(i, (bytes[i] as number) ^ mask);
        expect(verifies(changed, tree.root, key, value)).toBe(false);
      }
    }
  });

  it("fail there where a prefix is longer or shorter than the specification says", () => {
    const entries = entriesOf(9);
    const tree = new KeyedTree(entries);
    const { key, value } = entries[0] as Entry;
    const { exist } = decoded(tree.prove(key));
    const path = (exist as Existence).path as InnerOp[];
    for (const [i, step] of path.entries()) {
      const prefix = bytesOf(step.prefix);
      const suffix = bytesOf(step.suffix);
      const shifted: InnerOp[] = [
        { ...step, prefix: prefix.slice(0, -1) },
        { ...step, prefix: concatBytes([prefix, Uint8Array.of(0)]) },
        { ...step, prefix: concatBytes([prefix, suffix]), suffix: new Uint8Array(0) },
        { ...step, prefix: prefix.slice(0, 15), suffix: concatBytes([prefix.slice(15), suffix]) },
        { ...step, prefix: concatBytes([asciiBytes(leafSpec.prefix), prefix]) },
      ];
      for (const edited of shifted) {
        const proof = { ...exist, path: path.with(i, edited) };
        const verify = (): void => confio.verifyExistence(proof, PEER_SPEC, tree.root, key, value);
        expect(throws(verify)).toBe(!isSameStep(edited, step));
      }
    }
  });
});

describe("ICS23 proofs of absence", () => {
  it("hold by the published rule, at both ends and in between", () => {
    const random = new Random(65);
    const seen = new Set<string>();
    for (let i = 0; i < scaled(40); i++) {
      const tree = new KeyedTree(entriesOf(random.between(1, 30)));
      for (let j = 0; j < 10; j++) {
        const key = random.bytes(random.between(1, 20));
        const { nonexist } = decoded(tree.prove(key));
        const absence = nonexist as confio.ics23.INonExistenceProof;
        checkAbsence(absence, tree.root, key);
        expect(absence.key).toEqual(key);
        seen.add(`${absence.left !== null},${absence.right !== null}`);
      }
    }
    expect(seen.size).toBe(3);
  });

  it("fail for a present key, and where a neighbour is left out or not the nearest", () => {
    const entries = entriesOf(12);
    const tree = new KeyedTree(entries);
    const key = text.encode("no such key");
    const proof = tree.prove(key);
    if (proof.kind !== "nonexistence") throw new Error("want an absence");
    const { left, right } = proof.nonexistence;
    for (const other of entries) {
      expect(() => {
        checkAbsence(decoded(proof).nonexist ?? {}, tree.root, other.key);
      }).toThrow(Error);
      const far = tree.prove(other.key);
      if (far.kind !== "existence") throw new Error("want a presence");
      const { existence } = far;
      for (const edited of [
        { key, left: existence, right },
        { key, left, right: existence },
        { key, left: undefined, right: existence },
        { key, left: existence, right: undefined },
      ]) {
        const isSame = equalOf(edited.left, left) && equalOf(edited.right, right);
        const check = (): void =>
          checkAbsence(
            decoded({ kind: "nonexistence", nonexistence: edited }).nonexist ?? {},
            tree.root,
            key,
          );
        expect(throws(check)).toBe(!isSame);
      }
    }
  });

  it("need the keys of the neighbours", () => {
    const key = text.encode("absent");
    const tree = new KeyedTree(entriesOf(5), false);
    expect(codeOf(() => tree.prove(key))).toBe("JELLYFISH_KEY_UNKNOWN");
    expect(tree.prove(text.encode("key-1")).kind).toBe("existence");
  });
});

describe("what ICS23 cannot prove is refused", () => {
  it("in the empty tree, for an empty key, for an empty value", () => {
    const key = text.encode("a");
    const empty = new Uint8Array(0);
    expect(code([], key)).toBe("JELLYFISH_ICS23_UNPROVABLE");
    expect(code(entriesOf(2), empty)).toBe("JELLYFISH_ICS23_UNPROVABLE");
    expect(code([{ key, value: empty }], key)).toBe("JELLYFISH_ICS23_UNPROVABLE");
  });

  it("for a path of more than 64 steps", () => {
    const context = { scheme, format: compactNodes({ keys: true }) };
    const key = text.encode("a");
    const path = scheme.hashKey(key);
    // A path of its own, as trees without hashed keys have it, that shares 64 bits.
    const near = path.with(8, (path[8] as number) ^ 128);
    const changes = [path, near].map((each) => ({ path: each, value: key, key }));
    const nodes = new Map<string, Uint8Array>();
    const reader = {
      viewManySync: (keys: readonly Uint8Array[]) => keys.map((each) => nodes.get(toHex(each))),
    };
    const result = runSync(update(context, scheme.placeholder, changes), reader);
    for (const [hash, bytes] of result.nodes) nodes.set(toHex(hash), bytes);
    const prove = (): unknown => runSync(proveIcs23(context, result.root, key), reader);
    expect(codeOf(prove)).toBe("JELLYFISH_ICS23_UNPROVABLE");
  });

  it("for a tree of another scheme", () => {
    const context = { scheme: rooch(), format: compactNodes() };
    const reader = { viewManySync: () => [] };
    const prove = (): unknown =>
      runSync(proveIcs23(context, context.scheme.placeholder, text.encode("a")), reader);
    expect(prove).toThrow(TypeError);
  });
});

/** What becomes of proving a key in a tree. */
function code(entries: readonly Entry[], key: Uint8Array): string | undefined {
  return codeOf(() => new KeyedTree(entries).prove(key));
}

function equalOf(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function throws(call: () => void): boolean {
  try {
    call();
    return false;
  } catch {
    return true;
  }
}
