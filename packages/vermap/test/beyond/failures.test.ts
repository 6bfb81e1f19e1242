import assert from "node:assert/strict";
import { FailingStore, Random, scaled, seedOf, type StoreFailurePlan } from "@x/testing";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/codec/index.ts";
import {
  applyPatch,
  cherryPick,
  cutHistory,
  reflog,
  reset,
  retain,
  revert,
  squash,
  tags,
  upsert,
  VerMap,
} from "../../src/index.ts";
import { dumpOf } from "../model/dump.ts";
import { randomCall } from "./random-call.ts";
import { listOf, type TextMap } from "./support.ts";

const PREFIX = Uint8Array.of(7);

const open = (store: FailingStore): Promise<TextMap> => {
  let time = 0;
  const clock = (): number => (time += 1000);
  return VerMap.open(store, { key: utf8, value: utf8, prefix: PREFIX, clock });
};

/** Two branches, a merge, a tag, an entry of the reflog, uncommitted work on one branch. */
async function prepared(store: FailingStore): Promise<TextMap> {
  const map = await open(store);
  const log = reflog(map);
  for (let index = 0; index < 6; index++) {
    await map.main.set(`key-${index}`, "1");
    await map.main.set("common", String(index));
    await map.main.commit({ message: `main ${index}` });
  }
  const side = await map.createBranch("side", { commit: 3 });
  await side.set("side", "1");
  await side.commit();
  await map.merge("side", "main");
  await tags(map).set("v1", 4);
  const gone = await map.createBranch("gone", "main");
  await gone.set("gone", "1");
  await gone.commit();
  await map.deleteBranch(gone);
  await side.set("uncommitted", "1");
  log.close();
  return map;
}

/** What is done to the prepared map, each in one batch. */
const CALLS: Readonly<Record<string, (map: TextMap) => Promise<unknown>>> = {
  revert: (map) => revert(map, "main", 2, { strategy: "source" }),
  cherryPick: (map) => cherryPick(map, "main", 4, { strategy: "source" }),
  reset: (map) => reset(map, "main", 3),
  squash: (map) => squash(map, "main", 2),
  "tag a commit": (map) => tags(map).set("v2", 2),
  "move a tag": (map) => tags(map).set("v1", 2, { replace: true }),
  "delete a tag": (map) => tags(map).delete("v1"),
  retain: (map) => retain(map, { commitCount: 2 }),
  cutHistory: (map) => cutHistory(map, 5),
  upsert: (map) => upsert(map, "side", "n", () => "1"),
  applyPatch: (map) => applyPatch(map, "side", [{ type: "added", key: "p", value: "1" }]),
  "delete a branch with a reflog": async (map) => {
    const log = reflog(map);
    await map.deleteBranch("side").finally(() => log.close());
  },
  "roll back with a reflog": async (map) => {
    const log = reflog(map);
    await map.main.rollbackTo(2).finally(() => log.close());
  },
  "restore from the reflog": async (map) => {
    const log = reflog(map);
    log.close();
    const [entry] = await listOf(log.entries());
    assert(entry);
    await log.restore(entry, { name: "back" });
  },
  "expire the reflog": async (map) => {
    const log = reflog(map);
    log.close();
    await log.expire({ all: true });
  },
};

/** What a store holds, as a map that is opened there reads it, and whether that is sound. */
async function stateOf(store: FailingStore): Promise<string> {
  const map = await open(store);
  const { firstBad } = await map.verify();
  assert.equal(firstBad, undefined);
  return dumpOf(store, PREFIX, map);
}

/** A store with the prepared map; copies of it are made with `killed`. */
async function preparedStore(): Promise<FailingStore> {
  const store = new FailingStore();
  await prepared(store);
  return store;
}

/** Runs a call while the store fails as planned; the code it was rejected with. */
async function codeUnder(
  store: FailingStore,
  plan: StoreFailurePlan,
  call: () => Promise<unknown>,
): Promise<string | undefined> {
  store.plan(plan);
  try {
    await call();
    return undefined;
  } catch (error) {
    return (error as { readonly code: string }).code;
  } finally {
    store.plan(undefined);
  }
}

describe.each(Object.entries(CALLS))("%s", (_, call) => {
  test("is one batch, and leaves a map that is sound", async () => {
    const store = (await preparedStore()).killed();
    const map = await open(store);
    const before = store.history.length;
    await call(map);
    expect(store.history.length - before).toBe(1);
    expect(await stateOf(store.killed())).toBe(await dumpOf(store, PREFIX, map));
  });

  test("has happened or has not, where its batch fails", async () => {
    const base = await preparedStore();
    const before = await stateOf(base.killed());
    const done = base.killed();
    await call(await open(done));
    const after = await stateOf(done.killed());
    for (const written of [false, true]) {
      const store = base.killed();
      const map = await open(store);
      const code = await codeUnder(store, { at: 1, kinds: ["batch"], written }, () => call(map));
      expect(code).toBe("STORE_DURABILITY_UNKNOWN");
      expect(await stateOf(store.killed())).toBe(written ? after : before);
    }
  });

  test("has changed nothing where a read fails, and is done when it is asked for again", async () => {
    const base = await preparedStore();
    const before = await stateOf(base.killed());
    const done = base.killed();
    await call(await open(done));
    const after = await stateOf(done.killed());
    let failures = 0;
    for (let at = 1; ; at++) {
      const store = base.killed();
      const map = await open(store);
      const code = await codeUnder(store, { at, kinds: ["read", "walk"] }, () => call(map));
      if (code === undefined) break;
      failures++;
      expect(code).toBe("STORE_IO");
      expect(await stateOf(store.killed())).toBe(before);
      await call(map);
      expect(await stateOf(store.killed())).toBe(after);
    }
    expect(failures).toBeGreaterThan(0);
  });
});

describe("random calls", () => {
  const seeds = Array.from({ length: scaled(6) }, (_, index) => seedOf("beyond", index));

  test.each(seeds)("leave counts that a full count agrees with, seed %i", async (seed) => {
    const random = new Random(seed);
    const store = new FailingStore();
    let map = await open(store);
    let log = reflog(map, { gracePeriod: 30_000 });
    for (let step = 0; step < 120; step++) {
      await randomCall(random, map);
      if (random.chance(0.1))
        for await (const entry of log.entries()) {
          await log.restore(entry, { name: `restored-${step}` });
          break;
        }
      const { firstBad } = await map.verify();
      expect({ seed, step, firstBad }).toEqual({ seed, step, firstBad: undefined });
      if (!random.chance(0.05)) continue;
      const before = await dumpOf(store, PREFIX, map);
      log.close();
      map = await open(store);
      log = reflog(map, { gracePeriod: 30_000 });
      expect(await dumpOf(store, PREFIX, map)).toBe(before);
    }
  });
});
