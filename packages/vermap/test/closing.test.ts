import { MemoryStore } from "@x/store-memory";
import { FailingStore } from "@x/testing";
import { describe, expect, test } from "vitest";

import { commitOf, openText } from "./opened.ts";

const CLOSED = { code: "VERMAP_CLOSED" };

describe("closing a map", () => {
  test("twice at once is once: both end when what was in memory is written", async () => {
    const store = new MemoryStore();
    const map = await openText(store, { working: "memory" });
    await map.main.set("a", "1");
    await Promise.all([map.close(), map.close()]);
    expect(await (await openText(store)).main.get("a")).toBe("1");
  });

  test("that fails says so to all who asked", async () => {
    const store = new FailingStore();
    const map = await openText(store, { working: "memory" });
    await map.main.set("a", "1");
    store.plan({ at: 1, kinds: ["batch"] });
    const closing = [map.close(), map.close()];
    for (const one of closing)
      await expect(one).rejects.toMatchObject({ code: "STORE_DURABILITY_UNKNOWN" });
  });

  test("writes what was called before, and refuses what was called after", async () => {
    const store = new MemoryStore();
    const map = await openText(store, { working: "memory" });
    const before = map.main.set("a", "1");
    const closing = map.close();
    const after = map.main.set("b", "2");
    await expect(after).rejects.toMatchObject(CLOSED);
    await Promise.all([before, closing]);
    const again = await openText(store);
    expect(await again.main.getMany(["a", "b"])).toEqual(["1", undefined]);
  });

  test("ends its snapshots", async () => {
    const map = await openText();
    const snapshot = await map.at(await commitOf(map, "main", { a: "1" }));
    await map.close();
    await expect(snapshot.get("a")).rejects.toMatchObject(CLOSED);
    expect(() => snapshot.sizeSync()).toThrow(expect.objectContaining(CLOSED));
    snapshot.release();
    await expect(snapshot.get("a")).rejects.toMatchObject({ code: "VERMAP_RELEASED" });
  });
});
