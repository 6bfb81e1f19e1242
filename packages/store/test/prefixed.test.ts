import { FailingStore, hexOf, type OpenedStore, storeLaws, type StoreSubject } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { prefixed, prefixKey, prefixOperations, type Range, type Store } from "../src/index.ts";

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

/** A key space between neighbours that none of its calls may see. */
function subject(prefix: Uint8Array): StoreSubject {
  const neighbours = [bytes(0), bytes(...prefix.slice(0, -1), 6, 0xff), prefix, bytes(0xff, 0xfe)];
  return {
    canFail: true,
    isBounded: false,
    largeBatchCount: 2000,
    runCount: 60,
    async open(): Promise<OpenedStore> {
      let base = new FailingStore();
      await base.batch(neighbours.map((key) => ({ type: "put", key, value: bytes(1) })));
      let store = prefixed(base, prefix);
      return {
        store,
        iteratorCount: () => base.walkCount,
        async reopen() {
          await store.close();
          base = base.killed();
          store = prefixed(base, prefix);
          return store;
        },
        failNextWrite: () => base.plan({ at: 1, kinds: ["batch"] }),
        dispose: () => base.close(),
      };
    },
  };
}

for (const prefix of [bytes(7), bytes(7, 0xff), bytes(0xff, 0xff)])
  describe(`a key space behind ${hexOf(prefix)}`, () => {
    for (const law of storeLaws(subject(prefix)))
      test(`keeps the contract: ${law.name}`, async () => {
        await expect(law.run(subject(prefix))).resolves.toBeUndefined();
      });
  });

test("key spaces share no key: what one does, the others do not see", async () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 2 });
  const change = fc.record({ space: fc.nat({ max: 2 }), key, isDel: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(change), async (changes) => {
      const base = new FailingStore();
      const prefixes = [bytes(1), bytes(2, 0xff), bytes(0xff)];
      const spaces = prefixes.map((prefix) => prefixed(base, prefix));
      const models = prefixes.map(() => new Map<string, string>());
      for (const [index, { space, key: changed, isDel }] of changes.entries()) {
        const store = spaces[space] as Store;
        if (isDel) await store.batch([{ type: "del", key: changed }]);
        else await store.batch([{ type: "put", key: changed, value: bytes(index) }]);
        if (isDel) models[space]?.delete(hexOf(changed));
        else models[space]?.set(hexOf(changed), hexOf(bytes(index)));
      }
      for (const [index, space] of spaces.entries())
        expect(await contents(space)).toEqual(
          [...(models[index] ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        );
    }),
    { numRuns: 50 },
  );
});

test("key spaces nest", async () => {
  const base = new FailingStore();
  const inner = prefixed(prefixed(base, bytes(1)), bytes(2));
  await inner.batch([{ type: "put", key: bytes(3), value: bytes(4) }]);
  expect(base.digest()).toBe("010203=04");
  expect(inner.getSync(bytes(3))).toEqual(bytes(4));
  expect(await contents(inner)).toEqual([["03", "04"]]);
});

test("one batch of the store changes several key spaces", async () => {
  const base = new FailingStore();
  const put = { type: "put", key: bytes(3), value: bytes(4) } as const;
  const del = { type: "del", key: bytes(5) } as const;
  expect(prefixKey(bytes(1), bytes(2, 3))).toEqual(bytes(1, 2, 3));
  await base.batch(
    [...prefixOperations(bytes(1), [put]), ...prefixOperations(bytes(2), [put, del])],
    { expect: [{ key: prefixKey(bytes(2), put.key), value: undefined }] },
  );
  expect(base.digest()).toBe("0103=04,0203=04");
});

test("an empty prefix or key is a TypeError", () => {
  const base = new FailingStore();
  expect(() => prefixed(base, bytes())).toThrow(TypeError);
  expect(() => prefixed(base, "a" as never)).toThrow(TypeError);
  expect(() => prefixKey(bytes(), bytes(1))).toThrow(TypeError);
  expect(() => prefixKey(bytes(1), bytes())).toThrow(TypeError);
  expect(() => prefixOperations(bytes(), [])).toThrow(TypeError);
  expect(() => prefixOperations(bytes(1), [{ type: "del", key: bytes() }])).toThrow(TypeError);
});

test("the prefix is copied", async () => {
  const base = new FailingStore();
  const prefix = bytes(1);
  const store = prefixed(base, prefix);
  prefix.fill(9);
  await store.batch([{ type: "put", key: bytes(2), value: bytes(3) }]);
  expect(base.digest()).toBe("0102=03");
});

test("closing a key space makes its batches durable and leaves the store open", async () => {
  const base = new FailingStore();
  const store = prefixed(base, bytes(1));
  await store.batch([{ type: "put", key: bytes(2), value: bytes(3) }], { sync: false });
  expect(base.cutToSynced().digest()).toBe("");
  await store.close();
  expect(base.cutToSynced().digest()).toBe("0102=03");
  expect([store.state, base.state]).toEqual(["closed", "open"]);
  expect(await prefixed(base, bytes(1)).get(bytes(2))).toEqual(bytes(3));
});

test("a walk behind a prefix reads the keys of its range and no others", async () => {
  const base = new FailingStore();
  const store = prefixed(base, bytes(1));
  await base.batch(
    [bytes(0, 9), bytes(1), bytes(1, 5), bytes(1, 6), bytes(2)].map((key) => ({
      type: "put",
      key,
      value: bytes(),
    })),
  );
  const counted = async (range: Range): Promise<number> => {
    const before = base.calls.walk;
    await contents(store, range);
    return base.calls.walk - before;
  };
  // One call each for the entries, and one that finds the end.
  expect(await counted({})).toBe(3);
  expect(await counted({ reverse: true })).toBe(3);
  expect(await counted({ gte: bytes(6) })).toBe(2);
  expect(await counted({ lt: bytes(5) })).toBe(1);
});

async function contents(store: Store, range?: Range): Promise<[string, string][]> {
  const entries: [string, string][] = [];
  for await (const [key, value] of store.iterator(range)) entries.push([hexOf(key), hexOf(value)]);
  return entries;
}
