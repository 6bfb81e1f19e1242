import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  fromEnvironment,
  killCampaign,
  mustKeepAfterLimit,
  powerCampaign,
  PowerDisk,
  type PowerFileSystem,
  printSkip,
  type ProcessLimits,
  runLimited,
  scaled,
  type StoreOnDisk,
  straceCampaign,
  straceRefusal,
  TinyDisk,
} from "@x/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOfFolder, EMPTY, NAMES } from "./group-kit.mjs";

const HOURS = 3_600_000;
const CHILD = fileURLToPath(new URL("group-child.mjs", import.meta.url));

function group(manner = ""): StoreOnDisk {
  return {
    empty: EMPTY,
    child: (folder, seed, commitsMax) => [CHILD, folder, String(seed), String(commitsMax), manner],
    reopen: digestOfFolder,
  };
}

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "aof-real-"));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

test("a killed writer leaves everything it acknowledged", { timeout: HOURS }, async () => {
  const folders = ["one", "two"].map((name) => join(home, name));
  for (const folder of folders) mkdirSync(folder);
  const counts = await killCampaign(group(), {
    title: "T-KILL append-only-file",
    folders,
    cycles: scaled(60),
    seed: fromEnvironment("KILL_SEED", 1),
  });
  expect(counts.commits).toBeGreaterThan(10 * counts.cycles);
});

describe.each<PowerFileSystem>(["ext4", "xfs"])("a power cut on %s", (fileSystem) => {
  test(
    "leaves everything promised durable, and is seen where nothing is synced",
    {
      timeout: HOURS,
    },
    async ({ skip }) => {
      const disk = PowerDisk.create(fileSystem);
      if (!(disk instanceof PowerDisk)) {
        printSkip(`T-POWER append-only-file on ${fileSystem}`, disk.reason);
        return skip(disk.reason);
      }
      const seed = fromEnvironment("POWER_SEED", 1);
      try {
        const counts = await powerCampaign(group(), disk, {
          title: "T-POWER append-only-file",
          fileSystem,
          cycles: scaled(10),
          seed,
        });
        expect(counts.durable).toBeGreaterThan(5 * counts.cycles);
        rmSync(join(disk.folder, "store"), { recursive: true });
        const unsynced = powerCampaign(group("never syncs"), disk, {
          title: "T-POWER append-only-file without syncs",
          fileSystem,
          cycles: 20,
          seed,
        });
        await expect(unsynced).rejects.toThrow(/promised at least|recovery failed|a child found/);
      } finally {
        disk.destroy();
      }
    },
  );
});

const refusal = straceRefusal();
if (refusal !== undefined) printSkip("T-STRACE append-only-file", refusal);

describe.skipIf(refusal !== undefined)("a system call that fails, does nothing or kills", () => {
  const options = {
    title: "T-STRACE append-only-file",
    names: [...NAMES, "kit_journal.tmp", "kit_lock"],
    seed: fromEnvironment("STRACE_SEED", 1),
  };

  test("is reported by its cause or survived", { timeout: HOURS }, async () => {
    const counts = await straceCampaign(group(), { ...options, folder: home, cycles: scaled(20) });
    expect(counts.injected).toBeGreaterThan(counts.cycles / 2);
    expect(counts.reported).toBeGreaterThan(0);
    expect(counts.killed).toBeGreaterThan(0);
  });

  test("is seen where errors are not looked at", { timeout: HOURS }, async () => {
    const injections = [{ call: "pwrite64", fault: "EIO", whenMax: 60 }];
    const deaf = straceCampaign(group("is deaf"), {
      ...options,
      folder: home,
      cycles: 20,
      injections,
    });
    await expect(deaf).rejects.toThrow(/STRACE_SEED=\d+ cycle=\d+ pwrite64 EIO \d+/);
  });
});

function run(
  limits: ProcessLimits,
  folder: string,
  { manner = "", commitsMax = 2000, seed = 1 } = {},
): ReturnType<typeof runLimited> {
  return runLimited(group(manner), folder, { seed, commitsMax, limits, initial: EMPTY });
}

describe("a writer that meets a limit", () => {
  test(
    "of the disk's size reports it, and goes on when there is space",
    { timeout: HOURS },
    async ({ skip }) => {
      const disk = TinyDisk.create(65_536);
      if (!(disk instanceof TinyDisk)) {
        printSkip("full disk append-only-file", disk.reason);
        return skip(disk.reason);
      }
      try {
        const folder = join(disk.folder, "store");
        const ended = await run({}, folder, { manner: "only grows" });
        expect(ended.history.errors[0]?.cause).toBe("ENOSPC");
        disk.resize(2 ** 22);
        await mustKeepAfterLimit(group(), folder, ended, ["AOF_NO_SPACE"]);
      } finally {
        disk.destroy();
      }
    },
  );

  test("of a file's size reports it", { timeout: HOURS }, async () => {
    const ended = await run({ fileKib: 5 }, home);
    expect(ended.history.errors[0]?.cause).toBe("EFBIG");
    await mustKeepAfterLimit(group(), home, ended, ["AOF_NO_SPACE"]);
  });

  test("of open files reports it", { timeout: HOURS }, async () => {
    const ended = await run({ descriptors: 64 }, home, { manner: "exhausts descriptors" });
    expect(ended.history.errors[0]?.cause).toBe("EMFILE");
    await mustKeepAfterLimit(group(), home, ended, ["AOF_IO"]);
  });

  test("of memory stays below it", { timeout: HOURS }, async () => {
    const ended = await run({ heapMib: 64 }, home, { commitsMax: 1500 });
    expect(ended.history.commits).toBeGreaterThan(1499);
    await mustKeepAfterLimit(group(), home, ended, []);
  });
});
