import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type OpenedStore, storeLaws, type StoreSubject } from "@x/testing";
import { ClassicLevel } from "classic-level";
import { describe, expect, test, vi } from "vitest";

import { open, type OpenOptions } from "../src/index.ts";

/** Stores in folders of their own, whose LevelDB can be made to fail. */
function subject(
  options: OpenOptions & Pick<StoreSubject, "runCount" | "largeBatchCount">,
): StoreSubject {
  return {
    canFail: true,
    ...options,
    async open(bounds): Promise<OpenedStore> {
      const parent = mkdtempSync(join(tmpdir(), "store-level-"));
      const path = join(parent, "db");
      let store = await open(path, { ...options, ...bounds });
      return {
        store,
        iteratorCount: () => store.iteratorCount,
        async reopen() {
          await store.close();
          store = await open(path, { ...options, ...bounds });
          return store;
        },
        failNextWrite() {
          vi.spyOn(ClassicLevel.prototype, "batch").mockImplementationOnce((() =>
            Promise.reject(new Error("planned failure"))) as never);
        },
        async dispose() {
          vi.restoreAllMocks();
          await store.close();
          rmSync(parent, { recursive: true });
        },
      };
    },
  };
}

const subjects: Record<string, StoreSubject> = {
  "classic-level": subject({ runCount: 20, largeBatchCount: 200_000 }),
  "classic-level, foreign": subject({ foreign: true, runCount: 5 }),
  // Many tables and logs, and blocks that share nothing.
  "classic-level, small buffers": subject({
    runCount: 5,
    largeBatchCount: 20_000,
    level: { writeBufferSize: 64 * 1024, compression: false, maxFileSize: 1024 * 1024 },
  }),
};

for (const [name, one] of Object.entries(subjects))
  describe(`a store in a folder: ${name}`, () => {
    for (const law of storeLaws(one))
      test(`keeps the contract: ${law.name}`, { timeout: 60_000 }, async () => {
        await expect(law.run(one)).resolves.toBeUndefined();
      });
  });
