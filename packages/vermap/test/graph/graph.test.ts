import { runAsync, runSync } from "@x/store";
import { CountingStore, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { commitDistance, isAncestor } from "../../src/graph/ancestry.ts";
import { type LogOptions, LogWalk } from "../../src/graph/log-walk.ts";
import { aheadBehind, forkPoint, mergeBases } from "../../src/graph/merge-bases.ts";
import { ancestorsOf, randomShape, type Shape, tableOf } from "./histories.ts";

/** By the definition: common ancestors that no other common ancestor comes from. */
function naiveBases(shape: Shape, a: number, b: number): number[] {
  const fromB = ancestorsOf(shape, b);
  const common = [...ancestorsOf(shape, a)].filter((id) => fromB.has(id));
  const best = common.filter(
    (id) => !common.some((other) => other !== id && ancestorsOf(shape, other).has(id)),
  );
  return best.toSorted((x, y) => y - x);
}

async function logOf(
  shape: Shape,
  head: number,
  options: LogOptions,
  times?: (id: number) => number,
) {
  const { store, commits } = await tableOf(shape, times);
  const walk = new LogWalk(commits, head, options);
  const ids: number[] = [];
  for (;;) {
    const page = runSync(walk.read(), store);
    if (page.length === 0) return ids;
    ids.push(...page.map(({ id }) => id));
  }
}

describe("a graph of commits", () => {
  test("gives the bases, distances and counts of their definitions", async () => {
    for (let run = 0; run < scaled(150); run++) {
      const random = new Random(seedOf("graph", run));
      const shape = randomShape(random, random.between(1, 40));
      const { store, commits } = await tableOf(shape);
      for (let pair = 0; pair < 20; pair++) {
        const a = random.between(1, shape.length);
        const b = random.between(1, shape.length);
        const [fromA, fromB] = [ancestorsOf(shape, a), ancestorsOf(shape, b)];
        const bases = naiveBases(shape, a, b);
        const line = [a];
        for (let at = a; (at = shape[at - 1]?.[0] ?? 0) !== 0;) line.push(at);
        const distance = line.indexOf(b);
        const pairOf = { seed: run, a, b };
        expect({
          ...pairOf,
          bases: runSync(mergeBases(commits, a, b), store),
          forkPoint: runSync(forkPoint(commits, a, b), store),
          isAncestor: runSync(isAncestor(commits, a, b), store),
          aheadBehind: runSync(aheadBehind(commits, a, b), store),
          distance: runSync(commitDistance(commits, a, b), store),
        }).toEqual({
          ...pairOf,
          bases,
          forkPoint: bases[0],
          isAncestor: fromB.has(a),
          aheadBehind: {
            ahead: [...fromA].filter((id) => !fromB.has(id)).length,
            behind: [...fromB].filter((id) => !fromA.has(id)).length,
          },
          distance: distance < 0 ? undefined : distance,
        });
      }
    }
  });

  test("an unknown commit has no fork point and no distance, not even with itself", async () => {
    const { store, commits } = await tableOf([[], [1]]);
    for (const [a, b] of [
      [9, 9],
      [9, 1],
      [1, 9],
      [0, 0],
      [1, 0],
    ] as const) {
      expect(runSync(forkPoint(commits, a, b), store)).toBeUndefined();
      expect(runSync(commitDistance(commits, a, b), store)).toBeUndefined();
    }
  });

  test("a parent that is not there ends a walk with an error", async () => {
    const { store, commits } = await tableOf([[], [1], [2]]);
    const key = (await store.iterator({ limit: 1 }).next()).value?.[0] as Uint8Array;
    await store.batch([{ type: "del", key }]);
    expect(() => runSync(isAncestor(commits, 1, 3), store)).toThrow(
      expect.objectContaining({ code: "VERMAP_MISSING", commitId: 1 }),
    );
  });

  test("a walk along a chain reads 32 commits at a time", async () => {
    const shape = Array.from({ length: 320 }, (_, index) => (index === 0 ? [] : [index]));
    const { store, commits } = await tableOf(shape);
    const counting = new CountingStore(store);
    expect(await runAsync(commitDistance(commits, 320, 1), counting)).toBe(319);
    expect(counting.take()).toMatchObject({ getMany: 11, keys: 320 });
    // The second walk finds everything in memory.
    expect(await runAsync(isAncestor(commits, 1, 320), counting)).toBe(true);
    expect(counting.take()).toMatchObject({ getMany: 0 });
  });
});

describe("a log", () => {
  // 1 - 2 - 4 - 6
  //  \- 3 - 5 -/
  const shape = [[], [1], [1], [2], [3], [4, 5]];

  test("goes along first parents", async () => {
    expect(await logOf(shape, 6, {})).toEqual([6, 4, 2, 1]);
    expect(await logOf(shape, 6, { limit: 2 })).toEqual([6, 4]);
    expect(await logOf(shape, 6, { after: 4, limit: 1 })).toEqual([2]);
    expect(await logOf(shape, 0, {})).toEqual([]);
  });

  test("of all parents gives every commit before its parents", async () => {
    expect(await logOf(shape, 6, { parents: "all" })).toEqual([6, 5, 4, 3, 2, 1]);
    expect(await logOf(shape, 5, { parents: "all" })).toEqual([5, 3, 1]);
    expect(await logOf(shape, 6, { parents: "all", after: 4 })).toEqual([3, 2, 1]);
  });

  test("by time is as near to the clock as that rule allows", async () => {
    const options = { parents: "all", order: "time" } as const;
    const times = [10, 60, 20, 50, 40, 5];
    expect(await logOf(shape, 6, options, (id) => times[id - 1] ?? 0)).toEqual([6, 4, 2, 5, 3, 1]);
  });

  test("refuses options it does not know", async () => {
    await expect(logOf(shape, 6, { limit: -1 })).rejects.toThrow(RangeError);
    await expect(logOf(shape, 6, { order: "id" as "time" })).rejects.toThrow(TypeError);
    await expect(logOf(shape, 6, { parents: "none" as "all" })).rejects.toThrow(TypeError);
  });
});
