import assert from "node:assert/strict";
import { type Store } from "@x/store";
import { FailingStore, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { BTree, type BTreeOptions, type Change, NodePool } from "../src/index.ts";
import { collect, del, entriesFrom, keyOf, put } from "./bytes.ts";
import { TreeModel } from "./model/tree-model.ts";

const OPTIONS: BTreeOptions = { inlineByteCountMax: 3, cacheByteCountMax: 20_000 };

/** A sequence of batches, the same for one seed. */
function work(seed: number): Change[][] {
  const random = new Random(seed);
  return Array.from({ length: 14 }, () =>
    Array.from({ length: 1 + random.below(60) }, (): Change => {
      const number = random.below(200);
      return random.chance(0.4) ? del(number) : put(number, random.below(5));
    }),
  );
}

function models(batches: readonly Change[][]): TreeModel[] {
  const states = [new TreeModel()];
  for (const batch of batches) states.push((states.at(-1) ?? new TreeModel()).edited(batch));
  return states;
}

async function contentOf(tree: BTree): Promise<unknown> {
  return collect(tree.entries());
}

/** Does the work until something fails; how many batches were acknowledged. */
async function doWork(store: Store, batches: readonly Change[][]): Promise<number> {
  const tree = await BTree.open(store, OPTIONS);
  let done = 0;
  try {
    for (const batch of batches) {
      await tree.batch(batch, { sync: done % 3 === 0 });
      done++;
    }
  } catch (error) {
    assert.match((error as { code: string }).code, /^STORE_/);
    await assert.rejects(tree.set(keyOf(1), keyOf(1)), { code: "BTREE_POISONED" });
  }
  return done;
}

describe("a tree over a store that fails", () => {
  test("at any batch, written or not, reopens as it was before or after, and in order", async () => {
    for (let seed = 1; seed <= scaled(2); seed++) {
      const batches = work(seed);
      const states = models(batches);
      for (let at = 1; at <= batches.length; at++)
        for (const written of [false, true]) {
          const store = new FailingStore({ at, kinds: ["batch"], written });
          expect(await doWork(store, batches)).toBe(at - 1);
          const tree = await BTree.open(store.killed(), OPTIONS);
          const state = states[written ? at : at - 1];
          expect(await contentOf(tree)).toEqual(state?.entries);
          expect((await tree.verify()).firstBad).toBeUndefined();
          await tree.batch(batches[at - 1] ?? []);
          expect(await contentOf(tree)).toEqual(states[at]?.entries);
          expect((await tree.verify()).firstBad).toBeUndefined();
        }
    }
  });

  test("at any read goes on afterwards, and has changed nothing", async () => {
    const batches = work(3);
    const states = models(batches);
    const filled = new FailingStore();
    await doWork(filled, batches);
    const change = [...Array.from({ length: 100 }, (_, i) => del(i)), put(300)];
    for (let at = 1; at < 60; at++) {
      const store = filled.killed();
      const tree = await BTree.open(store, OPTIONS);
      store.plan({ at, kinds: ["read"] });
      const outcome = await tree.batch(change).then(
        () => "written",
        (error: { code: string }) => error.code,
      );
      store.plan(undefined);
      const expected = outcome === "written" ? states.at(-1)?.edited(change) : states.at(-1);
      expect(await contentOf(tree)).toEqual(expected?.entries);
      expect(["written", "STORE_IO"]).toContain(outcome);
      await tree.batch(change);
      expect(await contentOf(tree)).toEqual(states.at(-1)?.edited(change).entries);
      expect((await tree.verify()).firstBad).toBeUndefined();
    }
  });

  test("that lost unsynced batches is what some prefix of the work left", async () => {
    for (let seed = 1; seed <= scaled(3); seed++) {
      const batches = work(seed);
      const states = models(batches).map(({ entries }) => entries);
      const store = new FailingStore();
      await doWork(store, batches);
      const images = [store.killed(), store.cutToSynced()];
      for (let kept = 0; kept < store.history.length; kept++) {
        const image = new FailingStore();
        for (const { operations } of store.history.slice(0, kept)) await image.batch(operations);
        images.push(image);
      }
      for (const image of images) {
        const tree = await BTree.open(image, OPTIONS);
        expect(states).toContainEqual(await contentOf(tree));
        expect((await tree.verify()).firstBad).toBeUndefined();
      }
    }
  });

  test("that kept a batch and lost earlier ones gives a state of the work, or says which node is missing", async () => {
    let damagedCount = 0;
    for (let seed = 1; seed <= scaled(2); seed++) {
      const batches = work(seed);
      const states = models(batches).map(({ entries }) => entries);
      const store = new FailingStore();
      await doWork(store, batches);
      for (const image of store.crashImages(new Random(seed), scaled(24))) {
        const tree = await BTree.open(image.store, OPTIONS);
        const report = await tree.verify();
        const content = await contentOf(tree).catch((error: { code: string }) => error.code);
        expect([...states, "BTREE_MISSING"]).toContainEqual(content);
        expect(content !== "BTREE_MISSING" || report.firstBad?.kind === "missing").toBe(true);
        if (!report.ok) damagedCount++;
      }
    }
    expect(damagedCount).toBeGreaterThan(0);
  });

  test("in the middle of a load shows the old content, and the next change takes the rest away", async () => {
    for (let at = 1; at <= 4; at++) {
      const store = new FailingStore();
      const tree = await BTree.open(store, OPTIONS);
      await tree.batch([put(1), put(2)]);
      store.plan({ at, kinds: ["batch"] });
      await expect(tree.load(entriesFrom(0, 70_000))).rejects.toMatchObject({
        code: "STORE_DURABILITY_UNKNOWN",
      });
      const reopened = await BTree.open(store.killed(), OPTIONS);
      expect(await collect(reopened.keys())).toEqual([keyOf(1), keyOf(2)]);
      expect((await reopened.verify()).firstBad).toBeUndefined();
      await reopened.set(keyOf(3), keyOf(3));
      expect(await reopened.verify()).toMatchObject({ ok: true, orphans: 0, nodes: 4 });
    }
  });

  test("while nodes are spilled keeps the edit, and the next write says what is wrong", async () => {
    const store = new FailingStore({ at: 1, kinds: ["batch"] });
    const pool = await NodePool.open(store, { unsavedByteCountMax: 0 });
    const root = await pool.edit(0, [put(1), put(2)]);
    expect([...pool.snapshot(root).keysSync()]).toEqual([keyOf(1), keyOf(2)]);
    expect(pool.status).toBe("poisoned");
    await expect(pool.write({ hold: [root] })).rejects.toMatchObject({ code: "BTREE_POISONED" });
  });

  test("damage in a batch that vanished is found", async () => {
    const batches = work(5);
    const store = new FailingStore();
    await doWork(store, batches);
    const random = new Random(seedOf("vanished"));
    for (let i = 0; i < 8; i++) {
      const lost = store.withoutBatch(random.below(batches.length - 1));
      const tree = await BTree.open(lost, OPTIONS);
      const report = await tree.verify();
      // A batch whose nodes have all been replaced since leaves no trace, and takes nothing away.
      const found = report.firstBad?.kind ?? (await contentOf(tree));
      const content = models(batches).at(-1)?.entries;
      expect(["missing", "mention-count", "orphan", "count-page", content]).toContainEqual(found);
    }
  });
});
