import { readFileSync } from "node:fs";
import { blake2b256, fromHex, toHex } from "@x/hash";
import { MemoryFileSystem } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { describe, expect, test } from "vitest";
import { bytesCodec, type ElementCodec } from "../../src/codec.ts";
import { openPmmr, type PmmrFolder } from "../../src/file-backend/index.ts";
import { leafCount, leafPosition } from "../../src/position.ts";
import { type StageRow, vectors } from "../vectors.ts";
import { allFiles, folderOf, formatFiles } from "./support/memory-folder.ts";
import type { Files } from "./support/naive-store.ts";

type Folder = PmmrFolder<Uint8Array, Uint8Array>;

function hexFiles(files: Files): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, toHex(bytes)]));
}

/** Big-endian words. */
function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value);
  return bytes;
}

function positionsIn(text: string): number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

/** Carries out one step of a life cycle as the vectors describe it in words; `next` numbers the elements. */
class LifeCycle {
  readonly #element: (number: number) => Uint8Array;
  #next: number;

  constructor(elementKind: string) {
    const isWide = elementKind.startsWith("four");
    this.#element = isWide
      ? (i) => words(Math.floor(i / 7), Math.floor(i / 5), Math.floor(i / 3), i)
      : (i) => words(i);
    this.#next = isWide ? 0 : 1;
  }

  get recordSize(): number {
    return this.#element(0).length;
  }

  async step(folder: Folder, step: string): Promise<void> {
    const { pmmr } = folder;
    const append = /^append (\d+) elements(?: starting at element number (\d+))?, sync$/.exec(step);
    const prune = /^prune pos0 ([\d,]+), sync$/.exec(step);
    const compact = /^check_compact cutoff (\d+) rewind_rm_pos \[([\d,]*)\]$/.exec(step);
    const rewind = /^rewind to (\d+) rewind_rm_pos \[([\d,]*)\], sync$/.exec(step);
    if (append !== null) {
      this.#next = append[2] === undefined ? this.#next : Number(append[2]);
      for (let i = 0; i < Number(append[1]); i++) pmmr.push(this.#element(this.#next++));
    } else if (prune !== null) {
      for (const pos0 of positionsIn(prune[1] ?? "")) pmmr.prune(pos0);
    } else if (compact !== null) {
      const restorable = positionsIn(compact[2] ?? "").map((pos1) => pos1 - 1);
      await folder.compact({ horizon: Number(compact[1]), restorable });
    } else if (rewind !== null) {
      const restored = positionsIn(rewind[2] ?? "").map((pos1) => pos1 - 1);
      pmmr.rewind(Number(rewind[1]), restored);
    } else {
      throw new Error(`unknown step: ${step}`);
    }
    await folder.commit();
  }
}

function expectStage(folder: Folder, fs: MemoryFileSystem, stage: StageRow): void {
  const { pmmr } = folder;
  expect({ step: stage.step, size: pmmr.size }).toEqual({ step: stage.step, size: stage.mmrSize });
  expect(toHex(pmmr.root())).toBe(stage.root);
  expect(folder.stats()).toMatchObject({
    hashCount: stage.hashCount,
    recordCount: stage.dataCount,
    prunedRootCount: stage.pruneRoots1.length,
  });
  expect([...pmmr.unspentPositions()]).toEqual(stage.leafPos0);
  const files = formatFiles(fs);
  expect(hexFiles(files)).toEqual(stage.files);
  expect(rootsIn(files)).toEqual(stage.pruneRoots1);
}

/** What the file of pruned roots holds; nothing where there is none. */
function rootsIn(files: Files): number[] {
  const bytes = files["pmmr_prun.bin"];
  return bytes === undefined ? [] : [...Bitmap.deserialize(bytes)];
}

describe("the life cycles of the original", () => {
  test("there are six of them", () => {
    expect(vectors.backends.map(({ name }) => name)).toEqual([
      "horizon",
      "rewind",
      "twice",
      "leaf_roots",
      "everything",
      "unspend",
    ]);
  });

  for (const cycle of vectors.backends) {
    test(`${cycle.name}: every file after every step, at each checkpoint`, async () => {
      const life = new LifeCycle(cycle.elementKind);
      const fs = new MemoryFileSystem();
      const { prunable } = cycle;
      const folder = await openPmmr(fs, { codec: bytesCodec(life.recordSize), prunable });
      for (const stage of cycle.stages) {
        await life.step(folder, stage.step);
        await folder.checkpoint();
        expectStage(folder, fs, stage);
        expect(await folder.verify({ all: true })).toMatchObject({ ok: true, problems: [] });
      }
      await folder.close();
    });

    test(`${cycle.name}: every file after every step, handed over and adopted again`, async () => {
      const life = new LifeCycle(cycle.elementKind);
      let fs = new MemoryFileSystem();
      const { prunable } = cycle;
      for (const stage of cycle.stages) {
        const folder = await openPmmr(fs, { codec: bytesCodec(life.recordSize), prunable });
        await life.step(folder, stage.step);
        await folder.close({ handOver: true });
        const { step, files } = stage;
        expect({ step, files: hexFiles(allFiles(fs)) }).toEqual({ step, files });
        fs = folderOf(allFiles(fs));
      }
    });
  }
});

/** Elements that are hashed and stored with their length in front. */
const prefixedCodec: ElementCodec<Uint8Array, Uint8Array> = {
  ...bytesCodec(),
  recordSizeAt: (bytes, offset) => {
    if (offset + 2 > bytes.length) return undefined;
    return 2 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(offset);
  },
};

type VariableSize = typeof vectors.variableSize & {
  readonly files: Readonly<Record<string, string>>;
  readonly filesPresent: readonly string[];
};

describe("records of variable size", () => {
  const { elements, root, files, filesPresent } = vectors.variableSize as VariableSize;

  test("make the files of the original, without a leaf set", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openPmmr(fs, { codec: prefixedCodec });
    folder.pmmr.pushMany(elements.map((hex) => fromHex(hex)));
    expect(toHex(folder.pmmr.root())).toBe(root);
    await folder.commit();
    await folder.close({ handOver: true });
    expect(hexFiles(allFiles(fs))).toEqual(files);
    expect(fs.list().toSorted()).toEqual(filesPresent);
  });

  test("are read back from the files of the original", async () => {
    const bytes = Object.fromEntries(
      Object.entries(files).map(([name, hex]) => [name, fromHex(hex)]),
    );
    const folder = await openPmmr(folderOf(bytes), { codec: prefixedCodec });
    expect(toHex(folder.pmmr.root())).toBe(root);
    const read = elements.map((_, i) => folder.pmmr.element(leafPosition(i)));
    expect(read.map((element) => toHex(element ?? new Uint8Array(0)))).toEqual(elements);
    await folder.close();
  });

  test("get their size file back from the data, on request", async () => {
    const bytes = Object.fromEntries(
      Object.entries(files).map(([name, hex]) => [name, fromHex(hex)]),
    );
    delete bytes["pmmr_size.bin"];
    const fs = folderOf(bytes);
    await expect(openPmmr(fs, { codec: prefixedCodec })).rejects.toMatchObject({
      code: "PMMR_DAMAGED",
      problems: [{ kind: "missing-file", file: "pmmr_size.bin" }, { kind: "size-entry" }],
    });
    const folder = await openPmmr(fs, { codec: prefixedCodec, repair: true });
    await folder.close({ handOver: true });
    expect(hexFiles(allFiles(fs))).toEqual(files);
  });
});

describe("subtrees that were pruned elsewhere", () => {
  test("are appended as one hash each, with the files of the original", async () => {
    const { operations, mmrSize, root, pruneRoots1, leafPos0, files } = vectors.prunedSubtrees;
    const fs = new MemoryFileSystem();
    const folder = await openPmmr(fs, { codec: bytesCodec(4), prunable: true });
    for (const { push, pushPrunedSubtree } of operations) {
      if (push !== undefined) folder.pmmr.push(fromHex(push));
      if (pushPrunedSubtree !== undefined) {
        folder.pmmr.pushPrunedSubtree(fromHex(pushPrunedSubtree.hash), pushPrunedSubtree.pos0);
      }
    }
    expect(folder.pmmr.size).toBe(mmrSize);
    expect(toHex(folder.pmmr.root())).toBe(root);
    expect([...folder.pmmr.unspentPositions()]).toEqual(leafPos0);
    expect(folder.stats().prunedRootCount).toBe(pruneRoots1.length);
    await folder.commit();
    await folder.close({ handOver: true });
    expect(hexFiles(allFiles(fs))).toEqual(files);
  });
});

async function withLeaves(count: number): Promise<Folder> {
  const codec = bytesCodec(4);
  const folder = await openPmmr(new MemoryFileSystem(), { codec, prunable: true });
  for (let i = 1; i <= count; i++) folder.pmmr.push(words(i));
  return folder;
}

describe("where the original goes wrong", () => {
  test("the vectors name seven cases", () => {
    expect(vectors.originalQuirks.length).toBe(7);
  });

  test("unspent leaves are counted by leaf index", async () => {
    const { pmmr } = await withLeaves(10);
    const { sensible } = vectors.originalQuirks[0] as { readonly sensible: readonly number[] };
    expect([5, 10].map((index) => pmmr.unspentCountTo(index))).toEqual(sensible);
  });

  test("pages of elements, last insertions and leaf indexes are as the original gives them", async () => {
    const { pmmr } = await withLeaves(10);
    const [, pages, last, indexes] = vectors.originalQuirks as readonly [
      unknown,
      {
        readonly rows: readonly {
          readonly from1: number;
          readonly max: number;
          readonly maxPos1: number | null;
          readonly next: number;
          readonly elements: readonly number[];
        }[];
      },
      { readonly elements: readonly number[] },
      { readonly values: readonly number[] },
    ];
    for (const { from1, max, maxPos1, elements } of pages.rows) {
      const page = pmmr.elementsFrom({
        from: Math.max(from1, 1) - 1,
        limit: max,
        ...(maxPos1 === null ? {} : { end: maxPos1 }),
      });
      expect(page.entries.map(({ element }) => element)).toEqual(elements.map((i) => words(i)));
    }
    expect(pmmr.lastInsertions(3).map(({ element }) => element)).toEqual(
      last.elements.map((i) => words(i)),
    );
    expect([...pmmr.unspentIndexes(3)]).toEqual(indexes.values);
  });

  test("a rewind of what was never committed takes effect", async () => {
    const folder = await withLeaves(5);
    folder.pmmr.rewind(4);
    await folder.commit();
    expect(folder.pmmr.size).toBe(4);
    expect(folder.stats()).toMatchObject({ hashCount: 4, recordCount: 3 });
    expect(folder.pmmr.unspentCount()).toBe(3);
  });

  test("a second rewind between two appends leaves the last one alone", async () => {
    const folder = await withLeaves(5);
    await folder.commit();
    folder.pmmr.rewind(4);
    folder.pmmr.push(words(100));
    folder.pmmr.rewind(4);
    folder.pmmr.push(words(200));
    await folder.commit();
    expect(folder.pmmr.size).toBe(7);
    expect(folder.stats()).toMatchObject({ hashCount: 7, recordCount: 4 });
    expect(folder.pmmr.element(leafPosition(3))).toEqual(words(200));
    expect((await folder.verify()).ok).toBe(true);
  });
});

interface DerivedStage {
  readonly step: string;
  readonly mmrSize: number;
  readonly root: string;
  readonly unspentLeaves: number;
  readonly hashCount: number;
  readonly dataCount: number;
  readonly pruneRoots: number;
  readonly totalShift: number;
  readonly totalLeafShift: number;
  readonly firstPruneRoots1: readonly number[];
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly blake2b256: string }>>;
}

const chain = new URL("../vectors/grin-chain/", import.meta.url);
const derived = JSON.parse(readFileSync(new URL("derived.json", chain), "utf8")) as {
  readonly results: readonly { readonly pmmr: string; readonly stages: readonly DerivedStage[] }[];
};

function chainFolder(name: string): MemoryFileSystem {
  const files: Files = {};
  for (const file of ["pmmr_hash.bin", "pmmr_data.bin", "pmmr_leaf.bin"]) {
    files[file] = new Uint8Array(readFileSync(new URL(`txhashset/${name}/${file}`, chain)));
  }
  return folderOf(files);
}

/** The leaves that the stages spend, in order, and those that a compaction has to keep. */
function spentIndexes(): number[] {
  const spent: number[] = [];
  for (let i = 0; i < 900; i++) if (i % 4 !== 3 || (256 <= i && i < 512)) spent.push(i);
  return spent;
}

describe("a real chain's ranges, spent, compacted and rewound", () => {
  const hasher = blake2b256();
  const kept = spentIndexes().filter((i) => 700 <= i && i < 720);
  const restorable = kept.map(leafPosition);
  const actions: ((folder: Folder) => Promise<void> | void)[] = [
    () => undefined,
    ({ pmmr }) => {
      for (const index of spentIndexes()) pmmr.prune(leafPosition(index));
    },
    (folder) => folder.compact({ horizon: leafPosition(800), restorable }),
    ({ pmmr }) => pmmr.rewind(leafPosition(850), restorable),
    (folder) => folder.compact({ horizon: leafPosition(850) }),
  ];

  for (const { pmmr: name, stages } of derived.results) {
    test(`${name}: sizes, roots, counts and files at every stage`, async () => {
      const fs = chainFolder(name);
      const codec = bytesCodec(name === "output" ? 34 : 683);
      const folder = await openPmmr(fs, { codec, prunable: true });
      expect(stages.length).toBe(actions.length);
      for (const [i, stage] of stages.entries()) {
        await actions[i]?.(folder);
        await folder.commit();
        await folder.checkpoint();
        const { step, root } = stage;
        expect({ step, root: toHex(folder.pmmr.root()) }).toEqual({ step, root });
        expect(folder.stats()).toMatchObject({
          size: stage.mmrSize,
          unspentCount: stage.unspentLeaves,
          hashCount: stage.hashCount,
          recordCount: stage.dataCount,
          prunedRootCount: stage.pruneRoots,
        });
        const onDisk = formatFiles(fs);
        expect(rootsIn(onDisk).slice(0, 12)).toEqual(stage.firstPruneRoots1);
        expect(stage.mmrSize - stage.hashCount).toBe(stage.totalShift);
        expect(leafCount(stage.mmrSize) - stage.dataCount).toBe(stage.totalLeafShift);
        const files = Object.entries(onDisk).map(([file, bytes]) => [
          file,
          { bytes: bytes.length, blake2b256: toHex(hasher.hash(bytes)) },
        ]);
        expect(Object.fromEntries(files)).toEqual(stage.files);
      }
      expect(await folder.verify()).toMatchObject({ ok: true });
      await folder.close();
    });
  }

  test("a folder from before there was a file of pruned roots gets one with the first commit", async () => {
    const fs = chainFolder("output");
    const folder = await openPmmr(fs, { codec: bytesCodec(34), prunable: true });
    await folder.checkpoint();
    expect(fs.list()).not.toContain("pmmr_prun.bin");
    folder.pmmr.prune(0);
    await folder.commit();
    await folder.close({ handOver: true });
    expect(toHex(formatFiles(fs)["pmmr_prun.bin"] ?? new Uint8Array(0))).toBe("3a30000000000000");
  });
});
