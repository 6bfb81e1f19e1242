import { hasSyncReads, type Operation, type SyncReads } from "@x/store";
import { BrowserLevel } from "browser-level";
import { ClassicLevel } from "classic-level";
import { IDBKeyRange, indexedDB } from "fake-indexeddb";
import { MemoryLevel } from "memory-level";
import { describe, expect, expectTypeOf, test } from "vitest";

import { type SyncLevelStore } from "../../src/index.ts";
import { crc32 } from "@x/store/adapter";
import { FORMAT_KEY } from "../../src/wrap/format-record.ts";
import { type LevelDatabase, type LevelStore, wrap } from "../../src/wrap/index.ts";

Object.assign(globalThis, { indexedDB, IDBKeyRange });

const VIEWS = { keyEncoding: "view", valueEncoding: "view" } as const;
const KEY = Uint8Array.of(1);

type Memory = MemoryLevel<Uint8Array, Uint8Array>;

function memory(): Memory {
  return new MemoryLevel<Uint8Array, Uint8Array>({ ...VIEWS, storeEncoding: "view" });
}

test("every database of abstract-level 3 fits, and synchronous reads are declared by type where they are sure", () => {
  expectTypeOf<ClassicLevel>().toExtend<LevelDatabase>();
  expectTypeOf<ClassicLevel<Uint8Array, Uint8Array>>().toExtend<LevelDatabase>();
  expectTypeOf<MemoryLevel>().toExtend<LevelDatabase>();
  expectTypeOf<BrowserLevel>().toExtend<LevelDatabase>();
  expectTypeOf<SyncLevelStore>().toExtend<SyncReads>();
  expectTypeOf<LevelStore>().not.toExtend<SyncReads>();
  expect(ClassicLevel.name).toBe("ClassicLevel");
});

describe("a wrapped database", () => {
  test("reads without waiting where it can, and says so", async () => {
    expect(hasSyncReads(await wrap(memory()))).toBe(true);
    const store = await wrap(new BrowserLevel("no-sync"));
    expect(hasSyncReads(store)).toBe(false);
    expect("getSync" in store).toBe(false);
  });

  test("is opened if it is not, and closed with the store", async () => {
    const database = memory();
    await database.open();
    const store = await wrap(database);
    expect(database.status).toBe("open");
    await store.close();
    expect(database.status).toBe("closed");
  });

  test("that holds entries and no format record is STORE_INCOMPLETE, and closed again", async () => {
    const database = memory();
    await database.put(KEY, KEY);
    await expect(wrap(database)).rejects.toMatchObject({ code: "STORE_INCOMPLETE" });
    expect(database.status).toBe("closed");
    const store = await wrap(database, { foreign: true });
    expect(await store.get(KEY)).toEqual(KEY);
    await store.close();
  });

  test("that was made by a later version is STORE_FORMAT", async () => {
    const database = memory();
    await (await wrap(database)).close();
    await database.open();
    const record = new Uint8Array((await database.get(FORMAT_KEY)) ?? []);
    record[8] = 9;
    const crc = crc32(record.subarray(0, 40), crc32(FORMAT_KEY, 0));
    new DataView(record.buffer).setUint32(40, crc);
    await database.put(FORMAT_KEY, record);
    await expect(wrap(database)).rejects.toMatchObject({ code: "STORE_FORMAT" });
    await expect(wrap(database, { foreign: true })).rejects.toMatchObject({ code: "STORE_FORMAT" });
  });

  test("with fewer batches than its owner knows of is STORE_ROLLED_BACK", async () => {
    const database = memory();
    await (await wrap(database)).close();
    await expect(wrap(database, { sequenceMin: 1 })).rejects.toMatchObject({
      code: "STORE_ROLLED_BACK",
    });
    await expect(wrap(database, { sequenceMin: 0.5 })).rejects.toThrow(RangeError);
  });

  test("whose value was changed behind its back is STORE_DAMAGED with the key, everywhere", async () => {
    for (const database of [memory(), new BrowserLevel<Uint8Array, Uint8Array>("damaged", VIEWS)]) {
      const store = await wrap(database);
      await store.batch([{ type: "put", key: KEY, value: Uint8Array.of(1, 2, 3) }]);
      const stored = new Uint8Array((await database.get(KEY)) ?? []);
      stored[1] = 9;
      await database.put(KEY, stored);
      const damaged = { code: "STORE_DAMAGED", key: KEY };
      await expect(store.get(KEY)).rejects.toMatchObject(damaged);
      await expect(store.getMany([Uint8Array.of(9), KEY])).rejects.toMatchObject(damaged);
      await expect(store.iterator().next()).rejects.toMatchObject(damaged);
      await expect(
        store.batch([], { expect: [{ key: KEY, value: undefined }] }),
      ).rejects.toMatchObject(damaged);
      // A read that failed leaves the store as it was.
      expect(store.state).toBe("open");
      await store.batch([{ type: "put", key: KEY, value: Uint8Array.of(4) }]);
      expect(await store.get(KEY)).toEqual(Uint8Array.of(4));
      await store.close();
    }
  });

  test("that cannot read is STORE_IO, and goes on", async () => {
    const database = memory();
    const store = await wrap(database);
    const failing = Object.assign(database, {
      get: () => Promise.reject(new Error("unreadable")),
      getMany: () => Promise.reject(new Error("unreadable")),
    });
    await expect(store.get(KEY)).rejects.toMatchObject({
      code: "STORE_IO",
      cause: { message: "unreadable" },
    });
    await expect(store.getMany([KEY])).rejects.toMatchObject({ code: "STORE_IO" });
    const expectation = { expect: [{ key: KEY, value: undefined }] };
    await expect(store.batch([], expectation)).rejects.toMatchObject({ code: "STORE_IO" });
    expect(store.state).toBe("open");
    expect(failing).toBe(database);
    await store.close();
  });

  test("that is closed behind the store's back is STORE_CLOSED, not poisoned", async () => {
    const database = memory();
    const store = await wrap(database);
    const walk = store.iterator();
    await database.close();
    await expect(store.get(KEY)).rejects.toMatchObject({ code: "STORE_CLOSED" });
    await expect(store.batch([{ type: "del", key: KEY }])).rejects.toMatchObject({
      code: "STORE_CLOSED",
    });
    await expect(walk.next()).rejects.toMatchObject({ code: "STORE_CLOSED" });
    expect(store.state).toBe("open");
  });

  test("is disposed of by closing it", async () => {
    const database = memory();
    {
      await using store = await wrap(database);
      expect(store.state).toBe("open");
    }
    expect(database.status).toBe("closed");
  });
});

function key(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number);
}

function put(number: number, value: number): Operation {
  return { type: "put", key: key(number), value: Uint8Array.of(value) };
}

describe("a walk without snapshots", () => {
  test("over more than one read gives the state of its beginning, in both directions", async () => {
    const store = await wrap(new BrowserLevel("long-walk"));
    await store.batch(Array.from({ length: 450 }, (_, i) => put(2 * i + 2, 1)));
    const walks = [
      store.iterator(),
      store.iterator({ reverse: true }),
      store.iterator({ limit: 250 }),
    ];
    for (const walk of walks) await walk.next();
    for (let i = 0; i < 90; i++)
      await store.batch([
        { type: "del", key: key(10 * i + 2) },
        put(10 * i + 3, 2),
        put(10 * i + 4, 2),
      ]);
    // While they are read there are more changes.
    const counts = await Promise.all(
      walks.map(async (walk) => {
        let count = 1;
        for await (const [, value] of walk) {
          expect(value).toEqual(Uint8Array.of(1));
          if (count++ % 50 === 0) await store.batch([put(3 * count, 3), put(900 - count, 3)]);
        }
        return count;
      }),
    );
    expect(counts).toEqual([450, 450, 250]);
    await store.close();
  });
});
