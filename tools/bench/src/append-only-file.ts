import {
  closeSync,
  cpSync,
  fdatasync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AppendOnlyFile, type AppendOnlyFileOptions } from "@x/append-only-file";
import { nodeFileSystem } from "@x/append-only-file/node";
import { type Benchmark, type Contender, contender, type Counts } from "./harness.ts";
import type { SuiteOptions } from "./main.ts";

/** Bytes per record: two hashes. */
const RECORD_BYTES = 64;

/** On the disk the results go to, ignored by git: the system's temporary folder may be memory. */
const FOLDERS = fileURLToPath(new URL("../../../bench-results/folders/", import.meta.url));

/** Appends, reads, going back, removal and opening, beside what a program would write with `node:fs` alone. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  const records = full ? 1_000_000 : 100_000;
  return [
    append(1, 200),
    append(100, 10_000),
    append(10_000, 100_000),
    read(100_000, 100_000),
    iterate(records),
    rewind(records, 1_000),
    rewriteWithout(records),
    open(records),
  ];
}

// As ours: the thread goes on while the medium works.
const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

/** An open file of ours in a folder of its own. */
interface Ours {
  readonly path: string;
  readonly file: AppendOnlyFile;
}

/** An open file of the peer. */
interface Theirs {
  readonly path: string;
  readonly descriptor: number;
}

function append(batch: number, records: number): Benchmark {
  const bytes = makeRecords(records);
  const parts = Array.from({ length: records / batch }, (_, i) =>
    bytes.subarray(i * batch * RECORD_BYTES, (i + 1) * batch * RECORD_BYTES),
  );
  const batches = parts.map(split);
  const run =
    (sync: boolean) =>
    async ({ file }: Ours): Promise<Counts> => {
      const before = file.stats;
      for (const each of batches) {
        file.appendMany(each);
        await file.commit({ sync });
      }
      if (!sync) await file.sync();
      return difference(file, before);
    };
  const ours = { prepare: () => openOurs(scratch()), dispose: closeOurs };
  return {
    name: `append-only-file/append/size=${RECORD_BYTES},batch=${batch}`,
    operations: records,
    unit: "record",
    contenders: [
      contender<Ours>({ subject: "@x, each batch synced", ...ours, run: run(true) }),
      contender<Ours>({ subject: "@x, synced at the end", ...ours, run: run(false) }),
      theirs("node:fs write and sync, not atomic", 0, async ({ descriptor }) => {
        for (const part of parts) {
          writeSync(descriptor, part);
          await syncData(descriptor);
        }
        return { writes: parts.length, syncs: parts.length, bytesWritten: bytes.length };
      }),
      theirs("node:fs whole file and rename", 0, async ({ path }) => {
        let bytesWritten = 0;
        for (const [i] of parts.entries()) {
          const content = bytes.subarray(0, (i + 1) * batch * RECORD_BYTES);
          await replaceFile(path, content);
          bytesWritten += content.length;
        }
        return { writes: parts.length, syncs: 2 * parts.length, bytesWritten };
      }),
    ],
    rounds: 5,
    note: "counts are of the whole run",
  };
}

/** Records in an order that no cache foresees, the same in every run. */
function read(records: number, reads: number): Benchmark {
  const indexes = Array.from({ length: reads }, (_, i) => (i * 7_919 + 17) % records);
  const ours = (subject: string, cachePagesMax: number, warm: boolean): Contender =>
    contender<Ours>({
      subject,
      prepare: async () => {
        const opened = await openOurs(scratch(), { cachePagesMax });
        await fill(opened.file, records);
        if (warm) for (const index of indexes) opened.file.read(index);
        return opened;
      },
      run: ({ file }) => {
        const before = file.stats;
        for (const index of indexes) file.read(index);
        return readCounts(file, before);
      },
      dispose: closeOurs,
    });
  return {
    name: `append-only-file/read/size=${RECORD_BYTES},records=${records}`,
    operations: reads,
    unit: "record",
    contenders: [
      ours("@x, all pages in memory", 4_096, true),
      ours("@x, 1,024 pages in memory", 1_024, true),
      ours("@x, no page in memory", 0, false),
      theirs("node:fs readSync", records, ({ descriptor }) => {
        for (const index of indexes) {
          readSync(descriptor, new Uint8Array(RECORD_BYTES), 0, RECORD_BYTES, index * RECORD_BYTES);
        }
        return { reads: indexes.length };
      }),
    ],
    rounds: 5,
    note: "the system has the file in memory",
  };
}

/** Every record once, in order. */
function iterate(records: number): Benchmark {
  return {
    name: `append-only-file/iterate/size=${RECORD_BYTES},records=${records}`,
    operations: records,
    unit: "record",
    contenders: [
      contender<Ours>({
        subject: "@x",
        prepare: () => openFilled(records),
        run: ({ file }) => {
          const before = file.stats;
          let count = 0;
          for (const record of file.records()) count += record.length / RECORD_BYTES;
          return { ...readCounts(file, before), records: count };
        },
        dispose: closeOurs,
      }),
      theirs("node:fs readFileSync and slices", records, ({ path }) => {
        const bytes = new Uint8Array(readFileSync(dataOf(path)));
        let count = 0;
        for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
          count += bytes.slice(at, at + RECORD_BYTES).length / RECORD_BYTES;
        }
        return { reads: 1, records: count };
      }),
    ],
    rounds: 5,
  };
}

/** Takes `off` records off, appends as many others, and makes that durable. */
function rewind(records: number, off: number): Benchmark {
  const bytes = makeRecords(off, 1);
  const replacements = split(bytes);
  const cut = (records - off) * RECORD_BYTES;
  return {
    name: `append-only-file/rewind-append/records=${records},off=${off}`,
    operations: 1,
    unit: "commit",
    contenders: [
      contender<Ours>({
        subject: "@x",
        prepare: () => openFilled(records),
        run: async ({ file }) => {
          const before = file.stats;
          file.rewind(records - off);
          file.appendMany(replacements);
          await file.commit();
          return difference(file, before);
        },
        dispose: closeOurs,
      }),
      theirs("node:fs cut, write and sync, not atomic", records, async ({ descriptor }) => {
        ftruncateSync(descriptor, cut);
        writeSync(descriptor, bytes, 0, bytes.length, cut);
        await syncData(descriptor);
        return { writes: 1, syncs: 1, bytesWritten: bytes.length };
      }),
      theirs("node:fs whole file and rename", records, async ({ path }) => {
        const content = new Uint8Array(readFileSync(dataOf(path)));
        content.set(bytes, cut);
        await replaceFile(path, content);
        return { reads: 1, writes: 1, syncs: 2, bytesWritten: content.length };
      }),
    ],
    rounds: 9,
  };
}

/** Removes every second record. */
function rewriteWithout(records: number): Benchmark {
  return {
    name: `append-only-file/rewrite-without/records=${records},removed=half`,
    operations: records,
    unit: "record",
    isolated: true,
    contenders: [
      contender<Ours>({
        subject: "@x",
        prepare: () => openFilled(records),
        run: async ({ file }, probe) => {
          const before = file.stats;
          const removed = Array.from({ length: records / 2 }, (_, i) => 2 * i);
          await file.rewriteWithout(removed, { onProgress: () => probe.sampleMemory() });
          return difference(file, before);
        },
        dispose: closeOurs,
      }),
      theirs("node:fs whole file and rename", records, async ({ path }, probe) => {
        const all = readFileSync(dataOf(path));
        const kept = new Uint8Array(all.length / 2);
        for (let at = 0; at < kept.length; at += RECORD_BYTES) {
          kept.set(all.subarray(2 * at, 2 * at + RECORD_BYTES), at);
        }
        await replaceFile(path, kept);
        probe.sampleMemory();
        return { reads: 1, writes: 1, syncs: 2, bytesWritten: kept.length };
      }),
    ],
    note: "peak of the whole process",
  };
}

/** Opens what was closed, and what a crash left with a long journal. */
function open(records: number): Benchmark {
  return {
    name: `append-only-file/open/records=${records}`,
    operations: 1,
    unit: "opening",
    contenders: [
      opening("@x, closed before", async () => {
        const { path, file } = await openFilled(records);
        await file.close();
        return path;
      }),
      opening("@x, after a crash with all records in the journal", async () => {
        const { path, file } = await openOurs(scratch(), { journalBytesMax: 2 ** 30 });
        await appendAll(file, records);
        await file.sync();
        // What a killed process leaves, its lock aside.
        const copy = scratch();
        cpSync(path, copy, { recursive: true, filter: (source) => !source.includes("_lock") });
        await closeOurs({ path, file });
        return copy;
      }),
    ],
    rounds: 5,
  };
}

/** Opens the folder that `prepare` makes. */
function opening(subject: string, prepare: () => Promise<string>): Contender {
  return contender<{ readonly path: string; opened?: Ours }>({
    subject,
    prepare: async () => ({ path: await prepare() }),
    run: async (state) => {
      state.opened = await openOurs(state.path);
      return difference(state.opened.file);
    },
    dispose: async ({ opened }) => {
      if (opened !== undefined) await closeOurs(opened);
    },
  });
}

async function openOurs(path: string, options: Partial<AppendOnlyFileOptions> = {}): Promise<Ours> {
  const all = { name: "records.bin", recordSize: RECORD_BYTES, ...options };
  return { path, file: await AppendOnlyFile.open(nodeFileSystem(path), all) };
}

async function openFilled(records: number): Promise<Ours> {
  const opened = await openOurs(scratch());
  await fill(opened.file, records);
  return opened;
}

async function fill(file: AppendOnlyFile, records: number): Promise<void> {
  await appendAll(file, records);
  await file.checkpoint();
}

/** In pieces, so that making a file is not what needs most memory. */
async function appendAll(file: AppendOnlyFile, records: number): Promise<void> {
  for (let i = 0; i < records; i += 1_000) {
    file.appendMany(split(makeRecords(1_000, i)));
    await file.commit({ sync: false });
  }
}

async function closeOurs({ path, file }: Ours): Promise<void> {
  await file.close();
  rmSync(path, { recursive: true, force: true });
}

/** A peer that starts with a file of so many records, on the disk. */
function theirs(subject: string, records: number, run: Contender<Theirs>["run"]): Contender {
  return contender<Theirs>({
    subject,
    prepare: () => {
      const path = scratch();
      const descriptor = openSync(dataOf(path), "wx+");
      writeSync(descriptor, makeRecords(records));
      fsyncSync(descriptor);
      return { path, descriptor };
    },
    run,
    dispose: ({ path, descriptor }) => {
      closeSync(descriptor);
      rmSync(path, { recursive: true, force: true });
    },
  });
}

/** The atomic way without a journal: beside, synced, renamed, and the folder synced. */
async function replaceFile(path: string, content: Uint8Array): Promise<void> {
  const beside = join(path, "records.tmp");
  const descriptor = openSync(beside, "w");
  writeSync(descriptor, content);
  await syncData(descriptor);
  closeSync(descriptor);
  renameSync(beside, dataOf(path));
  const folder = openSync(path, "r");
  await syncAll(folder);
  closeSync(folder);
}

function dataOf(path: string): string {
  return join(path, "records.bin");
}

function scratch(): string {
  mkdirSync(FOLDERS, { recursive: true });
  return mkdtempSync(join(FOLDERS, "run-"));
}

/** The same bytes in every run. */
function makeRecords(count: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(count * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    bytes.fill((i + seed) & 0xff, i * RECORD_BYTES, (i + 1) * RECORD_BYTES);
    view.setUint32(i * RECORD_BYTES, i + seed);
  }
  return bytes;
}

function split(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / RECORD_BYTES }, (_, i) =>
    bytes.subarray(i * RECORD_BYTES, (i + 1) * RECORD_BYTES),
  );
}

type Stats = AppendOnlyFile["stats"];

/** What was asked of the file system since `before`, or since opening. */
function difference(file: AppendOnlyFile, before?: Stats): Counts {
  const after = file.stats;
  return {
    reads: after.reads - (before?.reads ?? 0),
    writes: after.writes - (before?.writes ?? 0),
    syncs: after.syncs - (before?.syncs ?? 0) + after.folderSyncs - (before?.folderSyncs ?? 0),
    bytesWritten: after.bytesWritten - (before?.bytesWritten ?? 0),
  };
}

function readCounts(file: AppendOnlyFile, before: Stats): Counts {
  return { reads: file.stats.reads - before.reads };
}
