import { toHex } from "@x/hash";
import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  compactNodes,
  type LeafNode,
  type Node,
  type NodeFormat,
  roochNodes,
} from "../src/index.ts";

const formats: readonly NodeFormat[] = [
  roochNodes,
  compactNodes(),
  compactNodes({ counts: true }),
  compactNodes({ keys: true }),
  compactNodes({ counts: true, keys: true }),
];

function drawNode(random: Random, { counts, keys }: NodeFormat): Node {
  if (random.chance(0.5))
    return {
      kind: "leaf",
      path: random.bytes(32),
      value: random.bytes(random.pick([0, 1, 32, 64, 127, 128, 300])),
      key: keys && random.chance(0.7) ? random.bytes(random.pick([0, 5, 130])) : undefined,
    };
  const existence = 1 + random.below(0xffff);
  const isSingle = (existence & (existence - 1)) === 0;
  const leaves = isSingle ? 0 : existence & random.below(0x1_0000);
  const slots = Array.from({ length: 16 }, (_, slot) => slot).filter(
    (slot) => ((existence >>> slot) & 1) === 1,
  );
  return {
    kind: "internal",
    existence,
    leaves,
    hashes: random.bytes(32 * slots.length),
    counts: counts
      ? slots.map((slot) =>
          ((leaves >>> slot) & 1) === 1 ? 1 : random.pick([2, 127, 128, 2 ** 31, 2 ** 40]),
        )
      : undefined,
  };
}

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** One to four small damages. */
function damage(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let damaged = new Uint8Array(bytes);
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(damaged.length + 1);
    const end = at + random.below(damaged.length - at + 1);
    const head = damaged.subarray(0, at);
    const insert = (middle: Uint8Array, from: number): Uint8Array<ArrayBuffer> =>
      Uint8Array.from([...head, ...middle, ...damaged.subarray(from)]);
    switch (random.below(7)) {
      case 0:
        if (at < damaged.length) damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        damaged = new Uint8Array(head);
        break;
      case 2:
        damaged = insert(random.bytes(1 + random.below(3)), at);
        break;
      case 3:
        damaged = insert(new Uint8Array(0), end);
        break;
      case 4:
        damaged = insert(damaged.subarray(at, end), at);
        break;
      case 5:
        damaged = insert(other.subarray(random.below(other.length)), damaged.length);
        break;
      default: {
        const view = new DataView(damaged.buffer);
        if (damaged.length >= at + 4) view.setUint32(at, random.pick(NUMBERS), random.chance(0.5));
      }
    }
  }
  return damaged;
}

describe.each(formats)("$name", (format) => {
  it("a node survives the way through bytes, and what is read back is nobody else's", () => {
    const random = new Random(seedOf("round trip", format.name));
    for (let i = 0; i < scaled(1000); i++) {
      const node = drawNode(random, format);
      const bytes = format.encode(node);
      const back = format.decode(bytes);
      expect(back).toEqual(node);
      expect(format.decodeView(bytes)).toEqual(node);
      bytes.fill(0);
      expect(back).toEqual(node);
    }
  });

  it("20,000 random and damaged inputs are refused with a code, or are the one encoding of a node", () => {
    const random = new Random(seedOf("fuzz", format.name));
    const findings: string[] = [];
    let accepted = 0;
    for (let i = 0; i < scaled(20_000); i++) {
      const bytes =
        i % 4 === 0
          ? random.bytes(random.below(random.chance(0.1) ? 4096 : 80))
          : damage(
              random,
              format.encode(drawNode(random, format)),
              format.encode(drawNode(random, format)),
            );
      if (i % 8 === 0 && bytes.length > 0) bytes[0] = random.pick([0, 1, 2, 16, 17, 18, 19]);
      const verdict = verdictOf(format, bytes);
      if (verdict === "node") accepted++;
      else if (verdict !== "refused") findings.push(`${verdict}: ${toHex(bytes)}`);
    }
    expect(findings).toEqual([]);
    expect(accepted).toBeGreaterThan(100);
  });
});

/** "refused" and "node" are right; anything else is a finding. */
function verdictOf(format: NodeFormat, bytes: Uint8Array): string {
  let node: Node | null;
  try {
    node = format.decode(bytes);
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "JELLYFISH_NODE_FORMAT" ? "refused" : `threw ${String(error)}`;
  }
  return toHex(format.encode(node)) === toHex(bytes) ? "node" : "encodes otherwise";
}

describe("a node format", () => {
  const leaf: LeafNode = {
    kind: "leaf",
    path: new Uint8Array(32),
    value: new Uint8Array(1),
    key: new Uint8Array(1),
  };
  const internal: Node = {
    kind: "internal",
    existence: 1,
    leaves: 0,
    hashes: new Uint8Array(32),
    counts: undefined,
  };

  it("refuses to lose what it has no place for", () => {
    expect(() => roochNodes.encode(leaf)).toThrow(TypeError);
    expect(() => compactNodes().encode(leaf)).toThrow(TypeError);
    expect(() => roochNodes.encode({ ...internal, counts: [2] })).toThrow(TypeError);
    expect(() => compactNodes().encode({ ...internal, counts: [2] })).toThrow(TypeError);
    expect(() => compactNodes({ counts: true }).encode(internal)).toThrow(TypeError);
    expect(() => compactNodes().encode(null)).toThrow(TypeError);
  });

  it("refuses another format's nodes", () => {
    for (const [a, b] of [
      [roochNodes, compactNodes()],
      [compactNodes(), compactNodes({ counts: true })],
    ] as const)
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        const node: Node = { ...internal, counts: from.counts ? [2] : undefined };
        expect(() => to.decode(from.encode(node))).toThrow(
          expect.objectContaining({ code: "JELLYFISH_NODE_FORMAT" }),
        );
      }
  });

  it("keeps to its bytes", () => {
    const { path, value } = leaf;
    const zeros = "00".repeat(32);
    const plain: Node = { kind: "leaf", path, value, key: undefined };
    expect(toHex(compactNodes().encode(plain))).toBe(`12${zeros}00`);
    expect(toHex(compactNodes({ keys: true }).encode(leaf))).toBe(`13${zeros}010000`);
    expect(toHex(compactNodes().encode(internal))).toBe(`1001000000${zeros}`);
    const counted: Node = { ...internal, counts: [300] };
    expect(toHex(compactNodes({ counts: true }).encode(counted))).toBe(`1101000000${zeros}ac02`);
  });
});
