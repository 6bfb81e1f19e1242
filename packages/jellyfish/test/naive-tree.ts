import { toHex } from "@x/hash";
import { createHash } from "node:crypto";

/**
 * The tree by its definition, with nothing of the package in it: one entry is a leaf, more are a node whose child in slot `s`
 * is the tree of the entries with nibble `s`. Slow, and plain enough to be read.
 */
export interface NaiveScheme {
  readonly placeholder: string;
  readonly value: (value: string) => string;
  readonly leaf: (path: string, valueHash: string) => string;
  readonly inner: (left: string, right: string) => string;
}

/** Of the bytes of an ASCII text, then of hex strings. */
function sha256(text: string, ...hexes: readonly string[]): string {
  const hash = createHash("sha256").update(text, "latin1");
  for (const hex of hexes) hash.update(hex, "hex");
  return hash.digest("hex");
}

const TAG = sha256("SMTNode");

function tagged(...hexes: readonly string[]): string {
  return sha256("", TAG, TAG, ...hexes);
}

function hexOf(text: string): string {
  return toHex(new TextEncoder().encode(text));
}

/** Hashes and bytes are lower-case hex. */
export const naiveSchemes: Readonly<Record<"jmtSha256" | "rooch", NaiveScheme>> = {
  jmtSha256: {
    placeholder: hexOf("SPARSE_MERKLE_PLACEHOLDER_HASH__"),
    value: (value) => sha256("", value),
    leaf: (path, valueHash) => sha256("JMT::LeafNode", path, valueHash),
    inner: (left, right) => sha256("JMT::IntrnalNode", left, right),
  },
  rooch: {
    placeholder: hexOf("SPARSE_MERKLE_PLACEHOLDER_HASH\0\0"),
    value: (value) => tagged(value),
    leaf: (path, valueHash) => tagged(path, valueHash),
    inner: (left, right) => tagged(left, right),
  },
};

export interface NaiveTree {
  readonly root: string;
  /** By hash: a leaf's path and value, or an internal node's children by slot, with their kind and leaf count. */
  readonly nodes: ReadonlyMap<string, NaiveNode>;
}

export type NaiveNode =
  | { readonly path: string; readonly value: string }
  | { readonly children: ReadonlyMap<number, NaiveChild> };

export interface NaiveChild {
  readonly hash: string;
  readonly isLeaf: boolean;
  readonly count: number;
}

/** The tree of a map from path to value, both in hex. */
export function naiveTree(scheme: NaiveScheme, entries: ReadonlyMap<string, string>): NaiveTree {
  const nodes = new Map<string, NaiveNode>();
  const sorted = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const root = sorted.length === 0 ? scheme.placeholder : build(sorted, 0).hash;
  return { root, nodes };

  function build(of: readonly (readonly [string, string])[], depth: number): NaiveChild {
    const [first] = of;
    if (of.length === 1 && first !== undefined) {
      const [path, value] = first;
      const hash = scheme.leaf(path, scheme.value(value));
      nodes.set(hash, { path, value });
      return { hash, isLeaf: true, count: 1 };
    }
    const children = new Map<number, NaiveChild>();
    for (let slot = 0; slot < 16; slot++) {
      const below = of.filter(([path]) => path[depth] === slot.toString(16));
      if (below.length > 0) children.set(slot, build(below, depth + 1));
    }
    const hash = rangeHash(children, 0, 16);
    nodes.set(hash, { children });
    return { hash, isLeaf: false, count: of.length };
  }

  function rangeHash(
    children: ReadonlyMap<number, NaiveChild>,
    start: number,
    width: number,
  ): string {
    const used = [...children].filter(([slot]) => slot >= start && slot < start + width);
    const [only] = used;
    if (only === undefined) return scheme.placeholder;
    if (used.length === 1 && (only[1].isLeaf || width === 1)) return only[1].hash;
    const half = width / 2;
    return scheme.inner(rangeHash(children, start, half), rangeHash(children, start + half, half));
  }
}
