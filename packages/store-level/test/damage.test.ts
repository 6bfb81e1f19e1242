import { readFileSync, truncateSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { fromEnvironment, printCounts, scaled } from "@x/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { open, verify } from "../src/index.ts";
import { counted, DamagedCopies, flipBit } from "./support/damaged.ts";

const SEED = fromEnvironment("DAMAGE_SEED", 1);
const COUNT = scaled(40);
const MINUTES = 600_000;

let inLog: DamagedCopies;
let inTable: DamagedCopies;

beforeAll(async () => {
  inLog = await DamagedCopies.make("log", SEED);
  inTable = await DamagedCopies.make("table", SEED);
});

afterAll(() => {
  inLog.destroy();
  inTable.destroy();
});

describe("a flipped bit in LevelDB's log", () => {
  test(
    "loses batches without a word in LevelDB, and never here",
    { timeout: MINUTES },
    async () => {
      const folders = inLog.damage(COUNT, /\.log$/, flipBit);
      const reports = await Promise.all(folders.map((folder) => verify(folder)));
      const ours = counted(await inLog.read("store", folders));
      const raw = counted(await inLog.read("raw", folders));
      printCounts("damage: a bit of the log, LevelDB alone", raw);
      printCounts("damage: a bit of the log, store", ours);
      expect(raw["missing"] ?? 0).toBeGreaterThan(COUNT * 0.9);
      expect(ours).toEqual({ STORE_LOST_WRITES: COUNT });
      for (const { findings } of reports) expect(findings[0]?.file).toMatch(/^\d+\.log$/);
    },
  );

  test("is found in what LevelDB says as well, where the log was not read before", async () => {
    const folders = inLog.damage(scaled(20), /\.log$/, flipBit);
    for (const folder of folders)
      for (let i = 0; i < 4; i++)
        await expect(open(folder, { paranoid: false })).rejects.toMatchObject({
          code: "STORE_LOST_WRITES",
        });
  });

  test("is accepted once, and the store then goes on", async () => {
    for (const paranoid of [true, false]) {
      const [folder = ""] = inLog.damage(1, /\.log$/, (bytes) => {
        bytes[2000] = (bytes[2000] as number) ^ 1;
      });
      await expect(open(folder, { paranoid })).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
      const store = await open(folder, { paranoid, allowLostWrites: true });
      await store.batch([{ type: "put", key: Uint8Array.of(1), value: Uint8Array.of(2) }]);
      await store.close();
      const again = await open(folder, { paranoid });
      expect(await again.get(Uint8Array.of(1))).toEqual(Uint8Array.of(2));
      await again.close();
      expect(await verify(folder)).toMatchObject({ ok: true });
    }
  });
});

test("a log cut anywhere is found: the store knows how many batches there were when it was closed", async () => {
  const name = readdirSync(inLog.copy()).find((one) => one.endsWith(".log")) ?? "";
  const size = readFileSync(join(inLog.copy(), name)).length;
  for (let i = 1; i <= scaled(15); i++) {
    const folder = inLog.copy();
    truncateSync(join(folder, name), Math.floor((size * i) / (scaled(15) + 1)));
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
    const store = await open(folder, { allowLostWrites: true });
    const { sequence = 0 } = store;
    expect(sequence).toBeLessThan(60);
    await store.close();
    await (await open(folder, { sequenceMin: sequence })).close();
  }
});

describe("a flipped bit in a table", () => {
  test("gives another value in LevelDB, and never here", { timeout: MINUTES }, async () => {
    const folders = inTable.damage(COUNT, /\.ldb$/, flipBit);
    const reports = await Promise.all(folders.map((folder) => verify(folder)));
    const ours = await inTable.read("store", folders);
    const raw = counted(await inTable.read("raw", folders));
    printCounts("damage: a bit of a table, LevelDB alone", raw);
    printCounts("damage: a bit of a table, store", counted(ours));
    expect(raw["wrong"] ?? 0).toBeGreaterThan(COUNT / 2);
    expect(counted(ours)["wrong"]).toBeUndefined();
    expect(counted(ours)["STORE_DAMAGED"] ?? 0).toBeGreaterThan(COUNT / 2);
    // Whatever changed what is read is found, and named.
    for (const [index, { ok, findings }] of reports.entries()) {
      expect(ok && ours[index] !== "same").toBe(false);
      expect(ok || findings[0]?.file.endsWith(".ldb")).toBe(true);
    }
  });

  test("is an error that knows the key, and the others are read", async () => {
    const [folder = ""] = inTable.damage(1, /\.ldb$/, (bytes) => {
      bytes[1000] = (bytes[1000] as number) ^ 1;
    });
    const store = await open(folder);
    const walk = store.iterator();
    const failure = await (async () => {
      for (;;) await walk.next();
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "STORE_DAMAGED", key: expect.any(Uint8Array) });
    await expect(walk.next()).rejects.toBe(failure);
    const key = (failure as { key: Uint8Array }).key;
    await expect(store.get(key)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await expect(store.getMany([key])).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    expect(() => store.getSync(key)).toThrow(expect.objectContaining({ code: "STORE_DAMAGED" }));
    const [last] = await (async () => {
      for await (const entry of store.iterator({ reverse: true })) return entry;
      return [];
    })();
    expect(last).toBeInstanceOf(Uint8Array);
    expect(store.state).toBe("open");
    await store.close();
  });
});

test(
  "a block of zeros in a table kills LevelDB's process; verify names the file and the place",
  { timeout: MINUTES },
  async () => {
    const count = scaled(4);
    const folders = inTable.damage(count, /\.ldb$/, (bytes, random) => {
      const at = 4096 * random.below(Math.floor(bytes.length / 4096));
      bytes.fill(0, at, at + 4096);
    });
    for (const folder of folders) {
      const { ok, findings } = await verify(folder);
      expect(ok).toBe(false);
      expect(findings).toEqual([
        {
          file: expect.stringMatching(/^\d+\.ldb$/),
          offset: expect.any(Number),
          reason: expect.any(String),
        },
      ]);
    }
    const raw = counted(await inTable.read("raw", folders));
    printCounts("damage: 4 KiB of a table, LevelDB alone", raw);
    expect(raw["aborted"] ?? 0).toBeGreaterThan(count / 2);
  },
);

test("a flipped bit in the manifest is reported or harmless", { timeout: MINUTES }, async () => {
  const folders = inTable.damage(COUNT, /^MANIFEST/, flipBit);
  const outcomes = counted(await inTable.read("store", folders));
  printCounts("damage: a bit of the manifest, store", outcomes);
  expect(Object.keys(outcomes).every((one) => one === "same" || one.startsWith("STORE_"))).toBe(
    true,
  );
  expect(outcomes["STORE_CORRUPT"] ?? 0).toBeGreaterThan(COUNT / 2);
});
