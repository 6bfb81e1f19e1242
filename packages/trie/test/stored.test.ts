import { keccak256, toHex } from "@x/hash";
import { type Reading, runAsync, runSync } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Change,
  MptCalc,
  SmtCalc,
  type StoredCalculator,
  storedMpt,
  storedSmt,
} from "../src/index.ts";
import { verifyMptBatch, verifyMptRange, verifySmtBatch } from "../src/verify/index.ts";
import { anyKey, history, modelOf, valueIn } from "./histories.ts";

/** Nodes by their hex hashes; counts the reads. */
class Nodes {
  readonly bytes = new Map<string, Uint8Array>();
  reads = 0;

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    this.reads++;
    return keys.map((key) => this.bytes.get(toHex(key)));
  }

  run<T>(reading: Reading<T>): T {
    return runSync(reading, this);
  }

  update(
    trie: StoredCalculator<unknown>,
    root: Uint8Array,
    changes: readonly Change[],
  ): Uint8Array {
    const { root: after, nodes } = this.run(trie.update(root, changes));
    for (const { hash, bytes } of nodes) this.bytes.set(toHex(hash), bytes);
    return after;
  }
}

const kinds = [
  { name: "MPT", trie: storedMpt() as StoredCalculator<unknown>, open: () => new MptCalc() },
  { name: "SMT", trie: storedSmt() as StoredCalculator<unknown>, open: () => new SmtCalc() },
];
const batches = fc.array(history, { maxLength: 5 });

describe.each(kinds)("$name over a store", ({ trie, open }) => {
  test("every root of a history is the calculator's, and stays readable and provable", () => {
    fc.assert(
      fc.property(batches, fc.array(anyKey, { maxLength: 5 }), (list, keys) => {
        const nodes = new Nodes();
        const memory = open();
        let root = trie.emptyRoot;
        const versions = list.map((changes) => {
          root = nodes.update(trie, root, changes);
          memory.batch(changes);
          expect(root).toEqual(memory.root());
          return { root, trie: memory.clone() };
        });
        for (const version of versions) {
          const values = nodes.run(trie.getMany(version.root, keys));
          expect(values).toEqual(keys.map((key) => version.trie.get(key)));
          for (const [i, key] of keys.entries()) {
            expect(nodes.run(trie.get(version.root, key))).toEqual(values[i]);
            const proof = nodes.run(trie.prove(version.root, key));
            expect(proof).toEqual(version.trie.prove(key));
            expect(trie.verify(version.root, key, proof)).toBe(true);
          }
        }
      }),
      { numRuns: scaled(100) },
    );
  });

  test("what a root's children lead to is all that its entries need", () => {
    fc.assert(
      fc.property(history, history, (before, after) => {
        const nodes = new Nodes();
        const old = nodes.update(trie, trie.emptyRoot, before);
        const root = nodes.update(trie, old, after);
        const kept = new Nodes();
        const rest = toHex(root) === toHex(trie.emptyRoot) ? [] : [root];
        for (let hash = rest.pop(); hash !== undefined; hash = rest.pop()) {
          const bytes = nodes.bytes.get(toHex(hash)) as Uint8Array;
          kept.bytes.set(toHex(hash), bytes);
          rest.push(...trie.children(hash, bytes));
        }
        const model = modelOf([...before, ...after]);
        for (const { key } of [...before, ...after])
          expect(kept.run(trie.get(root, key))).toEqual(valueIn(model, key));
        const memory = open();
        memory.batch([...before, ...after]);
        expect(memory.root()).toEqual(root);
      }),
      { numRuns: scaled(50) },
    );
  });

  test("a node that is missing, changed or another's is an error with its code", () => {
    const nodes = new Nodes();
    const changes: Change[] = [];
    for (let i = 0; i < 40; i++)
      changes.push({ type: "put", key: Uint8Array.of(i), value: Uint8Array.of(i) });
    const root = nodes.update(trie, trie.emptyRoot, changes);
    const codes = new Set<string>();
    for (const [hash, bytes] of nodes.bytes) {
      const damaged = [
        undefined,
        bytes.slice(1),
        [...nodes.bytes.values()].find((one) => one !== bytes),
      ];
      for (let at = 0; at < bytes.length; at++) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] as number) ^ 1;
        damaged.push(flipped);
      }
      for (const one of damaged) {
        const broken = new Nodes();
        for (const [other, kept] of nodes.bytes) broken.bytes.set(other, kept);
        if (one === undefined) broken.bytes.delete(hash);
        else broken.bytes.set(hash, one);
        codes.add(
          codeOf(() =>
            broken.run(
              trie.getMany(
                root,
                changes.map(({ key }) => key),
              ),
            ),
          ),
        );
      }
    }
    expect([...codes].filter((code) => !code.startsWith("TRIE_"))).toEqual([]);
    expect(codes).toContain("TRIE_MISSING_NODE");
    expect(codes).toContain("TRIE_NODE_HASH");
    const bytes = Uint8Array.of(9, 9, 9);
    expect(codeOf(() => trie.children(keccak256().hash(bytes), bytes))).toBe("TRIE_NODE_FORMAT");
  });

  test("roots are 32 bytes", () => {
    const nodes = new Nodes();
    expect(() => nodes.run(trie.get(new Uint8Array(31), new Uint8Array(1)))).toThrow(RangeError);
  });
});

test("a sparse node that stands elsewhere than it says is refused", () => {
  const trie = storedSmt();
  const nodes = new Nodes();
  const changes: Change[] = [];
  for (let i = 0; i < 40; i++)
    changes.push({ type: "put", key: Uint8Array.of(i), value: Uint8Array.of(i) });
  nodes.update(trie, trie.emptyRoot, changes);
  const inner = [...nodes.bytes].filter(([, bytes]) => bytes[0] === 2 && (bytes[1] as number) > 0);
  for (const [hash] of inner) {
    const root = Uint8Array.from(
      (hash.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16)),
    );
    expect(codeOf(() => nodes.run(trie.get(root, Uint8Array.of(1))))).toBe("TRIE_NODE_MISPLACED");
  }
  expect(inner.length).toBeGreaterThan(0);
});

describe.each(kinds)("$name with one bit of a stored node turned", ({ trie }) => {
  test("a removal and a proof give the right answer or an error", () => {
    const nodes = new Nodes();
    const changes: Change[] = [];
    for (let i = 0; i < 7; i++)
      changes.push({ type: "put", key: Uint8Array.of(i), value: Uint8Array.of(i) });
    const root = nodes.update(trie, trie.emptyRoot, changes);
    const removed = changes.map(({ key }) => {
      const removal = [{ type: "del", key }] as const;
      return { key, removal, after: toHex(nodes.run(trie.update(root, removal)).root) };
    });
    const wrong: string[] = [];
    for (const [hash, bytes] of nodes.bytes) {
      for (let bit = 0; bit < 8 * bytes.length; bit++) {
        const broken = new Nodes();
        for (const [other, kept] of nodes.bytes) broken.bytes.set(other, kept);
        const turned = bytes.slice();
        turned[bit >>> 3] = (turned[bit >>> 3] as number) ^ (1 << (bit & 7));
        broken.bytes.set(hash, turned);
        for (const { key, removal, after } of removed) {
          const code = codeOf(() => {
            const { root: found } = broken.run(trie.update(root, removal));
            if (toHex(found) !== after) wrong.push(`root, bit ${bit}`);
          });
          const proofCode = codeOf(() => {
            const proof = broken.run(trie.prove(root, key));
            if (!trie.verify(root, key, proof)) wrong.push(`proof, bit ${bit}`);
          });
          for (const one of [code, proofCode])
            if (one !== "none" && !one.startsWith("TRIE_NODE_")) wrong.push(one);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

test("proofs of many keys and of ranges are made over a store too", async () => {
  const mpt = storedMpt();
  const smt = storedSmt();
  const store = new MemoryStore();
  const changes: Change[] = [];
  for (let i = 0; i < 100; i++)
    changes.push({ type: "put", key: Uint8Array.of(i, i), value: Uint8Array.of(i) });
  const roots: Uint8Array[] = [];
  for (const trie of [mpt, smt]) {
    const { root, nodes } = await runAsync(trie.update(trie.emptyRoot, changes), store);
    await store.batch(nodes.map(({ hash, bytes }) => ({ type: "put", key: hash, value: bytes })));
    roots.push(root);
  }
  const [mptRoot, smtRoot] = roots as [Uint8Array, Uint8Array];
  const keys = [Uint8Array.of(1, 1), Uint8Array.of(1, 2)];
  const want = [{ kind: "present", value: Uint8Array.of(1) }, { kind: "absent" }];
  const mptProof = await runAsync(mpt.proveBatch(mptRoot, keys), store);
  expect(verifyMptBatch({ root: mptRoot, keys, proof: mptProof })).toEqual(want);
  const smtProof = await runAsync(smt.proveBatch(smtRoot, keys), store);
  expect(verifySmtBatch({ root: smtRoot, keys, proof: smtProof })).toEqual(want);
  const range = { gte: Uint8Array.of(10), lt: Uint8Array.of(20) };
  const proof = await runAsync(mpt.proveRange(mptRoot, range), store);
  expect(verifyMptRange({ root: mptRoot, range, proof })).toHaveLength(10);
  await store.close();
});

test("a batch reads each level of a trie once", () => {
  const trie = storedMpt();
  const nodes = new Nodes();
  const changes: Change[] = [];
  for (let i = 0; i < 256; i++)
    changes.push({ type: "put", key: Uint8Array.of(i), value: Uint8Array.of(1) });
  const root = nodes.update(trie, trie.emptyRoot, changes);
  expect(nodes.reads).toBe(0);
  nodes.run(
    trie.getMany(
      root,
      changes.map(({ key }) => key),
    ),
  );
  expect(nodes.reads).toBe(3);
  nodes.reads = 0;
  nodes.update(
    trie,
    root,
    changes.map(({ key }) => ({ type: "put", key, value: Uint8Array.of(2) })),
  );
  expect(nodes.reads).toBe(3);
});

function codeOf(call: () => unknown): string {
  try {
    call();
    return "none";
  } catch (error) {
    return (error as { code: string }).code;
  }
}
