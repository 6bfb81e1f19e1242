import { describe, expect, test } from "vitest";
import { bytesCodec, leafPosition, makeSegment, MemoryBackend, Pmmr } from "../src/index.ts";
import { hexOf, RangeModel } from "./range-model.ts";
import { CAMPAIGN_TIMEOUT, codeOf, word } from "./support.ts";

function openBackend(
  options: { prunable?: boolean; hashOnly?: boolean } = {},
): MemoryBackend<Uint8Array, Uint8Array> {
  return new MemoryBackend({ codec: bytesCodec(4), prunable: true, ...options });
}

/** A backend with so many leaves, 0, 1, 2 … */
function filled(
  leaves: number,
  options: { prunable?: boolean; hashOnly?: boolean } = {},
): MemoryBackend<Uint8Array, Uint8Array> {
  const backend = openBackend(options);
  new Pmmr(backend).pushMany(Array.from({ length: leaves }, (_, i) => word(i)));
  return backend;
}

/** Everything a backend answers about all its nodes, in a form that can be compared. */
function contents(backend: MemoryBackend<Uint8Array, Uint8Array>): unknown[] {
  const nodes = Array.from({ length: backend.size }, (_, pos0) => [
    hexOf(backend.hashAt(pos0)),
    hexOf(backend.recordAt(pos0)),
    backend.isCompacted(pos0),
  ]);
  return [backend.size, [...backend.unspentIndexes(0, Infinity)], nodes];
}

describe("a range of several pages", { timeout: CAMPAIGN_TIMEOUT }, () => {
  const leaves = 5000;
  const half = Array.from({ length: 2048 }, (_, i) => 1024 + i);

  test("is compacted across pages, and keeps what is not below a root", () => {
    const backend = filled(leaves);
    const pmmr = new Pmmr(backend);
    const root = hexOf(pmmr.root());
    const full = contents(filled(leaves));
    for (const index of half) pmmr.prune(leafPosition(index));
    expect(backend.unspentCount(leaves)).toBe(leaves - half.length);
    expect(backend.unspentCount(2000)).toBe(1024);
    backend.compact();
    expect(hexOf(pmmr.root())).toBe(root);
    // Two subtrees of 1024 leaves each, which are no siblings.
    const roots = [leafPosition(2047) + 10, leafPosition(3071) + 10];
    const nodes = full[2] as [string, string | undefined, boolean][];
    for (let pos0 = 0; pos0 < backend.size; pos0++) {
      const below = roots.some((top) => top - 2046 <= pos0 && pos0 < top);
      const [hash, record] = nodes[pos0] ?? [];
      expect(hexOf(backend.hashAt(pos0))).toBe(below ? undefined : hash);
      expect(hexOf(backend.recordAt(pos0))).toBe(below ? undefined : record);
      expect(backend.isCompacted(pos0)).toBe(below || roots.includes(pos0));
    }
    expect([...backend.unspentIndexes(1000, 3100)]).toEqual([
      ...Array.from({ length: 24 }, (_, i) => 1000 + i),
      ...Array.from({ length: 28 }, (_, i) => 3072 + i),
    ]);
  });

  test("goes back to what was committed, whatever happened since", () => {
    const backend = filled(leaves);
    const pmmr = new Pmmr(backend);
    for (const index of half) pmmr.prune(leafPosition(index));
    backend.commit();
    const committed = contents(backend);
    const changes: readonly (() => void)[] = [
      () => backend.compact(),
      () => pmmr.rewind(leafPosition(100), [leafPosition(7)]),
      () => pmmr.pushMany(Array.from({ length: 3000 }, (_, i) => word(i + 7))),
      () => pmmr.prune(leafPosition(3)),
      () => pmmr.rewind(0),
      () => {
        pmmr.rewind(0);
        pmmr.pushPrunedSubtree(new Uint8Array(32), 4094);
      },
    ];
    for (const change of changes) {
      change();
      expect(contents(backend)).not.toEqual(committed);
      backend.discard();
      expect(contents(backend)).toEqual(committed);
    }
    for (const change of changes) change();
    backend.discard();
    backend.discard();
    expect(contents(backend)).toEqual(committed);
  });

  test("before the first commit, discard empties", () => {
    const backend = filled(10);
    backend.discard();
    expect(contents(backend)).toEqual([0, [], []]);
  });
});

describe("rewind", () => {
  test("clears what was spent beyond the end: a leaf there is born unspent", () => {
    const backend = filled(4);
    const pmmr = new Pmmr(backend);
    pmmr.prune(3);
    pmmr.rewind(3);
    expect(pmmr.push(word(9))).toBe(3);
    expect(backend.isUnspent(3)).toBe(true);
  });

  test("forgets pruned subtrees beyond the end", () => {
    const backend = openBackend();
    const pmmr = new Pmmr(backend);
    pmmr.pushPrunedSubtree(new Uint8Array(32), 6);
    pmmr.pushPrunedSubtree(new Uint8Array(32), 9);
    pmmr.rewind(7);
    pmmr.push(word(1));
    pmmr.push(word(2));
    expect([7, 8, 9].map((pos0) => backend.isCompacted(pos0))).toEqual([false, false, false]);
    expect(backend.hashAt(7)).toBeDefined();
  });

  test("a backend refuses a size that is none, and leaves beyond it", () => {
    const backend = filled(4);
    expect(() => backend.rewind(2, [])).toThrow(RangeError);
    expect(() => backend.rewind(8, [])).toThrow(RangeError);
    expect(() => backend.rewind(3, [3])).toThrow(RangeError);
    expect(() => backend.rewind(3, [2])).toThrow(RangeError);
    const fixed = filled(4, { prunable: false });
    expect(codeOf(() => fixed.rewind(3, [0]))).toBe("PMMR_NOT_PRUNABLE");
    backend.spend(0);
    backend.compact();
    expect(codeOf(() => backend.rewind(3, [0]))).toBe("PMMR_COMPACTED");
    expect(backend.size).toBe(7);
  });
});

describe("compact", () => {
  test("spares leaves at the horizon and those that a rewind may bring back", () => {
    const backend = filled(8);
    for (const index of [0, 1, 2, 3, 6, 7]) backend.spend(leafPosition(index));
    backend.compact({ horizon: 8, restorable: [leafPosition(2)] });
    const compacted = Array.from({ length: 15 }, (_, pos0) => pos0).filter((pos0) =>
      backend.isCompacted(pos0),
    );
    // Leaves 0 and 1 with their parent; leaf 3 alone, which keeps its record.
    expect(compacted).toEqual([0, 1, 2, 4]);
    expect(backend.recordAt(0)).toBeUndefined();
    expect(hexOf(backend.recordAt(4))).toBe(hexOf(word(3)));
    backend.compact();
    expect(backend.recordAt(4)).toBeUndefined();
    expect([6, 13].map((pos0) => backend.isCompacted(pos0))).toEqual([true, false]);
  });

  test("is refused where leaves cannot be spent", () => {
    const backend = filled(3, { prunable: false });
    expect(codeOf(() => backend.compact())).toBe("PMMR_NOT_PRUNABLE");
    expect(codeOf(() => backend.spend(0))).toBe("PMMR_NOT_PRUNABLE");
    expect(codeOf(() => backend.appendPruned(6, new Uint8Array(64)))).toBe("PMMR_NOT_PRUNABLE");
    expect(() => filled(3).compact({ horizon: -1 })).toThrow(RangeError);
  });

  test("a proof of an unspent leaf needs nothing that goes", () => {
    const backend = filled(100);
    const pmmr = new Pmmr(backend);
    for (let i = 0; i < 100; i++) if (i % 9 !== 0) pmmr.prune(leafPosition(i));
    const before = Array.from({ length: 12 }, (_, i) => pmmr.merkleProof(leafPosition(9 * i)));
    backend.compact();
    const after = Array.from({ length: 12 }, (_, i) => pmmr.merkleProof(leafPosition(9 * i)));
    expect(after).toEqual(before);
  });
});

describe("what a backend checks of its caller", () => {
  test("hashes for exactly the nodes that come", () => {
    const backend = filled(3);
    expect(() => backend.append([word(1)], new Uint8Array(32))).toThrow(RangeError);
    expect(() => backend.append([word(1)], new Uint8Array(96 + 32))).toThrow(RangeError);
    expect(codeOf(() => backend.append([new Uint8Array(3)], new Uint8Array(96)))).toBe(
      "PMMR_CAPACITY",
    );
    expect(backend.size).toBe(4);
  });

  test("a pruned root that continues the range and is rolled up as far as it goes", () => {
    const backend = openBackend();
    expect(() => backend.appendPruned(0, new Uint8Array(32))).toThrow(RangeError);
    expect(() => backend.appendPruned(5, new Uint8Array(64))).toThrow(RangeError);
    expect(() => backend.appendPruned(6, new Uint8Array(64))).toThrow(RangeError);
    backend.appendPruned(2, new Uint8Array(32));
    // Its sibling is pruned, so the parent must be named instead.
    expect(() => backend.appendPruned(5, new Uint8Array(64))).toThrow(RangeError);
    backend.appendPruned(6, new Uint8Array(32));
    expect([backend.size, backend.hashAt(2)]).toEqual([7, undefined]);
    expect(() => backend.appendPruned(30, new Uint8Array(32))).toThrow(RangeError);
    // Everything to the left of its right edge is pruned, so this is 13 rolled up.
    backend.appendPruned(14, new Uint8Array(32));
    expect([backend.size, backend.hashAt(6), backend.isCompacted(14)]).toEqual([
      15,
      undefined,
      true,
    ]);
  });

  test("positions", () => {
    const backend = filled(3);
    for (const wrong of [-1, 0.5, 2 ** 53]) {
      expect(() => backend.hashAt(wrong)).toThrow(RangeError);
      expect(() => backend.recordAt(wrong)).toThrow(RangeError);
      expect(() => backend.isUnspent(wrong)).toThrow(RangeError);
      expect(() => backend.isCompacted(wrong)).toThrow(RangeError);
      expect(() => backend.spend(wrong)).toThrow(RangeError);
    }
    expect(() => backend.spend(2)).toThrow(RangeError);
    expect(backend.spend(4)).toBe(false);
  });
});

test("epoch grows exactly when nodes that were there may have changed", () => {
  const backend = openBackend();
  const pmmr = new Pmmr(backend);
  const grows = (action: () => void): boolean => {
    const before = backend.epoch;
    action();
    return before < backend.epoch;
  };
  expect(grows(() => pmmr.push(word(1)))).toBe(false);
  expect(grows(() => pmmr.push(word(2)))).toBe(false);
  expect(grows(() => pmmr.prune(0))).toBe(false);
  expect(grows(() => pmmr.prune(1))).toBe(false);
  expect(grows(() => pmmr.rewind(3))).toBe(false);
  expect(grows(() => backend.compact())).toBe(true);
  expect(grows(() => pmmr.pushPrunedSubtree(new Uint8Array(32), 5))).toBe(true);
  expect(grows(() => pmmr.pushPrunedSubtree(new Uint8Array(32), 14 - 1))).toBe(true);
  expect(grows(() => pmmr.push(word(3)))).toBe(false);
  expect(grows(() => pmmr.rewind(15))).toBe(true);
  expect(grows(() => backend.discard())).toBe(true);
});

test("with hashes alone nothing can be read back, and everything else is as ever", () => {
  const backend = filled(20, { hashOnly: true });
  const whole = filled(20);
  const [pmmr, other] = [new Pmmr(backend), new Pmmr(whole)];
  expect(hexOf(pmmr.root())).toBe(hexOf(other.root()));
  expect(pmmr.element(0)).toBeUndefined();
  expect(pmmr.storedElement(0)).toBeUndefined();
  expect(pmmr.lastInsertions(3)).toEqual([]);
  expect(pmmr.elementsFrom({ from: 0, limit: 5 })).toEqual({ next: 38, entries: [] });
  expect(pmmr.merkleProof(0)).toEqual(other.merkleProof(0));
  expect([pmmr.hashOnly, other.hashOnly]).toEqual([true, false]);
});

test("with hashes alone there is nothing to make a segment of, prunable or not", () => {
  for (const prunable of [false, true]) {
    const pmmr = new Pmmr(filled(20, { hashOnly: true, prunable }));
    const make = (): unknown => makeSegment(pmmr, { height: 2, index: 0 });
    expect(codeOf(make)).toBe("PMMR_HASH_ONLY");
    expect(codeOf(() => makeSegment(pmmr, { height: 2, index: 9 }))).toBe("PMMR_OUT_OF_RANGE");
  }
});

test("a leaf that was never reached is not there", () => {
  const backend = openBackend();
  const pmmr = new Pmmr(backend);
  // 2^20 leaves as one hash, then two leaves far into the pages.
  const top = 2 ** 21 - 2;
  pmmr.pushPrunedSubtree(new Uint8Array(32).fill(3), top);
  pmmr.pushMany([word(1), word(2)]);
  expect([...pmmr.unspentIndexes()]).toEqual([2 ** 20, 2 ** 20 + 1]);
  expect(pmmr.unspentCount()).toBe(2);
  expect(backend.hashAt(12_345)).toBeUndefined();
  expect(backend.recordAt(0)).toBeUndefined();
  expect(hexOf(pmmr.storedElement(top + 1))).toBe(hexOf(word(1)));
  const model = new RangeModel();
  model.push(word(1));
  expect(pmmr.lastInsertions(5).map(({ pos0 }) => pos0)).toEqual([top + 2, top + 1]);
});
