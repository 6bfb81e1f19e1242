import assert from "node:assert/strict";

import { FailingStore, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { utf8 } from "../src/codec/index.ts";
import { VerMap } from "../src/index.ts";
import { dumpOf } from "./model/dump.ts";
import { type HistoryShape, MapHistory, PREFIX } from "./model/map-history.ts";

const STEP_COUNT = 40;
const UNKNOWN = "STORE_DURABILITY_UNKNOWN";

const SHAPES: Readonly<Record<string, HistoryShape>> = {
  stored: { keyCount: 60, changeCountMax: 40, branchCountMax: 4, isAlone: true },
  memory: {
    keyCount: 60,
    changeCountMax: 40,
    branchCountMax: 4,
    isAlone: true,
    options: { working: "memory", tree: { unsavedByteCountMax: 6000, inlineByteCountMax: 3 } },
  },
};

/** What a map reads after each number of batches, by a run in which nothing fails. */
interface CleanRun {
  readonly store: FailingStore;
  /** Index: batches in the store. Batches that change nothing to be read have the state of the one before. */
  readonly states: readonly string[];
}

async function stateOf(store: FailingStore): Promise<string> {
  const map = await VerMap.open(store, { key: utf8, value: utf8, prefix: PREFIX });
  const report = await map.verify();
  assert.deepEqual(report.firstBad, undefined);
  return dumpOf(store, PREFIX, map);
}

async function cleanRun(seed: number, shape: HistoryShape): Promise<CleanRun> {
  const store = new FailingStore();
  const history = new MapHistory(store, new Random(seed), shape);
  await history.open();
  const states: string[] = [];
  const record = async (): Promise<void> => {
    const state = await stateOf(store.killed());
    // Spilling makes batches before the one of the call.
    while (states.length < store.history.length) states.push(states.at(-1) ?? state);
    states[store.history.length] = state;
  };
  await record();
  history.afterCall = record;
  for (let step = 0; step < STEP_COUNT; step++) await history.step();
  return { store, states };
}

/** Works until something fails. */
async function workUntilFailure(store: FailingStore, seed: number, shape: HistoryShape) {
  const history = new MapHistory(store, new Random(seed), shape);
  try {
    await history.open();
    for (let step = 0; step < STEP_COUNT; step++) await history.step();
  } catch (error) {
    return { history, error: error as { code?: string } };
  }
  return { history, error: undefined };
}

describe.each(Object.entries(SHAPES))("a map with working states %s", (name, shape) => {
  test("reopens as some acknowledged call left it, after a crash anywhere", async () => {
    const seen = new Set<string>();
    for (let run = 0; run < scaled(3); run++) {
      const seed = seedOf("crash", name, run);
      const { store, states } = await cleanRun(seed, shape);
      for (let kept = 1; kept < store.history.length; kept++) {
        const image = new FailingStore();
        for (const { operations } of store.history.slice(0, kept)) await image.batch(operations);
        const state = await stateOf(image);
        seen.add(state);
        expect({ seed, kept, state }).toEqual({ seed, kept, state: states[kept] });
      }
    }
    expect(seen.size).toBeGreaterThan(20);
  });

  test("fails at any batch, written or not, and reopens as it was before or after", async () => {
    const seed = seedOf("batch", name);
    const { store: clean, states } = await cleanRun(seed, shape);
    for (let at = 1; at <= clean.history.length; at++)
      for (const written of [false, true]) {
        const store = new FailingStore({ at, kinds: ["batch"], written });
        const { history, error } = await workUntilFailure(store, seed, shape);
        // Where spilling failed the edit is done all the same, and it is the next write that is refused.
        assert([UNKNOWN, "VERMAP_POISONED"].includes(error?.code ?? ""));
        if (at > 1) {
          const before = await dumpOf(store, PREFIX, history.map);
          const { main } = history.map;
          await assert.rejects(main.commit(), { code: "VERMAP_POISONED" });
          assert.equal(await dumpOf(store, PREFIX, history.map), before);
        }
        const state = await stateOf(store.killed());
        const batch = written ? at : at - 1;
        expect({ at, written, state }).toEqual({ at, written, state: states[Math.max(batch, 1)] });
      }
  });
});

describe("a map over a store whose reads fail", () => {
  test("has changed nothing, and does it when it is asked again", async () => {
    const seed = seedOf("reads");
    const { store: clean } = await cleanRun(seed, SHAPES["stored"] as HistoryShape);
    let failures = 0;
    for (let at = 1; at < 40; at++) {
      const store = clean.killed();
      const options = { key: utf8, value: utf8, prefix: PREFIX };
      const map = await VerMap.open(store, options);
      const before = await dumpOf(store, PREFIX, map);
      const source = map.branches().findLast(({ head }) => head !== undefined);
      assert(source !== undefined);
      const cold = await VerMap.open(store, options);
      await cold.createBranch("work", source.id);
      const calls = [
        () => cold.branch("work").update((tx) => tx.set("k0001", "new").delete("k0002")),
        () => cold.branch("work").commit(),
        () => cold.merge("work", source.id),
        () => cold.deleteBranch("work"),
      ];
      if (source.hasUncommitted) await cold.branch(source.id).commit();
      for (const call of calls) {
        const image = await dumpOf(store, PREFIX, await VerMap.open(store, options));
        store.plan({ at, kinds: ["read", "walk"] });
        const code = await call().then(
          () => undefined,
          (error: { code: string }) => error.code,
        );
        store.plan(undefined);
        if (code === undefined) continue;
        failures++;
        expect(code).toBe("STORE_IO");
        expect(await dumpOf(store, PREFIX, await VerMap.open(store, options))).toBe(image);
        await call();
      }
      expect((await cold.verify()).firstBad).toBeUndefined();
      expect(before).not.toBe("");
    }
    expect(failures).toBeGreaterThan(3);
  });
});
