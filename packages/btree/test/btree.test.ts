import { open } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { CountingStore, Random } from "@x/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, expectTypeOf, test } from "vitest";

import {
  BTree,
  BTreeError,
  type BTreeErrorCode,
  type Bytes,
  type Change,
  type Difference,
  type Entry,
  NodePool,
} from "../src/index.ts";
import { NodeKeys } from "../src/node-keys.ts";
import { bytesOf, collect, del, entriesFrom, keyOf, put, puts } from "./bytes.ts";
import { History } from "./model/history.ts";

const folders: string[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "btree-"));
  folders.push(path);
  return join(path, "store");
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

describe("a tree by name", () => {
  test("is a map that is there again when it is opened again", async () => {
    const store = new MemoryStore();
    const tree = await BTree.open(store);
    await tree.set(bytesOf("b"), bytesOf("2"));
    await tree.batch([put(1), put(2), del(1)]);
    await tree.delete(keyOf(2));
    await tree.set(new Uint8Array(), new Uint8Array());
    await tree.close();
    const again = await BTree.open(store);
    expect(await collect(again.entries())).toEqual([
      [new Uint8Array(), new Uint8Array()],
      [bytesOf("b"), bytesOf("2")],
    ]);
    await again.clear();
    expect(again.root).toBe(0);
    expect(await collect(store.iterator({ gte: Uint8Array.of(1) }))).toEqual([]);
  });

  test("writes one batch for each call, none when nothing changes, synced unless told otherwise", async () => {
    const store = new CountingStore(new MemoryStore());
    const tree = await BTree.open(store);
    store.take();
    await tree.batch(puts(0, 5000));
    expect(store.take()).toMatchObject({ batch: 1, syncedBatch: 1 });
    await tree.set(keyOf(77), keyOf(1), { sync: false });
    // Three nodes written, three deleted, the root's name and the pool's record; no counts.
    expect(store.take()).toMatchObject({ batch: 1, syncedBatch: 0, operations: 8 });
    await tree.set(keyOf(77), keyOf(1));
    await tree.delete(keyOf(9999));
    expect(store.take()).toMatchObject({ batch: 0 });
  });

  test("makes calls that overlap one after another, and reads see what was acknowledged", async () => {
    const tree = await BTree.open(new MemoryStore());
    const calls = Array.from({ length: 50 }, (_, i) => tree.set(keyOf(i), keyOf(i)));
    const early = tree.snapshot();
    expect(early.sizeSync()).toBe(0);
    await Promise.all(calls);
    expect(tree.sizeSync()).toBe(50);
    expect(early.sizeSync()).toBe(0);
    early.release();
    const reading = tree.getMany([keyOf(1), keyOf(2)]);
    const writing = tree.clear();
    expect(await reading).toEqual([keyOf(1), keyOf(2)]);
    await writing;
    expect(await tree.verify()).toMatchObject({ ok: true, nodes: 0 });
  });

  test("is replaced by a load, and patched by differences", async () => {
    const tree = await BTree.open(new MemoryStore());
    await tree.load(entriesFrom(0, 10_000));
    const before = tree.snapshot();
    await tree.batch([put(5, 6), del(7), put(20_000)]);
    const differences = await collect(before.diff(tree.root));
    expect(differences.map(({ type }) => type)).toEqual(["modified", "removed", "added"]);
    const other = await BTree.open(new MemoryStore());
    await other.load(entriesFrom(0, 10_000));
    await other.patch(differences);
    expect(await collect(other.entries())).toEqual(await collect(tree.entries()));
    await expect(
      tree.load([
        [keyOf(2), keyOf(1)],
        [keyOf(1), keyOf(1)],
      ]),
    ).rejects.toMatchObject({ code: "BTREE_UNSORTED" });
    expect(tree.sizeSync()).toBe(10_000);
    before.release();
    await tree.set(keyOf(1), keyOf(9));
    expect(await tree.verify()).toMatchObject({ ok: true, entries: 10_000, orphans: 0 });
  });

  test("keeps neither keys nor values of its caller", async () => {
    const tree = await BTree.open(new MemoryStore());
    const [key, value] = [keyOf(1), keyOf(2)];
    const writing = tree.set(key, value);
    key.fill(9);
    value.fill(9);
    await writing;
    expect(await collect(tree.entries())).toEqual([[keyOf(1), keyOf(2)]]);
    await expect(tree.batch([{ type: "put", key: 1 } as never])).rejects.toThrow(TypeError);
  });
});

describe("opening", () => {
  test("reads a constant number of keys, whatever is stored", async () => {
    const store = new CountingStore(new MemoryStore());
    const tree = await BTree.open(store);
    await tree.load(entriesFrom(0, 50_000));
    await tree.close();
    store.take();
    await BTree.open(store);
    expect(store.take()).toMatchObject({ get: 2, getMany: 0, iterator: 0 });
  });

  test("refuses another format than the pool has, and a record that is none", async () => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store, { format: 1 });
    await pool.write({ hold: [await pool.edit(0, [put(1)])] });
    await expect(NodePool.open(store, { format: 2 })).rejects.toMatchObject({
      code: "BTREE_FORMAT",
    });
    expect((await NodePool.open(store)).format).toBe(1);
    const keys = new NodeKeys(new Uint8Array());
    await store.batch([{ type: "put", key: keys.name(new Uint8Array()), value: Uint8Array.of(0) }]);
    await expect(BTree.open(store)).rejects.toMatchObject({ code: "BTREE_CORRUPT" });
    await store.batch([{ type: "put", key: keys.pool(), value: new Uint8Array() }]);
    await expect(NodePool.open(store)).rejects.toMatchObject({ code: "BTREE_CORRUPT" });
  });

  test.each([
    [{ prefix: "a" }, TypeError],
    [{ format: 3 }, RangeError],
    [{ compatible: 1 }, TypeError],
    [{ cacheByteCountMax: -1 }, RangeError],
    [{ inlineByteCountMax: 0.5 }, RangeError],
    [{ name: "a" }, TypeError],
  ])("refuses %o", async (options, kind) => {
    await expect(BTree.open(new MemoryStore(), options as never)).rejects.toThrow(kind);
  });

  test("behind prefixes keeps trees apart", async () => {
    const store = new MemoryStore();
    const [a, b] = [
      await BTree.open(store, { prefix: bytesOf("a") }),
      await BTree.open(store, { prefix: bytesOf("b") }),
    ];
    await a.batch(puts(0, 100));
    await b.batch(puts(0, 50));
    await a.set(keyOf(7), keyOf(8));
    expect(await a.verify()).toMatchObject({ ok: true, entries: 100 });
    expect(await b.verify()).toMatchObject({ ok: true, entries: 50 });
  });
});

describe("errors", () => {
  test("a closed tree says so", async () => {
    const tree = await BTree.open(new MemoryStore());
    await tree.close();
    await tree.close();
    const calls = [
      tree.get(keyOf(1)),
      tree.set(keyOf(1), keyOf(1)),
      tree.load([]),
      tree.verify(),
      tree.pool.write({}),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "BTREE_CLOSED" });
    expect(() => tree.getSync(keyOf(1))).toThrow(expect.objectContaining({ code: "BTREE_CLOSED" }));
    expect(tree.pool.status).toBe("closed");
  });

  test("a pool that has used up its ids is full", async () => {
    const store = new MemoryStore();
    const last = Uint8Array.of(1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0);
    await store.batch([{ type: "put", key: new NodeKeys(new Uint8Array()).pool(), value: last }]);
    const pool = await NodePool.open(store);
    await expect(pool.edit(0, [put(1)])).rejects.toMatchObject({ code: "BTREE_FULL" });
  });

  test("a root that is not there is missing, and the error names it and nothing of the content", async () => {
    const pool = await NodePool.open(new MemoryStore());
    const error = await pool
      .snapshot(77)
      .get(bytesOf("secret"))
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(BTreeError);
    expect(error).toMatchObject({ code: "BTREE_MISSING", id: 77 });
    expect(String(error)).not.toContain("secret");
  });

  test("a store without synchronous reads is no place for synchronous calls", async () => {
    const memory = new MemoryStore();
    const store = new Proxy(memory, {
      get: (target, name) => {
        if (name === "supports") return { syncReads: false };
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const tree = await BTree.open(store);
    await tree.set(keyOf(1), keyOf(1));
    expect(() => tree.firstSync()).toThrow(TypeError);
    expect(await tree.get(keyOf(1))).toEqual(keyOf(1));
  });

  test("a failed expectation of the caller is no conflict of the pool", async () => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store);
    const root = await pool.edit(0, [put(1)]);
    const expect1 = [{ key: bytesOf("head"), value: bytesOf("x") }];
    await expect(pool.write({ hold: [root], expect: expect1 })).rejects.toMatchObject({
      code: "STORE_CONFLICT",
    });
    expect(pool.status).toBe("open");
    await pool.write({
      hold: [root],
      operations: [{ type: "put", key: bytesOf("head"), value: bytesOf("1") }],
    });
    expect(store.getSync(bytesOf("head"))).toEqual(bytesOf("1"));
    expect((await pool.verify({ roots: [root] })).ok).toBe(true);
  });

  test("a full store refuses a batch, and the tree goes on", async () => {
    const tree = await BTree.open(new MemoryStore({ byteCountMax: 4000 }));
    await tree.batch(puts(0, 50));
    await expect(tree.batch(puts(0, 5000))).rejects.toMatchObject({ code: "STORE_FULL" });
    expect(tree.sizeSync()).toBe(50);
    await tree.set(keyOf(1), keyOf(2));
    expect(await tree.verify()).toMatchObject({ ok: true, entries: 50 });
  });
});

describe("on LevelDB", () => {
  test("a random history agrees with its model", async () => {
    const store = await open(folder());
    const history = new History(store, new Random(11), {
      keyCount: 300,
      changeCountMax: 60,
      valueByteCountMax: 30,
      inlineByteCountMax: 12,
    });
    expect(await history.run(60)).toBe(60);
    await store.close();
  });

  test("a tree is there again after the store was closed", async () => {
    const path = folder();
    const store = await open(path);
    const tree = await BTree.open(store);
    await tree.batch(puts(0, 3000));
    await tree.close();
    await store.close();
    const reopened = await open(path);
    const again = await BTree.open(reopened);
    expect(await again.at(2999)).toEqual([keyOf(2999), keyOf(2999)]);
    expect(await again.verify()).toMatchObject({ ok: true, entries: 3000 });
    await reopened.close();
  });
});

describe("types", () => {
  test("say what comes out, and what goes in", () => {
    expectTypeOf<BTree["get"]>().returns.resolves.toEqualTypeOf<Bytes | undefined>();
    expectTypeOf<BTree["getSync"]>().returns.toEqualTypeOf<Bytes | undefined>();
    expectTypeOf<BTree["first"]>().returns.resolves.toEqualTypeOf<Entry | undefined>();
    expectTypeOf<ReturnType<BTree["entries"]>>().toExtend<AsyncIterable<Entry>>();
    expectTypeOf<ReturnType<BTree["entriesSync"]>>().toExtend<Iterable<Entry>>();
    expectTypeOf<ReturnType<BTree["diff"]>>().toExtend<AsyncIterable<Difference>>();
    expectTypeOf<Difference["type"]>().toEqualTypeOf<"added" | "removed" | "modified">();
    expectTypeOf<Change["type"]>().toEqualTypeOf<"put" | "del">();
    expectTypeOf<BTreeError["code"]>().toEqualTypeOf<BTreeErrorCode>();
    expectTypeOf<Bytes>().toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  });
});
