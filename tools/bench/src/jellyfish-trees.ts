import { preferredEngine } from "@x/hash/wasm";
import {
  compactNodes,
  type HashScheme,
  jmtSha256,
  NodeCache,
  rememberUpdate,
  rooch,
  roochNodes,
  type TreeContext,
  update,
} from "@x/jellyfish";
import { runSync } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { Random } from "@x/testing";
import { type KeyValue } from "./jellyfish-peers.ts";

const jmtNodes = compactNodes({ counts: true, keys: false });

/** A tree in memory and how to go on with it. */
export interface Tree {
  readonly context: TreeContext;
  readonly store: MemoryStore;
  readonly random: Random;
  root: Uint8Array;
}

/** With the engine that `JellyfishTree` takes. */
export function jmtContext(): TreeContext {
  return contextOf(jmtSha256({ engine: preferredEngine }), jmtNodes);
}

export function portableContext(): TreeContext {
  return contextOf(jmtSha256(), jmtNodes);
}

export function roochContext(): TreeContext {
  return contextOf(rooch({ engine: preferredEngine }), roochNodes);
}

function contextOf(scheme: HashScheme, format: TreeContext["format"]): TreeContext {
  return { scheme, format, cache: new NodeCache({ byteCountMax: 2 ** 30 }) };
}

/** One batch from empty into a store in memory. */
export async function plant(context: TreeContext, entries: readonly KeyValue[]): Promise<Tree> {
  const tree = {
    context,
    store: new MemoryStore(),
    random: new Random(99),
    root: context.scheme.placeholder,
  };
  await grow(tree, entries);
  return tree;
}

/** One batch, written. */
export async function grow(tree: Tree, entries: readonly KeyValue[]): Promise<void> {
  const changes = entries.map(({ key, value }) => ({ path: key, value }));
  const result = runSync(update(tree.context, tree.root, changes), tree.store);
  await tree.store.batch(result.nodes.map(([key, value]) => ({ type: "put", key, value })));
  rememberUpdate(tree.context, result);
  tree.root = result.root;
}

/** Random keys and values. */
export function entriesOf(random: Random, count: number): KeyValue[] {
  return Array.from({ length: count }, () => ({ key: random.bytes(32), value: random.bytes(32) }));
}

/** Makes the value when first asked: a process that measures another benchmark never does. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
