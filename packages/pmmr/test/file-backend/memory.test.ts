import { MemoryFileSystem } from "@x/append-only-file";
import { printCounts } from "@x/testing";
import { describe, expect, test } from "vitest";
import { fastHashing } from "./support/fast-hashing.ts";
import { element, type Kind, openKind } from "./support/history.ts";
import { codeOf, formatFiles } from "./support/memory-folder.ts";
import { NaiveStore } from "./support/naive-store.ts";

const KIND: Kind = { prunable: true, variable: true };

class OutOfMemory extends Error {
  readonly code = "OUT_OF_MEMORY";
}

/** Gives buffers until the fuse has burnt down, then fails once. */
class Memory {
  calls = 0;
  fuse = Number.POSITIVE_INFINITY;

  readonly allocate = (bytes: number): Uint8Array<ArrayBuffer> => {
    this.calls++;
    if (this.fuse-- === 0) throw new OutOfMemory("no memory");
    return new Uint8Array(bytes);
  };
}

/** Opens, writes two commits, compacts and closes; says how many leaves the commits that succeeded left. */
async function live(fs: MemoryFileSystem, memory: Memory): Promise<void> {
  const folder = await openKind(fs, KIND, {
    hashing: fastHashing,
    allocate: memory.allocate,
    cachePagesMax: 2,
  });
  try {
    for (let i = 0; i < 6; i++) folder.pmmr.push(element(i, KIND));
    await folder.commit();
    for (let i = 6; i < 12; i++) folder.pmmr.push(element(i, KIND));
    folder.pmmr.prune(0);
    folder.pmmr.prune(1);
    await folder.commit();
    folder.pmmr.element(7);
    await folder.compact();
  } finally {
    await folder.close();
  }
}

function stateAfter(commits: number): NaiveStore {
  const naive = new NaiveStore(KIND, fastHashing);
  for (let i = 0; i < 6 * Math.min(2, commits); i++) naive.push(element(i, KIND));
  if (commits < 2) return naive;
  naive.spend(0);
  naive.spend(1);
  if (commits === 3) naive.compact(naive.size);
  return naive;
}

describe("running out of memory at any allocation", () => {
  test("is an error, and the folder is at one of its states afterwards", async () => {
    const counting = new Memory();
    await live(new MemoryFileSystem(), counting);
    const found = new Set<number>();
    let failed = 0;
    for (let at = 0; at < counting.calls; at++) {
      const fs = new MemoryFileSystem();
      const memory = new Memory();
      memory.fuse = at;
      const code = await codeOf(() => live(fs, memory));
      expect(code).toMatch(/^(?:OUT_OF_MEMORY|AOF_\w+|PMMR_\w+|none)$/);
      if (code !== "none") failed++;
      const folder = await openKind(fs, KIND, { hashing: fastHashing });
      await folder.close();
      const state = [0, 1, 2, 3].find((n) => JSON.stringify(stateAfter(n).files()) === sorted(fs));
      expect({ at, state }).toMatchObject({ state: expect.any(Number) as number });
      found.add(state ?? -1);
    }
    printCounts("T-OOM pmmr/file", { allocations: counting.calls, failed });
    expect(failed).toBeGreaterThan(10);
    expect([...found].toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  }, 60_000);
});

/** The files in the order in which the naive store lists them. */
function sorted(fs: MemoryFileSystem): string {
  const files = formatFiles(fs);
  const names = Object.keys(stateAfter(0).files());
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, files[name]])));
}
