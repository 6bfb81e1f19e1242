import {
  compactNodes,
  getLeaf,
  getLeaves,
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
import { type Benchmark, contender, type Contender } from "./harness.ts";
import { buildMerkleTreeJs, type KeyValue, newIden3, newTrie, toField } from "./jellyfish-peers.ts";
import type { SuiteOptions } from "./main.ts";

/** Batches, reads, walks and proofs in memory beside other authenticated maps. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  const sizes = full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000];
  return [
    build(1_000, [...OURS, mpt, iden3, merkletreejs]),
    build(10_000, [...OURS, mpt, merkletreejs]),
    ...sizes.filter((size) => size > 10_000).map((size) => build(size, OURS)),
    ...sizes.flatMap((size) => [addition(size, 1), addition(size, 1_000), reads(size)]),
  ];
}

/** A tree in memory and how to go on with it. */
interface Tree {
  readonly context: TreeContext;
  readonly store: MemoryStore;
  readonly random: Random;
  root: Uint8Array;
}

/** What is built from empty by one call per sample. */
interface Builder {
  readonly subject: string;
  readonly build: (entries: readonly KeyValue[]) => Promise<unknown>;
}

const OURS: readonly Builder[] = [
  builder("@x/jellyfish", jmtContext),
  builder("@x/jellyfish, scheme and nodes of rooch", roochContext),
];
const mpt: Builder = {
  subject: "@ethereumjs/mpt",
  async build(entries) {
    const trie = await newTrie();
    for (const { key, value } of entries) await trie.put(key, value);
  },
};
const iden3: Builder = {
  subject: "@iden3/js-merkletree",
  async build(entries) {
    const tree = newIden3();
    for (const { key, value } of entries) await tree.add(toField(key), toField(value));
  },
};
const merkletreejs: Builder = {
  subject: "merkletreejs, no keys",
  build: async (entries) => buildMerkleTreeJs(entries),
};

function builder(subject: string, makeContext: () => TreeContext): Builder {
  return { subject, build: (entries) => plant(makeContext(), entries) };
}

function jmtContext(): TreeContext {
  return contextOf(jmtSha256(), compactNodes({ counts: true, keys: false }));
}

function roochContext(): TreeContext {
  return contextOf(rooch(), roochNodes);
}

function contextOf(scheme: HashScheme, format: TreeContext["format"]): TreeContext {
  return { scheme, format, cache: new NodeCache({ byteCountMax: 2 ** 30 }) };
}

/** One batch from empty into a store in memory. */
async function plant(context: TreeContext, entries: readonly KeyValue[]): Promise<Tree> {
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
async function grow(tree: Tree, entries: readonly KeyValue[]): Promise<void> {
  const changes = entries.map(({ key, value }) => ({ path: key, value }));
  const result = runSync(update(tree.context, tree.root, changes), tree.store);
  await tree.store.batch(result.nodes.map(([key, value]) => ({ type: "put", key, value })));
  rememberUpdate(tree.context, result);
  tree.root = result.root;
}

function build(size: number, builders: readonly Builder[]): Benchmark {
  const entries = lazy(() => entriesOf(new Random(size), size));
  return {
    name: `jellyfish/build/keys=${size}`,
    operations: size,
    unit: "key",
    contenders: builders.map(({ subject, build: run }) =>
      contender<readonly KeyValue[]>({
        subject,
        prepare: entries,
        run: async (all) => void (await run(all)),
      }),
    ),
    rounds: size > 100_000 ? 1 : 3,
  };
}

/** Batches of new keys on a tree that stands. */
function addition(size: number, batch: number): Benchmark {
  const count = batch === 1 ? 500 : 5_000;
  const ours = (subject: string, makeContext: () => TreeContext): Contender => {
    const tree = lazy(() => plant(makeContext(), entriesOf(new Random(size), size)));
    return contender<{ tree: Tree; batches: KeyValue[][] }>({
      subject,
      prepare: async () => {
        const standing = await tree();
        const batches = Array.from({ length: count / batch }, () =>
          entriesOf(standing.random, batch),
        );
        return { tree: standing, batches };
      },
      run: async (state) => {
        for (const one of state.batches) await grow(state.tree, one);
      },
    });
  };
  const contenders = [
    ours("@x/jellyfish", jmtContext),
    ours("@x/jellyfish, scheme and nodes of rooch", roochContext),
  ];
  if (size <= 10_000) {
    const trie = lazy(async () => {
      const filled = await newTrie();
      for (const { key, value } of entriesOf(new Random(size), size)) await filled.put(key, value);
      return filled;
    });
    const random = new Random(77);
    contenders.push(
      contender({
        subject: "@ethereumjs/mpt",
        prepare: async () => ({ trie: await trie(), entries: entriesOf(random, count) }),
        run: async ({ trie: filled, entries }) => {
          for (const { key, value } of entries) await filled.put(key, value);
        },
      }),
    );
  }
  return {
    name: `jellyfish/add/keys=${size},batch=${batch}`,
    operations: count,
    unit: "key",
    contenders,
    rounds: 5,
  };
}

/** Gets, one by one and many at once. */
function reads(size: number): Benchmark {
  const count = 5_000;
  const tree = lazy(() => plant(jmtContext(), entriesOf(new Random(size), size)));
  const asked = lazy(() => entriesOf(new Random(size), size).slice(0, count));
  const prepare = async (): Promise<{ tree: Tree; paths: Uint8Array[] }> => ({
    tree: await tree(),
    paths: asked().map(({ key }) => key),
  });
  return {
    name: `jellyfish/get/keys=${size}`,
    operations: count,
    unit: "get",
    contenders: [
      contender<Awaited<ReturnType<typeof prepare>>>({
        subject: "@x/jellyfish",
        prepare,
        run: ({ tree: { context, root, store }, paths }) => {
          for (const path of paths) runSync(getLeaf(context, root, path), store);
        },
      }),
      contender<Awaited<ReturnType<typeof prepare>>>({
        subject: "@x/jellyfish, all in one",
        prepare,
        run: ({ tree: { context, root, store }, paths }) => {
          runSync(getLeaves(context, root, paths), store);
        },
      }),
    ],
    rounds: 5,
  };
}

function entriesOf(random: Random, count: number): KeyValue[] {
  return Array.from({ length: count }, () => ({ key: random.bytes(32), value: random.bytes(32) }));
}

/** Makes the value when first asked: a process that measures another benchmark never does. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
