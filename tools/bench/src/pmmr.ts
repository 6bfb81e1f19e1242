import { rmSync } from "node:fs";
import { bytesCodec, leafPosition, MemoryBackend, Pmmr } from "@x/pmmr";
import { type Benchmark, contender, type Counts } from "./harness.ts";
import type { SuiteOptions } from "./main.ts";
import {
  batches,
  closeAndRemove,
  copyOf,
  createFolder,
  difference,
  type Folder,
  makeElements,
  openCopy,
  type Opened,
  openFolder,
  template,
} from "./pmmr-folders.ts";
import { type Hypercore, newAccumulator, newHypercore, toHexText } from "./pmmr-peers.ts";
import { reads } from "./pmmr-reads.ts";

/** Bytes of an output identifier and of a range proof record in Grin. */
const ELEMENT_SIZES = [34, 683];

/** Appends, reads, proofs, rewinding, compaction and opening, in memory and on disk. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  return [
    ...ELEMENT_SIZES.flatMap((size) => [
      appendInMemory(size, 1, 300),
      appendInMemory(size, 1_000, 10_000),
      appendInMemory(size, 100_000, full ? 1_000_000 : 100_000),
      appendOnDisk(size, 1, 200),
      appendOnDisk(size, 1_000, 10_000),
      appendOnDisk(size, 100_000, 100_000),
    ]),
    ...[2_000, full ? 1_000_000 : 50_000].flatMap((leaves) => reads(leaves)),
    rewind(full ? 1_000_000 : 100_000),
    ...(full ? [100_000, 1_000_000] : [10_000, 100_000]).flatMap((leaves) => [
      // Opening first: it makes the folder, which must not count as memory of the compaction.
      open(leaves),
      compact(leaves),
    ]),
    ...(full ? [] : [open(1_000_000), { ...compact(1_000_000), rounds: 1 }]),
  ];
}

function appendInMemory(size: number, batch: number, leaves: number): Benchmark {
  const elements = lazy(() => makeElements(size, leaves));
  const contenders = [
    contender<Pmmr<Uint8Array>>({
      subject: "@x/pmmr",
      prepare: () => {
        elements();
        return new Pmmr(new MemoryBackend({ codec: bytesCodec(size) }));
      },
      run: (pmmr) => {
        for (const part of batches(elements(), batch)) pmmr.pushMany(part);
      },
    }),
    contender<Hypercore>({
      subject: batch > 1_000 ? "hypercore 10, 1,000 at a time" : "hypercore 10",
      prepare: newHypercore,
      run: async (core) => {
        // Its cost per block grows with the blocks in one call: 100,000 at once take twenty times as long.
        for (const part of batches(elements(), Math.min(batch, 1_000))) await core.append(part);
      },
      dispose: (core) => core.close(),
    }),
  ];
  if (batch === 1 && size < 64) {
    // It takes strings of at most 64 bytes or so, and has no append of many.
    const texts = lazy(() => elements().map((element) => `0x${toHexText(element)}`));
    contenders.push(
      contender<ReturnType<typeof newAccumulator>>({
        subject: "@accumulators",
        prepare: newAccumulator,
        run: async (mmr) => {
          for (const text of texts()) await mmr.append(text);
        },
      }),
    );
  }
  return {
    name: `pmmr/append-memory/size=${size},batch=${batch}`,
    operations: leaves,
    unit: "leaf",
    contenders,
    rounds: batch === 100_000 ? 3 : 5,
    warmUpRounds: 1,
  };
}

function appendOnDisk(size: number, batch: number, leaves: number): Benchmark {
  const elements = lazy(() => makeElements(size, leaves));
  const run =
    (sync: boolean) =>
    async ({ folder }: Opened): Promise<Counts> => {
      const before = folder.stats().files;
      for (const part of batches(elements(), batch)) {
        folder.pmmr.pushMany(part);
        await folder.commit({ sync });
      }
      if (!sync) await folder.sync();
      return difference(folder, before);
    };
  const shape = {
    prepare: () => {
      elements();
      return createFolder(size);
    },
    dispose: closeAndRemove,
  };
  return {
    name: `pmmr/append-disk/size=${size},batch=${batch}`,
    operations: leaves,
    unit: "leaf",
    contenders: [
      contender<Opened>({ subject: "@x/pmmr, each batch synced", ...shape, run: run(true) }),
      contender<Opened>({ subject: "@x/pmmr, synced at the end", ...shape, run: run(false) }),
    ],
    rounds: 5,
    note: "counts are of the whole run",
  };
}

/** Makes the value when first asked: a process that measures another benchmark never does. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Takes 1,000 leaves off and commits. */
function rewind(leaves: number): Benchmark {
  return {
    name: `pmmr/rewind/leaves=${leaves},off=1000`,
    operations: 1,
    unit: "rewind",
    contenders: [
      contender<Pmmr<Uint8Array>>({
        subject: "@x/pmmr in memory",
        prepare: () => {
          const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(34) }));
          pmmr.pushMany(makeElements(34, leaves));
          return pmmr;
        },
        run: (pmmr) => pmmr.rewind(leafPosition(leaves - 1_000)),
      }),
      contender<Opened>({
        subject: "@x/pmmr on disk, committed",
        prepare: async () => openCopy(await template(leaves, "spent=none")),
        run: async ({ folder }) => {
          const before = folder.stats().files;
          folder.pmmr.rewind(leafPosition(leaves - 1_000));
          await folder.commit();
          return difference(folder, before);
        },
        dispose: closeAndRemove,
      }),
      contender<Hypercore>({
        subject: "hypercore 10",
        prepare: async () => {
          const core = await newHypercore();
          for (const part of batches(makeElements(34, leaves), 1_000)) await core.append(part);
          return core;
        },
        run: (core) => core.truncate(leaves - 1_000),
        dispose: (core) => core.close(),
      }),
    ],
    rounds: 5,
    warmUpRounds: 1,
  };
}

/** Compacts a folder of which every second run of four leaves is spent. */
function compact(leaves: number): Benchmark {
  return {
    name: `pmmr/compact/leaves=${leaves},spent=half`,
    operations: leaves,
    unit: "leaf",
    isolated: true,
    contenders: [
      contender<Opened>({
        subject: "@x/pmmr",
        prepare: async () => openCopy(await template(leaves, "spent=half")),
        run: async ({ folder }, probe) => {
          const before = folder.stats().files;
          await folder.compact({ onProgress: () => probe.sampleMemory() });
          return difference(folder, before);
        },
        dispose: closeAndRemove,
      }),
    ],
    note: "peak of the whole process",
  };
}

/** Opens a folder that was closed cleanly. */
function open(leaves: number): Benchmark {
  return {
    name: `pmmr/open/leaves=${leaves}`,
    operations: 1,
    unit: "opening",
    contenders: [
      contender<{ path: string; folder?: Folder }>({
        subject: "@x/pmmr",
        prepare: async () => ({ path: copyOf(await template(leaves, "spent=half")) }),
        run: async (state) => {
          const folder = await openFolder(state.path);
          state.folder = folder;
          const { reads: count, bytesRead } = folder.stats().files;
          return { reads: count, bytesRead };
        },
        dispose: async ({ path, folder }) => {
          await folder?.close();
          rmSync(path, { recursive: true, force: true });
        },
      }),
    ],
    rounds: 5,
  };
}
