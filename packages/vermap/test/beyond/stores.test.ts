import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Store } from "@x/store";
import { open } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { Random, scaled, seedOf } from "@x/testing";
import { afterAll, describe, expect, test } from "vitest";
import { utf8 } from "../../src/codec/index.ts";
import { blame, history, reflog, VerMap } from "../../src/index.ts";
import { renderGraph } from "../../src/render/index.ts";
import { dumpOf } from "../model/dump.ts";
import { randomCall } from "./random-call.ts";
import { listOf, openTextMap } from "./support.ts";

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function openLevel(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), "vermap-beyond-"));
  folders.push(folder);
  return open(join(folder, "db"));
}

/** A store in memory that says that it reads asynchronously only. */
function openAsync(): Store {
  const store = new MemoryStore();
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

/** All that random calls lead to, and what the readings say of it, before and after reopening. */
async function outcomeOn(store: Store, seed: number): Promise<string> {
  const random = new Random(seed);
  const map = await openTextMap(store);
  const log = reflog(map, { gracePeriod: 20_000 });
  for (let step = 0; step < 60; step++) await randomCall(random, map);
  const prefix = new Uint8Array();
  const before = await dumpOf(store, prefix, map);
  await map.close();
  log.close();
  const again = await VerMap.open(store, { key: utf8, value: utf8 });
  expect((await again.verify()).firstBad).toBeUndefined();
  expect(await dumpOf(store, prefix, again)).toBe(before);
  const changes = await listOf(history(again, { head: "main" }, "a"));
  const blamed = await blame(again, { branch: "main" });
  const graph = await renderGraph(again);
  await again.close();
  await store.close();
  const said = [
    changes.map(({ commit, difference }) => [commit.id, difference]),
    blamed.map(({ key, value, commit }) => [key, value, commit?.id]),
  ];
  return JSON.stringify([before, said, graph]);
}

describe("calls beyond the original", () => {
  const seeds = Array.from({ length: scaled(2) }, (_, index) => seedOf("stores", index));

  test.each(seeds)("come to the same over every store, seed %i", async (seed) => {
    const outcome = await outcomeOn(new MemoryStore(), seed);
    expect(await outcomeOn(openAsync(), seed)).toBe(outcome);
    expect(await outcomeOn(await openLevel(), seed)).toBe(outcome);
  });
});
