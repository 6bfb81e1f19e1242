import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  Child,
  fromEnvironment,
  killCampaign,
  powerCampaign,
  PowerDisk,
  type PowerFileSystem,
  printCounts,
  printSkip,
  scaled,
  sleep,
  type StoreOnDisk,
  straceCampaign,
  straceRefusal,
} from "@x/testing";
import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOfFolder, EMPTY } from "./store-kit.mjs";

const HOURS = 3_600_000;
const CHILD = fileURLToPath(new URL("store-child.mjs", import.meta.url));

function store(manner: string): StoreOnDisk {
  return {
    empty: EMPTY,
    child: (folder, seed, commitsMax) => [CHILD, folder, String(seed), String(commitsMax), manner],
    reopen: digestOfFolder,
  };
}

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "store-level-real-"));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

describe.each(["synced", "mixed", "unsynced"])("a killed writer of %s batches", (manner) => {
  test("leaves everything it acknowledged", { timeout: HOURS }, async () => {
    const counts = await killCampaign(store(manner), {
      title: `T-KILL store-level ${manner}`,
      folders: ["one", "two"].map((name) => join(home, name)),
      cycles: scaled(6),
      seed: fromEnvironment("KILL_SEED", 1),
    });
    expect(counts.commits).toBeGreaterThan(10 * counts.cycles);
  });
});

describe.each<PowerFileSystem>(["ext4", "xfs"])("a power cut on %s", (fileSystem) => {
  /** Runs with a disk that can lose power, where there can be one. */
  async function withDisk(run: (disk: PowerDisk) => Promise<void>): Promise<string | undefined> {
    const disk = PowerDisk.create(fileSystem);
    if (!(disk instanceof PowerDisk)) {
      printSkip(`T-POWER store-level on ${fileSystem}`, disk.reason);
      return disk.reason;
    }
    try {
      await run(disk);
      return undefined;
    } finally {
      disk.destroy();
    }
  }

  const seed = fromEnvironment("POWER_SEED", 1);

  test.for(["synced", "mixed", "unsynced"])(
    "leaves what was promised durable, and of the rest a beginning: %s batches",
    { timeout: HOURS },
    async (manner, { skip }) => {
      const reason = await withDisk(async (disk) => {
        const counts = await powerCampaign(store(manner), disk, {
          title: `T-POWER store-level ${manner}`,
          fileSystem,
          cycles: scaled(4),
          seed,
        });
        expect(counts.commits).toBeGreaterThan(5 * counts.cycles);
      });
      if (reason !== undefined) skip(reason);
    },
  );

  test("is seen where nothing is synced", { timeout: HOURS }, async ({ skip }) => {
    const reason = await withDisk(async (disk) => {
      const pretending = powerCampaign(store("pretends to sync"), disk, {
        title: "T-POWER store-level that pretends",
        fileSystem,
        cycles: 20,
        seed,
      });
      await expect(pretending).rejects.toThrow(/promised at least|recovery failed|a child found/);
    });
    if (reason !== undefined) skip(reason);
  });
});

/** Makes databases, cuts the power under each, and gives what opening what is left fails with; nothing: it opened. */
async function cutYoung(
  disk: PowerDisk,
  count: number,
  args: (folder: string) => readonly string[],
  openAgain: (folder: string) => Promise<unknown>,
): Promise<string[]> {
  const failures: string[] = [];
  for (let i = 0; i < count; i++) {
    const folder = join(disk.folder, `young-${i}`);
    const said: string[] = [];
    const child = Child.start(args(folder), { onOutput: (text) => said.push(text) });
    for (let waited = 0; said.length === 0 && waited < 20_000; waited += 5) await sleep(5);
    await sleep(20 + 10 * (i % 8));
    disk.cut();
    await child.kill();
    disk.restart();
    await openAgain(folder).catch((error: unknown) => failures.push(String(error)));
    rmSync(folder, { recursive: true, force: true });
  }
  return failures;
}

describe("a power cut on ext4 soon after a database was made", () => {
  const RAW = fileURLToPath(new URL("raw-child.mjs", import.meta.url));

  test(
    "leaves LevelDB's unopenable, and a store that opens",
    { timeout: HOURS },
    async ({ skip }) => {
      const disk = PowerDisk.create("ext4");
      if (!(disk instanceof PowerDisk)) {
        printSkip("T-POWER of young databases", disk.reason);
        return skip(disk.reason);
      }
      try {
        const count = scaled(3);
        const raw = await cutYoung(
          disk,
          count,
          (folder) => [RAW, folder],
          async (folder) => {
            const database = new ClassicLevel(folder);
            await database.open();
            await database.close();
          },
        );
        const unsynced = store("unsynced");
        const ours = await cutYoung(
          disk,
          count,
          (folder) => unsynced.child(folder, 1, Number.MAX_SAFE_INTEGER),
          (folder) => digestOfFolder(folder, true),
        );
        printCounts("T-POWER of young databases", {
          cycles: count,
          "LevelDB unopenable": raw.length,
          "store unopenable": ours.length,
        });
        expect(ours).toEqual([]);
        expect(raw.length).toBeGreaterThan(0);
      } finally {
        disk.destroy();
      }
    },
  );
});

const refusal = straceRefusal();
if (refusal !== undefined) printSkip("T-STRACE store-level", refusal);

describe.skipIf(refusal !== undefined)("a system call that fails or kills", () => {
  test("is reported by its cause or survived", { timeout: HOURS }, async () => {
    const files = Array.from({ length: 400 }, (_, i) => String(i + 1).padStart(6, "0"));
    const counts = await straceCampaign(store("mixed"), {
      title: "T-STRACE store-level",
      folder: join(home, "store"),
      names: ["CURRENT", ...files.flatMap((name) => [`${name}.log`, `${name}.ldb`])],
      seed: fromEnvironment("STRACE_SEED", 1),
      cycles: scaled(10),
      commitsMax: 60,
      injections: [
        { call: "write", fault: "ENOSPC", whenMax: 60, shared: true },
        { call: "write", fault: "EIO", whenMax: 60, shared: true },
        { call: "write", fault: "kill", whenMax: 60, shared: true },
        { call: "fdatasync", fault: "EIO", whenMax: 15 },
        { call: "fdatasync", fault: "kill", whenMax: 15 },
        { call: "fsync", fault: "EIO", whenMax: 10 },
        { call: "?rename,?renameat,?renameat2", fault: "EIO", whenMax: 3 },
        { call: "?rename,?renameat,?renameat2", fault: "kill", whenMax: 3 },
      ],
    });
    expect(counts.injected).toBeGreaterThan(counts.cycles / 4);
    expect(counts.reported).toBeGreaterThan(0);
  });
});
