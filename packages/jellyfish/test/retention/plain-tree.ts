import { hexOf } from "@x/testing";
import { type HashScheme, type InternalNode, type LeafNode, type Node } from "../../src/index.ts";
import { nibbleAt } from "../../src/path.ts";

/** A tree written down from its definition: one entry is a leaf, more are a node by the next nibble. */
export interface PlainTree {
  readonly root: Uint8Array;
  /** Every node by its hash in hexadecimal. */
  readonly nodes: ReadonlyMap<string, Node>;
}

export interface PlainEntry {
  readonly path: Uint8Array;
  readonly value: Uint8Array;
}

interface Child {
  readonly hash: Uint8Array;
  readonly isLeaf: boolean;
}

/** The tree of a map; entries with distinct paths, in any order. */
export function plainTree(scheme: HashScheme, entries: readonly PlainEntry[]): PlainTree {
  const nodes = new Map<string, Node>();
  if (entries.length === 0) return { root: scheme.placeholder, nodes };
  return { root: build(entries, 0).hash, nodes };

  function build(part: readonly PlainEntry[], depth: number): Child {
    const [first] = part;
    if (first !== undefined && part.length === 1) {
      const hash = leafHash(scheme, first);
      const leaf: LeafNode = { kind: "leaf", path: first.path, value: first.value, key: undefined };
      nodes.set(hexOf(hash), leaf);
      return { hash, isLeaf: true };
    }
    const children = Array.from({ length: 16 }, (_, slot) => {
      const below = part.filter(({ path }) => nibbleAt(path, depth) === slot);
      return below.length === 0 ? undefined : build(below, depth + 1);
    });
    const hash = rangeHash(scheme, children);
    nodes.set(hexOf(hash), internalOf(children));
    return { hash, isLeaf: false };
  }
}

function leafHash(scheme: HashScheme, { path, value }: PlainEntry): Uint8Array {
  const output = new Uint8Array(32);
  scheme.hashLeaves(Uint8Array.of(...path, ...scheme.hashValue(value)), 1, output);
  return output;
}

function rangeHash(scheme: HashScheme, children: readonly (Child | undefined)[]): Uint8Array {
  const used = children.filter((child) => child !== undefined);
  const [only] = used;
  if (only === undefined) return scheme.placeholder;
  if (used.length === 1 && (only.isLeaf || children.length === 1)) return only.hash;
  const half = children.length / 2;
  const left = rangeHash(scheme, children.slice(0, half));
  const right = rangeHash(scheme, children.slice(half));
  const output = new Uint8Array(32);
  scheme.hashInners(Uint8Array.of(...left, ...right), 1, output);
  return output;
}

function internalOf(children: readonly (Child | undefined)[]): InternalNode {
  let existence = 0;
  let leaves = 0;
  const hashes: number[] = [];
  for (const [slot, child] of children.entries()) {
    if (child === undefined) continue;
    existence |= 1 << slot;
    if (child.isLeaf) leaves |= 1 << slot;
    hashes.push(...child.hash);
  }
  return {
    kind: "internal",
    existence,
    leaves,
    hashes: Uint8Array.from(hashes),
    counts: undefined,
  };
}
