import { toHex } from "@x/hash";
import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MptCalc, SmtCalc } from "../src/index.ts";
import { anyKey, applyTo, history, modelOf, valueIn } from "./histories.ts";
import { naiveMptRoot, naiveSmtRoot } from "./naive-trie.ts";

const kinds = [
  { name: "MPT", open: () => new MptCalc(), naiveRoot: naiveMptRoot },
  { name: "SMT", open: () => new SmtCalc(), naiveRoot: naiveSmtRoot },
];

describe.each(kinds)("$name", ({ open, naiveRoot }) => {
  test("the root of any history is that of its entries by definition", () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 5 }), (changes, stride) => {
        const trie = open();
        const model = new Map<string, string>();
        const roots: [found: string, want: string][] = [];
        for (const [i, one] of changes.entries()) {
          trie.batch([one]);
          applyTo(model, one);
          if (i % (stride + 1) === 0) roots.push([toHex(trie.root()), naiveRoot(model)]);
        }
        roots.push([toHex(trie.root()), naiveRoot(model)]);
        expect(roots.map(([found]) => found)).toEqual(roots.map(([, want]) => want));
        for (const { key } of changes) expect(trie.get(key)).toEqual(valueIn(model, key));
      }),
      { numRuns: scaled(300) },
    );
  });

  test("a batch leaves what its changes leave one by one", () => {
    fc.assert(
      fc.property(history, (changes) => {
        const trie = open();
        trie.batch(changes);
        expect(toHex(trie.root())).toBe(naiveRoot(modelOf(changes)));
      }),
      { numRuns: scaled(100) },
    );
  });

  test("neither of two clones sees what the other does", () => {
    fc.assert(
      fc.property(history, history, history, (before, left, right) => {
        const trie = open();
        trie.batch(before);
        const copy = trie.clone();
        trie.batch(left);
        copy.batch(right);
        expect(toHex(copy.root())).toBe(naiveRoot(modelOf([...before, ...right])));
        expect(toHex(trie.root())).toBe(naiveRoot(modelOf([...before, ...left])));
      }),
      { numRuns: scaled(100) },
    );
  });

  test("every proof of a trie shows what its entries are", () => {
    fc.assert(
      fc.property(history, fc.array(anyKey, { maxLength: 8 }), (changes, keys) => {
        const trie = open();
        trie.batch(changes);
        const root = trie.root();
        for (const key of keys) {
          const proof = trie.prove(key);
          expect(trie.verify(root, key, proof as never)).toBe(true);
        }
      }),
      { numRuns: scaled(100) },
    );
  });

  test("removing what is not there and setting what is there change nothing", () => {
    const trie = open();
    trie.set(Uint8Array.of(1), Uint8Array.of(2));
    const root = trie.root();
    expect(trie.delete(Uint8Array.of(2))).toBe(false);
    trie.set(Uint8Array.of(1), Uint8Array.of(2));
    expect(trie.root()).toEqual(root);
    expect(trie.delete(Uint8Array.of(1))).toBe(true);
    expect(trie.root()).toEqual(new Uint8Array(32));
  });

  test("buffers of the caller stay the caller's", () => {
    const trie = open();
    const key = Uint8Array.of(1, 2);
    const value = Uint8Array.of(3);
    trie.set(key, value);
    const root = toHex(trie.root());
    key.fill(9);
    value.fill(9);
    trie.root().fill(9);
    trie.get(Uint8Array.of(1, 2))?.fill(9);
    expect(trie.get(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(3));
    trie.set(Uint8Array.of(5), value);
    trie.delete(Uint8Array.of(5));
    expect(toHex(trie.root())).toBe(root);
  });

  test("what is not bytes is the caller's mistake", () => {
    const trie = open();
    expect(() => trie.set("key" as never, Uint8Array.of())).toThrow(TypeError);
    expect(() => trie.set(Uint8Array.of(), "value" as never)).toThrow(TypeError);
    expect(() => trie.get("key" as never)).toThrow(TypeError);
  });
});

describe("keys of the MPT", () => {
  const long = new Uint8Array(1025);

  test("one of 1025 bytes is refused, and what came before it in the batch stays", () => {
    const trie = new MptCalc();
    const put = { type: "put", value: Uint8Array.of(1) } as const;
    const attempt = () =>
      trie.batch([
        { ...put, key: Uint8Array.of(1) },
        { ...put, key: long },
        { ...put, key: Uint8Array.of(2) },
      ]);
    expect(attempt).toThrow(expect.objectContaining({ code: "TRIE_KEY_TOO_LONG" }));
    expect(trie.get(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    expect(trie.get(Uint8Array.of(2))).toBeUndefined();
    expect(trie.get(long)).toBeUndefined();
    expect(trie.delete(long)).toBe(false);
    expect(trie.prove(long).value).toBeUndefined();
  });

  test("without the limit a chain of 2,000 nodes is no deeper than any", () => {
    const trie = new MptCalc({ keySizeMax: Infinity });
    for (let size = 0; size < 2000; size++)
      trie.set(new Uint8Array(size), Uint8Array.of(size % 256));
    const root = trie.root();
    const key = new Uint8Array(1999);
    expect(trie.verify(root, key, trie.prove(key))).toBe(true);
    for (let size = 0; size < 2000; size++) trie.delete(new Uint8Array(size));
    expect(trie.root()).toEqual(new Uint8Array(32));
    expect(() => new MptCalc({ keySizeMax: -1 })).toThrow(RangeError);
  });
});
