import { MemoryStore } from "@x/store-memory";
import { CountingStore, Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { changeOf, type Change, type Difference, invert, NodePool } from "../src/index.ts";
import { collect, del, entriesFrom, keyOf, numberOf, put, puts } from "./bytes.ts";
import { TreeModel } from "./model/tree-model.ts";

const KEY_COUNT = 400;

function randomChanges(random: Random, count: number): Change[] {
  return Array.from({ length: count }, (): Change => {
    const number = random.below(KEY_COUNT);
    return random.chance(0.4) ? del(number) : put(number, random.below(3));
  });
}

/** Two trees with a common past, or without one. */
async function pair(seed: number, format: 1 | 2) {
  const random = new Random(seed);
  const pool = await NodePool.open(new MemoryStore(), {
    format,
    inlineByteCountMax: random.pick([2, 100]),
  });
  const past = randomChanges(random, random.below(600));
  const changes = [0, 1].map(() => randomChanges(random, random.pick([0, 1, 5, 300])));
  const from = random.chance(0.8) ? await pool.edit(0, past) : 0;
  const model = new TreeModel().edited(from === 0 ? [] : past);
  const roots = [
    await pool.edit(from, changes[0] ?? []),
    await pool.edit(from, changes[1] ?? []),
  ] as const;
  const models = [model.edited(changes[0] ?? []), model.edited(changes[1] ?? [])] as const;
  return { random, pool, roots, models };
}

describe("a difference of two trees", () => {
  for (const format of [1, 2] as const)
    test(`is what a full comparison finds, in format ${format}`, async () => {
      for (let seed = 1; seed <= scaled(200); seed++) {
        const { random, pool, roots, models } = await pair(seed, format);
        const expected = models[0].diff(models[1]);
        const snapshot = pool.snapshot(roots[0]);
        expect([...snapshot.diffSync(roots[1])]).toEqual(expected);
        expect(await collect(snapshot.diff(roots[1]))).toEqual(expected);
        const [low, high] = [random.below(KEY_COUNT), random.below(KEY_COUNT)];
        const limit = random.below(5);
        const range = { gt: keyOf(low), lte: keyOf(high), limit };
        const inside = expected.filter(({ key }) => numberOf(key) > low && numberOf(key) <= high);
        expect([...snapshot.diffSync(roots[1], range)]).toEqual(inside.slice(0, limit));
        const prefix = keyOf(256).subarray(0, 3);
        const behind = expected.filter(({ key }) => key[2] === 1);
        expect([...snapshot.diffSync(roots[1], { prefix })]).toEqual(behind);
      }
    });

  test("goes on where it was left", async () => {
    const { pool, roots, models } = await pair(7, 2);
    const found: Difference[] = [];
    for (;;) {
      const gt = found.at(-1)?.key;
      const range = { limit: 3, ...(gt === undefined ? {} : { gt }) };
      const page = [...pool.snapshot(roots[0]).diffSync(roots[1], range)];
      if (page.length === 0) break;
      found.push(...page);
    }
    expect(found).toEqual(models[0].diff(models[1]));
  });

  test("applied to the first tree gives the second, and inverted the first again", async () => {
    for (let seed = 1; seed <= scaled(100); seed++) {
      const { pool, roots, models } = await pair(seed, 2);
      const differences = [...pool.snapshot(roots[0]).diffSync(roots[1])];
      const there = pool.editSync(roots[0], differences.map(changeOf));
      expect([...pool.snapshot(there).entriesSync()]).toEqual(models[1].entries);
      const back = pool.editSync(there, differences.map(invert).map(changeOf));
      expect([...pool.snapshot(back).entriesSync()]).toEqual(models[0].entries);
    }
  });

  test("with the same root is found without reading", async () => {
    const store = new CountingStore(new MemoryStore());
    const pool = await NodePool.open(store, { cacheByteCountMax: 0 });
    const root = await pool.edit(0, puts(0, 100));
    await pool.write({ hold: [root] });
    store.take();
    expect([...pool.snapshot(root).diffSync(root)]).toEqual([]);
    expect(store.take()).toMatchObject({ keys: 0 });
  });
});

describe("a million entries", () => {
  test("one change costs 8 nodes read in 4 reads, ten 62, a hundred at most 460; a change 4 nodes written", async () => {
    const store = new CountingStore(new MemoryStore());
    const pool = await NodePool.open(store);
    const root = await pool.load(entriesFrom(0, 1_000_000));
    await pool.write({ hold: [root] });
    const costs: number[][] = [];
    for (const count of [1, 10, 100]) {
      const changes = Array.from({ length: count }, (_, i) =>
        put(Math.floor(((i + 0.5) * 1_000_000) / count), 0),
      );
      const changed = await pool.edit(root, changes);
      const { nodesWritten } = await pool.write({ hold: [changed] });
      const fresh = await NodePool.open(store);
      store.take();
      const differences = [...fresh.snapshot(root).diffSync(changed)];
      expect(differences.map(({ type }) => type)).toEqual(changes.map(() => "modified"));
      const { keys, getMany } = store.take();
      costs.push([count, nodesWritten, keys, getMany]);
    }
    expect(costs).toEqual([
      [1, 4, 8, 4],
      [10, 31, 62, 31],
      [100, 230, 460, 230],
    ]);
  });
});
