import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Operation } from "@x/store";
import { open, type SyncLevelStore } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { Random } from "@x/testing";
import { ClassicLevel } from "classic-level";
import { MemoryLevel } from "memory-level";
import { type Benchmark, contender, type Contender } from "./harness.ts";
import type { SuiteOptions } from "./main.ts";

// What a tree stores: a digest as the key, a node as the value.
const KEY_SIZE = 32;
const VALUE_SIZE = 100;
/** Reads per run. */
const READ_COUNT = 10_000;

const VIEWS = { keyEncoding: "view", valueEncoding: "view" } as const;
type Classic = ClassicLevel<Uint8Array, Uint8Array>;
type Memory = MemoryLevel<Uint8Array, Uint8Array>;

/** The stores beside the databases they are made of, used directly. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  const entryCount = full ? 1_000_000 : 100_000;
  return [
    getSync(entryCount),
    get(entryCount),
    getMany(entryCount, 100),
    iterate(entryCount),
    batch(1000, false),
    batch(10, true),
    concurrentBatches(100),
    largeBatch(),
    order(entryCount),
    reopen(),
  ];
}

/** A store or database with something in it. */
interface Filled<S> {
  readonly store: S;
  readonly entries: readonly Operation[];
}

const memoryStore = {
  subject: "@x/store-memory",
  open: async () => new MemoryStore(),
  batch: (store: MemoryStore, operations: readonly Operation[], sync: boolean) =>
    store.batch(operations, { sync }),
};
const levelStore = {
  subject: "@x/store-level",
  open: () => open(newFolder()),
  batch: (store: SyncLevelStore, operations: readonly Operation[], sync: boolean) =>
    store.batch(operations, { sync }),
};
const classicLevel = {
  subject: "classic-level",
  async open(): Promise<Classic> {
    const database: Classic = new ClassicLevel(newFolder(), VIEWS);
    await database.open();
    return database;
  },
  batch: (database: Classic, operations: readonly Operation[], sync: boolean) =>
    database.batch([...operations], { sync }),
};
const memoryLevel = {
  subject: "memory-level",
  async open(): Promise<Memory> {
    const database: Memory = new MemoryLevel({ ...VIEWS, storeEncoding: "view" });
    await database.open();
    return database;
  },
  // Keeps what it is given, so it is given copies, as a caller who goes on using its buffers must.
  batch: (database: Memory, operations: readonly Operation[], _sync: boolean) =>
    database.batch(operations.map(copied)),
};

/** How a kind of store is opened and written. */
interface Kind<S> {
  readonly subject: string;
  readonly open: () => Promise<S>;
  readonly batch: (store: S, operations: readonly Operation[], sync: boolean) => Promise<void>;
}

interface Closable {
  close(): Promise<void>;
}

/** Stores that were filled: every benchmark that only reads uses the same. */
const filledStores = new Map<string, Promise<unknown>>();

/** A contender over a store that is filled once and stays. */
function reading<S extends Closable>(
  kind: Kind<S>,
  entryCount: number,
  run: (filled: Filled<S>) => void | Promise<void>,
): Contender {
  return contender<Filled<S>>({
    subject: kind.subject,
    prepare() {
      const filled = filledStores.get(kind.subject) ?? fill(kind, entryCount);
      filledStores.set(kind.subject, filled);
      return filled as Promise<Filled<S>>;
    },
    run: (state) => run(state),
  });
}

/** A contender over an empty store of its own for each sample. */
function writing<S extends Closable>(
  kind: Kind<S>,
  run: (store: S) => Promise<void>,
  before: (store: S) => Promise<void> = async () => {},
): Contender {
  return contender<S>({
    subject: kind.subject,
    async prepare() {
      const store = await kind.open();
      await before(store);
      return store;
    },
    run,
    dispose: (store) => store.close(),
  });
}

async function fill<S>(kind: Kind<S>, entryCount: number): Promise<Filled<S>> {
  const store = await kind.open();
  const entries = entriesOf(entryCount, 1);
  for (let from = 0; from < entryCount; from += 10_000)
    await kind.batch(store, entries.slice(from, from + 10_000), false);
  // All over the key space, in another order than they were written.
  return { store, entries: shuffled(entries).slice(0, READ_COUNT) };
}

function getSync(entryCount: number): Benchmark {
  return {
    name: `store/get-sync/entries=${entryCount}`,
    operations: READ_COUNT,
    unit: "key",
    contenders: [
      reading(memoryStore, entryCount, ({ store, entries }) => {
        for (const { key } of entries) store.getSync(key);
      }),
      {
        ...reading(memoryStore, entryCount, ({ store, entries }) => {
          for (const { key } of entries) store.viewManySync([key]);
        }),
        subject: "@x/store-memory view",
      },
      reading(memoryLevel, entryCount, ({ store, entries }) => {
        for (const { key } of entries) store.getSync(key, VIEWS);
      }),
      reading(levelStore, entryCount, ({ store, entries }) => {
        for (const { key } of entries) store.getSync(key);
      }),
      reading(classicLevel, entryCount, ({ store, entries }) => {
        for (const { key } of entries) store.getSync(key, VIEWS);
      }),
    ],
    note: `keys of ${KEY_SIZE} bytes, values of ${VALUE_SIZE}; more than LevelDB's cache of blocks holds`,
  };
}

async function getEach({
  store,
  entries,
}: Filled<{ get(key: Uint8Array): Promise<unknown> }>): Promise<void> {
  for (const { key } of entries) await store.get(key);
}

function get(entryCount: number): Benchmark {
  return {
    name: `store/get/entries=${entryCount}`,
    operations: READ_COUNT,
    unit: "key",
    contenders: [
      reading(memoryStore, entryCount, getEach),
      reading(memoryLevel, entryCount, getEach),
      reading(levelStore, entryCount, getEach),
      reading(classicLevel, entryCount, getEach),
    ],
    note: "one after the other, each awaited",
  };
}

function getMany(entryCount: number, keyCount: number): Benchmark {
  const run = async ({
    store,
    entries,
  }: Filled<{ getMany(keys: Uint8Array[]): Promise<unknown> }>): Promise<void> => {
    for (let from = 0; from < READ_COUNT; from += keyCount)
      await store.getMany(entries.slice(from, from + keyCount).map(({ key }) => key));
  };
  return {
    name: `store/get-many/entries=${entryCount},keys=${keyCount}`,
    operations: READ_COUNT,
    unit: "key",
    contenders: [
      reading(memoryStore, entryCount, run),
      reading(memoryLevel, entryCount, run),
      reading(levelStore, entryCount, run),
      reading(classicLevel, entryCount, run),
    ],
  };
}

function iterate(entryCount: number): Benchmark {
  const run = async ({ store }: Filled<{ iterator(): AsyncIterable<unknown> }>): Promise<void> => {
    let count = 0;
    for await (const _ of store.iterator()) count++;
    if (count < entryCount) throw new Error(`${count} entries of ${entryCount}`);
  };
  return {
    name: `store/iterate/entries=${entryCount}`,
    operations: entryCount,
    unit: "entry",
    contenders: [
      reading(memoryStore, entryCount, run),
      reading(memoryLevel, entryCount, run),
      reading(levelStore, entryCount, run),
      reading(classicLevel, entryCount, run),
    ],
    rounds: 3,
  };
}

function batch(operationCount: number, sync: boolean): Benchmark {
  const rounds = sync ? 100 : 20;
  const batches = Array.from({ length: rounds }, (_, i) => entriesOf(operationCount, i + 1));
  const write = <S extends Closable>(kind: Kind<S>): Contender =>
    writing(kind, async (store) => {
      for (const operations of batches) await kind.batch(store, operations, sync);
    });
  return {
    name: `store/batch/operations=${operationCount},sync=${sync}`,
    operations: rounds * operationCount,
    unit: "operation",
    contenders: sync
      ? [write(levelStore), write(classicLevel)]
      : [write(memoryStore), write(memoryLevel), write(levelStore), write(classicLevel)],
  };
}

function concurrentBatches(count: number): Benchmark {
  const batches = Array.from({ length: count }, (_, i) => entriesOf(10, i + 1));
  const write = <S extends Closable>(kind: Kind<S>): Contender =>
    writing(kind, async (store) => {
      await Promise.all(batches.map((operations) => kind.batch(store, operations, true)));
    });
  return {
    name: `store/concurrent-batches/batches=${count},operations=10,sync=true`,
    operations: count,
    unit: "batch",
    contenders: [write(levelStore), write(classicLevel)],
    note: "called at once; the store writes together those that wait",
  };
}

function largeBatch(): Benchmark {
  const operationCount = 200_000;
  const write = <S extends Closable>(kind: Kind<S>): Contender =>
    contender<{ store: S; operations: readonly Operation[] }>({
      subject: kind.subject,
      prepare: async () => ({ store: await kind.open(), operations: entriesOf(operationCount, 1) }),
      run: ({ store, operations }) => kind.batch(store, operations, true),
      dispose: ({ store }) => store.close(),
    });
  return {
    name: `store/large-batch/operations=${operationCount},sync=true`,
    operations: operationCount,
    unit: "operation",
    contenders: [write(memoryStore), write(levelStore), write(classicLevel)],
    isolated: true,
    note: "peak memory includes the operations themselves",
  };
}

/** What the order costs a store that is written: nothing while nobody walks, then the changes. */
function order(entryCount: number): Benchmark {
  const rounds = 100;
  const size = 100;
  const batches = Array.from({ length: rounds }, (_, i) => entriesOf(size, i + 2));
  const filled = async (store: MemoryStore): Promise<void> => {
    await store.batch(entriesOf(entryCount, 1));
  };
  const write = (subject: string, walk: (store: MemoryStore) => Promise<unknown>): Contender => ({
    ...writing(
      memoryStore,
      async (store) => {
        for (const operations of batches) {
          await store.batch(operations);
          await walk(store);
        }
      },
      async (store) => {
        await filled(store);
        await walk(store);
      },
    ),
    subject,
  });
  return {
    name: `store/order/entries=${entryCount},operations=${size}`,
    operations: rounds,
    unit: "batch",
    contenders: [
      write("@x/store-memory, nobody walks", async () => {}),
      write("@x/store-memory, one entry walked after each batch", (store) =>
        store.iterator({ limit: 1 }).next(),
      ),
    ],
  };
}

/** Opening again what holds a full log: LevelDB replays it, the store reads it before. */
function reopen(): Benchmark {
  return {
    name: "store/open/logMiB=3",
    operations: 1,
    unit: "opening",
    contenders: [
      reopened("@x/store-level", (folder) => open(folder)),
      reopened("@x/store-level, paranoid off", (folder) => open(folder, { paranoid: false })),
      reopened("classic-level", async (folder) => {
        const database = new ClassicLevel(folder);
        await database.open();
        return database;
      }),
    ],
    note: "opened and closed",
  };
}

function reopened(subject: string, openAgain: (folder: string) => Promise<Closable>): Contender {
  return contender<string>({
    subject,
    async prepare() {
      const folder = newFolder();
      const store = await open(folder);
      // A little less than a write buffer.
      for (let i = 0; i < 20; i++) await store.batch(entriesOf(1000, i + 1), { sync: false });
      await store.close();
      return folder;
    },
    async run(folder) {
      const store = await openAgain(folder);
      await store.close();
    },
  });
}

/** The same entries for the same seed. */
function entriesOf(count: number, seed: number): Operation[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => ({
    type: "put",
    key: random.bytes(KEY_SIZE),
    value: random.bytes(VALUE_SIZE),
  }));
}

function shuffled(entries: readonly Operation[]): Operation[] {
  const random = new Random(7);
  const list = [...entries];
  for (let i = list.length - 1; i > 0; i--) {
    const at = random.below(i + 1);
    [list[i], list[at]] = [list[at] as Operation, list[i] as Operation];
  }
  return list;
}

function copied(operation: Operation): Operation {
  const key = new Uint8Array(operation.key);
  return operation.type === "put"
    ? { type: "put", key, value: new Uint8Array(operation.value) }
    : { type: "del", key };
}

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bench-store-"));
  folders.push(folder);
  return join(folder, "db");
}

process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
