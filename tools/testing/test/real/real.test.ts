import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  DiskFailure,
  killCampaign,
  mustKeepAfterLimit,
  powerCampaign,
  PowerDisk,
  type ProcessLimits,
  printSkip,
  ReportedHistory,
  runInjected,
  runLimited,
  type StoreOnDisk,
  straceCampaign,
  straceRefusal,
  TinyDisk,
} from "../../src/index.ts";
import { digestOf, EMPTY, openList } from "./toy-child.mjs";

const CHILD = fileURLToPath(new URL("toy-child.mjs", import.meta.url));

function toy(mistake = ""): StoreOnDisk {
  return {
    empty: EMPTY,
    child: (folder, seed, commitsMax) => [CHILD, folder, String(seed), String(commitsMax), mistake],
    reopen(folder) {
      const list = openList(folder);
      closeSync(list.file);
      return Promise.resolve(digestOf(list));
    },
  };
}

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "real-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("killed children", { timeout: 20_000 }, () => {
  const options = {
    title: "toy kill",
    seed: 1,
    cycles: 6,
    lifeMs: [20, 120] as const,
  };

  test("leave all that they acknowledged", async () => {
    const counts = await killCampaign(toy(), { ...options, folders: [folder] });
    expect(counts.cycles).toBe(6);
    expect(counts.commits).toBeGreaterThan(100);
  });

  test.each([
    ["acknowledges early", /promised at least/],
    ["fails by itself", /ended by itself/],
  ])("of a store that %s are caught", async (mistake, reason) => {
    const campaign = killCampaign(toy(mistake), { ...options, cycles: 40, folders: [folder] });
    await expect(campaign).rejects.toThrow(reason);
    await expect(campaign).rejects.toThrow(/KILL_SEED=1 cycle=\d+/);
  });

  test("of a store that cannot be opened are caught", async () => {
    const broken: StoreOnDisk = { ...toy(), reopen: () => Promise.reject(new Error("damaged")) };
    const campaign = killCampaign(broken, { ...options, folders: [folder] });
    await expect(campaign).rejects.toThrow(/recovery failed: Error: damaged/);
  });
});

describe("power cuts", { timeout: 30_000 }, () => {
  const options = {
    title: "toy power",
    seed: 1,
    cycles: 3,
    lifeMs: [10, 100] as const,
    fileSystem: "ext4" as const,
  };

  test("leave what was synced, and find a store that never syncs", async ({ skip }) => {
    const disk = PowerDisk.create("ext4");
    if (!(disk instanceof PowerDisk)) {
      printSkip("T-POWER of the toy store", disk.reason);
      return skip(disk.reason);
    }
    try {
      const counts = await powerCampaign(toy(), disk, options);
      expect(counts).toMatchObject({ cycles: 3 });
      expect(counts.durable).toBeGreaterThan(0);
      rmSync(join(disk.folder, "store"), { recursive: true });
      const mistaken = powerCampaign(toy("never syncs"), disk, { ...options, cycles: 10 });
      await expect(mistaken).rejects.toThrow(/promised at least .* \[POWER_SEED=1 ext4 cycle=\d\]/);
    } finally {
      disk.destroy();
    }
  });

  test("are not made where nothing can be mounted", () => {
    const path = process.env["PATH"];
    process.env["PATH"] = folder;
    try {
      expect(PowerDisk.create("ext4")).toEqual({
        reason: expect.stringMatching(/mkfs.ext4 failed/),
      });
    } finally {
      process.env["PATH"] = path;
    }
  });
});

const refusal = straceRefusal();
if (refusal !== undefined) printSkip("T-STRACE of the toy store", refusal);

describe.skipIf(refusal !== undefined)("tampered system calls", { timeout: 30_000 }, () => {
  const options = { title: "toy strace", seed: 1, cycles: 12, names: ["log"] };

  test("are reported by their cause or survived", async () => {
    const counts = await straceCampaign(toy(), { ...options, folder, injections: TOY_INJECTIONS });
    expect(counts.cycles).toBe(12);
    expect(counts.injected).toBeGreaterThan(6);
    expect(counts.killed).toBeGreaterThan(1);
    expect(counts.reported).toBeGreaterThan(3);
  });

  test("find a store that does not look at what a write returns", async () => {
    const injections = [{ call: "pwrite64", fault: "zero", whenMax: 30 }];
    const campaign = straceCampaign(toy("is deaf"), { ...options, folder, injections });
    await expect(campaign).rejects.toThrow(/\[STRACE_SEED=1 cycle=\d+ pwrite64 zero \d+\]/);
  });

  test("find a child that ends with an error of its own", async () => {
    const injections = [{ call: "pwrite64", fault: "EIO", whenMax: 30 }];
    const campaign = straceCampaign(toy("fails by itself"), { ...options, folder, injections });
    await expect(campaign).rejects.toThrow(/the child ended with 1/);
  });

  test("are counted", async () => {
    const program = "const fs = require('fs'); fs.fsyncSync(fs.openSync('.'))";
    const injection = { call: "fsync", fault: "EIO", when: 1 };
    expect(await runInjected(["-e", program], injection)).toMatchObject({ code: 1, injected: 1 });
    const never = await runInjected(["-e", program], { ...injection, when: 2 });
    expect(never).toMatchObject({ code: 0, injected: 0 });
  });
});

const TOY_INJECTIONS = [
  { call: "pwrite64", fault: "EIO", whenMax: 30 },
  { call: "pwrite64", fault: "zero", whenMax: 30 },
  { call: "pwrite64", fault: "kill", whenMax: 30 },
  { call: "fdatasync", fault: "EIO", whenMax: 15 },
  { call: "ftruncate", fault: "kill", whenMax: 1 },
  { call: "openat", fault: "EMFILE", whenMax: 1, shared: true },
];

function run(
  limits: ProcessLimits,
  where: string,
  { mistake = "", commitsMax = 2500 } = {},
): ReturnType<typeof runLimited> {
  return runLimited(toy(mistake), where, { seed: 1, commitsMax, limits, initial: EMPTY });
}

describe("limits", { timeout: 30_000 }, () => {
  test("on the size of a file are met and survived", async () => {
    const ended = await run({ fileKib: 1 }, folder);
    expect(ended.history.errors).toEqual([{ code: "EFBIG", cause: "EFBIG" }]);
    expect(await mustKeepAfterLimit(toy(), folder, ended, ["EFBIG"])).toMatch(/^512 /);
    await expect(mustKeepAfterLimit(toy(), folder, ended, ["ENOSPC"])).rejects.toThrow(DiskFailure);
  });

  test("on memory are kept, or the child dies and is caught", async () => {
    const ended = await run({ heapMib: 64 }, folder, { commitsMax: 300 });
    expect(ended.end.code).toBe(0);
    await mustKeepAfterLimit(toy(), folder, ended, []);
    const hoarded = await run({ heapMib: 64 }, folder, { mistake: "hoards" });
    await expect(mustKeepAfterLimit(toy(), folder, hoarded, [])).rejects.toThrow(/child ended/);
  });

  test("on space are met and survived", async ({ skip }) => {
    const disk = TinyDisk.create(4096);
    if (!(disk instanceof TinyDisk)) {
      printSkip("full disk of the toy store", disk.reason);
      return skip(disk.reason);
    }
    try {
      const ended = await run({}, join(disk.folder, "store"));
      expect(ended.history.errors).toEqual([{ code: "ENOSPC", cause: "ENOSPC" }]);
      disk.resize(2 ** 20);
      await mustKeepAfterLimit(toy(), join(disk.folder, "store"), ended, ["ENOSPC"]);
    } finally {
      disk.destroy();
    }
  });
});

describe("what a child reports", () => {
  test("counts line by line, an unfinished one not yet", () => {
    const history = new ReportedHistory("empty");
    history.read("opened em");
    expect(history.opened).toBeUndefined();
    history.read("pty\nstarted 1 a b\nacknowl");
    expect(history.opened).toBe("empty");
    expect(history.mark()).toMatchObject({
      started: 2,
      acknowledged: 0,
      digests: ["empty", "a b"],
    });
    history.read(
      "edged 1\nstarted 2 c\nstarted 3 d\ndurable 3\nwithdrawn 2\nfailed X EIO\nhello\n",
    );
    expect(history.mark()).toMatchObject({ started: 4, acknowledged: 3, durable: 3 });
    expect(history.mark().withdrawn).toEqual(new Set([2]));
    expect(history.commits).toBe(2);
    expect(history.errors).toEqual([{ code: "X", cause: "EIO" }]);
    expect(history.other).toEqual(["hello"]);
    expect(() => history.read("durable 9\n")).toThrow(/before it began/);
  });
});
