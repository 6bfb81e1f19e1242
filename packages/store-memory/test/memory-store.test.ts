import { type Operation } from "@x/store";
import { hexOf, scaled, StoreModel } from "@x/testing";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";

import { MemoryStore } from "../src/index.ts";

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);
const put = (key: Uint8Array, value: Uint8Array): Operation => ({ type: "put", key, value });
const del = (key: Uint8Array): Operation => ({ type: "del", key });

afterEach(() => {
  vi.restoreAllMocks();
});

describe("statistics", () => {
  test("are those of the entries, after every batch", async () => {
    const key = fc
      .uint8Array({ minLength: 1, maxLength: 2 })
      .map((raw) => raw.map((one) => one % 3));
    const operation = fc.oneof(
      fc.record({ type: fc.constant("put" as const), key, value: fc.uint8Array({ maxLength: 9 }) }),
      fc.record({ type: fc.constant("del" as const), key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 8 })), async (batches) => {
        const store = new MemoryStore();
        const model = new StoreModel();
        let peak = 0;
        for (const batch of batches) {
          await store.batch(batch);
          model.batch(batch);
          const entries = model.entries();
          const keyByteCount = entries.reduce((sum, [hex]) => sum + hex.length / 2, 0);
          const valueByteCount = entries.reduce((sum, [, value]) => sum + value.length, 0);
          const byteCount = keyByteCount + valueByteCount;
          peak = Math.max(peak, byteCount);
          expect(store.statistics()).toEqual({
            entryCount: entries.length,
            keyByteCount,
            valueByteCount,
            byteCount,
            byteCountPeak: peak,
            byteCountMax: Infinity,
            iteratorCount: 0,
          });
        }
        await store.close();
        expect(store.statistics()).toMatchObject({ entryCount: 0, byteCount: 0 });
      }),
    );
  });
});

describe("a bound", () => {
  test("of bytes refuses the batch that would go past it, whole, and takes what fits", async () => {
    const store = new MemoryStore({ byteCountMax: 10 });
    await store.batch([put(bytes(1), new Uint8Array(9))]);
    const full = { code: "STORE_FULL" };
    await expect(store.batch([put(bytes(2), bytes()), del(bytes(3))])).rejects.toMatchObject(full);
    await expect(store.batch([put(bytes(1), new Uint8Array(10))])).rejects.toMatchObject(full);
    expect(store.getManySync([bytes(1), bytes(2)])).toEqual([new Uint8Array(9), undefined]);
    expect(store.state).toBe("open");
    // What counts is what is there afterwards.
    await store.batch([put(bytes(2), new Uint8Array(9)), del(bytes(1))]);
    await store.batch([put(bytes(2), new Uint8Array(99)), put(bytes(2), bytes(5))]);
    expect(store.statistics()).toMatchObject({ byteCount: 2, byteCountPeak: 10, byteCountMax: 10 });
  });

  test("of entries does so too", async () => {
    const store = new MemoryStore({ entryCountMax: 2 });
    await store.batch([put(bytes(1), bytes()), put(bytes(2), bytes())]);
    await expect(store.batch([put(bytes(3), bytes())])).rejects.toMatchObject({
      code: "STORE_FULL",
    });
    await store.batch([put(bytes(3), bytes()), del(bytes(1)), put(bytes(2), bytes(1))]);
    expect(store.getSync(bytes(3))).toEqual(bytes());
  });

  test("is a positive count", () => {
    for (const count of [0, -1, 0.5, Number.NaN]) {
      expect(() => new MemoryStore({ byteCountMax: count })).toThrow(RangeError);
      expect(() => new MemoryStore({ entryCountMax: count })).toThrow(RangeError);
      expect(() => new MemoryStore({ iteratorCountMax: count })).toThrow(RangeError);
    }
    expect(() => new MemoryStore({ entryCountMax: 2 ** 24 + 1 })).toThrow(RangeError);
  });
});

describe("views", () => {
  test("are the store's memory, and stay what they were", async () => {
    const store = new MemoryStore();
    await store.batch([put(bytes(1), bytes(1, 2))]);
    const [view] = store.viewManySync([bytes(1)]);
    expect(store.viewManySync([bytes(1)])[0]).toBe(view);
    expect(store.getManySync([bytes(1)])[0]).not.toBe(view);
    await store.batch([put(bytes(1), bytes(3, 4))]);
    expect(view).toEqual(bytes(1, 2));
    await store.batch([del(bytes(1))]);
    await store.close();
    expect(view).toEqual(bytes(1, 2));
  });
});

describe("the order", () => {
  test("costs nothing until somebody walks, and then only what has changed", async () => {
    const store = new MemoryStore();
    const sorted: number[] = [];
    const toSorted: unknown = Reflect.get(Array.prototype, "toSorted");
    vi.spyOn(Array.prototype, "toSorted").mockImplementation(function note(
      this: unknown[],
      ...args
    ) {
      sorted.push(this.length);
      return Reflect.apply(toSorted as () => unknown[], this, args);
    });
    const numbered = (number: number): Uint8Array => bytes(number >> 16, number >> 8, number);
    for (let i = 0; i < 20; i++)
      await store.batch(
        Array.from({ length: 500 }, (_, j) => put(numbered(i * 500 + j), bytes(i))),
      );
    expect(sorted).toEqual([]);
    await store.iterator().return();
    expect(sorted.splice(0)).toEqual([10_000]);
    await store.iterator().return();
    expect(sorted).toEqual([]);
    await store.batch([
      put(numbered(7), bytes(1)),
      del(numbered(8)),
      put(numbered(99_999), bytes()),
    ]);
    await store.batch([put(numbered(7), bytes(2))]);
    expect(sorted).toEqual([]);
    await store.iterator().return();
    expect(sorted.splice(0)).toEqual([3]);
    // More changes than entries: they are not remembered, and the whole is sorted again.
    for (let i = 0; i < 30; i++) {
      const some = Array.from({ length: 500 }, (_, j) => numbered(200_000 + i * 500 + j));
      await store.batch(some.map((key) => put(key, bytes())));
      await store.batch(some.map(del));
    }
    await store.iterator().return();
    expect(sorted).toEqual([10_000]);
  });

  test("is right through thousands of changes, in snapshots of every age", async () => {
    const shape = fc.record({
      keyCount: fc.integer({ min: 1, max: 3000 }),
      seed: fc.integer(),
      rounds: fc.array(
        fc.record({
          from: fc.nat({ max: 3000 }),
          count: fc.nat({ max: 700 }),
          isDel: fc.boolean(),
        }),
        { maxLength: 12, size: "max" },
      ),
    });
    await fc.assert(
      fc.asyncProperty(shape, async ({ keyCount, rounds }) => {
        const store = new MemoryStore();
        const model = new StoreModel();
        const held: { walk: ReturnType<MemoryStore["iterator"]>; digest: string }[] = [];
        for (const [index, { from, count, isDel }] of rounds.entries()) {
          const batch = Array.from({ length: count }, (_, i) => {
            // Spread over the keys, and neighbours.
            const number = isDel ? (from + i) % keyCount : ((from + i) * 7919) % keyCount;
            const key = bytes(number >> 8, number);
            return isDel ? del(key) : put(key, bytes(index));
          });
          await store.batch(batch);
          model.batch(batch);
          held.push({ walk: store.iterator(), digest: model.digest() });
        }
        for (const { walk, digest } of held) {
          const parts: string[] = [];
          for await (const [key, value] of walk) parts.push(`${hexOf(key)}=${hexOf(value)}`);
          expect(parts.join(",") === digest).toBe(true);
        }
      }),
      { numRuns: scaled(30) },
    );
  });
});

test("long keys are keys as well", async () => {
  const store = new MemoryStore();
  const long = new Uint8Array(100_000).fill(200);
  const longer = new Uint8Array(100_001).fill(200);
  await store.batch([put(longer, bytes(2)), put(long, bytes(1))]);
  expect(store.getManySync([long, longer])).toEqual([bytes(1), bytes(2)]);
  const lengths: number[] = [];
  for await (const [key] of store.iterator({ gte: long })) lengths.push(key.length);
  expect(lengths).toEqual([100_000, 100_001]);
});

test("is disposed of by closing it", async () => {
  const kept: MemoryStore[] = [];
  {
    await using store = new MemoryStore();
    kept.push(store);
  }
  expect(kept[0]?.state).toBe("closed");
});
