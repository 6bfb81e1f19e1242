import { FailingStore, hexOf, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { jmtSha256, JellyfishTree, type TreeDraft } from "../../src/index.ts";
import { type Entries, poolPath, runsOf, storedRuns, treeOf } from "./model.ts";

/** A leaf's value is one byte and then the roots of the trees it carries. */
function nestedRoots(value: Uint8Array): Uint8Array[] {
  const roots: Uint8Array[] = [];
  for (let at = 1; at + 32 <= value.length; at += 32) roots.push(value.subarray(at, at + 32));
  return roots;
}

const { placeholder } = jmtSha256();

/** Accounts, each with up to two maps of its own. */
type World = Map<number, readonly [Entries, Entries]>;

function rootOf(entries: Entries): string {
  return treeOf(entries).root;
}

function valueOf([first, second]: readonly [Entries, Entries]): string {
  return `07${rootOf(first)}${rootOf(second)}`;
}

function topOf(world: World): Entries {
  return new Map([...world].map(([id, maps]) => [hexOf(poolPath(id)), valueOf(maps)]));
}

/** Every node of a world, by its place: the same node below two accounts is two. */
function placesOf(world: World): { readonly nodes: ReadonlyMap<string, unknown> } {
  const nodes = new Map<string, unknown>();
  for (const hash of treeOf(topOf(world)).nodes.keys()) nodes.set(hash, undefined);
  for (const [id, maps] of world)
    for (const [index, entries] of maps.entries())
      for (const hash of treeOf(entries).nodes.keys())
        nodes.set(`${hash} ${id} ${index}`, undefined);
  return { nodes };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

const none: Entries = new Map();

/** Changes some accounts; each changed map is a draft, written with the account's leaf in one batch. */
async function change(random: Random, tree: JellyfishTree, before: World): Promise<World> {
  const world: World = new Map(before);
  const drafts: TreeDraft[] = [];
  const operations = [];
  for (let round = 0; round < 1 + random.below(3); round++) {
    const id = random.below(6);
    const key = poolPath(id);
    if (random.chance(0.2)) {
      world.delete(id);
      operations.push({ type: "del", key } as const);
      continue;
    }
    const old = world.get(id) ?? [none, none];
    // Now and then an account gets exactly what another one has.
    const copied = random.chance(0.2) ? random.pick([...world.values(), old]) : undefined;
    const maps = copied ?? [
      await edit(random, tree, old[0], drafts),
      random.chance(0.5) ? old[1] : old[0],
    ];
    world.set(id, [maps[0], maps[1]]);
    operations.push({ type: "put", key, value: bytesOf(valueOf([maps[0], maps[1]])) } as const);
  }
  const { root } = await tree.batch(operations, { drafts });
  if (hexOf(root) !== rootOf(topOf(world))) throw new Error("the root is another");
  return world;
}

async function edit(
  random: Random,
  tree: JellyfishTree,
  entries: Entries,
  drafts: TreeDraft[],
): Promise<Entries> {
  const next = new Map(entries);
  const operations = Array.from({ length: random.below(5) }, () => {
    const key = poolPath(random.below(16));
    const value = Uint8Array.of(random.below(2));
    const isGone = random.chance(0.3);
    if (isGone) next.delete(hexOf(key));
    else next.set(hexOf(key), hexOf(value));
    return isGone ? ({ type: "del", key } as const) : ({ type: "put", key, value } as const);
  });
  const draft = await tree.draft(bytesOf(rootOf(entries)), operations, drafts);
  if (hexOf(draft.root) !== rootOf(next)) throw new Error("the draft's root is another");
  drafts.push(draft);
  return next;
}

async function runHistory(store: FailingStore): Promise<void> {
  const random = new Random(seedOf("nested faults"));
  const tree = await JellyfishTree.open(store, { keys: "paths", nestedRoots });
  let world: World = new Map();
  for (let at = 0; at < 8; at++) world = await change(random, tree, world);
}

describe("nested trees", () => {
  test.each([1, 3])(
    "live and go with their leaves, and nothing else is stored (history %s)",
    async (history) => {
      for (let round = 0; round < scaled(8); round++) {
        const seed = seedOf("nested", history, round);
        const random = new Random(seed);
        const store = new FailingStore();
        const tree = await JellyfishTree.open(store, { keys: "paths", history, nestedRoots });
        const worlds = new Map<string, World>([[rootOf(none), new Map()]]);
        let world: World = new Map();
        for (let at = 0; at < 14; at++) {
          world = await change(random, tree, world);
          worlds.set(hexOf(tree.root), world);
          if (random.chance(0.2)) await tree.retain(tree.root);
          const held = tree.roots().find(({ holdCount }) => holdCount > 0);
          if (held !== undefined && random.chance(0.2)) await tree.release(held.root);
          const chain = tree.roots().map(({ root }) => placesOf(worlds.get(hexOf(root)) as World));
          const runs = new Map<string, number>();
          for (const [place, count] of runsOf(chain as Parameters<typeof runsOf>[0])) {
            const hash = place.slice(0, 64);
            runs.set(hash, (runs.get(hash) ?? 0) + count);
          }
          expect(await storedRuns(store), `seed ${seed}, step ${at}`).toEqual(runs);
        }
        expect(await tree.verify()).toMatchObject({ ok: true, firstBad: undefined });
        expect(await tree.collect()).toMatchObject({ deletedCount: 0, repairedCount: 0 });
      }
    },
  );

  test("are read through a view of the tree that carries them", async () => {
    const tree = await JellyfishTree.open(new FailingStore(), { nestedRoots });
    const inner = await tree.draft(placeholder, [
      { type: "put", key: Uint8Array.of(5), value: Uint8Array.of(6) },
    ]);
    const value = Uint8Array.of(1, ...inner.root);
    const { writtenCount } = await tree.set(Uint8Array.of(1), value, { drafts: [inner] });
    expect(writtenCount).toBe(2);
    const view = tree.at();
    const nested = view.nested(inner.root);
    expect(await nested.get(Uint8Array.of(5))).toEqual(Uint8Array.of(6));
    expect([nested.size, await nested.count()]).toEqual([undefined, 1]);
    nested.close();
    view.close();
    await tree.delete(Uint8Array.of(1));
    expect(await tree.prune()).toEqual({ deletedCount: 2 });
  });

  test("a leaf that carries a tree nobody has is refused, and nothing is written", async () => {
    const store = new FailingStore();
    const tree = await JellyfishTree.open(store, { nestedRoots });
    const digest = store.digest();
    const value = Uint8Array.of(1, ...new Uint8Array(32).fill(9));
    await expect(tree.set(Uint8Array.of(1), value)).rejects.toMatchObject({
      code: "JELLYFISH_MISSING_NODE",
    });
    expect(store.digest()).toBe(digest);
    await expect(
      JellyfishTree.open(store, { nestedRoots: () => [Uint8Array.of(1)] }).then((odd) =>
        odd.set(Uint8Array.of(1), value),
      ),
    ).rejects.toThrow(TypeError);
  });

  test("a failure at any batch leaves one whole state", async () => {
    const whole = new FailingStore();
    await runHistory(whole);
    for (let at = 1; at <= whole.history.length; at++) {
      const store = new FailingStore({ at, kinds: ["batch"], written: at % 2 === 0 });
      await expect(runHistory(store)).rejects.toMatchObject({ code: "STORE_DURABILITY_UNKNOWN" });
      const tree = await JellyfishTree.open(store.killed(), { keys: "paths", nestedRoots });
      expect(await tree.verify()).toMatchObject({ ok: true });
    }
  });
});
