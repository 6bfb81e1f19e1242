import { MemoryStore } from "@x/store-memory";
import { FailingStore, hexOf, Random, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { collectNodes, type CollectProgress, JellyfishTree } from "../../src/index.ts";
import { storedRuns } from "../tree/model.ts";

async function sample(
  store = new FailingStore(),
): Promise<{ readonly tree: JellyfishTree; readonly store: FailingStore }> {
  const tree = await JellyfishTree.open(store, { history: 3 });
  const random = new Random(seedOf("collect"));
  await tree.load(Array.from({ length: 60 }, () => [random.bytes(2), random.bytes(3)]));
  const key = random.bytes(2);
  for (const value of [1, undefined, 1])
    await (value === undefined ? tree.delete(key) : tree.set(key, Uint8Array.of(value)));
  return { tree, store };
}

/** Key of the count beside a node. */
function keyOf(hash = ""): Uint8Array {
  const digits = hash.match(/../g) ?? [];
  return Uint8Array.from([...digits.map((pair) => Number.parseInt(pair, 16)), 0]);
}

/** Nodes that nothing needs, and counts that are wrong, as another program might leave them. */
async function litter(store: FailingStore, count = 10, hasWrongCounts = true): Promise<void> {
  const random = new Random(seedOf("litter"));
  const counted = [...(await storedRuns(store))].find(([, runs]) => runs > 1);
  const nodes = [...(await storedRuns(store))].filter(([, runs]) => runs === 1);
  const wrong: Parameters<FailingStore["batch"]>[0] = [
    { type: "del", key: keyOf(counted?.[0]) },
    { type: "put", key: keyOf(nodes[0]?.[0]), value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9) },
    { type: "put", key: keyOf(nodes[1]?.[0]), value: Uint8Array.of(1, 2, 3) },
  ];
  await store.batch([
    ...Array.from(
      { length: count },
      () => ({ type: "put", key: random.bytes(32), value: random.bytes(10) }) as const,
    ),
    ...(hasWrongCounts ? wrong : []),
  ]);
}

describe("a collection", () => {
  test("of a store that is right writes nothing", async () => {
    const { tree, store } = await sample();
    const digest = store.digest();
    expect(await tree.collect()).toMatchObject({
      deletedCount: 0,
      repairedCount: 0,
      reclaimedByteCount: 0,
    });
    expect(store.digest()).toBe(digest);
  });

  test.each([1, 4, 1000])(
    "takes what nothing needs, whatever fits into memory (%s)",
    async (markCountMax) => {
      const { tree, store } = await sample();
      const right = await storedRuns(store);
      await litter(store);
      const parts: number[] = [];
      const report = await tree.collect({
        markCountMax,
        batchCountMax: 3,
        onProgress: ({ part }) => parts.push(part.index),
      });
      expect(report).toEqual({
        nodeCount: right.size,
        deletedCount: 10,
        repairedCount: 3,
        reclaimedByteCount: 10 * 42 + 33 + 8 + 33 + 3,
      });
      expect(await storedRuns(store)).toEqual(right);
      expect(await tree.verify()).toMatchObject({ ok: true });
      expect(parts.length).toBe(markCountMax === 1000 ? 1 : parts.length);
      expect(await tree.collect({ markCountMax })).toMatchObject({
        deletedCount: 0,
        repairedCount: 0,
      });
    },
  );

  test("that fails at any batch, or is stopped, is done by the next one", async () => {
    for (let at = 1; at <= 8; at++)
      for (const written of [false, true]) {
        const { tree, store } = await sample();
        const right = await storedRuns(store);
        await litter(store);
        store.plan({ at, kinds: ["batch"], written });
        const done: boolean = await tree.collect({ batchCountMax: 2 }).then(
          () => true,
          () => false,
        );
        expect(done).toBe(at > 8 || store.state === "open");
        const next = await JellyfishTree.open(store.killed(), { history: 3 });
        await next.collect();
        expect(await storedRuns(next.store)).toEqual(right);
        expect(await next.verify()).toMatchObject({ ok: true });
      }
  });

  test("goes on after the part it has told of", async () => {
    const { tree, store } = await sample();
    await litter(store, 200);
    const controller = new AbortController();
    let last: CollectProgress | undefined;
    const stopped = tree.collect({
      markCountMax: 8,
      signal: controller.signal,
      onProgress: (progress) => {
        last = progress;
        if (progress.part.index === 3) controller.abort(new Error("enough"));
      },
    });
    await expect(stopped).rejects.toThrow("enough");
    expect(last?.part.index).toBe(3);
    const indexes: number[] = [];
    await tree.collect({
      after: last as CollectProgress,
      onProgress: ({ part }) => indexes.push(part.index),
    });
    expect(indexes[0]).toBe(4);
    expect(await tree.verify()).toMatchObject({ ok: true });
  });

  test("keeps what is written while it runs, and what is read", async () => {
    for (let pause = 0; pause < 12; pause++) {
      const { tree, store } = await sample();
      await litter(store, 30, false);
      const view = tree.at(tree.roots()[0]?.root ?? tree.root);
      const collecting = tree.collect({ batchCountMax: 1, markCountMax: 16 });
      for (let turn = 0; turn < pause * 5; turn++) await Promise.resolve();
      const random = new Random(pause);
      for (let at = 0; at < 5; at++) await tree.set(random.bytes(2), random.bytes(3));
      await collecting;
      for await (const [key, value] of tree) expect(await tree.get(key)).toEqual(value);
      for await (const entry of view) expect(entry.length).toBe(2);
      view.close();
      await tree.collect();
      expect(await tree.verify(), `pause ${pause}`).toMatchObject({ ok: true });
    }
  });

  test("does not fail because an unfinished load goes meanwhile", async () => {
    for (let pause = 0; pause < 8; pause++) {
      const { tree, store } = await sample();
      await litter(store, 30, false);
      const random = new Random(pause);
      const entries = function* (): Generator<[Uint8Array, Uint8Array]> {
        for (let at = 0; at < 200; at++) yield [random.bytes(3), random.bytes(3)];
        throw new Error("interrupted");
      };
      await expect(tree.load(entries(), { chunkCountMax: 50 })).rejects.toThrow("interrupted");
      const collecting = tree.collect({ markCountMax: 64 });
      for (let turn = 0; turn < pause; turn++) await Promise.resolve();
      await tree.set(random.bytes(2), random.bytes(3));
      expect((await collecting).deletedCount).toBe(30);
      expect(await tree.verify(), `pause ${pause}`).toMatchObject({ ok: true });
    }
  });

  test("is stopped while it finds nothing to do", async () => {
    const { tree, store } = await sample();
    const { read } = store.calls;
    const controller = new AbortController();
    let walked = 0;
    const iterator = store.iterator.bind(store);
    store.iterator = (range) => {
      const walk = iterator(range);
      const next = walk.next.bind(walk);
      walk.next = () => {
        if (++walked === 5) controller.abort(new Error("enough"));
        return next();
      };
      return walk;
    };
    const { signal } = controller;
    await expect(tree.collect({ signal })).rejects.toThrow("enough");
    expect(walked).toBe(5);
    await expect(tree.verify({ signal })).rejects.toThrow("enough");
    expect(store.calls.read).toBeGreaterThan(read);
  });

  test("takes nothing when a root is damaged", async () => {
    const { tree, store } = await sample();
    await litter(store);
    const inner = store.content().find(([key, value]) => key.length === 64 && value[0] === 0x11);
    const key = Uint8Array.from(
      (inner?.[0].match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16)),
    );
    await store.batch([{ type: "del", key }]);
    const digest = store.digest();
    await expect(tree.collect()).rejects.toMatchObject({ code: "JELLYFISH_MISSING_NODE" });
    expect(store.digest()).toBe(digest);
  });

  test("ends when another writer changes the tree", async () => {
    const { tree, store } = await sample();
    await litter(store, 30, false);
    const other = await JellyfishTree.open(store, { history: 3 });
    const collecting = tree.collect({ batchCountMax: 1 });
    await other.set(Uint8Array.of(1), Uint8Array.of(1));
    await expect(collecting).rejects.toMatchObject({ code: "JELLYFISH_CONFLICT" });
    await tree.collect();
    expect(await tree.verify()).toMatchObject({ ok: true });
  });

  test("of nodes alone keeps what the given roots reach", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), { history: Infinity });
    const random = new Random(3);
    for (let at = 0; at < 20; at++) await tree.set(random.bytes(1), random.bytes(1));
    const nodes = new MemoryStore();
    for await (const [key, value] of tree.store.iterator())
      if (key.length === 32) await nodes.batch([{ type: "put", key, value }]);
    const { context, root } = tree;
    const report = await collectNodes(nodes, { context, roots: [root, tree.emptyRoot] });
    expect(report.deletedCount).toBeGreaterThan(0);
    const alone = await JellyfishTree.open(new MemoryStore());
    for await (const [key, value] of tree) await alone.set(key, value);
    await alone.prune();
    expect([...(await storedRuns(nodes)).keys()]).toEqual([
      ...(await storedRuns(alone.store)).keys(),
    ]);
    expect(hexOf(alone.root)).toBe(hexOf(root));
    await expect(collectNodes(nodes, { context, roots: [root], markCountMax: 0 })).rejects.toThrow(
      RangeError,
    );
  });
});
