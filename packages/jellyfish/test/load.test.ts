import { concatBytes, fromHex, toHex } from "@x/hash";
import { runSync } from "@x/store";
import { describe, expect, it } from "vitest";
import {
  getLeaf,
  type InternalNode,
  LeafWalk,
  loadNode,
  rooch,
  roochNodes,
  type TreeContext,
  update,
} from "../src/index.ts";
import { applyTo, changesOf, type HexChange, NodeMap } from "./tree-subject.ts";

const context: TreeContext = { scheme: rooch(), format: roochNodes };
const empty = context.scheme.placeholder;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "none";
}

/** A made-up store: the root's node has one child in slot 0, and what is stored under that child's hash. */
function forged(child: Uint8Array, isLeaf: boolean, stored?: Uint8Array): [NodeMap, Uint8Array] {
  const map = new NodeMap();
  const root = new Uint8Array(32).fill(1);
  const other = new Uint8Array(32).fill(2);
  const hashes = concatBytes([child, other]);
  const node: InternalNode = {
    kind: "internal",
    existence: 0b11,
    leaves: isLeaf ? 0b11 : 0b10,
    hashes,
    counts: undefined,
  };
  map.entries.set(toHex(root), roochNodes.encode(node));
  if (stored !== undefined) map.entries.set(toHex(child), stored);
  return [map, root];
}

describe("an error situation", () => {
  const path = new Uint8Array(32);
  const unknown = new Uint8Array(32).fill(0x77);
  const put: HexChange = [toHex(path), "01"];

  it.each([unknown, new Uint8Array(32)])("an unknown root is a missing node", (root) => {
    const map = new NodeMap();
    const actions = [
      () => runSync(getLeaf(context, root, path), map),
      () => applyTo(map, context, root, [put]),
      () => applyTo(map, context, root, []),
      () => runSync(new LeafWalk(context, root).next(), map),
    ];
    expect(actions.map(codeOf)).toEqual(actions.map(() => "JELLYFISH_MISSING_NODE"));
  });

  it("an empty batch trusts an unknown root if asked to, as the original", () => {
    const reading = update(context, unknown, [], { trustsRootOfEmptyBatch: true });
    expect(runSync(reading, new NodeMap()).root).toEqual(unknown);
  });

  it("the empty tree is read without a store", () => {
    const map = new NodeMap();
    expect(runSync(getLeaf(context, empty, path), map)).toBeUndefined();
    expect(runSync(new LeafWalk(context, empty).next(), map)).toEqual([]);
    expect(map.reads).toEqual([]);
  });

  function everyCode([map, root]: [NodeMap, Uint8Array]): string[] {
    return [
      () => runSync(getLeaf(context, root, path), map),
      () => runSync(update(context, root, changesOf([put])), map),
      () => runSync(new LeafWalk(context, root, { lte: path }).next(), map),
    ].map(codeOf);
  }
  const misplaced = Array.from({ length: 3 }, () => "JELLYFISH_NODE_MISPLACED");

  it("a node that refers to itself ends in an error after 64 nibbles", () => {
    const self = new Uint8Array(32).fill(1);
    expect(everyCode(forged(self, false))).toEqual(misplaced);
  });

  it("the empty tree below a root is an error", () => {
    expect(everyCode(forged(empty, false))).toEqual(misplaced);
    expect(everyCode(forged(empty, false, Uint8Array.of(0)))).toEqual(misplaced);
  });

  it("a null node under any other hash is an error", () => {
    const child = new Uint8Array(32).fill(3);
    expect(everyCode(forged(child, true, Uint8Array.of(0)))).toEqual(
      misplaced.map(() => "JELLYFISH_NODE_FORMAT"),
    );
    expect(
      codeOf(() => runSync(loadNode(context, child), forged(child, true, Uint8Array.of(0))[0])),
    ).toBe("JELLYFISH_NODE_FORMAT");
  });

  it("a leaf in another's slot is an error, where the original reads it as absent", () => {
    const leaf = {
      kind: "leaf",
      path: fromHex("f0".padEnd(64, "0")),
      value: path,
      key: undefined,
    } as const;
    const child = new Uint8Array(32).fill(3);
    expect(everyCode(forged(child, true, roochNodes.encode(leaf)))).toEqual(misplaced);
  });

  it("a child of another kind than its parent says is an error", () => {
    const leaf = { kind: "leaf", path, value: path, key: undefined } as const;
    const child = new Uint8Array(32).fill(3);
    expect(everyCode(forged(child, false, roochNodes.encode(leaf)))).toEqual(misplaced);
  });
});
