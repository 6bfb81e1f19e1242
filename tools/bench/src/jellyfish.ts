import {
  getLeaf,
  getLeaves,
  type HashScheme,
  LeafWalk,
  proveInclusion,
  type TreeContext,
} from "@x/jellyfish";
import { decodePathProof, encodePathProof, verifyInclusion } from "@x/jellyfish/verify";
import { createMerkleProof, verifyMerkleProof } from "@ethereumjs/mpt";
import { runSync } from "@x/store";
import { Random } from "@x/testing";
import { type Benchmark, contender, type Contender } from "./harness.ts";
import { levelBenchmarks } from "./jellyfish-level.ts";
import { buildMerkleTreeJs, type KeyValue, newIden3, newTrie, toField } from "./jellyfish-peers.ts";
import {
  entriesOf,
  grow,
  jmtContext,
  lazy,
  plant,
  portableContext,
  roochContext,
  type Tree,
} from "./jellyfish-trees.ts";
import type { SuiteOptions } from "./main.ts";

/** Batches, reads, walks and proofs in memory beside other authenticated maps. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  const sizes = full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000];
  return [
    build(100, [...OURS, iden3]),
    build(1_000, [...OURS, mpt, merkletreejs]),
    ...(full ? [build(10_000, [...OURS, mpt, merkletreejs])] : []),
    ...sizes.filter((size) => size > 10_000).map((size) => build(size, OURS)),
    ...sizes.flatMap((size) => [addition(size, 1), addition(size, 1_000), reads(size), walk(size)]),
    proofs(10_000),
    verification(10_000),
    ...sizes.slice(1).map((size) => proofs(size, false)),
    ...levelBenchmarks(full),
  ];
}

/** What is built from empty by one call per sample. */
interface Builder {
  readonly subject: string;
  readonly build: (entries: readonly KeyValue[]) => Promise<unknown>;
}

const OURS: readonly Builder[] = [
  builder("@x/jellyfish", jmtContext),
  builder("@x/jellyfish, portable hashing", portableContext),
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
  const count = batch === 1 ? 4_000 : 40_000;
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
      run: async ({ tree: standing, batches }) => {
        const { root } = standing;
        for (const one of batches) {
          await grow(standing, one);
          // Every batch meets a tree of the size that is named.
          standing.root = root;
        }
      },
    });
  };
  const contenders = [
    ours("@x/jellyfish", jmtContext),
    ours("@x/jellyfish, portable hashing", portableContext),
    ours("@x/jellyfish, scheme and nodes of rooch", roochContext),
  ];
  // It has no batch: put beside single keys only.
  if (size <= 10_000 && batch === 1) {
    const trie = lazy(() => filledTrie(size));
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
    // One tree to a process: the collector of one with several large ones would be measured instead.
    isolated: true,
    rounds: 3,
  };
}

/** Gets, one by one and many at once; long enough for compiled code. */
function reads(size: number): Benchmark {
  const count = 5_000;
  const repeats = 20;
  const tree = lazy(() => plant(jmtContext(), entriesOf(new Random(size), size)));
  const asked = lazy(() => entriesOf(new Random(size), size).slice(0, count));
  const prepare = async (): Promise<{ tree: Tree; paths: Uint8Array[] }> => ({
    tree: await tree(),
    paths: asked().map(({ key }) => key),
  });
  return {
    name: `jellyfish/get/keys=${size}`,
    operations: count * repeats,
    unit: "get",
    contenders: [
      contender<Awaited<ReturnType<typeof prepare>>>({
        subject: "@x/jellyfish",
        prepare,
        run: ({ tree: { context, root, store }, paths }) => {
          for (let i = 0; i < repeats; i++)
            for (const path of paths) runSync(getLeaf(context, root, path), store);
        },
      }),
      contender<Awaited<ReturnType<typeof prepare>>>({
        subject: "@x/jellyfish, all in one",
        prepare,
        run: ({ tree: { context, root, store }, paths }) => {
          for (let i = 0; i < repeats; i++) runSync(getLeaves(context, root, paths), store);
        },
      }),
    ],
    rounds: 5,
  };
}

/** Every leaf, in order. */
function walk(size: number): Benchmark {
  const tree = lazy(() => plant(jmtContext(), entriesOf(new Random(size), size)));
  return {
    name: `jellyfish/iterate/keys=${size}`,
    operations: size,
    unit: "leaf",
    contenders: [
      contender<Tree>({
        subject: "@x/jellyfish",
        prepare: tree,
        run: ({ context, root, store }) => {
          const leaves = new LeafWalk(context, root);
          let count = 0;
          for (;;) {
            const page = runSync(leaves.next(), store);
            if (page.length === 0) break;
            count += page.length;
          }
          if (count !== size) throw new Error(`the walk gave ${count} leaves`);
        },
      }),
    ],
    rounds: 3,
  };
}

/** Proofs of presence, made; bytes are those of the canonical encoding. */
function proofs(size: number, hasPeer = true): Benchmark {
  const count = 1_000;
  const tree = lazy(() => plant(jmtContext(), entriesOf(new Random(size), size)));
  const paths = lazy(() => entriesOf(new Random(size), count).map(({ key }) => key));
  const contenders = [
    contender<Tree>({
      subject: "@x/jellyfish",
      prepare: tree,
      run: ({ context, root, store }) => {
        let bytes = 0;
        for (const path of paths())
          bytes += encodePathProof(
            runSync(proveInclusion(context, root, path), store),
            context.scheme,
          ).length;
        return { bytesPerProof: Math.round(bytes / count) };
      },
    }),
  ];
  if (hasPeer) {
    const trie = lazy(() => filledTrie(size));
    contenders.push(
      contender<Awaited<ReturnType<typeof trie>>>({
        subject: "@ethereumjs/mpt",
        prepare: trie,
        run: async (filled) => {
          let bytes = 0;
          for (const path of paths())
            for (const node of await createMerkleProof(filled, path)) bytes += node.length;
          return { bytesPerProof: Math.round(bytes / count) };
        },
      }),
    );
  }
  return {
    name: `jellyfish/prove/keys=${size}`,
    operations: count,
    unit: "proof",
    contenders,
    rounds: 3,
  };
}

/** Encoded proofs of one root. */
interface Proven {
  readonly scheme: HashScheme;
  readonly root: Uint8Array;
  readonly list: readonly {
    readonly path: Uint8Array;
    readonly value: Uint8Array;
    readonly bytes: Uint8Array;
  }[];
}

/** Proofs of presence, decoded and verified. */
function verification(size: number): Benchmark {
  const count = 500;
  const entries = lazy(() => entriesOf(new Random(size), size));
  const ours = async (makeContext: () => TreeContext): Promise<Proven> => {
    const { context, root, store } = await plant(makeContext(), entries());
    const list = entries()
      .slice(0, count)
      .map(({ key, value }) => ({
        path: key,
        value,
        bytes: encodePathProof(runSync(proveInclusion(context, root, key), store), context.scheme),
      }));
    return { scheme: context.scheme, root, list };
  };
  const verifier = (subject: string, makeContext: () => TreeContext): Contender =>
    contender<Proven>({
      subject,
      prepare: lazy(() => ours(makeContext)),
      run: ({ scheme, root, list }) => {
        for (const { path, value, bytes } of list)
          verifyInclusion({ scheme, root, path, value, proof: decodePathProof(bytes, scheme) });
      },
    });
  const theirs = lazy(async () => {
    const trie = await filledTrie(size);
    const list = [];
    for (const { key } of entries().slice(0, count))
      list.push({ key, proof: await createMerkleProof(trie, key) });
    return list;
  });
  return {
    name: `jellyfish/verify/keys=${size}`,
    operations: count,
    unit: "proof",
    contenders: [
      verifier("@x/jellyfish", jmtContext),
      verifier("@x/jellyfish, portable hashing", portableContext),
      contender<Awaited<ReturnType<typeof theirs>>>({
        subject: "@ethereumjs/mpt",
        prepare: theirs,
        run: async (list) => {
          for (const { key, proof } of list)
            await verifyMerkleProof(key, proof, { useKeyHashing: true });
        },
      }),
    ],
    rounds: 3,
  };
}

async function filledTrie(size: number): ReturnType<typeof newTrie> {
  const trie = await newTrie();
  for (const { key, value } of entriesOf(new Random(size), size)) await trie.put(key, value);
  return trie;
}
