import { MemoryStore } from "@x/store-memory";
import { Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { History } from "./model/history.ts";

/** Steps of one history. */
const STEP_COUNT = 120;

describe("random work on several branches agrees with plain maps after every step", () => {
  const shapes = [
    {
      name: "small trees, large values outside",
      keyCount: 60,
      changeCountMax: 12,
      valueByteCountMax: 40,
      inlineByteCountMax: 10,
    },
    { name: "trees of three levels", keyCount: 1500, changeCountMax: 400, valueByteCountMax: 8 },
    {
      name: "tiny cache, constant spilling",
      keyCount: 300,
      changeCountMax: 60,
      valueByteCountMax: 8,
      cacheByteCountMax: 5000,
      unsavedByteCountMax: 20_000,
    },
    { name: "format 1", keyCount: 400, changeCountMax: 100, valueByteCountMax: 8, format: 1 },
    {
      name: "compatible",
      keyCount: 200,
      changeCountMax: 40,
      valueByteCountMax: 8,
      compatible: true,
    },
  ] as const;
  for (const shape of shapes)
    for (let seed = 1; seed <= scaled(2); seed++)
      test(`${shape.name}, seed ${seed}`, async () => {
        const history = new History(new MemoryStore(), new Random(seed), shape);
        expect(await history.run(STEP_COUNT)).toBe(STEP_COUNT);
      });
});
