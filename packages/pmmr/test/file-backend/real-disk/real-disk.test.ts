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
  runLimited,
  scaled,
  type StoreOnDisk,
  straceCampaign,
  straceRefusal,
  TinyDisk,
} from "@x/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOfFolder, EMPTY, NAMES } from "./folder-kit.mjs";

const HOURS = 3_600_000;
const CHILD = fileURLToPath(new URL("folder-child.mjs", import.meta.url));

const store: StoreOnDisk = {
  empty: EMPTY,
  child: (folder, seed, commitsMax) => [CHILD, folder, String(seed), String(commitsMax)],
  reopen: digestOfFolder,
};

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "pmmr-real-"));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

test("a killed writer leaves everything it acknowledged", { timeout: HOURS }, async () => {
  const folders = ["one", "two"].map((name) => join(home, name));
  for (const folder of folders) mkdirSync(folder);
  const counts = await killCampaign(store, {
    title: "T-KILL pmmr/file",
    folders,
    cycles: scaled(60),
    seed: fromEnvironment("KILL_SEED", 1),
  });
  expect(counts.commits).toBeGreaterThan(5 * counts.cycles);
});

describe.each<PowerFileSystem>(["ext4", "xfs"])("a power cut on %s", (fileSystem) => {
  test("leaves everything promised durable", { timeout: HOURS }, async ({ skip }) => {
    const disk = PowerDisk.create(fileSystem);
    if (!(disk instanceof PowerDisk)) {
      printSkip(`T-POWER pmmr/file on ${fileSystem}`, disk.reason);
      return skip(disk.reason);
    }
    try {
      const counts = await powerCampaign(store, disk, {
        title: "T-POWER pmmr/file",
        fileSystem,
        cycles: scaled(10),
        seed: fromEnvironment("POWER_SEED", 1),
      });
      expect(counts.durable).toBeGreaterThan(counts.cycles);
    } finally {
      disk.destroy();
    }
  });
});

const refusal = straceRefusal();
if (refusal !== undefined) printSkip("T-STRACE pmmr/file", refusal);

describe.skipIf(refusal !== undefined)("a system call that fails, does nothing or kills", () => {
  test("is reported by its cause or survived", { timeout: HOURS }, async () => {
    const counts = await straceCampaign(store, {
      title: "T-STRACE pmmr/file",
      names: [...NAMES, "pmmr_journal.tmp", "pmmr_lock"],
      seed: fromEnvironment("STRACE_SEED", 1),
      folder: home,
      cycles: scaled(20),
    });
    expect(counts.injected).toBeGreaterThan(counts.cycles / 2);
  });
});

describe("a writer that meets a limit", () => {
  test(
    "of the disk's size reports it, and goes on when there is space",
    { timeout: HOURS },
    async ({ skip }) => {
      const disk = TinyDisk.create(65_536);
      if (!(disk instanceof TinyDisk)) {
        printSkip("full disk pmmr/file", disk.reason);
        return skip(disk.reason);
      }
      try {
        const folder = join(disk.folder, "store");
        const run = { seed: 1, commitsMax: 2000, limits: {}, initial: EMPTY };
        const ended = await runLimited(store, folder, run);
        expect(ended.history.errors[0]?.cause).toBe("ENOSPC");
        disk.resize(2 ** 22);
        await mustKeepAfterLimit(store, folder, ended, ["AOF_NO_SPACE"]);
      } finally {
        disk.destroy();
      }
    },
  );

  test("of memory stays below it", { timeout: HOURS }, async () => {
    const run = { seed: 1, commitsMax: 400, limits: { heapMib: 64 }, initial: EMPTY };
    const ended = await runLimited(store, home, run);
    expect(ended.history.commits).toBeGreaterThan(399);
    await mustKeepAfterLimit(store, home, ended, []);
  });
});
