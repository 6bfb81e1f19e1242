import type { Reading } from "@x/store";
import { type Link } from "../link.ts";
import { loadAll, loadPaths } from "../load.ts";
import { fromNibbles, joinNibbles, type Nibbles, toNibbles } from "../nibbles.ts";
import type { TrieScheme } from "../scheme.ts";
import type { MptBatchProof } from "../verify/mpt-batch.ts";
import type { MptEntry, MptRangeProof } from "../verify/mpt-range.ts";
import { childrenOf } from "./hash.ts";
import { isInRange, type KeyRange, pathRangeOf, placeInRange } from "./key-range.ts";
import { encodeMptNode } from "./node-codec.ts";
import { type MptLink, type MptNode, stepMpt } from "./node.ts";

type Walker = Pick<TrieScheme<MptNode, never>, "decode" | "step">;

/**
 * Proves what is under many keys: one read for each level. Everything is hashed.
 *
 * @yields the hashes of nodes to read
 */
export function* proveMptBatch(
  walker: Walker,
  root: MptLink | undefined,
  keys: readonly Uint8Array[],
): Reading<MptBatchProof> {
  if (keys.length === 0) return { nodes: [] };
  if (root === undefined) return { nodes: [Uint8Array.of(0)] };
  const paths = keys.map(toNibbles);
  yield* loadPaths(walker, root, paths);
  const nodes: Uint8Array[] = [];
  const rest: { link: Link<MptNode>; walks: { path: Nibbles; at: number }[] }[] = [
    { link: root, walks: paths.map((path) => ({ path, at: 0 })) },
  ];
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const node = place.link.node as MptNode;
    nodes.push(encodeMptNode(node));
    const walksByChild = new Map<MptLink, { path: Nibbles; at: number }[]>();
    for (const { path, at } of place.walks) {
      const step = stepMpt(node, path, at);
      if (step === undefined) continue;
      const walks = walksByChild.get(step.link) ?? [];
      walks.push({ path, at: step.at });
      walksByChild.set(step.link, walks);
    }
    for (const link of childrenOf(node).toReversed()) {
      const walks = walksByChild.get(link);
      if (walks !== undefined) rest.push({ link, walks });
    }
  }
  return { nodes };
}

/**
 * Proves that these are all entries of a range. One read for the children of each node that is met.
 *
 * @throws TypeError, RangeError if the range is none
 * @yields the hashes of nodes to read
 */
export function* proveMptRange(
  walker: Walker,
  root: MptLink | undefined,
  range: KeyRange,
): Reading<MptRangeProof> {
  const paths = pathRangeOf(range);
  const entries: MptEntry[] = [];
  const nodes: Uint8Array[] = [];
  const rest: { link: MptLink; prefix: Nibbles }[] = [];
  if (root !== undefined) rest.push({ link: root, prefix: new Uint8Array(0) });
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const { link, prefix } = place;
    const where = placeInRange(prefix, paths);
    if (where === "out") continue;
    yield* loadAll(walker, [link]);
    const node = link.node as MptNode;
    if (where === "across") nodes.push(encodeMptNode(node));
    if (node.kind === "branch") {
      if (node.value !== undefined) take(prefix, node.value);
      const below = node.children.flatMap((child, nibble) =>
        child === undefined ? [] : [{ link: child, prefix: joinNibbles(prefix, [nibble]) }],
      );
      const met = below.filter((child) => placeInRange(child.prefix, paths) !== "out");
      yield* loadAll(
        walker,
        met.map((child) => child.link),
      );
      for (const child of met.toReversed()) rest.push(child);
    } else if (node.kind === "leaf") take(joinNibbles(prefix, node.path), node.value);
    else rest.push({ link: node.child, prefix: joinNibbles(prefix, node.path) });
  }
  return { entries, nodes };

  function take(path: Nibbles, value: Uint8Array): void {
    if (isInRange(path, paths))
      entries.push({ key: fromNibbles(path), value: new Uint8Array(value) });
  }
}
