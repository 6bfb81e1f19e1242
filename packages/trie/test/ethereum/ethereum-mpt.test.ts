import { readFileSync } from "node:fs";
import { fromHex, keccak256, toHex } from "@x/hash";
import { runSync } from "@x/store";
import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Change, EthereumMptCalc, storedEthereumMpt, TrieError } from "../../src/index.ts";
import {
  type EthereumProof,
  verifyEthereum,
  verifyEthereumExclusion,
  verifyEthereumInclusion,
} from "../../src/verify/index.ts";
import { anyKey, history, modelOf, valueIn } from "../histories.ts";

type Texts = readonly (readonly [key: string, value: string | null])[];

const anyOrder = published<{ in: Record<string, string>; root: string }>("trieanyorder.json");
const ordered = published<{ in: Texts; root: string }>("trietest.json");

describe("published tests of Ethereum's trie", () => {
  test.each(Object.entries(anyOrder))("%s, in every order", (_, { in: entries, root }) => {
    const list = Object.entries(entries);
    for (const order of ordersOf(list)) expect(rootOf(order)).toBe(root);
  });

  test.each(Object.entries(ordered))("%s", (_, { in: steps, root }) => {
    expect(rootOf(steps)).toBe(root);
  });
});

test("the empty root is the published one", () => {
  expect(toHex(new EthereumMptCalc().root())).toBe(
    "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
  );
});

describe.each([false, true])("histories, keys hashed: %s", (hashesKeys) => {
  test("roots depend on the entries alone, over a store too, and every proof shows them", () => {
    fc.assert(
      fc.property(history, history, fc.array(anyKey, { maxLength: 5 }), (first, second, keys) => {
        const changes = [...first, ...second];
        const model = new Map([...modelOf(changes)].filter(([, value]) => value !== ""));
        const fresh = new EthereumMptCalc({ hashesKeys });
        for (const [key, value] of model) fresh.set(fromHex(key), fromHex(value));
        const trie = new EthereumMptCalc({ hashesKeys });
        trie.batch(first);
        trie.root();
        trie.clone().batch(second);
        trie.batch(second);
        const root = trie.root();
        expect(root).toEqual(fresh.root());

        const stored = storedEthereumMpt({ hashesKeys });
        const nodes = new Map<string, Uint8Array>();
        const reader = {
          viewManySync: (hashes: readonly Uint8Array[]) =>
            hashes.map((hash) => nodes.get(toHex(hash))),
        };
        let storedRoot = stored.emptyRoot;
        for (const part of [first, second]) {
          const update = runSync(stored.update(storedRoot, part), reader);
          for (const { hash, bytes } of update.nodes) nodes.set(toHex(hash), bytes);
          storedRoot = update.root;
        }
        expect(storedRoot).toEqual(root);
        for (const key of keys) {
          const proof = trie.prove(key);
          expect(runSync(stored.prove(root, key), reader)).toEqual(proof);
          expect(proof.value).toEqual(valueIn(model, key));
          expect(verifyEthereum({ root, key, proof, hashesKeys })).toBe(true);
        }
      }),
      { numRuns: scaled(100) },
    );
  });

  test("no changed byte, no dropped, doubled or added node is accepted", () => {
    fc.assert(
      fc.property(history, anyKey, (changes, key) => {
        const trie = new EthereumMptCalc({ hashesKeys });
        trie.batch(changes);
        const root = trie.root();
        const honest = trie.prove(key);
        const forgeries = forgeriesOf(honest);
        const accepted = forgeries.filter((proof) => accepts({ root, key, proof, hashesKeys }));
        expect(accepted).toEqual([]);
      }),
      { numRuns: scaled(40) },
    );
  });
});

test("inclusion and absence are not each other", () => {
  const trie = new EthereumMptCalc();
  const key = Uint8Array.of(1);
  trie.set(key, Uint8Array.of(2));
  const root = trie.root();
  const absent = Uint8Array.of(9);
  const kind = expect.objectContaining({ code: "TRIE_PROOF_KIND" });
  const proof = trie.prove(key);
  const absence = trie.prove(absent);
  expect(verifyEthereumInclusion({ root, key, proof })).toEqual(Uint8Array.of(2));
  verifyEthereumExclusion({ root, key: absent, proof: absence });
  expect(() => verifyEthereumExclusion({ root, key, proof })).toThrow(kind);
  expect(() => verifyEthereumInclusion({ root, key: absent, proof: absence })).toThrow(kind);
  expect(verifyEthereum({ root, key: absent, proof })).toBe(false);
  expect(verifyEthereum({ root, key, proof: { ...proof, value: undefined } })).toBe(false);
});

test("the hash of bytes that are no node in its one form is no root", () => {
  const refused = [
    "80", // An empty string.
    "c0", // An empty list.
    "c3208101", // A byte with a header.
    "c22101", // An even path whose unused nibble is not zero.
    "c24001", // Flags above 3.
    "c22080", // A leaf without a value.
    "c20001", // An extension over a byte.
    "f80220010000", // A long length.
    "c2200100", // Bytes left over.
  ];
  for (const text of refused) {
    const node = fromHex(text);
    const root = keccak256().hash(node);
    const proof = { key: Uint8Array.of(), value: undefined, proof: [node] };
    expect(() => verifyEthereum({ root, key: Uint8Array.of(), proof })).toThrow(
      expect.objectContaining({ code: "TRIE_PROOF_FORMAT" }),
    );
  }
});

function forgeriesOf(honest: EthereumProof): EthereumProof[] {
  const { proof: nodes } = honest;
  const forgeries: EthereumProof[] = [
    { ...honest, value: honest.value === undefined ? Uint8Array.of(1) : undefined },
    { ...honest, key: Uint8Array.of(...honest.key, 1) },
  ];
  for (const [i, node] of nodes.entries()) {
    const lists = [nodes.toSpliced(i, 1), nodes.toSpliced(i, 0, node), [...nodes, node]];
    for (let at = 0; at < node.length; at++) {
      const changed = node.slice();
      changed[at] = (changed[at] as number) ^ 1;
      lists.push(nodes.toSpliced(i, 1, changed));
    }
    for (const proof of lists) forgeries.push({ ...honest, proof });
  }
  return forgeries;
}

function accepts(claim: Parameters<typeof verifyEthereum>[0]): boolean {
  try {
    return verifyEthereum(claim);
  } catch (error) {
    if (error instanceof TrieError) return false;
    throw error;
  }
}

function published<T>(file: string): Record<string, T> {
  const url = new URL(`../vectors/ethereum-trie/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Record<string, T>;
}

function rootOf(steps: Texts): string {
  const trie = new EthereumMptCalc();
  trie.batch(
    steps.map(([key, value]): Change =>
      value === null
        ? { type: "del", key: bytesOf(key) }
        : { type: "put", key: bytesOf(key), value: bytesOf(value) },
    ),
  );
  return `0x${toHex(trie.root())}`;
}

function bytesOf(text: string): Uint8Array {
  return text.startsWith("0x") ? fromHex(text.slice(2)) : new TextEncoder().encode(text);
}

/** Every order of a short list. */
function ordersOf<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((one, i) => ordersOf(list.toSpliced(i, 1)).map((rest) => [one].concat(rest)));
}
