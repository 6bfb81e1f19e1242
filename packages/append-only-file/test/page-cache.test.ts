import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { PAGE_BYTES, PageCache, type PageSource } from "../src/page-cache.ts";

/** A file that counts what it is asked for. */
class Source implements PageSource {
  readonly id: number;
  bytes: Uint8Array;
  loads: [at: number, length: number][] = [];
  failing = false;

  constructor(id: number, size: number) {
    this.id = id;
    this.bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + id) % 251);
  }

  get end(): number {
    return this.bytes.length;
  }

  load(at: number, into: Uint8Array): void {
    this.loads.push([at, into.length]);
    if (this.failing) {
      into.fill(0xee);
      throw new Error("failing");
    }
    into.set(this.bytes.subarray(at, at + into.length));
  }
}

function readFrom(cache: PageCache, source: Source, at: number, length: number): Uint8Array {
  const into = new Uint8Array(length);
  cache.read(source, at, into);
  return into;
}

describe("a page cache", () => {
  test("reads a page once and serves it from memory afterwards", () => {
    const cache = new PageCache(2);
    const source = new Source(0, 10_000);
    expect(readFrom(cache, source, 100, 8)).toEqual(source.bytes.slice(100, 108));
    expect(readFrom(cache, source, 4000, 96)).toEqual(source.bytes.slice(4000, 4096));
    expect(source.loads).toEqual([[0, PAGE_BYTES]]);
    expect([cache.hits, cache.misses]).toEqual([1, 1]);
  });

  test("reads the last page as far as it goes, and again once it has grown", () => {
    const cache = new PageCache(2);
    const source = new Source(0, 5000);
    readFrom(cache, source, 4990, 10);
    source.bytes = new Source(0, 6000).bytes;
    readFrom(cache, source, 4990, 10);
    expect(source.loads).toEqual([[4096, 904]]);
    expect(readFrom(cache, source, 4990, 20)).toEqual(source.bytes.slice(4990, 5010));
    expect(source.loads).toEqual([
      [4096, 904],
      [4096, 1904],
    ]);
    expect(cache.size).toBe(1);
  });

  test("keeps at most its number of pages, and lets the one go that was not used for longest", () => {
    const cache = new PageCache(2);
    const source = new Source(0, 4 * PAGE_BYTES);
    for (const page of [0, 1, 0, 2]) readFrom(cache, source, page * PAGE_BYTES, 1);
    expect(cache.size).toBe(2);
    source.loads = [];
    readFrom(cache, source, 0, 1);
    readFrom(cache, source, 2 * PAGE_BYTES, 1);
    expect(source.loads).toEqual([]);
    readFrom(cache, source, PAGE_BYTES, 1);
    expect(source.loads).toHaveLength(1);
  });

  test("keeps nothing of a failed read", () => {
    const cache = new PageCache(2);
    const source = new Source(0, 5000);
    source.failing = true;
    expect(() => readFrom(cache, source, 0, 4)).toThrow("failing");
    expect(cache.size).toBe(0);
    source.failing = false;
    expect(readFrom(cache, source, 0, 4)).toEqual(source.bytes.slice(0, 4));
  });

  test("keeps nothing of a page whose second read failed", () => {
    const cache = new PageCache(2);
    const source = new Source(0, 100);
    readFrom(cache, source, 0, 4);
    source.bytes = new Source(0, 200).bytes;
    source.failing = true;
    expect(() => readFrom(cache, source, 0, 150)).toThrow("failing");
    source.failing = false;
    expect(readFrom(cache, source, 0, 150)).toEqual(source.bytes.slice(0, 150));
  });

  test("takes no room for long reads", () => {
    const cache = new PageCache(2);
    const source = new Source(0, 200_000);
    readFrom(cache, source, 0, 65_536);
    expect(cache.size).toBe(0);
    expect(source.loads).toEqual([[0, 65_536]]);
  });

  test("of no pages always asks the source", () => {
    const cache = new PageCache(0);
    const source = new Source(0, 100);
    readFrom(cache, source, 0, 10);
    readFrom(cache, source, 0, 10);
    expect(source.loads).toHaveLength(2);
  });

  test("allocates no more than its pages and one", () => {
    let allocated = 0;
    const cache = new PageCache(3, (bytes) => {
      allocated++;
      return new Uint8Array(bytes);
    });
    const source = new Source(0, 50 * PAGE_BYTES);
    for (let i = 0; i < 500; i++) readFrom(cache, source, ((i * 7) % 50) * PAGE_BYTES, 5);
    expect(allocated).toBeLessThanOrEqual(4);
  });

  test("shows what its sources hold, whatever changes and is invalidated", () => {
    const step = fc.record({
      change: fc.constantFrom("none" as const, "grow" as const, "cut" as const),
      amount: fc.nat(9000),
      id: fc.constantFrom<0 | 1>(0, 1),
      at: fc.nat(20_000),
      length: fc.nat(9000),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, pagesMax) => {
          const cache = new PageCache(pagesMax);
          const sources = [new Source(0, 9000), new Source(1, 100)] as const;
          for (const [turn, { change, amount, id, at, length }] of steps.entries()) {
            const source = sources[id];
            if (change === "grow") {
              const grown = new Uint8Array(source.end + amount).fill(turn);
              grown.set(source.bytes);
              source.bytes = grown;
            } else if (change === "cut") {
              // What is cut away and written anew must not be served from before.
              source.bytes = source.bytes.slice(0, amount);
              cache.invalidate(source, source.end);
            }
            const begin = Math.min(at, source.end);
            const count = Math.min(length, source.end - begin);
            expect(readFrom(cache, source, begin, count)).toEqual(
              source.bytes.slice(begin, begin + count),
            );
            expect(cache.size).toBeLessThanOrEqual(pagesMax);
          }
        },
      ),
    );
  });
});
