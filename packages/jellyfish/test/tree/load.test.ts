import { FailingStore, Random, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { JellyfishTree } from "../../src/index.ts";

const random = new Random(seedOf("load"));
const entries = Array.from({ length: 70 }, () => [random.bytes(2), random.bytes(3)] as const);
const own = [Uint8Array.of(7, 7, 7), Uint8Array.of(1)] as const;

async function opened(store: FailingStore): Promise<JellyfishTree> {
  return JellyfishTree.open(store, { history: 2 });
}

/** A tree with something in it, which shares nodes with what is loaded. */
async function begin(store: FailingStore): Promise<JellyfishTree> {
  const tree = await opened(store);
  await tree.set(...own);
  for (const [key, value] of entries.slice(0, 5)) await tree.set(key, value);
  return tree;
}

describe("a load", () => {
  test("is one update, whatever the size of its chunks", async () => {
    const roots = new Set<string>();
    for (const chunkCountMax of [1, 9, 70, 71]) {
      const store = new FailingStore();
      const tree = await begin(store);
      const before = tree.roots().length;
      const counts: number[] = [];
      const report = await tree.load(entries, {
        chunkCountMax,
        onProgress: ({ entryCount }) => counts.push(entryCount),
      });
      expect(report).toMatchObject({ entryCount: 70, leafCount: tree.size });
      expect(counts).toEqual(
        Array.from(
          { length: Math.ceil(70 / chunkCountMax) - 1 },
          (_, at) => (at + 1) * chunkCountMax,
        ),
      );
      expect(tree.roots().length).toBe(before);
      expect(store.history.every(({ sync }) => sync)).toBe(true);
      expect(await tree.verify()).toMatchObject({ ok: true });
      roots.add(String(tree.root));
    }
    expect(roots.size).toBe(1);
  });

  test("that fails at any batch is not there, and what it left goes with the next write", async () => {
    const whole = new FailingStore();
    const tree = await begin(whole);
    const first = whole.history.length;
    await tree.load(entries, { chunkCountMax: 11 });
    const last = whole.history.length;
    for (let at = first + 1; at <= last; at++)
      for (const written of [false, true]) {
        const store = new FailingStore({ at, kinds: ["batch"], written });
        const failing = await begin(store);
        const before = failing.root;
        await expect(failing.load(entries, { chunkCountMax: 11 })).rejects.toMatchObject({
          code: "STORE_DURABILITY_UNKNOWN",
        });
        const reopened = await opened(store.killed());
        const isThere = at === last && written;
        expect(reopened.root).toEqual(isThere ? tree.root : before);
        expect(await reopened.verify()).toMatchObject({ ok: true });
        await reopened.load(entries, { chunkCountMax: 20 });
        expect(reopened.root).toEqual(tree.root);
        await reopened.prune();
        expect(await reopened.verify()).toMatchObject({ ok: true });
        expect(await reopened.collect()).toMatchObject({ deletedCount: 0 });
      }
  });

  test("that is stopped, or whose entries end in an error, leaves the tree as it was", async () => {
    const tree = await begin(new FailingStore());
    const before = tree.root;
    const controller = new AbortController();
    const stopped = tree.load(entries, {
      chunkCountMax: 10,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(stopped).rejects.toThrow("enough");
    async function* broken(): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
      yield* entries;
      throw new Error("no more");
    }
    await expect(tree.load(broken(), { chunkCountMax: 10 })).rejects.toThrow("no more");
    expect(tree.root).toEqual(before);
    expect(await tree.get(own[0])).toEqual(own[1]);
    await expect(tree.load(entries, { chunkCountMax: 0 })).rejects.toThrow(RangeError);
    await tree.prune();
    expect(await tree.verify()).toMatchObject({ ok: true });
  });

  test("keeps the updates called during it waiting", async () => {
    const tree = await begin(new FailingStore());
    const loading = tree.load(entries, { chunkCountMax: 10 });
    const setting = tree.set(own[0], Uint8Array.of(2));
    expect((await setting).leafCount).toBe((await loading).leafCount);
    expect(await tree.get(own[0])).toEqual(Uint8Array.of(2));
    expect(await tree.verify()).toMatchObject({ ok: true });
  });
});
