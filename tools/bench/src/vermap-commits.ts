import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open as openLevel } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { CountingStore } from "@x/testing";
import { VerMap } from "@x/vermap";
import { bytes } from "@x/vermap/codec";
import { type Benchmark, contender, type Contender, type Counts } from "./harness.ts";
import { lazy } from "./jellyfish-trees.ts";
import { entriesOf, inBatches, type KeyValue, once, ROOMY, treeEntries } from "./vermap-trees.ts";

type ByteMap = VerMap<Uint8Array, Uint8Array>;

/** How often one run does it. */
const REPEAT_COUNT = 50;

/** A map over a store that counts. */
interface Counted {
  readonly map: ByteMap;
  readonly store: CountingStore<MemoryStore>;
}

/** What is special to the versioned map: commits, merges, opening. */
export function commitBenchmarks(full: boolean): Benchmark[] {
  const sizes = full ? [10_000, 100_000, 1_000_000] : [10_000, 100_000];
  return [
    ...sizes.flatMap((size) => [mergeOfOne(size), diffOfCommits(size), commit(size)]),
    commitOnDisk(10_000),
    opening(full ? 1_000_000 : 100_000, full ? 10_000 : 1_000),
  ];
}

async function fill(map: ByteMap, entries: readonly KeyValue[]): Promise<void> {
  for (const batch of inBatches(entries, 10_000))
    await map.main.update((transaction) => {
      for (const { key, value } of batch) transaction.set(key, value);
    });
  await map.main.commit();
}

function openMap(store: CountingStore<MemoryStore> | MemoryStore): Promise<ByteMap> {
  return VerMap.open(store, { key: bytes, value: bytes, working: "memory", tree: ROOMY });
}

async function filledMap(size: number): Promise<Counted> {
  const store = new CountingStore(new MemoryStore());
  const map = await openMap(store);
  await fill(map, treeEntries(size));
  return { map, store };
}

/** One change on each of two branches of one commit, many times over. Preparing the branches is not measured. */
function mergeOfOne(size: number): Benchmark {
  let seed = 10;
  return {
    name: `vermap/merge/entries=${size},changes=1+1`,
    operations: REPEAT_COUNT,
    unit: "merge",
    contenders: [
      contender<Counted>({
        subject: "@x/vermap",
        prepare: async () => {
          const counted = await once(`map ${size}`, () => filledMap(size));
          const entries = entriesOf(2 * REPEAT_COUNT, seed++);
          for (const [i, { key, value }] of entries.entries()) {
            const branch = await counted.map.createBranch(`branch ${i}`, "main");
            await branch.set(key, value);
            await branch.commit();
          }
          counted.store.take();
          return counted;
        },
        run: async ({ map, store }) => {
          for (let i = 0; i < REPEAT_COUNT; i++) {
            const { outcome, changed } = await map.merge(`branch ${2 * i}`, `branch ${2 * i + 1}`);
            if (outcome !== "merged" || changed !== 1) throw new Error(`${outcome}, ${changed}`);
          }
          return countsOf(store, REPEAT_COUNT);
        },
        dispose: async ({ map }) => {
          for (let i = 0; i < 2 * REPEAT_COUNT; i++) await map.deleteBranch(`branch ${i}`);
        },
      }),
    ],
    rounds: 3,
    warmUpRounds: 3,
    note: "a merge commit, written to a store in memory; its nodes and counts are among the records",
  };
}

function diffOfCommits(size: number): Benchmark {
  const filled = lazy(async () => {
    const { map } = await filledMap(size);
    for (const { key, value } of entriesOf(REPEAT_COUNT, 3)) {
      await map.main.set(key, value);
      await map.main.commit();
    }
    return map;
  });
  return {
    name: `vermap/diff/entries=${size},changes=1`,
    operations: REPEAT_COUNT,
    unit: "diff",
    contenders: [
      contender<ByteMap>({
        subject: "@x/vermap",
        prepare: filled,
        run: async (map) => {
          for (let id = 1; id <= REPEAT_COUNT; id++) {
            let count = 0;
            for await (const _ of map.diff(id, id + 1)) count++;
            if (count !== 1) throw new Error(`${count} differences`);
          }
        },
      }),
    ],
    rounds: 3,
    warmUpRounds: 5,
  };
}

function commit(size: number): Benchmark {
  const filled = () => once(`map ${size}`, () => filledMap(size));
  let seed = 10_000;
  return {
    name: `vermap/commit/entries=${size},changes=1`,
    operations: REPEAT_COUNT,
    unit: "commit",
    contenders: [
      contender<Counted>({
        subject: "@x/vermap, store in memory",
        prepare: filled,
        run: async ({ map, store }) => {
          store.take();
          for (const { key, value } of entriesOf(REPEAT_COUNT, seed++)) {
            await map.main.set(key, value);
            await map.main.commit();
          }
          return countsOf(store, REPEAT_COUNT);
        },
      }),
    ],
    rounds: 5,
    note: "uncommitted work in memory; every commit stays",
  };
}

/** With `sync`, so each commit waits for the disk as often as it says. */
function commitOnDisk(size: number): Benchmark {
  let seed = 20_000;
  const onLevel = (subject: string, working: "memory" | "stored"): Contender => {
    const opened = lazy(async () => {
      const store = new CountingStore(await openLevel(newFolder()));
      const map = await VerMap.open(store, { key: bytes, value: bytes, working });
      await fill(map, treeEntries(size));
      return { map, store };
    });
    return contender<Awaited<ReturnType<typeof opened>>>({
      subject,
      prepare: opened,
      run: async ({ map, store }) => {
        store.take();
        for (const { key, value } of entriesOf(REPEAT_COUNT, seed++)) {
          await map.main.set(key, value);
          await map.main.commit();
        }
        return countsOf(store, REPEAT_COUNT);
      },
    });
  };
  return {
    name: `vermap/commit-on-disk/entries=${size},changes=1`,
    operations: REPEAT_COUNT,
    unit: "commit",
    contenders: [
      onLevel("@x/vermap, uncommitted work in memory", "memory"),
      onLevel("@x/vermap, uncommitted work stored", "stored"),
    ],
    rounds: 3,
    note: "classic-level; each batch with sync is one fsync of its log",
  };
}

/** A store with a map that was closed, of so many entries and one-entry commits after them. */
async function stored(entryCount: number, count: number): Promise<CountingStore<MemoryStore>> {
  const { map, store } = await filledMap(entryCount);
  for (const { key, value } of entriesOf(count, 5)) {
    await map.main.set(key, value, { sync: false });
    await map.main.commit({ sync: false });
  }
  await map.close();
  return store;
}

function openingOf(subject: string, entryCount: number, count: number): Contender {
  return contender<CountingStore<MemoryStore>>({
    subject,
    prepare: lazy(() => stored(entryCount, count)),
    run: async (store) => {
      store.take();
      const map = await openMap(store);
      const { keys, getMany, get, iterator } = store.take();
      await map.close();
      return { keysRead: keys, reads: getMany + get, iterators: iterator };
    },
  });
}

/** Opening a map with a history behind it, and asking it for one key. */
function opening(size: number, commitCount: number): Benchmark {
  return {
    name: `vermap/open/entries=${size},commits=${commitCount}`,
    operations: 1,
    unit: "opening",
    contenders: [
      openingOf("@x/vermap", size, commitCount),
      openingOf("@x/vermap, 100 entries and 10 commits", 100, 10),
    ],
  };
}

/** What the store was asked for, for each of so many operations. */
function countsOf(store: CountingStore<never> | CountingStore<MemoryStore>, count: number): Counts {
  const { keys, getMany, get, batch, syncedBatch, operations } = store.take();
  return {
    keysRead: keys / count,
    reads: (getMany + get) / count,
    batches: batch / count,
    syncs: syncedBatch / count,
    recordsWritten: operations / count,
  };
}

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bench-vermap-"));
  folders.push(folder);
  return join(folder, "db");
}

process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
