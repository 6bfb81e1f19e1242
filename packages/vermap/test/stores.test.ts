import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Store } from "@x/store";
import { open } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { Random, scaled, seedOf } from "@x/testing";
import { afterAll, describe, expect, test } from "vitest";

import { dumpOf } from "./model/dump.ts";
import { type HistoryShape, MapHistory, PREFIX } from "./model/map-history.ts";
import { openText } from "./opened.ts";

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function openLevel(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), "vermap-"));
  folders.push(folder);
  return open(join(folder, "db"));
}

/** The same store, which says that it reads asynchronously only. */
function asyncOnly(store: Store): Store {
  return {
    supports: { syncReads: false },
    get state() {
      return store.state;
    },
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    batch: (operations, options) => store.batch(operations, options),
    iterator: (range) => store.iterator(range),
    close: () => store.close(),
  };
}

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => new MemoryStore(),
  "memory, asynchronous": async () => asyncOnly(new MemoryStore()),
  "LevelDB, synchronous": openLevel,
  "LevelDB, asynchronous": async () => asyncOnly(await openLevel()),
};

const SHAPES: Readonly<Record<string, HistoryShape>> = {
  stored: { keyCount: 60, changeCountMax: 20, branchCountMax: 4 },
  memory: {
    keyCount: 60,
    changeCountMax: 20,
    branchCountMax: 4,
    options: { working: "memory" },
  },
};

describe.each(Object.entries(SHAPES))("with working states %s", (working, shape) => {
  test("the same history comes to the same over every store", { timeout: 60_000 }, async () => {
    for (let run = 0; run < scaled(2); run++) {
      const dumps: string[] = [];
      for (const make of Object.values(STORES)) {
        const store = await make();
        const history = new MapHistory(store, new Random(seedOf("stores", working, run)), shape);
        await history.open();
        for (let step = 0; step < 150; step++) await history.step();
        await history.finish();
        await history.open();
        dumps.push(await dumpOf(store, PREFIX, history.map));
        await history.map.close();
        await store.close();
      }
      expect(new Set(dumps).size).toBe(1);
    }
  });
});

test("without synchronous reads the calls that need them say so", async () => {
  const store = asyncOnly(new MemoryStore());
  const map = await openText(store);
  await map.main.set("a", "1");
  await map.close();
  const again = await openText(store);
  expect(() => again.main.getSync("a")).toThrow(TypeError);
  expect(await again.main.get("a")).toBe("1");
});
