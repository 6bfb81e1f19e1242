import { toHex } from "@x/hash";
import { type HashScheme, jmtSha256, type ProofLeaf, rooch } from "../../src/verify/index.ts";
import { ZERO } from "./edits.ts";
import { type Form, type NaiveNode, NaiveTree, pathOf } from "./naive-tree.ts";

/** A scheme with the form that its proofs must have. */
export interface Setting {
  readonly scheme: HashScheme;
  readonly form: Form;
}

/** The default scheme, and the compatible one with every hardened rule. */
export const SETTINGS: readonly Setting[] = [
  { scheme: jmtSha256(), form: "hashed" },
  { scheme: rooch(), form: "revealed" },
];

/** Eight paths that differ in their first three bits, ascending. */
export const PATHS: readonly Uint8Array[] = Array.from({ length: 8 }, (_, i) =>
  pathOf(i.toString(2).padStart(3, "0"), new Uint8Array(32).fill(0xa5)),
);

// Every tree of at most six of the eight paths.
export function* smallTrees(scheme: HashScheme): Generator<NaiveTree> {
  for (let mask = 0; mask < 256; mask++) {
    const entries = PATHS.flatMap((path, i) =>
      ((mask >>> i) & 1) === 1 ? [{ path, value: Uint8Array.of(i, 7) }] : [],
    );
    if (entries.length <= 6) yield new NaiveTree(scheme, entries);
  }
}

/** Hashes and leaves that a forger can take from a tree: every one in it, the placeholder, zeros, and inner nodes as leaves. */
export function foreignTo(
  tree: NaiveTree,
  form: Form,
): { hashes: Uint8Array[]; leaves: ProofLeaf[] } {
  const nodes = nodesOf(tree.top);
  const hashes = new Map([tree.scheme.placeholder, ZERO].map((hash) => [toHex(hash), hash]));
  for (const { hash } of nodes) hashes.set(toHex(hash), hash);
  const leaves = nodes.flatMap((node) => {
    if (node.kind === "leaf") return [tree.leaf(node.entry, form)];
    return node.kind === "inner" ? [{ path: node.left.hash, valueHash: node.right.hash }] : [];
  });
  return { hashes: [...hashes.values()], leaves };
}

/** Every node of a tree, the top first. */
export function nodesOf(node: NaiveNode): NaiveNode[] {
  return node.kind === "inner" ? [node, ...nodesOf(node.left), ...nodesOf(node.right)] : [node];
}
