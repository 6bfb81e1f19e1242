import { prefixed, type Store, type SyncReads } from "@x/store";
import { type OpenedStore, storeLaws, type StoreSubject } from "@x/testing";
import { describe, expect, test } from "vitest";

import { MemoryStore } from "../src/index.ts";

/** @param view - the part of the store that is under test */
function subject(
  view: (store: MemoryStore) => Store & SyncReads,
  counts: Pick<StoreSubject, "runCount" | "largeBatchCount">,
): StoreSubject {
  return {
    canFail: false,
    ...counts,
    async open(options): Promise<OpenedStore> {
      const whole = new MemoryStore(options);
      const store = view(whole);
      return {
        store,
        iteratorCount: () => whole.statistics().iteratorCount,
        async dispose() {
          await store.close();
          await whole.close();
        },
      };
    },
  };
}

const subjects: Record<string, StoreSubject> = {
  "the memory store": subject((store) => store, { runCount: 300, largeBatchCount: 200_000 }),
  "a key space of it": subject((store) => prefixed(store, Uint8Array.of(7, 0xff)), {
    runCount: 50,
  }),
};

for (const [name, one] of Object.entries(subjects))
  describe(`contract of ${name}`, () => {
    for (const law of storeLaws(one))
      test(`keeps the contract: ${law.name}`, async () => {
        await expect(law.run(one)).resolves.toBeUndefined();
      });
  });
