import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeFileSystem } from "@x/append-only-file/node";
import { bytesCodec, leafPosition, MemoryBackend, type MerkleProof, Pmmr } from "@x/pmmr";
import { openPmmr, type PmmrFolder } from "@x/pmmr/file";
import { verifyMerkleProof } from "@x/pmmr/verify";
import { type Benchmark, contender, type Counts } from "./harness.ts";
import type { SuiteOptions } from "./main.ts";
import { type Hypercore, newAccumulator, newHypercore } from "./pmmr-peers.ts";

/** Bytes of an output identifier and of a range proof record in Grin. */
const ELEMENT_SIZES = [34, 683];
/** Folders that are made once and copied for each sample, ignored by git. */
const TEMPLATES = fileURLToPath(new URL("../../../bench-results/folders/", import.meta.url));

type Elements = readonly Uint8Array[];
type Folder = PmmrFolder<Uint8Array, Uint8Array<ArrayBuffer>>;

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
      compact(leaves),
      open(leaves),
    ]),
    ...(full ? [] : [{ ...compact(1_000_000), rounds: 1 }, open(1_000_000)]),
  ];
}

function appendInMemory(size: number, batch: number, leaves: number): Benchmark {
  const elements = makeElements(size, leaves);
  const contenders = [
    contender<Pmmr<Uint8Array>>({
      subject: "@x/pmmr",
      prepare: () => new Pmmr(new MemoryBackend({ codec: bytesCodec(size) })),
      run: (pmmr) => {
        for (const part of batches(elements, batch)) pmmr.pushMany(part);
      },
    }),
    contender<Hypercore>({
      subject: batch > 1_000 ? "hypercore 10, 1,000 at a time" : "hypercore 10",
      prepare: newHypercore,
      run: async (core) => {
        // Its cost per block grows with the blocks in one call: 100,000 at once take twenty times as long.
        for (const part of batches(elements, Math.min(batch, 1_000))) await core.append(part);
      },
      dispose: (core) => core.close(),
    }),
  ];
  if (batch === 1 && size < 64) {
    // It takes strings of at most 64 bytes or so, and has no append of many.
    const texts = elements.map((element) => `0x${toHexText(element)}`);
    contenders.push(
      contender<ReturnType<typeof newAccumulator>>({
        subject: "@accumulators",
        prepare: newAccumulator,
        run: async (mmr) => {
          for (const text of texts) await mmr.append(text);
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
  const elements = makeElements(size, leaves);
  const run =
    (sync: boolean) =>
    async ({ folder }: Opened): Promise<Counts> => {
      const before = folder.stats().files;
      for (const part of batches(elements, batch)) {
        folder.pmmr.pushMany(part);
        await folder.commit({ sync });
      }
      if (!sync) await folder.sync();
      return difference(folder, before);
    };
  const shape = { prepare: () => createFolder(size), dispose: closeAndRemove };
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

/** Root, get, proof and verification on a range of `leaves` leaves of 34 bytes. */
function reads(leaves: number): Benchmark[] {
  const elements = makeElements(34, leaves);
  const picks = Array.from({ length: 500 }, (_, i) => (i * 7_919) % leaves);
  const memory = once(() => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(34) }));
    pmmr.pushMany(elements);
    return pmmr;
  });
  const disk = once(async () => {
    const opened = await openCopy(await template(leaves, "spent=none"));
    process.once("exit", () => rmSync(opened.path, { recursive: true, force: true }));
    return opened.folder;
  });
  const core = once(async () => {
    const made = await newHypercore();
    for (const part of batches(elements, 1_000)) await made.append(part);
    return made;
  });
  const accumulator = once(async () => {
    const mmr = newAccumulator();
    const indexes: number[] = [];
    const texts = elements.map((element) => `0x${toHexText(element)}`);
    for (const text of texts) indexes.push((await mmr.append(text)).elementIndex);
    return { mmr, indexes, texts };
  });
  const small = leaves <= 2_000;
  const base = { operations: picks.length, rounds: 7 };
  const proveAll = (pmmr: Pmmr<Uint8Array>): MerkleProof[] =>
    picks.map((i) => pmmr.merkleProof(leafPosition(i)));
  return [
    {
      ...base,
      name: `pmmr/root/leaves=${leaves}`,
      operations: 50,
      unit: "root",
      contenders: [
        {
          subject: "@x/pmmr in memory",
          run: async () => repeat(50, await memory(), (pmmr) => pmmr.root()),
        },
        {
          subject: "@x/pmmr on disk",
          run: async () => repeat(50, (await disk()).pmmr, (pmmr) => pmmr.root()),
        },
        {
          subject: "hypercore 10",
          run: async () => {
            const made = await core();
            for (let i = 0; i < 50; i++) await made.treeHash();
          },
        },
      ],
    },
    {
      ...base,
      name: `pmmr/get/leaves=${leaves}`,
      unit: "element",
      contenders: [
        { subject: "@x/pmmr in memory", run: async () => getAll(await memory(), picks) },
        { subject: "@x/pmmr on disk", run: async () => getAll((await disk()).pmmr, picks) },
        {
          subject: "hypercore 10",
          run: async () => {
            const made = await core();
            for (const i of picks) await made.get(i);
          },
        },
      ],
    },
    {
      ...base,
      name: `pmmr/proof/leaves=${leaves}`,
      unit: "proof",
      contenders: [
        { subject: "@x/pmmr in memory", run: async () => void proveAll(await memory()) },
        { subject: "@x/pmmr on disk", run: async () => void proveAll((await disk()).pmmr) },
        ...(small
          ? [
              {
                subject: "@accumulators",
                run: async () => {
                  const { mmr, indexes } = await accumulator();
                  for (const i of picks) await mmr.getProof(indexes[i] ?? 1);
                },
              },
            ]
          : []),
      ],
    },
    {
      ...base,
      name: `pmmr/verify/leaves=${leaves}`,
      unit: "proof",
      contenders: [
        contender<{ pmmr: Pmmr<Uint8Array>; proofs: MerkleProof[] }>({
          subject: "@x/pmmr",
          prepare: async () => {
            const pmmr = await memory();
            return { pmmr, proofs: proveAll(pmmr) };
          },
          run: ({ pmmr, proofs }) => verifyAll(pmmr, picks, proofs, elements),
        }),
        ...(small
          ? [
              contender<{ proofs: unknown[] }>({
                subject: "@accumulators",
                prepare: async () => {
                  const { mmr, indexes } = await accumulator();
                  const proofs = [];
                  for (const i of picks) proofs.push(await mmr.getProof(indexes[i] ?? 1));
                  return { proofs };
                },
                run: async ({ proofs }) => {
                  const { mmr, texts } = await accumulator();
                  for (const [n, i] of picks.entries()) {
                    if (!(await mmr.verifyProof(proofs[n], texts[i] ?? "")))
                      throw new Error("not verified");
                  }
                },
              }),
            ]
          : []),
      ],
    },
  ];
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

interface Opened {
  readonly path: string;
  readonly folder: Folder;
}

function openFolder(path: string, size = 34): Promise<Folder> {
  return openPmmr(nodeFileSystem(path), { codec: bytesCodec(size), prunable: true });
}

async function createFolder(size: number): Promise<Opened> {
  const path = scratch();
  return { path, folder: await openFolder(path, size) };
}

async function openCopy(source: string): Promise<Opened> {
  const path = copyOf(source);
  return { path, folder: await openFolder(path) };
}

function copyOf(source: string): string {
  const path = scratch();
  cpSync(source, path, { recursive: true });
  return path;
}

/** On the disk the results go to: the system's temporary folder may be memory. */
function scratch(): string {
  mkdirSync(TEMPLATES, { recursive: true });
  return mkdtempSync(join(TEMPLATES, "run-"));
}

async function closeAndRemove({ path, folder }: Opened): Promise<void> {
  await folder.close();
  rmSync(path, { recursive: true, force: true });
}

/** A folder of `leaves` leaves of 34 bytes, made at most once. */
async function template(leaves: number, spent: "spent=none" | "spent=half"): Promise<string> {
  const path = join(TEMPLATES, `leaves=${leaves},${spent}`);
  if (existsSync(path) && statSync(path).isDirectory()) return path;
  const making = scratch();
  const folder = await openFolder(making);
  for (const part of batches(makeElements(34, leaves), 50_000)) {
    folder.pmmr.pushMany(part);
    await folder.commit({ sync: false });
  }
  if (spent === "spent=half") {
    for (let i = 0; i < leaves; i++) if (i % 8 >= 4) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
  }
  await folder.close();
  cpSync(making, path, { recursive: true });
  rmSync(making, { recursive: true, force: true });
  return path;
}

function getAll(pmmr: Pmmr<Uint8Array>, picks: readonly number[]): void {
  for (const i of picks)
    if (pmmr.element(leafPosition(i)) === undefined) throw new Error("no element");
}

function verifyAll(
  pmmr: Pmmr<Uint8Array>,
  picks: readonly number[],
  proofs: readonly MerkleProof[],
  elements: Elements,
): void {
  const { size } = pmmr;
  const root = pmmr.root();
  for (const [n, i] of picks.entries()) {
    const proof = proofs[n];
    const hashForm = elements[i];
    if (proof === undefined || hashForm === undefined) throw new Error("no proof");
    if (!verifyMerkleProof({ root, size, pos0: leafPosition(i), hashForm, proof })) {
      throw new Error("not verified");
    }
  }
}

function repeat<T>(count: number, value: T, work: (value: T) => unknown): void {
  for (let i = 0; i < count; i++) work(value);
}

function difference(folder: Folder, before: ReturnType<Folder["stats"]>["files"]): Counts {
  const after = folder.stats().files;
  return {
    reads: after.reads - before.reads,
    writes: after.writes - before.writes,
    syncs: after.syncs - before.syncs + after.folderSyncs - before.folderSyncs,
    bytesWritten: after.bytesWritten - before.bytesWritten,
  };
}

/** The same elements in every run: the index, then a fixed pattern. */
function makeElements(size: number, count: number): Elements {
  return Array.from({ length: count }, (_, index) => {
    const element = new Uint8Array(size).fill(index & 0xff);
    new DataView(element.buffer).setUint32(0, index);
    return element;
  });
}

function* batches(elements: Elements, batch: number): Generator<Elements, void, undefined> {
  for (let i = 0; i < elements.length; i += batch) yield elements.slice(i, i + batch);
}

function toHexText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Makes the value when first asked, and keeps it. */
function once<T>(make: () => T | Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= Promise.resolve(make()));
}
