import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Store } from "@x/store";
import { open } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { Random, seedOf } from "@x/testing";
import { afterEach, describe, expect, expectTypeOf, test } from "vitest";

import {
  compactNodes,
  jmtSha256,
  JellyfishTree,
  jsonCodec,
  roochNodes,
  rooch,
  UpdateSet,
  utf8Codec,
} from "../../src/index.ts";
import { verifyExclusion, verifyInclusion } from "../../src/verify/index.ts";

const texts = { keyCodec: utf8Codec, valueCodec: utf8Codec } as const;
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function levelStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "jellyfish-"));
  folders.push(folder);
  return open(join(folder, "db"));
}

/** The same store, with nothing but what every store has. */
function asyncOnly(store: Store): Store {
  return {
    supports: { syncReads: false },
    get state() {
      return store.state;
    },
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    batch: (operations, options) => store.batch(operations, options),
    iterator: (range) => store.iterator(range),
    close: () => store.close(),
  };
}

async function take<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Everything a tree answers, as text. */
async function storyOf(store: Store): Promise<string> {
  const random = new Random(seedOf("story"));
  const tree = await JellyfishTree.open(store, { ...texts, history: 3, cacheByteCountMax: 20_000 });
  const lines: unknown[] = [];
  for (let round = 0; round < 8; round++) {
    const set = new UpdateSet<string, string>();
    for (let at = 0; at < 40; at++) {
      const key = `key ${random.below(120)}`;
      if (random.chance(0.3)) set.remove(key);
      else set.put(key, `value ${random.below(50)}`);
    }
    lines.push(await tree.batch(set));
    if (round === 3) await tree.retain(tree.root);
  }
  const keys = Array.from({ length: 10 }, (_, at) => `key ${at * 11}`);
  lines.push(await tree.getMany(keys), await tree.has("key 3"), await tree.get("key 4"));
  lines.push(
    await take(tree.entries({ limit: 9 })),
    await take(tree.keys({ reverse: true, limit: 3 })),
  );
  lines.push(await take(tree.values()), tree.roots(), await tree.list(4), await tree.rank("key 9"));
  lines.push(await tree.entryAt(5), await tree.count(), await tree.getWithProof("key 4"));
  const [first, last] = [tree.roots()[0]?.root ?? tree.root, tree.root];
  lines.push(await take(tree.difference(first, last)), await tree.patch(first, last));
  lines.push(
    await take(tree.chunks({ entryCountMax: 30 })),
    await tree.collect(),
    await tree.verify(),
  );
  await tree.load(
    Array.from({ length: 50 }, (_, at) => [`new ${at}`, "x"]),
    { chunkCountMax: 8 },
  );
  lines.push(tree.root, tree.size, await tree.prune(), await tree.verify());
  await tree.close();
  await store.close();
  return JSON.stringify(lines);
}

describe("a tree", () => {
  test("answers alike over memory, Level with synchronous reads and Level without", async () => {
    const story = await storyOf(new MemoryStore());
    expect(await storyOf(asyncOnly(new MemoryStore()))).toBe(story);
    expect(await storyOf(await levelStore())).toBe(story);
    expect(await storyOf(asyncOnly(await levelStore()))).toBe(story);
  });

  test("answers synchronously what it answers asynchronously", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), texts);
    await tree.batch(
      new UpdateSet([
        ["a", "1"],
        ["b", "2"],
        ["c", "3"],
      ]),
    );
    expect(tree.getSync("b")).toBe(await tree.get("b"));
    expect(tree.hasSync("x")).toBe(await tree.has("x"));
    expect(tree.getManySync(["a", "x"])).toEqual(await tree.getMany(["a", "x"]));
    expect([...tree.entriesSync()]).toEqual(await take(tree));
    expect([...tree.keysSync()]).toEqual(await take(tree.keys()));
    expect([...tree.valuesSync({ limit: 2 })]).toEqual(await take(tree.values({ limit: 2 })));
    const iterator = tree.entriesSync();
    iterator.next();
    expect(iterator.return()).toEqual({ done: true, value: undefined });
    expect(iterator.next().done).toBe(true);
  });

  test("has no synchronous reads over a store that has none", async () => {
    const tree = await JellyfishTree.open(asyncOnly(new MemoryStore()), texts);
    // @ts-expect-error -- the store is no SyncStore
    expect(() => tree.getSync("a")).toThrow(TypeError);
    // @ts-expect-error -- the store is no SyncStore
    expect(() => tree.entriesSync()).toThrow(TypeError);
  });

  test("has the types of its codecs and its store", async () => {
    const plain = await JellyfishTree.open(new MemoryStore());
    expectTypeOf(plain).toEqualTypeOf<JellyfishTree<Uint8Array, Uint8Array, MemoryStore>>();
    const tree = await JellyfishTree.open(new MemoryStore(), {
      keyCodec: utf8Codec,
      valueCodec: jsonCodec<{ id: number }>(),
    });
    expectTypeOf<Parameters<typeof tree.get>>().toEqualTypeOf<[key: string]>();
    expectTypeOf(await tree.get("a")).toEqualTypeOf<{ id: number } | undefined>();
    expectTypeOf(tree.getSync("a")).toEqualTypeOf<{ id: number } | undefined>();
    expectTypeOf(tree.at().store).toEqualTypeOf<MemoryStore>();
    await tree.set("a", { id: 1 });
    expect(await tree.get("a")).toEqual({ id: 1 });
  });

  test("reopens with what it had, its history and what was retained", async () => {
    const store = new MemoryStore();
    const first = await JellyfishTree.open(store, { ...texts, history: 2 });
    const { root } = await first.set("a", "1");
    await first.retain(root);
    for (const value of ["2", "3", "4", "5"]) await first.set("a", value);
    await first.close();
    await expect(first.get("a")).rejects.toMatchObject({ code: "JELLYFISH_CLOSED" });
    expect(() => first.at()).toThrow(expect.objectContaining({ code: "JELLYFISH_CLOSED" }));
    const second = await JellyfishTree.open(store, { ...texts, history: 2 });
    expect(second.roots()).toEqual(first.roots());
    expect(await second.get("a")).toBe("5");
    expect(await second.at(root).get("a")).toBe("1");
    expect(second.roots().map(({ holdCount }) => holdCount)).toEqual([1, 0, 0]);
  });

  test("is not opened as it was not made", async () => {
    const store = new MemoryStore();
    await JellyfishTree.open(store);
    for (const options of [
      { scheme: rooch() },
      { format: roochNodes },
      { format: compactNodes() },
      { keys: "paths" },
      { nestedRoots: () => [] },
    ] as const)
      await expect(JellyfishTree.open(store, options)).rejects.toMatchObject({
        code: "JELLYFISH_OPTIONS",
      });
    await expect(JellyfishTree.open(store, { history: 9, sync: false })).resolves.toBeDefined();
  });

  test("does not open over damaged records", async () => {
    for (const key of ["tree", "root\0\0\0\0\0\0\0\0"]) {
      const store = new MemoryStore();
      await JellyfishTree.open(store);
      const bytes = Uint8Array.from(key, (character) => character.charCodeAt(0));
      expect(await store.get(bytes)).toBeDefined();
      await store.batch([{ type: "put", key: bytes, value: Uint8Array.of(1, 2, 3) }]);
      await expect(JellyfishTree.open(store)).rejects.toMatchObject({ code: "JELLYFISH_RECORD" });
    }
  });

  test("refuses options that are none", async () => {
    const store = new MemoryStore();
    const wrong: [object, typeof TypeError | typeof RangeError][] = [
      [{ keys: "plain" }, TypeError],
      [{ history: 0 }, RangeError],
      [{ history: 1.5 }, RangeError],
      [{ sync: "yes" }, TypeError],
      [{ cacheByteCountMax: -1 }, RangeError],
      [{ scheme: { ...jmtSha256(), name: "" } }, RangeError],
    ];
    for (const [options, kind] of wrong)
      await expect(JellyfishTree.open(store, options)).rejects.toThrow(kind);
    expect(store.statistics().entryCount).toBe(0);
  });

  test("two writers of one store conflict, and the loser reads what the other wrote", async () => {
    const store = new MemoryStore();
    const one = await JellyfishTree.open(store, texts);
    const two = await JellyfishTree.open(store, texts);
    await one.set("a", "1");
    await expect(two.set("b", "2")).rejects.toMatchObject({ code: "JELLYFISH_CONFLICT" });
    expect(await two.get("a")).toBe("1");
    await two.set("b", "2");
    await expect(one.retain(one.root)).rejects.toMatchObject({ code: "JELLYFISH_CONFLICT" });
    expect(await take(one)).toEqual(await take(two));
    await two.set("c", "3");
    await one.refresh();
    expect(one.root).toEqual(two.root);
    expect(await one.verify()).toMatchObject({ ok: true });
  });

  test("two that make the tree of an empty store at once both open it", async () => {
    const store = new MemoryStore();
    const trees = await Promise.all([JellyfishTree.open(store), JellyfishTree.open(store)]);
    expect(trees[0].root).toEqual(trees[1].root);
  });

  test("updates happen in the order of the calls, and keep nothing of the caller's", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), { history: Infinity });
    const key = Uint8Array.of(1);
    const value = Uint8Array.of(0);
    const commits: Promise<unknown>[] = [];
    for (let at = 0; at < 20; at++) {
      value[0] = at;
      commits.push(tree.set(key, value));
    }
    key[0] = 9;
    await Promise.all(commits);
    expect(await tree.get(Uint8Array.of(1))).toEqual(Uint8Array.of(19));
    expect(tree.roots().length).toBe(21);
    const read = await tree.get(Uint8Array.of(1));
    read?.fill(7);
    expect(await tree.get(Uint8Array.of(1))).toEqual(Uint8Array.of(19));
  });

  test("what changes nothing writes nothing", async () => {
    const store = new MemoryStore();
    const tree = await JellyfishTree.open(store, texts);
    await tree.set("a", "1");
    const before = store.statistics();
    const sequence = tree.roots().at(-1)?.sequence;
    expect(await tree.batch([])).toMatchObject({ isChanged: false, writtenCount: 0 });
    expect(await tree.set("a", "1")).toMatchObject({ isChanged: false });
    expect(await tree.delete("b")).toMatchObject({ isChanged: false });
    expect(await tree.load([])).toMatchObject({ entryCount: 0 });
    expect(store.statistics()).toEqual(before);
    expect(tree.roots().at(-1)?.sequence).toBe(sequence);
  });

  test("an update that a codec refuses leaves the tree as it was, and the next one works", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), texts);
    await expect(tree.batch([{ type: "put", key: "a", value: "\ud800" }])).rejects.toThrow(
      TypeError,
    );
    await expect(
      tree.load(
        [
          ["a", "1"],
          ["b", "\udfff"],
        ],
        { chunkCountMax: 1 },
      ),
    ).rejects.toThrow(TypeError);
    expect(tree.root).toEqual(tree.emptyRoot);
    await tree.set("c", "1");
    await tree.prune();
    expect((await tree.verify()).nodeCount).toBe(1);
  });

  test("a hardened scheme refuses values that could be two hashes", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), { scheme: rooch() });
    await expect(tree.set(Uint8Array.of(1), new Uint8Array(64))).rejects.toMatchObject({
      code: "JELLYFISH_REFUSED",
    });
  });

  test("keys that are paths have 32 bytes", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), { keys: "paths" });
    await expect(tree.set(Uint8Array.of(1), Uint8Array.of(1))).rejects.toThrow(RangeError);
  });

  test("keys are unknown where leaves do not keep them", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), { ...texts, format: compactNodes() });
    await tree.set("a", "1");
    expect(await take(tree.values())).toEqual(["1"]);
    const keys = tree.keys();
    await expect(keys.next()).rejects.toMatchObject({ code: "JELLYFISH_KEY_UNKNOWN" });
    await expect(keys.next()).rejects.toMatchObject({ code: "JELLYFISH_KEY_UNKNOWN" });
    await expect(tree.rank("a")).rejects.toMatchObject({ code: "JELLYFISH_NO_COUNTS" });
  });

  test("its proofs verify against its root", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), texts);
    await tree.batch(new UpdateSet(Array.from({ length: 50 }, (_, at) => [`${at}`, `${at}`])));
    const claim = { scheme: jmtSha256(), root: tree.root };
    const present = await tree.getWithProof("7");
    expect(present.value).toBe("7");
    const value = utf8Codec.encode("7");
    expect(() =>
      verifyInclusion({ ...claim, path: tree.pathOf("7"), value, proof: present.proof }),
    ).not.toThrow();
    const absent = await tree.getWithProof("x");
    expect(absent.value).toBe(undefined);
    expect(
      verifyExclusion({ ...claim, path: tree.pathOf("x"), proof: absent.proof }),
    ).toMatchObject({ kind: "absent" });
  });

  test("a patch carries one root to another, and to no third", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), { ...texts, history: 5 });
    const other = await JellyfishTree.open(new MemoryStore(), texts);
    const { root: before } = await tree.batch(
      new UpdateSet([
        ["a", "1"],
        ["b", "2"],
      ]),
    );
    await other.load([
      ["a", "1"],
      ["b", "2"],
    ]);
    const { root: after } = await tree.batch(
      new UpdateSet([
        ["b", "3"],
        ["c", "4"],
      ]),
    );
    const patch = await tree.patch(before, after);
    await expect(other.applyPatch({ ...patch, to: before })).rejects.toMatchObject({
      code: "JELLYFISH_PATCH",
    });
    expect((await other.applyPatch(patch)).root).toEqual(after);
    await expect(other.applyPatch(patch)).rejects.toMatchObject({ code: "JELLYFISH_PATCH" });
    expect((await take(tree.difference(before, after))).map(({ key }) => key).toSorted()).toEqual([
      "b",
      "c",
    ]);
    await expect(tree.patch(before, new Uint8Array(32))).rejects.toMatchObject({
      code: "JELLYFISH_ROOT_UNKNOWN",
    });
  });

  test("paging loses nothing when the cursor's key is gone", async () => {
    const tree = await JellyfishTree.open(new MemoryStore(), texts);
    await tree.batch(new UpdateSet(Array.from({ length: 10 }, (_, at) => [`${at}`, "x"])));
    const first = await tree.list(4);
    await tree.delete(first.entries[3]?.[0] ?? "");
    const second = await tree.list(4, first.cursor);
    const third = await tree.list(4, second.cursor);
    expect([...first.entries, ...second.entries, ...third.entries].length).toBe(10);
    expect(third.cursor).toBe(undefined);
    await expect(tree.list(0)).rejects.toThrow(RangeError);
  });
});
