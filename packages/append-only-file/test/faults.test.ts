import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  Child,
  CommitLog,
  fromEnvironment,
  printCounts,
  Random,
  scaled,
  SimulatedDisk,
} from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import * as module from "../src/index.ts";
import { nodeFileSystem } from "../src/node/index.ts";
import {
  digestOf,
  type History,
  histories,
  INITIAL,
  Ledger,
  ledgerSubject,
  LIMITS,
} from "./support/ledger.ts";
import { eventually } from "./support/outcome.ts";
import { SmallGroup } from "./support/small-group.ts";

const MINUTES = 60_000;
const seed = fromEnvironment("FAULT_SEED", 2);

describe("calls that overlap", () => {
  test(
    "take effect in call order, and every read sees one state",
    { timeout: MINUTES },
    async () => {
      const runs = scaled(150);
      let commits = 0;
      await fc.assert(
        fc.asyncProperty(histories({ turnsMin: 5, turnsMax: 30 }), fc.nat(), async (history, n) => {
          const disk = new SimulatedDisk({ seed: n, syncTurnsMax: 5 });
          const log = new CommitLog(digestOf(INITIAL));
          const hurried: History = history.map((turn) =>
            turn.end.kind === "commit"
              ? { ...turn, end: { ...turn.end, wait: n % 7 === 0 } }
              : turn,
          );
          await new Ledger(module, disk, LIMITS, log).live(hurried, true);
          const { started, durable } = log.mark();
          expect(durable).toBe(started - 1);
          commits += started - 1;
        }),
        { numRuns: runs, seed },
      );
      printCounts("T-CONC", { histories: runs, commits });
    },
  );
});

describe("short reads and writes", () => {
  test("change nothing but the number of calls", { timeout: MINUTES }, async () => {
    const counts = { histories: scaled(100), reads: 0, writes: 0 };
    await fc.assert(
      fc.asyncProperty(histories({ turnsMin: 8, turnsMax: 20 }), fc.nat(), async (history, n) => {
        const disk = new SimulatedDisk({ seed: n, shortRate: 0.7 });
        const log = new CommitLog(digestOf(INITIAL));
        await new Ledger(module, disk, LIMITS, log).live(history, true);
        counts.reads += disk.stats.read;
        counts.writes += disk.stats.write;
      }),
      { numRuns: counts.histories, seed },
    );
    printCounts("T-SHORT", counts);
    expect(counts.writes).toBeGreaterThan(5000);
  });

  test("of nothing, twice in a row, are errors instead of endless loops", async () => {
    const disk = new SimulatedDisk();
    const group = await SmallGroup.open(disk);
    await group.append(1).commit();
    disk.shortAt(disk.operations, 0);
    await group.append(2).commit();
    disk.shortAt(disk.operations, 0, { persistent: true });
    expect((await eventually(() => group.append(3).commit())).code).toBe("AOF_IO");
    expect(group.group.state).toBe("open");
    disk.mend();
    disk.shortAt(disk.operations, 0);
    const read = async (): Promise<unknown> => group.group.files[0]?.read(0, 4);
    expect((await eventually(read)).code).toBe("AOF_TRUNCATED");
    expect(await read()).toEqual(new Uint8Array(4).fill(1));
  });
});

/** Lives through a history in which buffer number `failAt` cannot be had; returns how many were asked for. */
async function liveWithout(history: History, failAt: number): Promise<number> {
  const disk = new SimulatedDisk({ syncTurnsMax: 3 });
  const log = new CommitLog(digestOf(INITIAL));
  let buffers = 0;
  const allocate = (bytes: number): Uint8Array<ArrayBuffer> => {
    if (buffers++ === failAt) {
      throw Object.assign(new RangeError("no memory"), { code: "NO_MEMORY" });
    }
    return new Uint8Array(bytes);
  };
  const ledger = new Ledger(module, disk, { ...LIMITS, allocate }, log);
  const { code } = await eventually(() => ledger.live(history));
  expect([undefined, "NO_MEMORY", "AOF_POISONED"]).toContain(code);
  const { durable, acknowledged, digests } = log.mark();
  const random = new Random(failAt + 2);
  for (const mode of ["kill", "none", "subset"] as const) {
    const floor = mode === "kill" ? acknowledged : durable;
    const reopened = await ledgerSubject(module, []).reopen(disk.crash(mode, random));
    expect(digests.slice(floor)).toContain(reopened.digest);
    await reopened.check?.();
  }
  return buffers;
}

describe("running out of memory", () => {
  test("at any buffer is an error, and promises hold", { timeout: MINUTES }, async () => {
    const counts = { histories: 0, buffers: 0 };
    const mixture = histories({ turnsMin: 6, turnsMax: 8 });
    for (const history of fc.sample(mixture, { numRuns: scaled(15), seed })) {
      const buffers = await liveWithout(history, -1);
      for (let at = 0; at < buffers; at++) await liveWithout(history, at);
      counts.histories++;
      counts.buffers += buffers;
    }
    printCounts("T-OOM buffers", counts);
    expect(counts.buffers).toBeGreaterThan(100);
  });

  test("in a small process costs nothing that was durable", { timeout: MINUTES }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "aof-oom-"));
    try {
      const child = Child.start([
        "--max-old-space-size=64",
        fileURLToPath(new URL("support/oom-child.mjs", import.meta.url)),
        folder,
      ]);
      const { code, output } = await child.ended;
      expect(code).not.toBe(0);
      const acknowledged = output.split("\n").length - 1;
      expect(acknowledged).toBeGreaterThan(10);
      const file = await module.AppendOnlyFile.open(nodeFileSystem(folder), {
        name: "log",
        recordSize: 8,
      });
      expect(file.count).toBeGreaterThanOrEqual(acknowledged);
      const { bytes } = file.readMany(0, file.count);
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < file.count; i++) expect(view.getUint32(i * 8)).toBe(i);
      await file.close();
      printCounts("T-OOM process", { acknowledged, found: file.sequence });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
