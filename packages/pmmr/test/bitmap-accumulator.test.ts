import { readFileSync } from "node:fs";
import { toHex } from "@x/hash";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { BitmapAccumulator, bitmapMmrSize } from "../src/bitmap-accumulator.ts";
import { CHUNK_BITS, CHUNK_SIZE, bitmapChunkCodec } from "../src/bitmap-chunk.ts";
import { grinHashing } from "../src/hashing.ts";
import { leafPosition } from "../src/position.ts";
import { NaiveIndexSet, NaiveRange, parseSet } from "./segment-model.ts";
import { codeOf } from "./support.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

interface StepVector {
  readonly op: string;
  readonly root: string;
  readonly mmrSize: number;
}
const vectors: { readonly bitmapAccumulator: { readonly sequences: readonly StepVector[][] } } =
  JSON.parse(readFileSync(new URL("vectors/pmmr.json", import.meta.url), "utf8"));

/** The same root by plain means: one record per chunk. */
function naiveRoot(indexes: Iterable<number>, chunkCount: number): Uint8Array {
  const chunks = Array.from({ length: chunkCount }, () => new Uint8Array(CHUNK_SIZE));
  for (const index of indexes) {
    const chunk = chunks[Math.floor(index / CHUNK_BITS)] as Uint8Array;
    const bit = index % CHUNK_BITS;
    chunk[Math.floor(bit / 8)] = (chunk[Math.floor(bit / 8)] as number) | (0x80 >> (bit % 8));
  }
  return new NaiveRange(chunks, { prunable: false }).root;
}

/** Sets and clears an index whose chunk is the fourth. */
function setAndCleared(trailing: "keep" | "trim"): BitmapAccumulator {
  const accumulator = new BitmapAccumulator({ trailing });
  accumulator.apply([4095], [4095], 4096);
  accumulator.apply([4095], [], 4096);
  return accumulator;
}

const chunksFor = (indexes: readonly number[]): number =>
  Math.ceil((Math.max(-1, ...indexes) + 1) / CHUNK_BITS);

describe("the original's accumulator", () => {
  test("every step of every sequence, with empty chunks kept", () => {
    const { sequences } = vectors.bitmapAccumulator;
    expect(sequences.map((steps) => steps.length)).toEqual([10, 3, 1, 1, 1]);
    for (const steps of sequences) {
      let accumulator = new BitmapAccumulator({ trailing: "keep" });
      for (const { op, root, mmrSize } of steps) {
        const [kind, ...parts] = op.split(":");
        if (kind === "init") {
          const [set, indexEnd] = parts as [string, string];
          accumulator = BitmapAccumulator.from(parseSet(set), Number(indexEnd), {
            trailing: "keep",
          });
        } else {
          const [changed, set, indexEnd] = parts as [string, string, string];
          accumulator.apply(parseSet(changed), parseSet(set), Number(indexEnd));
        }
        expect(toHex(accumulator.root())).toBe(root);
        expect(accumulator.mmrSize).toBe(mmrSize);
      }
    }
  });

  test("its root depends on history, ours does not", () => {
    expect(setAndCleared("keep").chunkCount).toBe(3);
    expect(setAndCleared("keep").root()).toEqual(naiveRoot([], 3));
    expect(setAndCleared("trim").chunkCount).toBe(0);
    expect(setAndCleared("trim").root()).toEqual(BitmapAccumulator.from([]).root());
  });
});

describe("a set with a root", () => {
  const change = fc.record({
    toggled: fc.array(fc.nat(9000), { minLength: 1, maxLength: 12 }),
    cleared: fc.boolean(),
    indexEnd: fc.integer({ min: 1, max: 9001 }),
  });

  test("after any changes it equals the set, and has the root that the set alone gives", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const accumulator = new BitmapAccumulator();
        let model = new Set<number>();
        for (const { toggled, cleared, indexEnd } of changes) {
          const next = new Set(model);
          for (const index of toggled) {
            if (cleared || next.has(index)) next.delete(index);
            else next.add(index);
          }
          // What the shorter range no longer has was changed too.
          const gone = [...next].filter((index) => index >= indexEnd);
          for (const index of gone) next.delete(index);
          const changed = [...toggled, ...gone];
          const begin = Math.floor(Math.min(...changed) / CHUNK_BITS) * CHUNK_BITS;
          const indexes = [...next].filter((index) => index >= begin);
          accumulator.apply(changed, [...indexes, ...gone], indexEnd);
          model = next;
          const members = [...model].toSorted((a, b) => a - b);
          expect([...accumulator]).toEqual(members);
          expect(accumulator.chunkCount).toBe(chunksFor(members));
          expect(accumulator.root()).toEqual(naiveRoot(members, accumulator.chunkCount));
          expect(accumulator.root()).toEqual(BitmapAccumulator.from(members).root());
        }
      }),
      { numRuns: 150 },
    );
  });

  test("what is no index is refused, not answered", () => {
    const accumulator = BitmapAccumulator.from([1, 2]);
    const calls: ((wrong: never) => unknown)[] = [
      (wrong) => accumulator.has(wrong),
      (wrong) => accumulator.rank(wrong),
      (wrong) => BitmapAccumulator.from([wrong]),
    ];
    for (const call of calls) {
      for (const wrong of [-1, 1.5, Number.NaN, Infinity, 2 ** 32]) {
        expect(() => call(wrong as never)).toThrow(RangeError);
      }
      for (const wrong of ["1", undefined, null, true, 1n, Symbol("1")]) {
        expect(() => call(wrong as never)).toThrow(TypeError);
      }
    }
    expect(accumulator.has(2 ** 32 - 1)).toBe(false);
    expect(accumulator.rank(2 ** 32 - 1)).toBe(2);
  });

  test("size, has, rank and max answer as a plain set does", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(5000), { maxLength: 400 }),
        fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 30 }),
        (members, queries) => {
          const accumulator = BitmapAccumulator.from(members);
          const model = new NaiveIndexSet(members);
          expect(accumulator.size).toBe(model.size);
          expect(accumulator.max()).toBe(model.max());
          for (const query of [...queries, ...members, 0, 7, 8, 1023, 1024]) {
            expect(accumulator.has(query)).toBe(model.has(query));
            expect(accumulator.rank(query)).toBe(model.rank(query));
          }
        },
      ),
    );
  });

  test("chunks that stay as they are are not hashed again", () => {
    let rows = 0;
    const grin = grinHashing();
    const counting = {
      ...grin,
      hashLeaves: (bytes: Uint8Array, rowSize: number, count: number, output: Uint8Array): void => {
        rows += count;
        grin.hashLeaves(bytes, rowSize, count, output);
      },
      hashInners: (bytes: Uint8Array, count: number, output: Uint8Array): void => {
        rows += count;
        grin.hashInners(bytes, count, output);
      },
    };
    const members = Array.from({ length: 64 * CHUNK_BITS }, (_, i) => i);
    const accumulator = BitmapAccumulator.from(members, members.length, { hashing: counting });
    expect(rows).toBe(127);
    rows = 0;
    accumulator.apply([5], members.toSpliced(5, 1), members.length);
    // One chunk and the six nodes above it.
    expect(rows).toBe(7);
    rows = 0;
    accumulator.apply([], [], 0);
    expect(rows).toBe(0);
    expect(accumulator.size).toBe(members.length - 1);
  });

  test("indexes beyond the end of the range are passed over, and so are those before the change", () => {
    const accumulator = BitmapAccumulator.from([1, 2, 3, 4], 3);
    expect([...accumulator]).toEqual([1, 2]);
    accumulator.apply([2000], [1, 7, 2000, 2001], 2001);
    expect([...accumulator]).toEqual([1, 2, 2000]);
  });

  test("chunks can be appended as they are, empty ones too", () => {
    const accumulator = BitmapAccumulator.from([3]);
    accumulator.append([new Uint8Array(CHUNK_SIZE), new Uint8Array(CHUNK_SIZE)]);
    expect(accumulator.chunkCount).toBe(3);
    expect(accumulator.root()).toEqual(naiveRoot([3], 3));
    expect(accumulator.chunk(2)).toEqual(new Uint8Array(CHUNK_SIZE));
    expect(accumulator.chunk(3)).toBeUndefined();
    expect(() => accumulator.append([new Uint8Array(127)])).toThrow(RangeError);
    expect(accumulator.chunkCount).toBe(3);
    accumulator.apply([2500], [2500], 2501);
    expect([...accumulator]).toEqual([3, 2500]);
  });

  test("what is no index is refused and changes nothing", () => {
    const accumulator = BitmapAccumulator.from([3]);
    const root = accumulator.root();
    for (const index of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(() => accumulator.apply([index], [], 10)).toThrow(RangeError);
      expect(() => accumulator.apply([0], [1, index], 10)).toThrow(RangeError);
    }
    expect(accumulator.root()).toEqual(root);
  });

  test("the empty accumulator has the empty root and no member", () => {
    const accumulator = new BitmapAccumulator();
    expect(accumulator.root()).toEqual(new Uint8Array(32));
    expect(accumulator.size).toBe(0);
    expect(accumulator.max()).toBeUndefined();
    expect(accumulator.rank(10)).toBe(0);
  });

  test("a receiver expects a chunk for every 1024 leaves begun", () => {
    for (const [leaves, chunks] of [
      [0, 0],
      [1, 1],
      [1024, 1],
      [1025, 2],
      [1053, 2],
    ] as const) {
      expect(bitmapMmrSize(leafPosition(leaves))).toBe(leafPosition(chunks));
    }
  });
});

describe("chunks", () => {
  test("another length than 128 bytes is refused", () => {
    expect(codeOf(() => bitmapChunkCodec.load(new Uint8Array(127)))).toBe("PMMR_MALFORMED");
    expect(() => bitmapChunkCodec.store(new Uint8Array(129))).toThrow(RangeError);
    expect(() => bitmapChunkCodec.hashForm(new Uint8Array(129))).toThrow(RangeError);
    expect(bitmapChunkCodec.load(new Uint8Array(128))).toEqual(new Uint8Array(128));
  });
});
