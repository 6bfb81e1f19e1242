import { runAsync, runSync, together } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { collectGarbage } from "@x/testing";
import { describe, expect, test } from "vitest";

import { NodePool } from "../src/index.ts";
import { collect, entriesFrom, keyOf, put } from "./bytes.ts";

/** A pool with one saved tree that only its pins keep. */
async function filled(): Promise<{ pool: NodePool; store: MemoryStore; root: number }> {
  const store = new MemoryStore();
  const pool = await NodePool.open(store, { inlineByteCountMax: 3 });
  const root = await pool.load(entriesFrom(0, 500));
  await pool.write({ hold: [root] });
  return { pool, store, root };
}

describe("a walk that is abandoned", () => {
  test("gives up its pin when it is collected as garbage, and its tree goes with the next write", async () => {
    const { pool, store, root } = await filled();
    const other = await pool.edit(root, [put(7, 8)]);
    (() => {
      for (let i = 0; i < 100; i++) {
        const snapshot = pool.snapshot(root);
        snapshot.entriesSync().next();
        void snapshot.keys().next();
        snapshot.diffSync(other).next();
        void snapshot.diff(other);
        snapshot.release();
      }
    })();
    pool.unpin(root);
    pool.unpin(other);
    expect(pool.statistics().pinnedRootCount).toBe(2);
    await collectGarbage(() => pool.statistics().pinnedRootCount === 0);
    await pool.write({ drop: [root] });
    // The pool's own record.
    expect(store.statistics().entryCount).toBe(1);
  });

  test("is not taken for one that goes on", async () => {
    const { pool, root } = await filled();
    const walk = pool.snapshot(root).keysSync();
    const ended = pool.snapshot(root).keysSync();
    expect([...ended]).toHaveLength(500);
    let isCollected = false;
    const registry = new FinalizationRegistry(() => (isCollected = true));
    (() => registry.register({}, undefined))();
    await collectGarbage(() => isCollected);
    expect([...walk]).toHaveLength(500);
  });
});

describe("a snapshot's readings", () => {
  test("read what its calls read, over any reader of the same store, and together in one step", async () => {
    const { pool, store, root } = await filled();
    const snapshot = (await NodePool.open(store)).snapshot(root);
    const keys = [keyOf(3), keyOf(900), keyOf(400)];
    const values = [keyOf(3), undefined, keyOf(400)];
    expect(runSync(snapshot.getReading(keyOf(400)), store)).toEqual(keyOf(400));
    expect(await runAsync(snapshot.getManyReading(keys), store)).toEqual(values);
    const other = (await NodePool.open(store)).snapshot(root);
    expect(runSync(together(keys.map((key) => other.getReading(key))), store)).toEqual(values);
    const next = snapshot.entriesReading({ gte: keyOf(100), limit: 90, reverse: true });
    const found = [];
    for (let page = runSync(next(), store); page.length > 0; page = runSync(next(), store))
      found.push(...page);
    const range = { gte: keyOf(100), limit: 90, reverse: true };
    expect(found).toEqual(await collect(pool.snapshot(root).entries(range)));
  });

  test("are refused by one that was released", async () => {
    const { pool, root } = await filled();
    const snapshot = pool.snapshot(root);
    snapshot.release();
    const released = expect.objectContaining({ code: "BTREE_RELEASED" });
    expect(() => snapshot.getReading(keyOf(1))).toThrow(released);
    expect(() => snapshot.getManyReading([keyOf(1)])).toThrow(released);
    expect(() => snapshot.entriesReading()).toThrow(released);
  });
});
