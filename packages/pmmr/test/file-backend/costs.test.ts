import { type GroupStats, MemoryFileSystem } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { printCounts, SimulatedDisk } from "@x/testing";
import { describe, expect, test } from "vitest";
import type { PmmrFolder } from "../../src/file-backend/index.ts";
import { leafPosition } from "../../src/position.ts";
import { fastHashing } from "./support/fast-hashing.ts";
import { element, fixedCodec, type Kind, openKind } from "./support/history.ts";
import { folderOf, readFile } from "./support/memory-folder.ts";

const OPTIONS = { hashing: fastHashing };
const FIXED: Kind = { prunable: true, variable: false };
const VARIABLE: Kind = { prunable: true, variable: true };
const PAGE = 4096;

type Folder = PmmrFolder<Uint8Array, Uint8Array>;

/** What one action costs the files. */
async function costOf(
  folder: Folder,
  action: () => unknown,
): Promise<Record<keyof GroupStats, number>> {
  const before = folder.stats().files;
  await action();
  const after = folder.stats().files;
  const keys = Object.keys(after) as (keyof GroupStats)[];
  return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as Record<
    keyof GroupStats,
    number
  >;
}

const NOTHING = { writes: 0, syncs: 0, folderSyncs: 0, renames: 0, truncates: 0, opens: 0 };

async function warm(kind: Kind): Promise<Folder> {
  const folder = await openKind(new MemoryFileSystem(), kind, OPTIONS);
  for (let i = 0; i < 100; i++) folder.pmmr.push(element(i, kind));
  await folder.commit();
  return folder;
}

describe("the cost of a commit", () => {
  test("is one sync and one write per changed file and journal, however much it holds", async () => {
    for (const [kind, files] of [
      [FIXED, 2],
      [VARIABLE, 3],
    ] as const) {
      const folder = await warm(kind);
      for (const count of [1, 2, 50, 500]) {
        const many = Array.from({ length: count }, (_, i) => element(i, kind));
        folder.pmmr.pushMany(many);
        folder.pmmr.prune(leafPosition(count % 90));
        const cost = await costOf(folder, () => folder.commit());
        expect(cost).toMatchObject({ ...NOTHING, writes: files + 1, syncs: 1, commits: 1 });
      }
    }
  });

  test("without sync is the same without the sync, and a later sync covers all", async () => {
    const folder = await warm(FIXED);
    for (let i = 0; i < 10; i++) {
      folder.pmmr.push(element(i, FIXED));
      const cost = await costOf(folder, () => folder.commit({ sync: false }));
      expect(cost).toMatchObject({ ...NOTHING, writes: 3, commits: 1 });
    }
    expect(folder.durableSequence).toBeLessThan(folder.sequence);
    expect(await costOf(folder, () => folder.sync())).toMatchObject({ ...NOTHING, syncs: 1 });
    expect(folder.durableSequence).toBe(folder.sequence);
    expect(await costOf(folder, () => folder.sync())).toMatchObject(NOTHING);
  });

  test("of spends alone is one small write and one sync", async () => {
    const folder = await warm(FIXED);
    folder.pmmr.prune(0);
    const cost = await costOf(folder, () => folder.commit());
    expect(cost).toMatchObject({ ...NOTHING, writes: 1, syncs: 1 });
    expect(cost.bytesWritten).toBeLessThan(256);
  });

  test("of a rewind is its record, synced, and then the cuts", async () => {
    const folder = await warm(FIXED);
    folder.pmmr.rewind(leafPosition(50));
    const cost = await costOf(folder, () => folder.commit({ sync: false }));
    expect(cost).toMatchObject({ ...NOTHING, writes: 1, syncs: 1, truncates: 2 });
  });

  test("of nothing is nothing", async () => {
    const folder = await warm(FIXED);
    expect(await costOf(folder, () => folder.commit())).toMatchObject({ ...NOTHING, commits: 0 });
  });

  test("is shared by commits that wait together", async () => {
    const folder = await openKind(new SimulatedDisk({ syncTurnsMax: 3 }), FIXED, OPTIONS);
    folder.pmmr.push(element(0, FIXED));
    await folder.commit();
    const cost = await costOf(folder, async () => {
      const commits = Array.from({ length: 20 }, (_, i) => {
        folder.pmmr.push(element(i, FIXED));
        return folder.commit();
      });
      await Promise.all(commits);
    });
    expect(cost).toMatchObject({ commits: 20, writes: 60 });
    expect(cost.syncs).toBeLessThan(4);
    await folder.close();
  });
});

describe("the cost of reading", () => {
  test("is none for the file system once pages are in memory", async () => {
    const folder = await warm(FIXED);
    await folder.checkpoint();
    const { pmmr } = folder;
    pmmr.root();
    const cost = await costOf(folder, () => {
      for (let i = 0; i < 100; i++) pmmr.element(leafPosition(i));
      for (let i = 0; i < 100; i++) pmmr.merkleProof(leafPosition(i));
    });
    // 199 hashes are two pages, 100 records of 5 bytes one.
    expect(cost.reads).toBeLessThanOrEqual(3);
  });
});

const LEAVES = 1_000_000;

/** A folder of a million leaves, half of them spent; its hashes are noise, which nothing here looks at. */
function largeFolder(spent: (index: number) => boolean): MemoryFileSystem {
  const size = leafPosition(LEAVES);
  const unspent: number[] = [];
  for (let i = 0; i < LEAVES; i++) if (!spent(i)) unspent.push(leafPosition(i) + 1);
  const hashes = new Uint8Array(32 * size);
  for (let at = 0; at < hashes.length; at += 32) hashes[at] = at / 32;
  return folderOf({
    "pmmr_hash.bin": hashes,
    "pmmr_data.bin": new Uint8Array(5 * LEAVES),
    "pmmr_leaf.bin": Bitmap.from(unspent).serialize(),
    "pmmr_prun.bin": new Bitmap().serialize(),
  });
}

describe("a million leaves", () => {
  test("open with reads of the bitmaps and of the last page of each tree, and compact in one linear pass", async () => {
    const fs = largeFolder((index) => index % 4 < 2);
    const adopted = await openKind(fs, FIXED, OPTIONS);
    const begin = performance.now();
    const before = process.memoryUsage().rss;
    const cost = await costOf(adopted, () => adopted.compact());
    const ms = Math.round(performance.now() - begin);
    const kept = adopted.stats().hashSize + adopted.stats().dataSize;
    const bitmaps = readFile(fs, "pmmr_leaf.bin").length + readFile(fs, "pmmr_prun.bin").length;
    expect(adopted.stats()).toMatchObject({
      hashCount: leafPosition(LEAVES) - 500_000,
      recordCount: 500_000,
      prunedRootCount: 250_000,
    });
    // Written once: what stays, the bitmaps, the journal's head.
    expect(cost.bytesWritten).toBeGreaterThanOrEqual(kept);
    expect(cost.bytesWritten).toBeLessThan(kept + bitmaps + 8 * PAGE);
    expect(cost.bytesRead).toBeLessThanOrEqual(32 * leafPosition(LEAVES) + 5 * LEAVES);
    await adopted.close();

    const folder = await openKind(fs, FIXED, OPTIONS);
    const { bytesRead, reads } = folder.stats().files;
    const peakCount = folder.pmmr.stats().peakCount;
    expect(bytesRead).toBeLessThanOrEqual(bitmaps + PAGE * peakCount + 2 * PAGE);
    expect(reads).toBeLessThan(2 * peakCount + 16);
    printCounts("a million leaves, half spent", {
      "compaction ms": ms,
      "grown MiB": Math.round((process.memoryUsage().rss - before) / 2 ** 20),
      "bytes written": cost.bytesWritten,
      "bytes read at opening": bytesRead,
      "of them bitmaps": bitmaps,
      "reads at opening": reads,
    });
    folder.pmmr.push(element(1, FIXED));
    const commit = await costOf(folder, () => folder.commit({ sync: false }));
    expect(commit.bytesWritten).toBeLessThan(2048);
    await folder.close();
  }, 120_000);
});

describe("memory", () => {
  test("of what a folder keeps does not grow with the number of commits", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openKind(fs, FIXED, { ...OPTIONS, journalRecordsMax: 50 });
    for (let i = 0; i < 2000; i++) {
      folder.pmmr.push(element(i, FIXED));
      if (i % 2 === 1) folder.pmmr.rewind(leafPosition(folder.pmmr.leafCount - 1));
      await folder.commit({ sync: false });
    }
    const { files } = folder.stats();
    expect(files.journalRecords).toBeLessThanOrEqual(51);
    expect(files.checkpoints).toBeGreaterThan(30);
    expect(folder.pmmr.leafCount).toBe(1000);
    expect(folder.pmmr.codec).toBe(fixedCodec);
    await folder.close();
  });
});
