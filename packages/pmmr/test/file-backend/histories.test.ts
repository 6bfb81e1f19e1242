import { MemoryFileSystem } from "@x/append-only-file";
import { compareBytes } from "@x/hash";
import { printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fastHashing } from "./support/fast-hashing.ts";
import { type Kind, step, type Step, Twin } from "./support/history.ts";
import { allFiles, formatFiles, readFile } from "./support/memory-folder.ts";
import type { NaiveStore } from "./support/naive-store.ts";

/** Everything that can be read of a range. */
function readAll(twin: Twin): Record<string, unknown> {
  const { pmmr } = twin.folder;
  const positions = Array.from({ length: pmmr.size + 2 }, (_, pos0) => pos0);
  return {
    size: pmmr.size,
    root: pmmr.root(),
    unspent: [...pmmr.unspentPositions()],
    unspentCount: pmmr.unspentCount(),
    half: pmmr.unspentCountTo(Math.floor(pmmr.leafCount / 2)),
    hashes: positions.map((pos0) => pmmr.hashAt(pos0)),
    records: positions.map((pos0) => pmmr.recordAt(pos0)),
    compacted: positions.map((pos0) => pmmr.isCompacted(pos0)),
  };
}

/** The same of the naive store. */
function readNaive(naive: NaiveStore, prunable: boolean): Record<string, unknown> {
  const positions = Array.from({ length: naive.size + 2 }, (_, pos0) => pos0);
  const isUnspent = (index: number): boolean => !prunable || naive.isUnspent(index);
  const leaves = Array.from({ length: naive.leafCount }, (_, index) => index);
  const unspent = leaves.filter((index) => isUnspent(index));
  const half = Math.floor(naive.leafCount / 2);
  const roots = new Set(naive.roots());
  return {
    size: naive.size,
    root: naive.root(),
    unspent: unspent.map((index) => naive.leafPosition(index)),
    unspentCount: unspent.length,
    half: unspent.filter((index) => index < half).length,
    hashes: positions.map((pos0) => naive.hash(pos0)),
    records: positions.map((pos0) => {
      const index = naive.leafAt(pos0);
      return index === undefined ? undefined : naive.record(index);
    }),
    compacted: positions.map(
      (pos0) => pos0 < naive.size && (roots.has(pos0) || naive.hash(pos0) === undefined),
    ),
  };
}

/** As `toEqual`, but cheap where nothing differs. */
function compare(found: unknown, expected: unknown): void {
  if (!isSame(found, expected)) expect(found).toEqual(expected);
}

function isSame(found: unknown, expected: unknown): boolean {
  if (Object.is(found, expected)) return true;
  if (found instanceof Uint8Array && expected instanceof Uint8Array) {
    return compareBytes(found, expected) === 0;
  }
  if (typeof found !== "object" || typeof expected !== "object") return false;
  const entries = Object.entries(found ?? {});
  const others = Object.values(expected ?? {});
  return entries.length === others.length && entries.every(([, one], i) => isSame(one, others[i]));
}

const counts = { histories: 0, steps: 0, applied: 0, checkpoints: 0 };

async function live(kind: Kind, steps: readonly Step[]): Promise<void> {
  const fs = new MemoryFileSystem();
  const twin = await Twin.open(fs, kind, { hashing: fastHashing });
  counts.histories++;
  for (const one of steps) {
    counts.steps++;
    if (!(await twin.apply(one))) continue;
    counts.applied++;
    expect(twin.folder.isDirty).toBe(twin.hasChanged);
    compare(readAll(twin), readNaive(twin.naive, kind.prunable));
    if (one.do !== "checkpoint" && one.do !== "compact") continue;
    counts.checkpoints++;
    expect(formatFiles(fs)).toEqual(twin.committed.files());
  }
  await twin.idle();
  expect(await twin.folder.verify({ all: true })).toMatchObject({ problems: [] });
  await twin.folder.close({ handOver: true });
  counts.checkpoints++;
  expect(formatFiles(fs)).toEqual(twin.committed.files());
  const rest = Object.keys(allFiles(fs)).filter((name) => !(name in twin.committed.files()));
  expect(rest.every((name) => /^pmmr_leaf\.bin\.00000000000[01]$/.test(name))).toBe(true);
}

const history = fc.array(step, { minLength: 4, maxLength: 32, size: "max" });

const kinds: readonly Kind[] = [
  { prunable: true, variable: false },
  { prunable: true, variable: true },
  { prunable: false, variable: false },
  { prunable: false, variable: true },
];

describe("a range in a folder", () => {
  for (const kind of kinds) {
    const size = kind.variable ? "variable" : "fixed";
    const title = `${kind.prunable ? "prunable" : "not prunable"}, ${size} size`;
    test(`is what a list of leaves and a set would be, after any history: ${title}`, async () => {
      await fc.assert(
        fc.asyncProperty(history, async (steps) => live(kind, steps)),
        { numRuns: scaled(kind.prunable ? 800 : 300) },
      );
      expect(counts.applied).toBeGreaterThan(0);
    }, 120_000);
  }

  test("was lived through as often as this says", () => {
    printCounts("histories of a range in a folder", counts);
    expect(counts.histories).toBeGreaterThanOrEqual(scaled(2200));
    expect(counts.applied).toBeGreaterThan(counts.steps / 2);
  });

  test("keeps the snapshots that were taken, byte for byte, until they are removed", async () => {
    const fs = new MemoryFileSystem();
    const twin = await Twin.open(fs, { prunable: true, variable: false });
    await twin.apply({ do: "push", count: 9, many: true });
    await twin.folder.writeSnapshot("0123456789ab");
    await twin.apply({ do: "commit", sync: true, wait: true });
    await twin.folder.checkpoint();
    const name = "pmmr_leaf.bin.0123456789ab";
    expect(readFile(fs, name)).toEqual(readFile(fs, "pmmr_leaf.bin"));
    expect(twin.folder.snapshots()).toEqual(["0123456789ab"]);
    await twin.apply({ do: "spend", leaves: [0, 3] });
    expect([...twin.folder.readSnapshot("0123456789ab")]).toEqual([0, 1, 3, 4, 7, 8, 10, 11, 15]);
    await twin.folder.removeSnapshot("0123456789ab");
    expect(twin.folder.snapshots()).toEqual([]);
    expect(fs.list()).not.toContain(name);
  });
});
