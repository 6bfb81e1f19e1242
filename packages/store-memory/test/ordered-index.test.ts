import { scaled } from "@x/testing";
import fc from "fast-check";
import { expect, test } from "vitest";

import {
  buildIndex,
  CHUNK_COUNT_MAX,
  type OrderedIndex,
  updateIndex,
} from "../src/ordered-index.ts";

const text = (number: number): string => number.toString(36).padStart(4, "0");

function check(index: OrderedIndex, entries: ReadonlyMap<string, Uint8Array>): void {
  const keys = index.flatMap((chunk) => chunk.keys);
  const values = index.flatMap((chunk) => chunk.values);
  expect(keys.join() === [...entries.keys()].toSorted().join()).toBe(true);
  expect(keys.every((key, at) => values[at] === entries.get(key))).toBe(true);
  expect(index.every((chunk) => chunk.keys.length === chunk.values.length)).toBe(true);
  expect(index.every(({ keys: { length } }) => 0 < length && length <= CHUNK_COUNT_MAX)).toBe(true);
}

test("an index of any size holds its entries in order, in chunks that are neither empty nor too long", () => {
  for (const count of [0, 1, 2, 255, 256, 257, 511, 512, 513, 1024, 1025, 5000]) {
    const entries = new Map(
      Array.from({ length: count }, (_, i) => [text((i * 7919) % 10_007), new Uint8Array(1)]),
    );
    const index = buildIndex(entries);
    check(index, entries);
    expect(index.length).toBe(
      count <= CHUNK_COUNT_MAX ? Math.min(count, 1) : Math.ceil(count / 256),
    );
  }
});

test("an index that is brought up to date is the index of now, and the old one stays what it was", () => {
  const changes = fc.array(
    fc.record({ from: fc.nat({ max: 4000 }), count: fc.nat({ max: 600 }), isDel: fc.boolean() }),
    { maxLength: 10, size: "max" },
  );
  fc.assert(
    fc.property(fc.nat({ max: 2000 }), changes, (count, rounds) => {
      const entries = new Map<string, Uint8Array>();
      for (let i = 0; i < count; i++) entries.set(text(2 * i), new Uint8Array(1));
      let index = buildIndex(entries);
      for (const { from, count: some, isDel } of rounds) {
        const before = JSON.stringify(index.map((chunk) => chunk.keys));
        const old = index;
        const changed = new Set<string>();
        for (let i = 0; i < some; i++) {
          const key = text(from + i);
          changed.add(key);
          if (isDel) entries.delete(key);
          else entries.set(key, new Uint8Array(2));
        }
        index = updateIndex(index, changed, entries);
        check(index, entries);
        expect(JSON.stringify(old.map((chunk) => chunk.keys)) === before).toBe(true);
      }
    }),
    { numRuns: scaled(40) },
  );
});

test("removals do not leave many small chunks", () => {
  const entries = new Map<string, Uint8Array>();
  for (let i = 0; i < 20_000; i++) entries.set(text(i), new Uint8Array(1));
  let index = buildIndex(entries);
  for (let from = 0; from < 20_000; from += 1000) {
    const changed = Array.from({ length: 1000 }, (_, i) => text(from + i)).filter(
      (_, i) => i % 100 !== 0,
    );
    for (const key of changed) entries.delete(key);
    index = updateIndex(index, changed, entries);
  }
  check(index, entries);
  expect(entries.size).toBe(200);
  expect(index.length).toBeLessThanOrEqual(2);
});
