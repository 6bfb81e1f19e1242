import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { JellyfishTree } from "@x/jellyfish";
import { open, type SyncLevelStore } from "@x/store-level";
import { CountingStore, Random } from "@x/testing";
import { type Benchmark, contender, type Counts, type Probe } from "./harness.ts";

/** Keys of one batch of the load, and of one batch on the tree that stands. */
const LOAD_COUNT = 10_000;
const BATCH_COUNT = 1000;
/** Batches on the tree that stands. */
const BATCHES = 10;

/** A tree on disk, with every option at its default: each batch is synced. */
interface StoredTree {
  readonly folder: string;
  readonly level: SyncLevelStore;
  readonly store: CountingStore<SyncLevelStore>;
  readonly tree: JellyfishTree;
  readonly random: Random;
}

/** The tree over classic-level, each sample in a process of its own: what is read, written and synced, and how much memory it takes. */
export function levelBenchmarks(full: boolean): Benchmark[] {
  const size = full ? 1_000_000 : 100_000;
  return [...(full ? [load(size / 10)] : []), load(size), addition(size)];
}

function load(size: number): Benchmark {
  return {
    name: `jellyfish/level-load/keys=${size},batch=${LOAD_COUNT}`,
    operations: size,
    unit: "key",
    contenders: [
      contender<StoredTree>({
        subject: "@x/jellyfish on classic-level",
        prepare: openTree,
        run: (stored, probe) => addBatches(stored, size / LOAD_COUNT, LOAD_COUNT, probe),
        dispose: removeTree,
      }),
    ],
    isolated: true,
    rounds: 1,
  };
}

function addition(size: number): Benchmark {
  return {
    name: `jellyfish/level-add/keys=${size},batch=${BATCH_COUNT}`,
    operations: BATCHES * BATCH_COUNT,
    unit: "key",
    contenders: [
      contender<StoredTree>({
        subject: "@x/jellyfish on classic-level",
        prepare: async () => {
          const stored = await openTree();
          await addBatches(stored, size / LOAD_COUNT, LOAD_COUNT);
          return stored;
        },
        run: (stored, probe) => addBatches(stored, BATCHES, BATCH_COUNT, probe),
        dispose: removeTree,
      }),
    ],
    isolated: true,
    rounds: 1,
  };
}

async function openTree(): Promise<StoredTree> {
  const folder = mkdtempSync(join(tmpdir(), "jellyfish-bench-"));
  const level = await open(folder);
  const store = new CountingStore(level);
  return { folder, level, store, tree: await JellyfishTree.open(store), random: new Random(1) };
}

async function removeTree({ tree, level, folder }: StoredTree): Promise<void> {
  await tree.close();
  await level.close();
  rmSync(folder, { recursive: true });
}

/** Batches of new keys and values of 32 bytes, made one at a time. Counts are means per batch; bytes on disk are of the whole tree. */
async function addBatches(
  { folder, store, tree, random }: StoredTree,
  batches: number,
  count: number,
  probe?: Probe,
): Promise<Counts> {
  store.take();
  for (let i = 0; i < batches; i++) {
    const operations = Array.from({ length: count }, () => {
      return { type: "put", key: random.bytes(32), value: random.bytes(32) } as const;
    });
    await tree.batch(operations);
    probe?.sampleMemory();
  }
  const { getMany, keys, operations, batch, syncedBatch, valueBytes } = store.take();
  const perBatch = (total: number): number => Math.round((10 * total) / batches) / 10;
  return {
    readCallsPerBatch: perBatch(getMany),
    keysReadPerBatch: perBatch(keys),
    recordsWrittenPerBatch: perBatch(operations),
    bytesWrittenPerKey: Math.round(valueBytes / batches / count),
    storeBatchesPerBatch: perBatch(batch),
    syncsPerBatch: perBatch(syncedBatch),
    diskBytesPerKey: Math.round(bytesIn(folder) / tree.size),
  };
}

/** Files that a compaction removes meanwhile count nothing. */
function bytesIn(folder: string): number {
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
