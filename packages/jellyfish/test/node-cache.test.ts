import { describe, expect, it } from "vitest";
import { type LoadedNode, NodeCache } from "../src/index.ts";

function loadedOf(number: number, valueSize = 100): LoadedNode {
  const hash = new Uint8Array(32).fill(number);
  const value = new Uint8Array(valueSize).fill(number);
  return {
    hash,
    node: { kind: "leaf", path: hash, value, key: undefined },
    inner: undefined,
  };
}

const hashOf = (number: number): Uint8Array => loadedOf(number).hash;

describe("a cache of nodes", () => {
  it("keeps copies, and gives them back by hash", () => {
    const cache = new NodeCache();
    const loaded = loadedOf(1);
    cache.set(loaded);
    loaded.hash.fill(9);
    expect(cache.get(hashOf(1))).toEqual(loadedOf(1));
    expect(cache.get(hashOf(9))).toBeUndefined();
  });

  it("never grows past its budget", () => {
    const cache = new NodeCache({ byteCountMax: 5000 });
    for (let i = 0; i < 250; i++) {
      cache.set(loadedOf(i));
      expect(cache.byteCount).toBeLessThanOrEqual(5000);
    }
    expect(cache.nodeCount).toBeGreaterThan(5);
    expect(cache.get(hashOf(249))).toEqual(loadedOf(249));
  });

  it("keeps what is read over what is not", () => {
    const cache = new NodeCache({ byteCountMax: 5000 });
    cache.set(loadedOf(0));
    for (let i = 1; i < 100; i++) {
      cache.get(hashOf(0));
      cache.set(loadedOf(i));
    }
    expect(cache.get(hashOf(0))).toEqual(loadedOf(0));
    expect(cache.get(hashOf(1))).toBeUndefined();
  });

  it("passes over a node larger than the whole", () => {
    const cache = new NodeCache({ byteCountMax: 5000 });
    cache.set(loadedOf(1, 6000));
    expect([cache.nodeCount, cache.byteCount]).toEqual([0, 0]);
    const none = new NodeCache({ byteCountMax: 0 });
    none.set(loadedOf(1));
    expect(none.nodeCount).toBe(0);
  });

  it("forgets what it is told to, and counts what is left", () => {
    const cache = new NodeCache();
    cache.set(loadedOf(1));
    cache.set(loadedOf(1));
    expect(cache.nodeCount).toBe(1);
    const { byteCount } = cache;
    cache.set(loadedOf(2));
    cache.delete(hashOf(2));
    cache.delete(hashOf(3));
    expect([cache.nodeCount, cache.byteCount]).toEqual([1, byteCount]);
    cache.clear();
    expect([cache.nodeCount, cache.byteCount, cache.get(hashOf(1))]).toEqual([0, 0, undefined]);
  });

  it("tells nodes apart that it would keep in one place", () => {
    const cache = new NodeCache();
    const [a, b] = [loadedOf(1), loadedOf(1)];
    b.hash[31] = 2;
    cache.set(a);
    expect(cache.get(b.hash)).toBeUndefined();
    cache.delete(b.hash);
    cache.set(b);
    expect(cache.get(b.hash)).toEqual(b);
    expect(cache.get(a.hash)).toBeUndefined();
  });

  it("takes a count of bytes", () => {
    for (const byteCountMax of [-1, 0.5, Number.NaN])
      expect(() => new NodeCache({ byteCountMax })).toThrow(RangeError);
  });
});
