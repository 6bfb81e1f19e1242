import { describe, expect, expectTypeOf, test } from "vitest";
import {
  bytesCodec,
  grinHashing,
  leafPosition,
  MemoryBackend,
  Pmmr,
  type PmmrView,
  ReadonlyPmmr,
  RewindablePmmr,
} from "../src/index.ts";
import { hexOf, naiveHash, RangeModel } from "./range-model.ts";
import { codeOf, word } from "./support.ts";
import { vectors } from "./vectors.ts";

type Range = {
  readonly backend: MemoryBackend<Uint8Array, Uint8Array<ArrayBuffer>>;
  readonly pmmr: Pmmr<Uint8Array, Uint8Array<ArrayBuffer>>;
};

/** A range of the words `first`, `first + 1` … */
function rangeOf(leaves: number, first = 0, prunable = true): Range {
  const backend = new MemoryBackend({ codec: bytesCodec(4), prunable });
  const pmmr = new Pmmr(backend);
  pmmr.pushMany(Array.from({ length: leaves }, (_, i) => word(first + i)));
  return { backend, pmmr };
}

function numberOf(element: Uint8Array): number {
  return new DataView(element.buffer, element.byteOffset, 4).getUint32(0, false);
}

function quirk(start: string): Readonly<Record<string, unknown>> {
  const found = vectors.originalQuirks.find((row) => String(row["case"]).startsWith(start));
  if (found === undefined) throw new Error(`no case ${start}`);
  return found;
}

describe("ten unspent leaves, as the original should read them", () => {
  const { pmmr } = rangeOf(10, 1);
  const fixed = rangeOf(10, 1, false).pmmr;

  test("unspent leaves are counted up to a leaf index", () => {
    const { sensible } = quirk("prunable, 10 leaves all unspent: count");
    expect([pmmr.unspentCountTo(5), pmmr.unspentCountTo(10)]).toEqual(sensible);
    expect([fixed.unspentCountTo(5), fixed.unspentCountTo(10)]).toEqual(sensible);
    expect([pmmr.unspentCountTo(1000), fixed.unspentCountTo(1000)]).toEqual([10, 10]);
  });

  test("elements from an index, a page at a time", () => {
    const rows = quirk("elements_from_pmmr_index")["rows"] as readonly {
      from1: number;
      max: number;
      maxPos1: number | null;
      next: number;
      elements: readonly number[];
    }[];
    expect(rows.length).toBe(4);
    for (const row of rows) {
      const query = { from: Math.max(row.from1, 1) - 1, limit: row.max };
      const end = row.maxPos1 === null ? {} : { end: row.maxPos1 };
      for (const view of [pmmr, fixed]) {
        const { next, entries } = view.elementsFrom({ ...query, ...end });
        expect(next).toBe(row.next);
        expect(entries.map(({ element }) => numberOf(element))).toEqual(row.elements);
      }
    }
  });

  test("the last insertions come newest first", () => {
    const { elements } = quirk("last 3 insertions");
    expect(pmmr.lastInsertions(3).map(({ element }) => numberOf(element))).toEqual(elements);
    expect(fixed.lastInsertions(3).map(({ element }) => numberOf(element))).toEqual(elements);
  });

  test("leaf indexes from an index on, also where leaves cannot be spent", () => {
    const { values } = quirk("leaf index iterator");
    expect([...pmmr.unspentIndexes(3)]).toEqual(values);
    expect([...fixed.unspentIndexes(3)]).toEqual(values);
  });

  test("a rewind without a sync in between gives what it should have given", () => {
    const five = rangeOf(5).pmmr;
    five.rewind(4);
    expect([five.leafCount, five.size]).toEqual([3, 4]);
    expect(quirk("append 5 leaves without sync")["sensible"]).toBe("3 leaves, size 4");
    const twice = rangeOf(5).pmmr;
    twice.rewind(4);
    twice.push(word(100));
    twice.rewind(4);
    twice.push(word(200));
    expect(numberOf(twice.element(4) ?? word(0))).toBe(200);
    expect(twice.size).toBe(7);
    expect(quirk("sync 5 leaves, rewind to size 4")["sensible"]).toBe("leaf 3 is Y, size 7");
  });
});

describe("reads", () => {
  test("of a spent leaf: its hash and element only where spending is not asked for", () => {
    const { backend, pmmr } = rangeOf(4);
    pmmr.prune(0);
    expect(pmmr.hash(0)).toBeUndefined();
    expect(hexOf(pmmr.hashAt(0))).toBe(hexOf(naiveHash(0, word(0))));
    expect(pmmr.element(0)).toBeUndefined();
    expect(hexOf(pmmr.storedElement(0))).toBe(hexOf(word(0)));
    pmmr.prune(1);
    backend.compact();
    expect([pmmr.hashAt(0), pmmr.storedElement(0), pmmr.recordAt(0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    // The root of what was compacted keeps its hash.
    expect(hexOf(pmmr.hash(2))).toBe(hexOf(pmmr.hashAt(2)));
    expect(pmmr.hash(2)).toBeDefined();
  });

  test("of an inner node: a hash and no element, whatever is spent below", () => {
    const { pmmr } = rangeOf(4);
    for (const pos0 of [0, 1, 3, 4]) pmmr.prune(pos0);
    expect(pmmr.hash(6)).toBeDefined();
    expect([pmmr.element(6), pmmr.storedElement(6), pmmr.recordAt(6)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("beyond the end of a view: nothing, though the backend has it", () => {
    const { backend } = rangeOf(7);
    const view = new ReadonlyPmmr(backend, { size: 7 });
    for (const pos0 of [7, 8, 9, 10, 11, 2 ** 40]) {
      expect([
        view.hash(pos0),
        view.hashAt(pos0),
        view.element(pos0),
        view.storedElement(pos0),
        view.recordAt(pos0),
        view.isUnspent(pos0),
        view.isCompacted(pos0),
      ]).toEqual([undefined, undefined, undefined, undefined, undefined, false, false]);
    }
    expect([...view.unspentIndexes()]).toEqual([0, 1, 2, 3]);
    expect([...view.unspentIndexes(2, 100)]).toEqual([2, 3]);
    expect([...view.unspentPositions()]).toEqual([0, 1, 3, 4]);
    expect(view.unspentCount()).toBe(4);
    expect(view.lastInsertions(1).map(({ pos0 }) => pos0)).toEqual([4]);
    expect(view.elementsFrom({ from: 3, limit: 10, end: 100 }).next).toBe(7);
    expect(view.stats()).toEqual({ size: 7, leafCount: 4, unspentCount: 4, peakCount: 1 });
  });

  test("refuse what is no position or count", () => {
    const { pmmr } = rangeOf(3);
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => pmmr.hash(wrong)).toThrow(RangeError);
      expect(() => pmmr.hashAt(wrong)).toThrow(RangeError);
      expect(() => pmmr.element(wrong)).toThrow(RangeError);
      expect(() => pmmr.recordAt(wrong)).toThrow(RangeError);
      expect(() => pmmr.isUnspent(wrong)).toThrow(RangeError);
      expect(() => pmmr.isCompacted(wrong)).toThrow(RangeError);
      expect(() => pmmr.unspentCountTo(wrong)).toThrow(RangeError);
      expect(() => pmmr.unspentIndexes(wrong)).toThrow(RangeError);
      expect(() => pmmr.unspentIndexes(0, wrong)).toThrow(RangeError);
      expect(() => pmmr.lastInsertions(wrong)).toThrow(RangeError);
      expect(() => pmmr.elementsFrom({ from: wrong, limit: 1 })).toThrow(RangeError);
      expect(() => pmmr.elementsFrom({ from: 0, limit: wrong })).toThrow(RangeError);
    }
  });

  test("of the empty range", () => {
    const { pmmr } = rangeOf(0);
    expect(pmmr.isEmpty).toBe(true);
    expect(pmmr.root()).toEqual(new Uint8Array(32));
    expect(pmmr.peaks()).toEqual([]);
    expect(pmmr.bagRightOf(0)).toBeUndefined();
    expect(pmmr.lastInsertions(5)).toEqual([]);
    expect(pmmr.elementsFrom({ from: 0, limit: 5 })).toEqual({ next: 0, entries: [] });
    expect(pmmr.stats()).toEqual({ size: 0, leafCount: 0, unspentCount: 0, peakCount: 0 });
  });

  test("last insertions and pages pass over spent leaves, for every spending of nine leaves", () => {
    for (let bits = 0; bits < 512; bits++) {
      const { pmmr } = rangeOf(9);
      for (let i = 0; i < 9; i++) if ((bits >> i) & 1) pmmr.prune(leafPosition(i));
      const unspent = Array.from({ length: 9 }, (_, i) => i).filter((i) => !((bits >> i) & 1));
      for (const limit of [0, 1, 3, 20]) {
        const last = pmmr.lastInsertions(limit);
        expect(last.map(({ element }) => numberOf(element))).toEqual(
          unspent.toReversed().slice(0, limit),
        );
        expect(last.map(({ hash }) => hexOf(hash))).toEqual(
          last.map(({ pos0 }) => hexOf(pmmr.hashAt(pos0))),
        );
      }
      const pages: number[] = [];
      for (let from = 0; from < pmmr.size;) {
        const { next, entries } = pmmr.elementsFrom({ from, limit: 2 });
        expect(next).toBeGreaterThan(from);
        pages.push(...entries.map(({ element }) => numberOf(element)));
        from = next;
      }
      expect(pages).toEqual(unspent);
    }
  });
});

describe("peaks", () => {
  test("to the right are bagged with the size, and those to the left come from right to left", () => {
    const model = new RangeModel();
    for (let leaves = 1; leaves <= 33; leaves++) {
      model.push(word(leaves - 1));
      const { pmmr } = rangeOf(leaves);
      const hashes = model.peaks().map((peak) => model.hash(peak));
      for (const [i, peak] of model.peaks().entries()) {
        const [last, ...others] = hashes.slice(i + 1).toReversed();
        const bag = others.reduce(
          (bagged, hash) => naiveHash(model.size, hash, bagged ?? hash),
          last,
        );
        expect(hexOf(pmmr.bagRightOf(peak))).toBe(hexOf(bag));
        const left = hashes.slice(0, i).toReversed();
        const path = bag === undefined ? left : [bag, ...left];
        expect(pmmr.peakPath(peak).map(hexOf)).toEqual(path.map(hexOf));
      }
    }
  });

  test("that are gone are named, not dropped", () => {
    const { backend, pmmr } = rangeOf(4);
    pmmr.prune(0);
    pmmr.prune(1);
    backend.compact();
    const older = new ReadonlyPmmr(backend, { size: 1 });
    expect(codeOf(() => older.root())).toBe("PMMR_COMPACTED");
    expect(codeOf(() => older.peaks())).toBe("PMMR_COMPACTED");
    const lost = Object.create(backend, {
      size: { value: 7 },
      epoch: { value: backend.epoch },
      hashAt: { value: () => undefined },
      isCompacted: { value: () => false },
    }) as typeof backend;
    expect(codeOf(() => new ReadonlyPmmr(lost).root())).toBe("PMMR_MISSING_HASH");
  });
});

describe("a view of fixed size", () => {
  test("stays valid while the range grows and leaves are spent", () => {
    const { backend, pmmr } = rangeOf(5);
    const view = new ReadonlyPmmr(backend);
    const root = hexOf(view.root());
    pmmr.push(word(5));
    pmmr.prune(0);
    expect(view.size).toBe(8);
    expect(hexOf(view.root())).toBe(root);
    expect([...view.unspentIndexes()]).toEqual([1, 2, 3, 4]);
  });

  test("refuses every read once nodes may have changed", async () => {
    for (const change of [
      ({ pmmr }: Range) => pmmr.rewind(4),
      ({ backend }: Range) => backend.compact(),
      ({ backend }: Range) => backend.discard(),
    ]) {
      const range = rangeOf(5);
      const view = new ReadonlyPmmr(range.backend);
      const rewindable = new RewindablePmmr(range.backend);
      const iterator = view.unspentIndexes();
      const own = range.pmmr.unspentIndexes();
      iterator.next();
      own.next();
      change(range);
      const reads: readonly (() => unknown)[] = [
        () => view.hash(0),
        () => view.hashAt(0),
        () => view.element(0),
        () => view.storedElement(0),
        () => view.recordAt(0),
        () => view.isUnspent(0),
        () => view.isCompacted(0),
        () => view.peaks(),
        () => view.root(),
        () => view.bagRightOf(0),
        () => view.peakPath(6),
        () => view.merkleProof(0),
        () => view.unspentCount(),
        () => view.unspentCountTo(1),
        () => view.unspentIndexes(),
        () => view.unspentPositions(),
        () => view.elementsFrom({ from: 0, limit: 1 }),
        () => view.lastInsertions(1),
        () => view.stats(),
        () => rewindable.root(),
      ];
      for (const read of reads) expect(codeOf(read)).toBe("PMMR_STALE_VIEW");
      await expect(view.validate()).rejects.toMatchObject({ code: "PMMR_STALE_VIEW" });
      // What was begun before is stopped; the writer itself reads on.
      expect(codeOf(() => [...iterator])).toBe("PMMR_STALE_VIEW");
      expect(codeOf(() => own.next())).toBe("PMMR_STALE_VIEW");
      expect(codeOf(() => range.pmmr.root())).toBe("none");
    }
  });

  test("an iteration that meets changed nodes stops with an error, never with a wrong leaf", () => {
    const { backend, pmmr } = rangeOf(40);
    const iterator = pmmr.unspentPositions();
    expect(iterator.next()).toEqual({ done: false, value: 0 });
    pmmr.prune(1);
    expect(iterator.next()).toEqual({ done: false, value: 3 });
    backend.compact();
    expect(codeOf(() => iterator.next())).toBe("PMMR_STALE_VIEW");
  });

  test("has a size that a range can have, at most the backend's", () => {
    const { backend } = rangeOf(4);
    expect(codeOf(() => new ReadonlyPmmr(backend, { size: 2 }))).toBe("PMMR_INVALID_SIZE");
    expect(codeOf(() => new RewindablePmmr(backend, { size: 5 }))).toBe("PMMR_INVALID_SIZE");
    expect(() => new ReadonlyPmmr(backend, { size: 8 })).toThrow(RangeError);
    expect(() => new ReadonlyPmmr(backend, { size: -1 })).toThrow(RangeError);
    expect(new ReadonlyPmmr(backend, { size: 0 }).isEmpty).toBe(true);
  });
});

describe("a rewindable view", () => {
  test("walks back through all roots without touching the backend", () => {
    const { backend } = rangeOf(0, 0, false);
    const pmmr = new Pmmr(backend);
    const roots: (string | undefined)[] = [];
    for (let i = 0; i < 60; i++) {
      roots.push(hexOf(pmmr.root()));
      pmmr.push(word(i));
    }
    const view = new RewindablePmmr(backend);
    for (let leaves = 59; 0 <= leaves; leaves--) {
      view.rewind(leafPosition(leaves));
      expect(hexOf(view.root())).toBe(roots[leaves]);
    }
    expect(backend.size).toBe(leafPosition(60));
    expect(hexOf(new RewindablePmmr(backend).root())).toBe(hexOf(pmmr.root()));
  });

  test("rounds up, and never grows again", () => {
    const view = new RewindablePmmr(rangeOf(7).backend);
    view.rewind(5);
    expect(view.size).toBe(7);
    view.rewind(2);
    expect(view.size).toBe(3);
    expect(() => view.rewind(4)).toThrow(RangeError);
  });
});

test("every kind of view is a view, with the types of its elements", () => {
  const { backend, pmmr } = rangeOf(1);
  expectTypeOf(pmmr).toExtend<PmmrView<Uint8Array, Uint8Array<ArrayBuffer>>>();
  expectTypeOf(new ReadonlyPmmr(backend)).toExtend<PmmrView<Uint8Array, Uint8Array<ArrayBuffer>>>();
  expectTypeOf(pmmr.element(0)).toEqualTypeOf<Uint8Array<ArrayBuffer> | undefined>();
  const options = { hashing: grinHashing() };
  expect(new ReadonlyPmmr(backend, options).hashing).toBe(options.hashing);
});
