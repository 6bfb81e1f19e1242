import { compareBytes } from "@x/store/adapter";
import { Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { ascendingPlaces, firstAbove, firstAtLeast, keyIndexOf } from "../src/key-index.ts";
import { bytesOf } from "./bytes.ts";

/** Short keys of few different bytes, so that many share their beginning, behind a start that all have. */
function keysFor(random: Random, start: Uint8Array): Uint8Array[] {
  return Array.from({ length: random.below(40) }, () =>
    Uint8Array.of(
      ...start,
      ...Array.from({ length: random.below(8) }, () => random.pick([0, 1, 127, 128, 255])),
    ),
  );
}

function distinct(keys: readonly Uint8Array[]): Uint8Array[] {
  const sorted = keys.toSorted(compareBytes);
  return sorted.filter((key, i) => compareBytes(key, sorted[i + 1] ?? Uint8Array.of()) !== 0);
}

describe("an index of keys", () => {
  test("finds the places that looking at each key finds, however often it is asked", () => {
    const random = new Random(1);
    for (let i = 0; i < scaled(500); i++) {
      const start = random.bytes(random.below(7));
      const keys = distinct(keysFor(random, start));
      const index = keyIndexOf(keys);
      const asked = [...keys, ...keysFor(random, start), ...keysFor(random, random.bytes(2))];
      for (const key of asked) {
        const place = keys.filter((one) => compareBytes(one, key) < 0).length;
        const above = keys.filter((one) => compareBytes(one, key) <= 0).length;
        expect([firstAtLeast(index, key), firstAbove(index, key)]).toEqual([place, above]);
      }
    }
  });

  test("of one key, of none, and of keys that begin one another", () => {
    const none = keyIndexOf([]);
    const one = keyIndexOf([bytesOf("abc")]);
    const nested = keyIndexOf(["", "a", "a\0", "a\0\0", "aa"].map(bytesOf));
    for (let i = 0; i < 3; i++) {
      expect(firstAtLeast(none, bytesOf("a"))).toBe(0);
      expect(
        ["", "ab", "abc", "abcd", "b"].map((text) => firstAtLeast(one, bytesOf(text))),
      ).toEqual([0, 0, 0, 1, 1]);
      expect(
        ["", "a", "a\0", "a\0\0", "aa"].map((text) => firstAtLeast(nested, bytesOf(text))),
      ).toEqual([0, 1, 2, 3, 4]);
    }
  });
});

describe("sorting changes", () => {
  test("gives the order of the bytes, and keeps equal keys in their order", () => {
    const random = new Random(2);
    for (let i = 0; i < scaled(500); i++) {
      const keys = keysFor(random, random.bytes(random.below(3)));
      const places = keys.map((_, place) => place);
      const byBytes = (a: number, b: number): number =>
        compareBytes(keys[a] ?? Uint8Array.of(), keys[b] ?? Uint8Array.of()) || a - b;
      expect(ascendingPlaces(keys)).toEqual(places.toSorted(byBytes));
    }
  });
});
