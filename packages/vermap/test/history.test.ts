import { MemoryStore } from "@x/store-memory";
import { printCounts, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { type HistoryShape, MapHistory } from "./model/map-history.ts";

/** Steps of one history. */
const STEP_COUNT = 250;

const SHAPES: Readonly<Record<string, HistoryShape>> = {
  "few keys, many conflicts": { keyCount: 6, changeCountMax: 3, branchCountMax: 4 },
  "trees of two levels": { keyCount: 150, changeCountMax: 60, branchCountMax: 5 },
  "working states in memory": {
    keyCount: 12,
    changeCountMax: 5,
    branchCountMax: 5,
    options: { working: "memory" },
  },
  "working states in memory that spill": {
    keyCount: 150,
    changeCountMax: 60,
    branchCountMax: 5,
    options: {
      working: "memory",
      tree: { unsavedByteCountMax: 4000, cacheByteCountMax: 4000, inlineByteCountMax: 3 },
    },
  },
  "nodes of format 1": {
    keyCount: 60,
    changeCountMax: 20,
    branchCountMax: 5,
    options: { tree: { format: 1 } },
  },
};

describe("random work on several branches agrees with plain maps after every step", () => {
  test.each(Object.entries(SHAPES))("%s", async (name, shape) => {
    const runs = scaled(24);
    const seen = { merged: 0, crissCrossed: 0, conflicting: 0, unrelated: 0 };
    for (let run = 0; run < runs; run++) {
      const seed = seedOf(name, run);
      let at = 0;
      try {
        const history = new MapHistory(new MemoryStore(), new Random(seed), shape);
        await history.open();
        for (; at < STEP_COUNT; at++) {
          await history.step();
          if (at % 50 === 49) await history.checkAll();
        }
        await history.finish();
        for (const kind of Object.keys(seen) as (keyof typeof seen)[])
          seen[kind] += history.seen[kind];
      } catch (cause) {
        throw new Error(`seed ${seed} (run ${run}) at step ${at}`, { cause });
      }
    }
    printCounts(`T-HISTORY ${name}`, { runs, steps: runs * STEP_COUNT, ...seen });
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });
});
