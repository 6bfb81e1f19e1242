import { fromHex, toHex } from "@x/hash";
import { runSync } from "@x/store";
import { Random } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  getLeaf,
  type InternalNode,
  childAndSiblings,
  rooch,
  roochNodes,
  type TreeContext,
  type UpdateResult,
} from "../src/index.ts";
import { commonBits, nibbleAt, bitAt } from "../src/path.ts";
import { applyTo, changesOf, type HexChange, NodeMap, nodeOf, sortedHex } from "./tree-subject.ts";

// The literal facts that the original's own tests state.

const scheme = rooch();
const context: TreeContext = { scheme, format: roochNodes };
const zeros = "00".repeat(32);

/** The zero key with some nibbles set. */
function keyOf(nibbles: Readonly<Record<number, number>>): string {
  const digits = zeros.split("");
  for (const [index, nibble] of Object.entries(nibbles))
    digits[Number(index)] = nibble.toString(16);
  return digits.join("");
}

class History {
  readonly map = new NodeMap();
  root: Uint8Array = scheme.placeholder;

  apply(...changes: HexChange[]): UpdateResult {
    const result = applyTo(this.map, context, this.root, changes);
    this.root = result.root;
    return result;
  }
}

function valueOf(history: History, path: string): string | undefined {
  const [change] = changesOf([[path, null]]);
  const leaf = runSync(getLeaf(context, history.root, change?.path as Uint8Array), history.map);
  return leaf && toHex(leaf.value);
}

describe("a tree", () => {
  it("an insertion into the empty tree lists nothing as stale, and is readable", () => {
    const history = new History();
    expect(history.apply([zeros, "0401020304"]).stale).toEqual([]);
    expect(valueOf(history, zeros)).toBe("0401020304");
  });

  it("the removal of the only key leaves the placeholder, one stale leaf and no node", () => {
    const history = new History();
    history.apply([zeros, "0401020304"]);
    const { nodes, stale, counters } = history.apply([zeros, null]);
    expect(history.root).toEqual(scheme.placeholder);
    expect([nodes.length, stale.length, counters.staleLeaves]).toEqual([0, 1, 1]);
  });

  it("a second key makes nothing stale; its removal brings the first root back", () => {
    const history = new History();
    history.apply([zeros, "0401020304"]);
    const first = history.root;
    expect(history.apply([keyOf({ 0: 15 }), "01ff"]).stale).toEqual([]);
    const { nodes, stale, counters } = history.apply([keyOf({ 0: 15 }), null]);
    expect(history.root).toEqual(first);
    expect([nodes.length, stale.length, counters.staleLeaves]).toEqual([0, 2, 1]);
  });

  it("a split at a leaf stores 1, then 3 nodes; deeper 4; an overwrite 7; without the stale 4", () => {
    const history = new History();
    const counts: number[] = [];
    const step = (path: string, value: string): UpdateResult => {
      const result = history.apply([path, value]);
      counts.push(history.map.entries.size);
      return result;
    };
    step(zeros, "0100");
    step(keyOf({ 0: 15 }), "0101");
    expect(counts).toEqual([1, 3]);

    const deeper = new History();
    deeper.apply([zeros, "0100"]);
    deeper.apply([keyOf({ 1: 1 }), "0101"]);
    expect(deeper.map.entries.size).toBe(4);
    const { stale } = deeper.apply([keyOf({ 1: 1 }), "0102"]);
    expect(deeper.map.entries.size).toBe(7);
    for (const hash of stale) deeper.map.entries.delete(toHex(hash));
    expect(deeper.map.entries.size).toBe(4);
  });

  it("six keys are 12 nodes as one batch, and 1 + 2 + 3 + 3 + 7 + 5 + 2 as seven", () => {
    const changes: HexChange[] = [
      [zeros, "0100"],
      [keyOf({ 0: 2 }), "0102"],
      [keyOf({ 1: 3 }), "0103"],
      [keyOf({ 1: 4 }), "0104"],
      [keyOf({ 5: 5 }), "0105"],
      [keyOf({ 3: 6 }), "0106"],
      [keyOf({ 0: 2 }), "0116"],
    ];
    const atOnce = new History();
    expect(atOnce.apply(...changes).nodes).toHaveLength(12);
    const oneByOne = new History();
    const counts = changes.map((change) => oneByOne.apply(change).nodes.length);
    expect(counts).toEqual([1, 2, 3, 3, 7, 5, 2]);
    expect(oneByOne.root).toEqual(atOnce.root);
  });

  it("absence shows at the root node, at an inner node and at a leaf", () => {
    const history = new History();
    history.apply([zeros, "0100"], [keyOf({ 0: 15 }), "0101"], [keyOf({ 2: 3 }), "0102"]);
    expect(history.map.entries.size).toBe(6);
    for (const absent of [keyOf({ 0: 1 }), keyOf({ 1: 1 }), keyOf({ 0: 15, 1: 1 })])
      expect(valueOf(history, absent)).toBeUndefined();
  });

  it("an overwrite lists exactly one leaf as stale; stale and new have nothing in common", () => {
    const history = new History();
    const random = new Random(5);
    const keys = Array.from({ length: 40 }, () => toHex(random.bytes(32)));
    history.apply(...keys.map((key): HexChange => [key, "0101"]));
    const { nodes, stale, counters } = history.apply([keys[3] as string, "0102"]);
    expect(counters.staleLeaves).toBe(1);
    const fresh = new Set(sortedHex(nodes.map(([hash]) => hash)));
    expect(sortedHex(stale).filter((hash) => fresh.has(hash))).toEqual([]);
  });

  it("twenty keys in ten batches and in one give the same tree", () => {
    const random = new Random(9);
    const keys = Array.from({ length: 20 }, () => toHex(random.bytes(32)));
    const [steps, once] = [new History(), new History()];
    for (let i = 0; i < 20; i += 2)
      steps.apply(...keys.slice(i, i + 2).map((key): HexChange => [key, "0101"]));
    once.apply(...keys.map((key): HexChange => [key, "0101"]));
    expect(steps.root).toEqual(once.root);
  });
});

describe("a node", () => {
  const a = "aa".repeat(32);
  const b = "bb".repeat(32);
  const c = "cc".repeat(32);
  const placeholder = toHex(scheme.placeholder);

  function pair(left: string, right: string): string {
    const [x] = changesOf([[left, right]]);
    const output = new Uint8Array(32);
    scheme.hashInners(Uint8Array.from([...(x?.path ?? []), ...(x?.value ?? [])]), 1, output);
    return toHex(output);
  }

  function siblingsOf(leaves: Readonly<Record<number, string>>, nibble: number): string[] {
    const children = Object.entries(leaves).map(
      ([slot, hash]) => [Number(slot), { hash, isLeaf: true, count: 1 }] as const,
    );
    const node = nodeOf({ children: new Map(children) }, roochNodes) as InternalNode;
    const { child, siblings } = childAndSiblings(node, nibble, scheme);
    return [child === undefined ? "none" : toHex(child.hash), ...hexesOf(siblings)];
  }

  it("with two leaves in different halves has one sibling for every nibble", () => {
    for (const [left, right] of [
      [0, 8],
      [7, 15],
      [3, 12],
    ] as const)
      for (let nibble = 0; nibble < 16; nibble++)
        expect(siblingsOf({ [left]: a, [right]: b }, nibble)).toEqual(nibble < 8 ? [a, b] : [b, a]);
  });

  it("with two leaves in one quarter pads with placeholders", () => {
    const x1 = pair(a, b);
    const x2 = pair(placeholder, x1);
    for (let nibble = 0; nibble < 16; nibble++) {
      const quarter = nibble >> 2;
      const inner =
        nibble < 6 ? [a, placeholder, placeholder, b] : [b, placeholder, placeholder, a];
      const expected = [["none", placeholder, x1], inner, ["none", x2], ["none", x2]][quarter];
      expect(siblingsOf({ 4: a, 6: b }, nibble)).toEqual(expected);
    }
  });

  it("with three leaves lifts each as far as it is alone", () => {
    const x = pair(a, b);
    for (let nibble = 0; nibble < 16; nibble++) {
      const expected = [
        [a, c, b],
        [b, c, a],
        [c, x],
        [c, x],
      ][nibble >> 2];
      expect(siblingsOf({ 1: a, 6: b, 9: c }, nibble)).toEqual(expected);
    }
  });
});

function hexesOf(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => toHex(hash));
}

/** A path that begins with these digits. */
function pathOf(hex: string): Uint8Array {
  return fromHex(hex.padEnd(64, "0"));
}

describe("a path", () => {
  it("has its nibbles high half first and its bits most significant first", () => {
    expect([0, 1, 2, 3].map((index) => nibbleAt(pathOf("1234"), index))).toEqual([1, 2, 3, 4]);
    const set = Array.from({ length: 256 }, (_, index) => index).filter(
      (index) => bitAt(pathOf("0102"), index) === 1,
    );
    expect(set).toEqual([7, 14]);
  });

  it("shares leading bits with another: from none to all", () => {
    expect(commonBits(pathOf("123456"), pathOf("123456"))).toBe(256);
    expect(commonBits(pathOf("123456"), pathOf("1235"))).toBe(15);
    expect(commonBits(pathOf("80"), pathOf("00"))).toBe(0);
    expect(commonBits(pathOf("01".padStart(64, "0")), pathOf("00"))).toBe(255);
  });
});
