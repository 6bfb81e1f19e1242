import { MemoryStore } from "@x/store-memory";
import { CountingStore } from "@x/testing";
import { expect, test } from "vitest";

import { u32, utf8 } from "../src/codec/index.ts";
import { VerMap } from "../src/index.ts";
import { collect } from "./collect.ts";

const ENTRY_COUNT = 1_000_000;
const COMMIT_COUNT = 10_000;
const CODECS = { key: u32, value: utf8 };

/** Two branches, each one change and one commit away from the last of 10,000 commits of a million entries. */
async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const map = await VerMap.open(store, { ...CODECS, working: "memory" });
  await map.main.update(async (tx) => {
    for (let i = 0; i < ENTRY_COUNT; i++) {
      tx.set(i, "v");
      if (i % 50_000 === 0) await tx.apply();
    }
  });
  for (let i = 0; i < COMMIT_COUNT; i++) await map.main.commit();
  const dev = await map.createBranch("dev", "main");
  await dev.set(5, "x");
  await dev.commit();
  await map.main.set(700_000, "y");
  await map.main.commit();
  await map.close();
  return store;
}

test("a million entries and 10,000 commits open, differ and merge at the cost of one change", async () => {
  const store = new CountingStore(await filled());
  const opened = await VerMap.open(store, CODECS);
  // Format, state, the pool's record and two heads; and one walk over two branches.
  expect(store.take()).toMatchObject({ get: 1, getMany: 2, keys: 5, iterator: 1, batch: 0 });

  expect(await collect(opened.diff({ head: "main" }, COMMIT_COUNT))).toHaveLength(1);
  // Two paths of four nodes, and a commit.
  expect(store.take()).toMatchObject({ get: 0, getMany: 5, keys: 9, iterator: 0 });

  const map = await VerMap.open(store, CODECS);
  const { nextId } = map.stats().tree;
  store.take();
  expect(await map.merge("dev", "main")).toMatchObject({ changed: 1, bases: [COMMIT_COUNT] });
  expect(map.stats().tree.nextId - nextId).toBe(4);
  // Commits are read 32 at a time; the rest are pages of counts of what the new path shares with the old one.
  expect(store.take()).toMatchObject({ get: 0, getMany: 9, keys: 78, batch: 1, syncedBatch: 1 });
  expect(await map.main.getMany([5, 700_000])).toEqual(["x", "y"]);
});
