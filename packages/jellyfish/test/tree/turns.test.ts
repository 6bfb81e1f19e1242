import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";

import { JellyfishTree, UpdateSet, utf8Codec } from "../../src/index.ts";

const texts = { keyCodec: utf8Codec, valueCodec: utf8Codec } as const;

/** How calls ended: `done`, or the code of the error. */
async function endsOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  return Promise.all(
    calls.map((call) =>
      call.then(
        () => "done",
        (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
      ),
    ),
  );
}

describe("writes", () => {
  test("of an operation that is none are refused", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), texts);
    const odd = { type: "putt", key: "a", value: "1" } as unknown as { type: "del"; key: string };
    await expect(tree.batch([odd])).rejects.toThrow(TypeError);
    expect(tree.size).toBe(0);
  });

  test("that were called before the tree is closed are done, and none after", async () => {
    const store = new MemoryStore();
    const tree = await JellyfishTree.open(store, { ...texts, history: 3 });
    const calls = [
      tree.set("a", "1"),
      tree.set("a", "2"),
      tree.load([["b", "3"]]),
      tree.retain(tree.root),
      tree.release(tree.root),
      tree.prune(),
      tree.verify(),
    ];
    const closing = tree.close();
    const late = [tree.set("a", "4"), tree.prune(), tree.retain(tree.root), tree.collect()];
    const gone = "JELLYFISH_ROOT_UNKNOWN";
    const ends = await endsOf([...calls, ...late]);
    expect(ends.slice(0, calls.length)).toEqual([
      "done",
      "done",
      "done",
      gone,
      gone,
      "done",
      "done",
    ]);
    expect(new Set(ends.slice(calls.length))).toEqual(new Set(["JELLYFISH_CLOSED"]));
    await closing;
    const again = await JellyfishTree.open(store, { ...texts, history: 3 });
    expect(await again.getMany(["a", "b"])).toEqual(["2", "3"]);
  });

  test("that find nodes gone because of another writer are a conflict, and go on where the other is", async () => {
    const store = new MemoryStore();
    const tree = await JellyfishTree.open(store, { ...texts, cacheByteCountMax: 0 });
    await tree.batch(new UpdateSet(["a", "b", "c"].map((key) => [key, "1"])));
    const other = await JellyfishTree.open(store, texts);
    for (const value of ["2", "3", "4"]) await other.set("a", value);
    expect(await endsOf([tree.set("b", "2")])).toEqual(["JELLYFISH_CONFLICT"]);
    expect(await tree.get("a")).toBe("4");
    expect(await endsOf([tree.set("b", "2")])).toEqual(["done"]);
    expect(await tree.verify()).toMatchObject({ ok: true });
  });
});
