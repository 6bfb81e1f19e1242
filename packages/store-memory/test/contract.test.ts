import { type OpenedStore, type StoreSubject, storeLaws } from "@x/testing";
import { describe, expect, test } from "vitest";

import { MemoryStore } from "../src/index.ts";

const subject: StoreSubject = {
  canFail: false,
  runCount: 300,
  largeBatchCount: 200_000,
  async open(options): Promise<OpenedStore> {
    const store = new MemoryStore(options);
    return {
      store,
      iteratorCount: () => store.statistics().iteratorCount,
      dispose: () => store.close(),
    };
  },
};

describe("the memory store", () => {
  for (const law of storeLaws(subject))
    test(`keeps the contract: ${law.name}`, { timeout: 60_000 }, async () => {
      await expect(law.run(subject)).resolves.toBeUndefined();
    });
});
