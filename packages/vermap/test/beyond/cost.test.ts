import { CountingStore, type StoreCounts } from "@x/testing";
import { MemoryStore } from "@x/store-memory";
import { beforeAll, describe, expect, test } from "vitest";
import { u32 } from "../../src/codec/index.ts";
import {
  applyPatch,
  blame,
  cherryPick,
  history,
  retain,
  revert,
  squash,
  tags,
  VerMap,
} from "../../src/index.ts";
import { listOf } from "./support.ts";

const ENTRY_COUNT = 100_000;
const COMMIT_COUNT = 20;

type NumberMap = VerMap<number, number>;

let filled: MemoryStore;

/** A hundred thousand entries, then commits that change one each. */
beforeAll(async () => {
  filled = new MemoryStore();
  const map = await VerMap.open(filled, { key: u32, value: u32 });
  await map.main.update((transaction) => {
    for (let key = 0; key < ENTRY_COUNT; key++) transaction.set(key, 0);
  });
  await map.main.commit();
  for (let index = 1; index <= COMMIT_COUNT; index++) {
    await map.main.set(index * 4001, index);
    await map.main.commit();
  }
  await map.close();
}, 60_000);

/** What a call costs in keys read and batches written, on a map that was just opened. */
async function costOf(
  call: (map: NumberMap) => Promise<unknown>,
): Promise<Pick<StoreCounts, "keys" | "batch">> {
  const copy = new MemoryStore();
  const operations = [];
  for await (const [key, value] of filled.iterator())
    operations.push({ type: "put", key, value } as const);
  await copy.batch(operations);
  const store = new CountingStore(copy);
  const map: NumberMap = await VerMap.open(store, { key: u32, value: u32 });
  store.take();
  await call(map);
  const { keys, batch } = store.take();
  return { keys, batch };
}

describe("costs on a map of 100,000 entries", () => {
  test("the history of a key reads the commits, and the two paths to it of each that differs", async () => {
    const cost = await costOf((map) => listOf(history(map, { head: "main" }, 4001)));
    expect(cost).toEqual({ keys: 54, batch: 0 });
  });

  test("blame of a small range reads that range, and what differs within it", async () => {
    const range = { gte: 4001, lt: 4010 };
    expect(await costOf((map) => blame(map, { head: "main" }, range))).toEqual({
      keys: 54,
      batch: 0,
    });
  });

  test("revert and cherryPick read paths, and write one batch", async () => {
    expect(await costOf((map) => revert(map, "main", 5))).toEqual({ keys: 25, batch: 1 });
    expect(await costOf((map) => cherryPick(map, "main", 5))).toEqual({ keys: 16, batch: 1 });
  });

  test("squash, tags and retention read commits, counts, and the nodes that they delete", async () => {
    expect(await costOf((map) => squash(map, "main", 2))).toEqual({ keys: 101, batch: 1 });
    expect(await costOf((map) => tags(map).set("v1", 3))).toEqual({ keys: 4, batch: 1 });
    expect(await costOf((map) => retain(map, { commitCount: 3 }))).toEqual({ keys: 136, batch: 1 });
  });

  test("a patch of two keys reads the two paths", async () => {
    const patch = [
      { type: "modified", key: 7, oldValue: 0, value: 1 },
      { type: "modified", key: 90_000, oldValue: 0, value: 1 },
    ] as const;
    expect(await costOf((map) => applyPatch(map, "main", patch))).toEqual({ keys: 25, batch: 1 });
  });
});
