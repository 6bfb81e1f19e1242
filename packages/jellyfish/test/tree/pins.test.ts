import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { collectGarbage } from "@x/testing";
import { describe, expect, test } from "vitest";

import { JellyfishTree, UpdateSet, utf8Codec } from "../../src/index.ts";

const texts = { keyCodec: utf8Codec, valueCodec: utf8Codec } as const;

async function take<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function filled(): Promise<JellyfishTree<string, string, MemoryStore>> {
  const tree = await JellyfishTree.open(new MemoryStore(), texts);
  await tree.batch(new UpdateSet(Array.from({ length: 100 }, (_, at) => [`${at}`, "old"])));
  return tree;
}

async function replaceAll(tree: JellyfishTree<string, string, MemoryStore>): Promise<void> {
  for (const value of ["new", "newer", "newest"])
    await tree.batch(new UpdateSet(Array.from({ length: 100 }, (_, at) => [`${at}`, value])));
}

describe("pins", () => {
  test("an iterator reads the root of its call to the end, whatever is written meanwhile", async () => {
    const tree = await filled();
    const iterator = tree.values();
    expect(await iterator.next()).toEqual({ done: false, value: "old" });
    await replaceAll(tree);
    const rest = await take(iterator);
    expect(rest.length).toBe(99);
    expect(new Set(rest)).toEqual(new Set(["old"]));
    expect(tree.pinCount).toBe(0);
    await tree.prune();
    expect(tree.roots().length).toBe(1);
  });

  test("iterators, views and chunks left early let their root go", async () => {
    const tree = await filled();
    for await (const _ of tree.entries()) break;
    for (const _ of tree.entriesSync()) break;
    for await (const _ of tree.chunks({ entryCountMax: 5 })) break;
    for await (const _ of tree.difference(tree.root, tree.roots()[0]?.root ?? tree.root)) break;
    const view = tree.at();
    const iterator = view.entries();
    await iterator.next();
    expect(tree.pinCount).toBe(2);
    view.close();
    view.close();
    await expect(view.get("1")).rejects.toMatchObject({ code: "JELLYFISH_CLOSED" });
    expect(() => view.nested(tree.root)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_CLOSED" }),
    );
    expect((await iterator.next()).done).toBe(false);
    await iterator.return();
    expect(tree.pinCount).toBe(0);
    await expect(
      tree.run(() => {
        throw new Error("mine");
      }),
    ).rejects.toThrow("mine");
    expect(tree.pinCount).toBe(0);
  });

  test("two roots of which one is unknown are not read, and neither is kept", async () => {
    const tree = await filled();
    const unknown = new Uint8Array(32).fill(7);
    const code = "JELLYFISH_ROOT_UNKNOWN";
    await expect(tree.patch(tree.root, unknown)).rejects.toMatchObject({ code });
    await expect(take(tree.difference(tree.root, unknown))).rejects.toMatchObject({ code });
    expect(tree.pinCount).toBe(0);
  });

  test("chunks and a dump that are forgotten half-way let their root go", async () => {
    const tree = await filled();
    await (async () => {
      for (let at = 0; at < 200; at++) {
        await tree.chunks({ entryCountMax: 50 }).next();
        if (at < 5) await tree.dump().next();
      }
    })();
    expect(tree.pinCount).toBe(205);
    await collectGarbage(() => tree.pinCount < 50);
    expect(tree.pinCount).toBeLessThan(50);
  });

  test("a view that is forgotten lets its root go", async () => {
    const tree = await filled();
    (() => {
      for (let at = 0; at < 1000; at++) void tree.at().entries();
    })();
    expect(tree.pinCount).toBe(2000);
    await collectGarbage(() => tree.pinCount < 100);
    expect(tree.pinCount).toBeLessThan(100);
  });

  test("a root that is being read is released when nobody reads it any more", async () => {
    const tree = await filled();
    const { root } = tree;
    await tree.retain(root);
    await replaceAll(tree);
    const view = tree.at(root);
    expect(await tree.release(root)).toEqual({ deletedCount: 0 });
    expect(await view.get("5")).toBe("old");
    await expect(tree.release(root)).rejects.toMatchObject({ code: "JELLYFISH_ROOT_UNKNOWN" });
    view.close();
    expect((await tree.prune()).deletedCount).toBeGreaterThan(100);
    expect(() => tree.at(root)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_ROOT_UNKNOWN" }),
    );
    expect(await tree.prune()).toEqual({ deletedCount: 0 });
    await expect(tree.retain(root)).rejects.toMatchObject({ code: "JELLYFISH_ROOT_UNKNOWN" });
  });

  test("readers that begin while a batch is on its way find every node", async () => {
    const folder = await mkdtemp(join(tmpdir(), "jellyfish-"));
    const store = await open(join(folder, "db"));
    const tree = await JellyfishTree.open(store, { ...texts, cacheByteCountMax: 0 });
    const reads: Promise<unknown>[] = [];
    for (let at = 0; at < 30; at++) {
      const writing = tree.batch(
        new UpdateSet(Array.from({ length: 30 }, (_, key) => [`${key}`, `${at}`])),
      );
      for (let read = 0; read < 5; read++) {
        reads.push(tree.get("3"), take(tree.values()));
        await Promise.resolve();
      }
      await writing;
    }
    expect((await Promise.allSettled(reads)).filter(({ status }) => status === "rejected")).toEqual(
      [],
    );
    await store.close();
    await rm(folder, { recursive: true });
  });
});
