import { MemoryStore } from "@x/store-memory";
import { hexOf, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { JellyfishTree, type TreeView } from "../../src/index.ts";
import { verifyExclusion, verifyInclusion } from "../../src/verify/index.ts";
import { type Entries, poolPath, runsOf, storedRuns, treeOf } from "./model.ts";

/** What is known of a tree, in plain Maps. */
class Model {
  entries: Map<string, string> = new Map();
  /** Content of every root there ever was. */
  readonly contents = new Map<string, Entries>();

  constructor() {
    this.note();
  }

  /** Remembers the present content by its root. */
  note(): string {
    const { root } = treeOf(this.entries);
    this.contents.set(root, new Map(this.entries));
    return root;
  }
}

type Tree = JellyfishTree<Uint8Array, Uint8Array, MemoryStore>;

async function step(
  random: Random,
  tree: Tree,
  model: Model,
  views: TreeView<Uint8Array, Uint8Array, MemoryStore>[],
): Promise<void> {
  const known = tree.roots();
  switch (random.below(12)) {
    case 0:
      return tree.retain(random.pick(known).root);
    case 1: {
      const held = known.filter(({ holdCount }) => holdCount > 0);
      if (held.length > 0) await tree.release(random.pick(held).root);
      return;
    }
    case 2:
      await tree.prune();
      return;
    case 3:
      views.push(tree.at(random.pick(known).root));
      return;
    case 4:
      if (views.length > 0) views.splice(random.below(views.length), 1)[0]?.close();
      return;
    default: {
      const operations = Array.from({ length: random.below(6) }, () => {
        const key = poolPath(random.below(16));
        return random.chance(0.35)
          ? ({ type: "del", key } as const)
          : ({ type: "put", key, value: Uint8Array.of(random.below(2)) } as const);
      });
      for (const operation of operations) {
        if (operation.type === "del") model.entries.delete(hexOf(operation.key));
        else model.entries.set(hexOf(operation.key), hexOf(operation.value));
      }
      const { root } = await tree.batch(operations);
      if (hexOf(root) !== model.note()) throw new Error("the root is another");
    }
  }
}

async function checkEverything(tree: Tree, model: Model): Promise<void> {
  const chain = tree.roots();
  const contents = chain.map(({ root }) => model.contents.get(hexOf(root)) as Entries);
  expect(await storedRuns(tree.store)).toEqual(runsOf(contents.map((entries) => treeOf(entries))));
  for (const [index, { root, leafCount }] of chain.entries()) {
    const entries = contents[index] as Entries;
    expect(leafCount).toBe(entries.size);
    const view = tree.at(root);
    for (let at = 0; at < 16; at++) {
      const value = await view.get(poolPath(at));
      expect(value && hexOf(value)).toBe(entries.get(hexOf(poolPath(at))));
    }
    await checkProof(view, poolPath(index % 16), entries);
    view.close();
  }
}

/** That what the view says of a path follows from its root alone. */
async function checkProof(
  view: TreeView<Uint8Array, Uint8Array, MemoryStore>,
  path: Uint8Array,
  entries: Entries,
): Promise<void> {
  const { value, proof } = await view.getWithProof(path);
  const claim = { scheme: view.context.scheme, root: view.root, path, proof };
  const verdict =
    value === undefined ? verifyExclusion(claim).kind : hexOf(verifyInclusion({ ...claim, value }));
  expect(verdict).toBe(entries.get(hexOf(path)) ?? "absent");
}

describe("a tree's history", () => {
  test.each([1, 2, 4, Infinity])(
    "with %s roots: what is retained reads, and nothing else is stored",
    async (history) => {
      for (let round = 0; round < scaled(12); round++) {
        const seed = seedOf("histories", history, round);
        const random = new Random(seed);
        const store = new MemoryStore();
        let tree = await JellyfishTree.open(store, {
          keys: "paths",
          history,
          cacheByteCountMax: random.chance(0.5) ? 0 : 4096,
        });
        const model = new Model();
        let views: TreeView<Uint8Array, Uint8Array, MemoryStore>[] = [];
        for (let at = 0; at < 40; at++) {
          await step(random, tree, model, views).catch((error: unknown) => {
            throw new Error(`seed ${seed}, step ${at}`, { cause: error });
          });
          await checkEverything(tree, model).catch((error: unknown) => {
            throw new Error(`seed ${seed}, step ${at}`, { cause: error });
          });
          if (random.chance(0.05)) {
            await tree.close();
            views = [];
            tree = await JellyfishTree.open(store, { keys: "paths", history });
          }
        }
        for (const view of views) view.close();
        await tree.prune();
        expect(tree.roots().filter(({ holdCount }) => holdCount === 0).length).toBeLessThanOrEqual(
          history,
        );
      }
    },
  );
});
