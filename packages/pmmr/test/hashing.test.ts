import { blake2b256, type Hasher, sha256 } from "@x/hash";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grinHashing as fastGrinHashing } from "../src/fast-hashing.ts";
import { bagPeaks, grinHashing, INNER_ROW_SIZE, writePosition } from "../src/hashing.ts";
import { hashLeaves, hashNewNodes } from "../src/levels.ts";
import { leafPosition, peaks } from "../src/position.ts";
import { hexOf, naiveHash, RangeModel } from "./range-model.ts";
import { word } from "./support.ts";
import { fromHex, type GenesisRow, toHex, vectors } from "./vectors.ts";

const hashing = grinHashing();

test("the rule of ranges gives the hashes of the verifier's, by the fastest engine", () => {
  const fast = fastGrinHashing();
  expect(fast.name).toBe(hashing.name);
  const hash = fast.hashLeaf(3, word(7));
  expect(hash).toEqual(hashing.hashLeaf(3, word(7)));
  expect(fast.hashInner(5, hash, hash)).toEqual(hashing.hashInner(5, hash, hash));
  const rows = new Uint8Array(5 * INNER_ROW_SIZE).fill(9);
  const [digests, expected] = [new Uint8Array(5 * 32), new Uint8Array(5 * 32)];
  fast.hashInners(rows, 5, digests);
  hashing.hashInners(rows, 5, expected);
  expect(digests).toEqual(expected);
  // The hasher is an argument here too.
  expect(fastGrinHashing(sha256()).name).toBe("grin/sha-256");
});

/** Root of the range of one leaf. */
function leaf(hashForm: string): string {
  return toHex(hashing.hashLeaf(0, fromHex(hashForm)));
}

function noPeak(): Uint8Array {
  throw new Error("an empty range has no peaks");
}

describe("the original's hashes", () => {
  test("nodes and roots over 16-byte elements", () => {
    const { elements, nodeHashes, rootsBySize } = vectors.hash16;
    const nodes = hashNewNodes(
      hashing,
      0,
      elements.map((element) => fromHex(element)),
      noPeak,
    );
    expect(toHex(nodes)).toBe(nodeHashes.join(""));
    expect(rootsBySize.length).toBe(10);
    for (const row of rootsBySize) {
      const peakHashes = peaks(row.size).map((pos0) => fromHex(nodeHashes[pos0] ?? ""));
      expect(peakHashes.map((hash) => toHex(hash))).toEqual(row.peaks);
      expect(toHex(bagPeaks(hashing, row.size, peakHashes))).toBe(row.root);
    }
  });

  test("nodes and roots over 4-byte elements", () => {
    const { firstNodeHashes, rootsByLeaves } = vectors.hash4;
    expect(rootsByLeaves.length).toBe(40);
    const model = new RangeModel();
    for (const row of rootsByLeaves) {
      model.push(word(row.leaves));
      expect(model.size).toBe(row.size);
      expect(toHex(model.root())).toBe(row.root);
    }
    const elements = rootsByLeaves.map((row) => word(row.leaves));
    const nodes = toHex(hashNewNodes(hashing, 0, elements, noPeak));
    expect(nodes.slice(0, firstNodeHashes.length * 64)).toBe(firstNodeHashes.join(""));
  });

  test.each([
    ["mainnet", vectors.genesis.mainnet],
    ["testnet", vectors.genesis.testnet],
  ])("the roots that the genesis block of %s commits to", (_, genesis: GenesisRow) => {
    expect(leaf(genesis.outputIdentifier)).toBe(genesis.outputRoot);
    expect(leaf(genesis.rangeProofStored)).toBe(genesis.rangeProofRoot);
    expect(leaf(genesis.kernelHashForm)).toBe(genesis.kernelRoot);
    expect(leaf(genesis.packedProof)).toBe(genesis.headerMmrLeaf0);
  });
});

describe("Grin's rule", () => {
  const left = new Uint8Array(32).fill(1);
  const right = new Uint8Array(32).fill(2);

  test("puts the position or the size in front, as 64 bits", () => {
    for (const pos0 of [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3, 2 ** 53 - 1]) {
      expect(hexOf(hashing.hashLeaf(pos0, right))).toBe(hexOf(naiveHash(pos0, right)));
      expect(hexOf(hashing.hashInner(pos0, left, right))).toBe(hexOf(naiveHash(pos0, left, right)));
      expect(hexOf(hashing.bag(pos0, left, right))).toBe(hexOf(naiveHash(pos0, left, right)));
    }
  });

  test("the empty root is 32 zero bytes, fresh each time", () => {
    const empty = hashing.emptyRoot();
    expect(empty).toEqual(new Uint8Array(32));
    empty.fill(1);
    expect(hashing.emptyRoot()).toEqual(new Uint8Array(32));
    expect(bagPeaks(hashing, 0, [])).toEqual(new Uint8Array(32));
  });

  test("a single peak is the root, as a copy", () => {
    const root = bagPeaks(hashing, 1, [left]);
    expect(root).toEqual(left);
    root.fill(9);
    expect(left[0]).toBe(1);
  });

  test("packs give what single hashes give", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.maxSafeNat(), fc.uint8Array({ maxLength: 40 })), { maxLength: 30 }),
        (leaves) => {
          const positions = leaves.map(([pos0]) => pos0);
          const forms = leaves.map(([, form]) => form);
          expect(toHex(hashLeaves(hashing, positions, forms))).toBe(
            leaves.map(([pos0, form]) => toHex(hashing.hashLeaf(pos0, form))).join(""),
          );
          const rows = new Uint8Array(leaves.length * INNER_ROW_SIZE);
          for (const [i, [pos0]] of leaves.entries()) {
            rows.fill(i, i * INNER_ROW_SIZE, (i + 1) * INNER_ROW_SIZE);
            writePosition(rows, i * INNER_ROW_SIZE, pos0);
          }
          const output = new Uint8Array(leaves.length * 32);
          hashing.hashInners(rows, leaves.length, output);
          expect(toHex(output)).toBe(
            positions
              .map((pos0, i) => {
                const child = new Uint8Array(32).fill(i);
                return toHex(hashing.hashInner(pos0, child, child));
              })
              .join(""),
          );
        },
      ),
    );
  });

  test("takes any hash function of 32 bytes and no other", () => {
    const sha = sha256();
    expect(grinHashing(sha).name).toBe("grin/sha-256");
    expect(hexOf(grinHashing(sha).hashLeaf(7, left))).toBe(
      hexOf(sha.hash(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7, ...left))),
    );
    const short: Hasher = { ...blake2b256(), outputSize: 20 };
    expect(() => grinHashing(short)).toThrow(RangeError);
  });

  test("children of another length are refused", () => {
    for (const length of [0, 31, 33, 64]) {
      const wrong = new Uint8Array(length);
      expect(() => hashing.hashInner(2, wrong, right)).toThrow(RangeError);
      expect(() => hashing.hashInner(2, left, wrong)).toThrow(RangeError);
      expect(() => hashing.bag(3, wrong, right)).toThrow(RangeError);
    }
  });
});

test("new nodes get one hash each, whatever was there before and however many come", () => {
  const elements = Array.from({ length: 2600 }, (_, i) => word(i).slice(i % 3));
  const whole = hashNewNodes(hashing, 0, elements, noPeak);
  expect(whole.length).toBe(leafPosition(2600) * 32);
  for (const before of [1, 2, 3, 7, 1023, 1024, 1025, 2599]) {
    for (const count of [1, 2, 1024, 1025, 1500]) {
      const size = leafPosition(before);
      const added = elements.slice(before, before + count);
      const readPeak = (pos0: number): Uint8Array => whole.slice(pos0 * 32, pos0 * 32 + 32);
      const nodes = hashNewNodes(hashing, size, added, readPeak);
      expect(nodes.length).toBe((leafPosition(before + added.length) - size) * 32);
      expect(hexOf(nodes)).toBe(hexOf(whole.slice(size * 32, size * 32 + nodes.length)));
    }
  }
  // Some nodes of every height, one by one.
  const model = new RangeModel();
  for (const element of elements.slice(0, 600)) model.push(element);
  const naive = model.nodes.map((_, pos0) => hexOf(model.hash(pos0))).join("");
  expect(hexOf(whole.slice(0, model.size * 32))).toBe(naive);
});
