import { Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { decodeCountPage, encodeCountPage } from "../src/count-page.ts";
import { decodeNode, encodeNode, type NodeFormat } from "../src/node-codec.ts";
import { innerOf, type Leaf, leafOf, type LeafValue, type Node } from "../src/node.ts";
import { decodePoolRecord, encodePoolRecord } from "../src/pool-record.ts";
import { bytesOf, hexOf } from "./bytes.ts";

function keysFor(random: Random, count: number): Uint8Array[] {
  const texts = new Set<string>();
  while (texts.size < count) texts.add(hexOf(random.bytes(random.below(5))));
  return [...texts]
    .toSorted()
    .map((text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
}

function randomNode(random: Random, format: NodeFormat): Node {
  const count = 1 + random.below(32);
  const keys = keysFor(random, count);
  if (random.chance(0.5)) {
    const values = keys.map((): LeafValue =>
      format === 2 && random.chance(0.2)
        ? { id: 1 + random.below(2 ** 32), size: random.below(2 ** 32) }
        : random.bytes(random.below(200)),
    );
    return leafOf(keys, values);
  }
  const children = Array.from(
    { length: count + 1 },
    () => 1 + random.below(2 ** 32) * 2 ** random.below(20),
  );
  const counts = format === 1 ? [] : children.map(() => 1 + random.below(1000));
  return innerOf({ level: format === 1 ? 0 : 1 + random.below(63), keys, children, counts });
}

/** One to four small injuries. */
function injured(random: Random, bytes: Uint8Array): Uint8Array {
  let list = Array.from(bytes);
  for (let i = random.between(1, 4); i > 0; i--) {
    const at = random.below(list.length + 1);
    const kind = random.below(6);
    if (kind === 0) list[at] = (list[at] ?? 0) ^ (1 << random.below(8));
    else if (kind === 1) list[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
    else if (kind === 2) list = list.slice(0, at);
    else if (kind === 3) list.splice(at, 0, random.below(256));
    else if (kind === 4) list.splice(at, random.between(1, 4));
    else list.splice(at, 0, ...list.slice(at, at + random.below(20)));
  }
  return Uint8Array.from(list);
}

/** A typed error, or a value that encodes to the same bytes. */
function survives(bytes: Uint8Array, decode: (bytes: Uint8Array) => Uint8Array): boolean {
  try {
    return hexOf(decode(bytes)) === hexOf(bytes);
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "BTREE_CORRUPT" || code === "BTREE_FORMAT";
  }
}

function samePage(bytes: Uint8Array): Uint8Array {
  return encodeCountPage(3, decodeCountPage(3, bytes));
}

function sameRecord(bytes: Uint8Array): Uint8Array {
  return encodePoolRecord(decodePoolRecord(bytes));
}

describe("nodes", () => {
  test("have the bytes that the format's document shows", () => {
    const leaf = leafOf([bytesOf("a")], [bytesOf("b")]);
    expect(hexOf(encodeNode(leaf, 1))).toBe("000100000001000000610100000062");
    expect(hexOf(encodeNode(leaf, 2))).toBe("020101610262");
    const large = leafOf(leaf.keys, [{ id: 300, size: 5 }]);
    expect(hexOf(encodeNode(large, 2))).toBe("020101610bac02");
    const inner = innerOf({ level: 1, keys: [bytesOf("a")], children: [1, 2], counts: [3, 4] });
    expect(hexOf(encodeNode(inner, 2))).toBe("030101016101030204");
    expect(hexOf(encodeNode({ kind: "value", bytes: bytesOf("v") }, 2))).toBe("0476");
    expect(() => encodeNode(large, 1)).toThrow(TypeError);
  });

  for (const format of [1, 2] as const) {
    test(`decode to what was encoded, in format ${format}`, () => {
      const random = new Random(format);
      for (let i = 0; i < scaled(2000); i++) {
        const node = randomNode(random, format);
        const bytes = encodeNode(node, format);
        expect(decodeNode(bytes, format)).toEqual(node);
      }
    });

    test(`accept nothing that they would not write, in format ${format}`, () => {
      const random = new Random(10 + format);
      const decode = (bytes: Uint8Array): Uint8Array =>
        encodeNode(decodeNode(bytes, format), format);
      for (let i = 0; i < scaled(20_000); i++) {
        const bytes = random.chance(0.1)
          ? random.bytes(random.below(200))
          : injured(random, encodeNode(randomNode(random, format), format));
        expect(survives(bytes, decode)).toBe(true);
      }
    });
  }

  test("that are views of larger buffers are read in their own bounds, and not kept", () => {
    const bytes = encodeNode(leafOf([bytesOf("a")], [bytesOf("b")]), 2);
    const large = new Uint8Array(20).fill(7);
    large.set(bytes, 5);
    const node = decodeNode(large.subarray(5, 5 + bytes.length), 2) as Leaf;
    large.fill(0);
    expect(node.keys[0]).toEqual(bytesOf("a"));
  });

  test.each([
    ["nothing at all", ""],
    ["an unknown tag", "0901"],
    ["a leaf without keys", "0200"],
    ["33 keys", `0221${"00".repeat(80)}`],
    ["keys out of order", "0202016202016102"],
    ["an integer above 2^53 - 1", "0201ffffffffffffff1f"],
    ["an integer of nine bytes", "0201ffffffffffffffff01"],
    ["an integer longer than it need be", "0201810061026200"],
    ["level 0", "030001016101030204"],
    ["level 64", "034001016101030204"],
    ["child 0", "030101016100030204"],
    ["a count of 0", "030101016101000204"],
    ["a value id 0", "020101610b00"],
    ["a byte too many", "02010161026200"],
    ["a byte too few", "0201016102"],
    ["a tag of the other format", "000100000001000000610100000062"],
  ])("refuse %s", (_name, hex) => {
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    expect(() => decodeNode(bytes, 2)).toThrow(expect.objectContaining({ code: "BTREE_CORRUPT" }));
  });
});

describe("the pool's record and pages of counts", () => {
  test("have the bytes that the format's document shows", () => {
    expect(hexOf(encodePoolRecord({ format: 2, nextId: 2, limbo: [] }))).toBe("01020200");
    expect(hexOf(encodeCountPage(1, new Map([[130, 3]])))).toBe("0201");
    expect(decodeCountPage(1, Uint8Array.of(2, 1))).toEqual(new Map([[130, 3]]));
  });

  test("accept nothing that they would not write", () => {
    const random = new Random(5);
    for (let i = 0; i < scaled(20_000); i++) {
      const limbo = Array.from(
        { length: random.below(5) },
        (_, at) => 1 + at * (1 + random.below(300)),
      );
      const nextId = 2000 + random.below(2 ** 32);
      const counts = new Map(
        Array.from({ length: 1 + random.below(9) }, () => [
          3 * 128 + random.below(128),
          2 + random.below(400),
        ]),
      );
      expect(survives(injured(random, encodeCountPage(3, counts)), samePage)).toBe(true);
      expect(
        survives(injured(random, encodePoolRecord({ format: 2, nextId, limbo })), sameRecord),
      ).toBe(true);
    }
  });

  test("of another version say so", () => {
    for (const bytes of [Uint8Array.of(2, 2, 1, 0), Uint8Array.of(1, 3, 1, 0)])
      expect(() => decodePoolRecord(bytes)).toThrow(
        expect.objectContaining({ code: "BTREE_FORMAT" }),
      );
    expect(() => decodePoolRecord(Uint8Array.of(1, 2, 0, 0))).toThrow(
      expect.objectContaining({ code: "BTREE_CORRUPT" }),
    );
  });
});
