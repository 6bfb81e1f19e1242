import { MemoryStore } from "@x/store-memory";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { bytes, i32, json, u32, utf8 } from "../../src/codec/index.ts";
import { VerMap } from "../../src/map/ver-map.ts";
import { type NamedMap } from "../../src/named/named-map.ts";
import { openNamedMaps } from "../../src/named/open-named-maps.ts";
import { codeOf, listOf, openTextMap } from "./support.ts";

const DEFINITIONS = {
  users: { key: u32, value: json<{ readonly name: string }>() },
  "users\0": { key: utf8, value: utf8 },
  usersAndMore: { key: i32, value: utf8 },
};

const open = (store = new MemoryStore()): Promise<VerMap<Uint8Array, Uint8Array>> =>
  VerMap.open(store, { key: bytes, value: bytes });

describe("named maps", () => {
  test("are committed, branched and merged together", async () => {
    const shared = await open();
    const { users, usersAndMore } = await openNamedMaps(shared, DEFINITIONS);
    expectTypeOf(users).toEqualTypeOf<NamedMap<number, { readonly name: string }>>();
    await shared.main.update((transaction) => {
      users.to(transaction).set(7, { name: "Ada" }).set(300, { name: "Bob" });
      usersAndMore.to(transaction).set(-1, "minus");
    });
    const first = await shared.main.commit();
    const side = await shared.createBranch("side", "main");
    await side.update(async (transaction) => {
      expect(await users.to(transaction).get(7)).toEqual({ name: "Ada" });
      users.to(transaction).delete(7);
      usersAndMore.to(transaction).set(5, "five");
    });
    await side.commit();
    await shared.merge("side", "main");
    expect(await listOf(users.in(shared.main).entries())).toEqual([[300, { name: "Bob" }]]);
    expect(await listOf(usersAndMore.in(shared.main).keys())).toEqual([-1, 5]);
    using before = await shared.at(first);
    expect(await users.in(before).get(7)).toEqual({ name: "Ada" });
    expect(await listOf(users.diff(shared, first, { head: "main" }))).toEqual([
      { type: "removed", key: 7, oldValue: { name: "Ada" } },
    ]);
    expect(await listOf(usersAndMore.diff(shared, { head: "main" }, first))).toEqual([
      { type: "removed", key: 5, oldValue: "five" },
    ]);
  });

  test("see nothing of one another, whatever their names and keys are", async () => {
    const shared = await open();
    const maps = await openNamedMaps(shared, {
      "": { key: bytes, value: utf8 },
      a: { key: bytes, value: utf8 },
      "a\0": { key: bytes, value: utf8 },
      "a\0b": { key: bytes, value: utf8 },
      ab: { key: bytes, value: utf8 },
    });
    const names = Object.keys(maps) as (keyof typeof maps)[];
    const entry = fc.tuple(
      fc.constantFrom(...names),
      fc.uint8Array({ maxLength: 3, max: 2 }),
      fc.string({ maxLength: 2 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 20 }), async (entries) => {
        await shared.main.discard();
        const models = new Map(names.map((name) => [name, new Map<string, string>()]));
        await shared.main.update((transaction) => {
          for (const [name, key, value] of entries) {
            maps[name].to(transaction).set(key, value);
            models.get(name)?.set(key.join(), value);
          }
        });
        for (const name of names) {
          const reads = maps[name].in(shared.main);
          const found = await listOf(reads.entries());
          const model = models.get(name);
          expect(new Map(found.map(([key, value]) => [key.join(), value]))).toEqual(model);
          expect(await reads.count()).toBe(model?.size);
          expect((await reads.first())?.[0]).toEqual(found[0]?.[0]);
          expect((await reads.last())?.[0]).toEqual(found.at(-1)?.[0]);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("are read by ranges of their own keys", async () => {
    const shared = await open();
    const { usersAndMore: map } = await openNamedMaps(shared, DEFINITIONS);
    await shared.main.update((transaction) => {
      for (const key of [-5, -1, 0, 3, 9]) map.to(transaction).set(key, `v${key}`);
    });
    const reads = map.in(shared.main);
    expect(await listOf(reads.keys({ gte: -1, lt: 9 }))).toEqual([-1, 0, 3]);
    expect(await listOf(reads.values({ gt: -5, lte: 3, reverse: true, limit: 2 }))).toEqual([
      "v3",
      "v0",
    ]);
    expect(await reads.count({ lte: 0 })).toBe(3);
    expect(await reads.first({ gt: 0 })).toEqual([3, "v3"]);
    expect(await reads.last({ lt: 0 })).toEqual([-1, "v-1"]);
    expect(await reads.getMany([3, 4])).toEqual(["v3", undefined]);
    expect([await reads.has(9), await reads.has(10)]).toEqual([true, false]);
    expect(await reads.get(1)).toBeUndefined();
    await shared.main.commit();
    const changes = await listOf(map.diff(shared, { commit: 1 }, { branch: "main" }));
    expect(changes).toEqual([]);
    await shared.main.update((transaction) => map.to(transaction).set(0, "new").set(4, "four"));
    expect(await listOf(map.diff(shared, 1, { branch: "main" }, { gte: 0 }))).toEqual([
      { type: "modified", key: 0, oldValue: "v0", value: "new" },
      { type: "added", key: 4, value: "four" },
    ]);
  });

  test("remember their codecs", async () => {
    const store = new MemoryStore();
    const shared = await open(store);
    await openNamedMaps(shared, DEFINITIONS);
    await shared.close();
    const again = await open(store);
    const { sequence } = await stateOf(again);
    await openNamedMaps(again, DEFINITIONS);
    expect((await stateOf(again)).sequence).toBe(sequence);
    const other = { more: DEFINITIONS.users, users: { key: u32, value: utf8 } };
    expect(await codeOf(openNamedMaps(again, other))).toBe("VERMAP_FORMAT");
    expect((await stateOf(again)).sequence).toBe(sequence);
  });

  test("live in a map of bytes only", async () => {
    const map = await openTextMap();
    await expect(openNamedMaps(map as never, DEFINITIONS)).rejects.toThrow(TypeError);
  });
});

/** How many batches were written. */
async function stateOf(map: VerMap<Uint8Array, Uint8Array>): Promise<{ sequence: number }> {
  const { internalsOf } = await import("../../src/map/ver-map.ts");
  return { sequence: internalsOf(map).repository.sequence };
}
