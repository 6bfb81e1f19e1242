import { BrowserLevel } from "browser-level";
import { IDBKeyRange, indexedDB } from "fake-indexeddb";
import { MemoryLevel } from "memory-level";
import { type OpenedStore, storeLaws, type StoreSubject } from "@x/testing";
import { describe, expect, test } from "vitest";

import { type LevelDatabase, type LevelStoreOptions, wrap } from "../../src/wrap/index.ts";

// A browser has these.
Object.assign(globalThis, { indexedDB, IDBKeyRange });

/** A database whose next batch can be made to fail, without having written anything. */
type Failing = LevelDatabase & { failNext(): void };

function canFail(database: LevelDatabase): Failing {
  const batch = database.batch.bind(database);
  let planned = 0;
  return Object.assign(database, {
    batch(...args: Parameters<LevelDatabase["batch"]>) {
      return planned-- > 0 ? Promise.reject(new Error("planned failure")) : batch(...args);
    },
    failNext() {
      planned = 1;
    },
  });
}

/** Reopening the same database object finds what was written, also in memory. */
function subject(
  make: () => LevelDatabase,
  options: LevelStoreOptions & { readonly runCount: number },
): StoreSubject {
  return {
    canFail: true,
    runCount: options.runCount,
    largeBatchCount: 5000,
    async open(bounds): Promise<OpenedStore> {
      const database = canFail(make());
      let store = await wrap(database, { ...options, ...bounds });
      return {
        store,
        iteratorCount: () => store.iteratorCount,
        async reopen() {
          await store.close();
          store = await wrap(database, { ...options, ...bounds });
          return store;
        },
        failNextWrite: () => database.failNext(),
        dispose: () => store.close(),
      };
    },
  };
}

let databaseCount = 0;
const subjects: Record<string, StoreSubject> = {
  "memory-level": subject(() => new MemoryLevel(), { runCount: 100 }),
  "memory-level, foreign": subject(() => new MemoryLevel(), { foreign: true, runCount: 50 }),
  "memory-level storing views": subject(() => new MemoryLevel({ storeEncoding: "view" }), {
    checksums: false,
    runCount: 50,
  }),
  "browser-level": subject(() => new BrowserLevel(`contract-${databaseCount++}`), { runCount: 20 }),
};

for (const [name, one] of Object.entries(subjects))
  describe(`a store over ${name}`, () => {
    for (const law of storeLaws(one))
      test(`keeps the contract: ${law.name}`, { timeout: 60_000 }, async () => {
        await expect(law.run(one)).resolves.toBeUndefined();
      });
  });
