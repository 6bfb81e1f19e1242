import { fromHex, toHex } from "@x/hash";
import { runSync } from "@x/store";
import {
  type Change,
  compactNodes,
  jmtSha256,
  type Node,
  type NodeFormat,
  rooch,
  roochNodes,
  type TreeContext,
  update,
  type UpdateOptions,
  type UpdateResult,
} from "../src/index.ts";
import { type NaiveNode, type NaiveScheme, naiveSchemes } from "./naive-tree.ts";

/** Nodes in a map by the hex of their hash, read in the terms of a store, every read counted. */
export class NodeMap {
  readonly entries = new Map<string, Uint8Array>();
  /** Keys of each read so far. */
  reads: string[][] = [];

  viewManySync(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    const names = keys.map((key) => toHex(key));
    this.reads.push(names);
    return names.map((name) => this.entries.get(name));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.viewManySync(keys);
  }

  write({ nodes }: UpdateResult): void {
    for (const [hash, bytes] of nodes) this.entries.set(toHex(hash), bytes);
  }

  /** How many reads `action` makes. */
  countReads(action: () => void): number {
    this.reads = [];
    action();
    return this.reads.length;
  }
}

/** `[path, value | null]` in hex, as in the vectors. */
export type HexChange = readonly [path: string, value: string | null];

export function changesOf(operations: Iterable<HexChange>): Change[] {
  return Array.from(operations, ([path, value]) => ({
    path: fromHex(path),
    value: value === null ? undefined : fromHex(value),
  }));
}

/** Applies a batch and writes its nodes. */
export function applyTo(
  map: NodeMap,
  context: TreeContext,
  root: Uint8Array,
  operations: Iterable<HexChange>,
  options?: UpdateOptions,
): UpdateResult {
  const result = runSync(update(context, root, changesOf(operations), options), map);
  map.write(result);
  return result;
}

/** Every pair of a scheme and a format worth testing, with the scheme's definition. */
export const contexts: readonly {
  readonly name: string;
  readonly context: TreeContext;
  readonly naive: NaiveScheme;
}[] = [
  { scheme: jmtSha256(), format: compactNodes(), naive: naiveSchemes.jmtSha256 },
  { scheme: jmtSha256(), format: compactNodes({ counts: true }), naive: naiveSchemes.jmtSha256 },
  { scheme: rooch(), format: roochNodes, naive: naiveSchemes.rooch },
  {
    scheme: rooch(),
    format: compactNodes({ counts: true, keys: true }),
    naive: naiveSchemes.rooch,
  },
].map(({ scheme, format, naive }) => ({
  name: `${scheme.name} with ${format.name} nodes`,
  context: { scheme, format },
  naive,
}));

function mask(slots: readonly number[]): number {
  return slots.reduce((sum, slot) => sum | (1 << slot), 0);
}

/** A naive node in the package's terms. */
export function nodeOf(node: NaiveNode, format: NodeFormat): Node {
  if ("path" in node)
    return { kind: "leaf", path: fromHex(node.path), value: fromHex(node.value), key: undefined };
  const children = [...node.children].toSorted(([a], [b]) => a - b);
  return {
    kind: "internal",
    existence: mask(children.map(([slot]) => slot)),
    leaves: mask(children.filter(([, { isLeaf }]) => isLeaf).map(([slot]) => slot)),
    hashes: fromHex(children.map(([, { hash }]) => hash).join("")),
    counts: format.counts ? children.map(([, { count }]) => count) : undefined,
  };
}

/** Ascending, as hex. */
export function sortedHex(items: Iterable<Uint8Array>): string[] {
  return Array.from(items, (item) => toHex(item)).toSorted();
}
