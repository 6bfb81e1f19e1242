import { type Change } from "@x/btree";
import { type Benchmark, contender, type Contender } from "./harness.ts";
import { lazy } from "./jellyfish-trees.ts";
import type { SuiteOptions } from "./main.ts";
import { diffOfOne, patchOfOne } from "./vermap-changes.ts";
import { commitBenchmarks } from "./vermap-commits.ts";
import { copied, found, hyperbee, immutable, inPlace, okra, type Peer } from "./vermap-maps.ts";
import { loadSortedBTree } from "./vermap-peers.ts";
import {
  ascendingEntries,
  emptyPool,
  entriesOf,
  inBatches,
  type KeyValue,
  once,
  planted,
  type Planted,
  put,
  treeEntries,
} from "./vermap-trees.ts";

/** Reads in one run: so many that compiling what is measured does not count. */
const READ_COUNT = 200_000;
/** Single insertions in one run. */
const INSERT_COUNT = 10_000;
/** Both, where peers are asked that take long. */
const SLOW_COUNT = 1_000;
/** Entries up to which the peers that take long are asked. */
const SLOW_PEER_COUNT_MAX = 10_000;

/** The B+ tree beside other ordered maps, and the versioned map on it. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  const sizes = full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000];
  return [
    ...sizes.flatMap((size) => [
      insertion(size),
      singleInsertion(size, INSERT_COUNT),
      reads(size, READ_COUNT),
      iteration(size),
      load(size),
      diffOfOne(size),
      patchOfOne(size),
    ]),
    singleInsertion(SLOW_PEER_COUNT_MAX, SLOW_COUNT),
    reads(SLOW_PEER_COUNT_MAX, SLOW_COUNT),
    ...commitBenchmarks(full),
  ];
}

/** What is done with each of the peers that are asked; each keeps its types to itself. */
function withPeers(
  peers: { readonly copied?: boolean; readonly slow: boolean },
  make: <T>(peer: Peer<T>) => Contender,
): Contender[] {
  const contenders = [make(inPlace)];
  if (peers.copied === true) contenders.push(make(copied));
  contenders.push(make(immutable));
  if (peers.slow) contenders.push(make(hyperbee), make(okra));
  return contenders;
}

/**
 * A map with entries, made once for all samples.
 *
 * @param use - those who change their map have one of their own
 */
function filled<T>(peer: Peer<T>, size: number, use: "read" | "change"): () => Promise<T> {
  return () =>
    once(`${peer.library} ${size} ${use}`, async () =>
      peer.fill(await peer.make(), treeEntries(size)),
    );
}

/** Enough for the engine to have compiled what is measured, where that does not take minutes. */
function roundsFor(size: number): { readonly rounds: number; readonly warmUpRounds: number } {
  return size > 100_000
    ? { rounds: 1, warmUpRounds: 1 }
    : { rounds: 3, warmUpRounds: size > 10_000 ? 1 : 3 };
}

/** From empty, in random order. */
function insertion(size: number): Benchmark {
  const entries = (): readonly KeyValue[] => treeEntries(size);
  const batches = lazy(() => inBatches(entries().map(put), 1_000));
  const ours = (subject: string, consume: boolean): Contender =>
    contender<readonly Change[][]>({
      subject,
      prepare: batches,
      run: async (all) => {
        const pool = await emptyPool();
        let root = 0;
        for (const batch of all) {
          const next = pool.editSync(root, batch, { consume });
          if (!consume) pool.unpin(root);
          root = next;
        }
      },
    });
  return {
    name: `btree/insert/entries=${size},batch=1000`,
    operations: size,
    unit: "entry",
    contenders: [
      ours("@x/btree", true),
      ours("@x/btree, every batch a root of its own", false),
      ...withPeers({ slow: size <= SLOW_PEER_COUNT_MAX }, <T>(peer: Peer<T>) =>
        contender<T>({
          subject: peer.subject,
          prepare: () => peer.make(),
          run: async (map) => void (await peer.fill(map, entries())),
        }),
      ),
    ],
    ...roundsFor(size),
    note: "keys of 16 bytes, values of 32, random; batches where there are any",
  };
}

/** Into a map that stands; afterwards it is as it was before, but for the peers that cannot do that: theirs grows. */
function singleInsertion(size: number, count: number): Benchmark {
  const changes = lazy(() => entriesOf(count, 2));
  let seed = 1_000;
  const ours = () => planted(size);
  return {
    name: `btree/insert/entries=${size},batch=1,count=${count}`,
    operations: count,
    unit: "entry",
    contenders: [
      contender<Planted>({
        subject: "@x/btree",
        prepare: ours,
        run: ({ pool, root }) => {
          let version = root;
          pool.pin(version);
          for (const change of changes())
            version = pool.editSync(version, [put(change)], { consume: true });
          pool.unpin(version);
        },
      }),
      contender<Planted>({
        subject: "@x/btree, every entry a root of its own",
        prepare: ours,
        run: ({ pool, root }) => {
          const versions = [root];
          for (const change of changes())
            versions.push(pool.editSync(versions.at(-1) ?? 0, [put(change)]));
          for (const version of versions.slice(1)) pool.unpin(version);
        },
      }),
      ...withPeers({ copied: true, slow: count === SLOW_COUNT }, <T>(peer: Peer<T>) =>
        contender<{ map: T; changes: readonly KeyValue[] }>({
          subject: peer.subject,
          prepare: async () => ({
            map: await filled(peer, size, "change")(),
            changes: entriesOf(count, seed++),
          }),
          run: ({ map, changes: all }) => peer.insert(map, all),
        }),
      ),
    ],
    rounds: 3,
  };
}

function reads(size: number, count: number): Benchmark {
  const asked = lazy(() => {
    const entries = treeEntries(size);
    return Array.from({ length: count }, (_, i) => entries[i % size] as KeyValue);
  });
  const ours = () => planted(size);
  return {
    name: `btree/get/entries=${size},count=${count}`,
    operations: count,
    unit: "get",
    contenders: [
      contender<Planted>({
        subject: "@x/btree",
        prepare: ours,
        run: ({ pool, root }) => {
          const tree = pool.snapshot(root);
          for (const { key } of asked()) found(tree.getSync(key));
          tree.release();
        },
      }),
      ...withPeers({ slow: count === SLOW_COUNT }, <T>(peer: Peer<T>) =>
        contender<T>({
          subject: peer.subject,
          prepare: filled(peer, size, "read"),
          run: (map) => peer.get(map, asked()),
        }),
      ),
    ],
    rounds: 5,
    note: "in random order; everything in memory, and decoded",
  };
}

function iteration(size: number): Benchmark {
  const ours = () => planted(size);
  return {
    name: `btree/iterate/entries=${size}`,
    operations: size,
    unit: "entry",
    contenders: [
      contender<Planted>({
        subject: "@x/btree",
        prepare: ours,
        run: ({ pool, root }) => {
          let count = 0;
          for (const _ of pool.snapshot(root).entriesSync()) count++;
          if (count !== size) throw new Error(`${count} entries`);
        },
      }),
      ...withPeers({ slow: size <= SLOW_PEER_COUNT_MAX }, <T>(peer: Peer<T>) =>
        contender<T>({
          subject: peer.subject,
          prepare: filled(peer, size, "read"),
          run: async (map) => {
            const count = await peer.count(map);
            if (count !== size) throw new Error(`${count} entries`);
          },
        }),
      ),
    ],
    ...roundsFor(size),
    note: "keys and values; ours are copies",
  };
}

/** From entries that ascend. */
function load(size: number): Benchmark {
  const entries = (): readonly KeyValue[] => ascendingEntries(size);
  return {
    name: `btree/load/entries=${size}`,
    operations: size,
    unit: "entry",
    contenders: [
      contender({
        subject: "@x/btree, into a store in memory",
        prepare: entries,
        run: async () => {
          const pool = await emptyPool();
          const root = await pool.load(entries().map(({ key, value }) => [key, value] as const));
          await pool.write({ hold: [root] });
        },
      }),
      contender({
        subject: "sorted-btree bulkLoad",
        prepare: entries,
        run: () => {
          const keys = entries().map(({ key }) => key);
          loadSortedBTree(
            keys,
            entries().map(({ value }) => value),
          );
        },
      }),
    ],
    ...roundsFor(size),
  };
}
