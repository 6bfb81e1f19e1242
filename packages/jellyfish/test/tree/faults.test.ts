import { type Store } from "@x/store";
import { FailingStore, hexOf, Random, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { JellyfishTree, type JellyfishTreeOptions, verifyTree } from "../../src/index.ts";
import { type Entries, poolPath, runsOf, storedRuns, treeOf } from "./model.ts";

const options = { keys: "paths", history: 2 } as const satisfies JellyfishTreeOptions;

/** One step of a history that meets everything: updates, retained roots, released roots, pruning, a collection. */
type Step = (tree: JellyfishTree) => Promise<unknown>;

function stepsOf(seed: number): Step[] {
  const random = new Random(seed);
  const steps: Step[] = [];
  let held = 0;
  for (let at = 0; at < 14; at++) {
    const operations = Array.from({ length: 1 + random.below(5) }, () => {
      const key = poolPath(random.below(16));
      return random.chance(0.3)
        ? ({ type: "del", key } as const)
        : ({ type: "put", key, value: Uint8Array.of(random.below(2)) } as const);
    });
    steps.push((tree) => tree.batch(operations));
    if (random.chance(0.3)) {
      held++;
      steps.push((tree) => tree.retain(tree.root));
    }
    if (held > 0 && random.chance(0.3)) {
      held--;
      steps.push((tree) =>
        tree.release(tree.roots().find(({ holdCount }) => holdCount > 0)?.root ?? tree.root),
      );
    }
    if (random.chance(0.2)) steps.push((tree) => tree.prune());
    if (random.chance(0.1)) steps.push((tree) => tree.collect());
  }
  return steps;
}

/** The whole of what a store should hold is what its own list of roots says, and every root's content is known. */
async function assertWhole(
  store: FailingStore,
  contents: ReadonlyMap<string, Entries>,
): Promise<string> {
  const tree = await JellyfishTree.open(store, options);
  const roots = tree.roots().map(({ root }) => hexOf(root));
  const chain = roots.map((root) => treeOf(contents.get(root) as Entries));
  expect(await storedRuns(store)).toEqual(runsOf(chain));
  expect(await tree.verify()).toMatchObject({ ok: true });
  return roots.join();
}

async function runAll(
  store: FailingStore,
  steps: readonly Step[],
): Promise<{ readonly states: string[]; readonly contents: Map<string, Entries> }> {
  const contents = new Map<string, Entries>();
  const states: string[] = [];
  const tree = await JellyfishTree.open(store, options);
  for (const step of [async () => undefined, ...steps]) {
    await step(tree);
    const entries = new Map<string, string>();
    for await (const [key, value] of tree.entries()) entries.set(hexOf(key), hexOf(value));
    contents.set(hexOf(tree.root), entries);
    states.push(
      tree
        .roots()
        .map(({ root }) => hexOf(root))
        .join(),
    );
  }
  return { states, contents };
}

function codeOf(error: unknown): { readonly code: unknown } {
  return { code: error instanceof Error && "code" in error ? error.code : error };
}

describe("a failing store", () => {
  test.each([1, 2, 3])(
    "a batch that fails, written or not, leaves one whole state (history %s)",
    async (round) => {
      const steps = stepsOf(seedOf("faults", round));
      const whole = new FailingStore();
      const { states, contents } = await runAll(whole, steps);
      const batchCount = whole.history.length;
      expect(batchCount).toBeGreaterThan(10);
      for (let at = 1; at <= batchCount; at++)
        for (const written of [false, true]) {
          const store = new FailingStore({ at, kinds: ["batch"], written });
          await expect(runAll(store, steps)).rejects.toMatchObject({
            code: "STORE_DURABILITY_UNKNOWN",
          });
          for (const image of [store.killed(), store.cutToSynced()]) {
            if (image.content().length === 0) continue;
            expect(states).toContain(await assertWhole(image, contents));
          }
        }
    },
  );

  test.each([1, 2])("every crash leaves one whole state (history %s)", async (round) => {
    const steps = stepsOf(seedOf("crashes", round));
    const store = new FailingStore();
    const { states, contents } = await runAll(store, steps);
    for (let kept = 1; kept <= store.history.length; kept++) {
      const image = new FailingStore();
      for (const { operations } of store.history.slice(0, kept)) await image.batch(operations);
      expect(states).toContain(await assertWhole(image, contents));
    }
    for (const { store: image } of store.crashImages(new Random(round)))
      expect(states).toContain(await assertWhole(image, contents));
  });

  test("a read that fails changes nothing, and the next one succeeds", async () => {
    const steps = stepsOf(seedOf("reads"));
    const whole = new FailingStore();
    const { states } = await runAll(whole, steps);
    const { read } = whole.calls;
    for (let at = 1; at <= read; at += 1 + Math.floor(read / 60)) {
      const store = new FailingStore();
      const tree = await JellyfishTree.open(store, { ...options, cacheByteCountMax: 0 });
      store.plan({ at, kinds: ["read"] });
      const failures: unknown[] = [];
      for (const step of steps) {
        const digest = store.digest();
        const failure: unknown = await step(tree).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure === undefined) continue;
        failures.push({ ...codeOf(failure), isUnchanged: store.digest() === digest });
        await step(tree);
      }
      expect([[], [{ code: "STORE_IO", isUnchanged: true }]]).toContainEqual(failures);
      expect(states.at(-1)).toBe(
        tree
          .roots()
          .map(({ root }) => hexOf(root))
          .join(),
      );
    }
  });

  test("a batch lost in the middle is found by verifying", async () => {
    const store = new FailingStore();
    await runAll(store, stepsOf(seedOf("holes")));
    const unnoticed: number[] = [];
    for (let lost = 0; lost < store.history.length - 1; lost++) {
      const image = store.withoutBatch(lost);
      if (image.digest() === store.digest()) continue;
      if ((await verifyTree(image as Store, options)).ok) unnoticed.push(lost);
    }
    expect(unnoticed).toEqual([]);
  });
});
