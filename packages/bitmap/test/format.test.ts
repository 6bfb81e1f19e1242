import { printCounts, printSkip, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bitmap, BitmapError } from "../src/index.ts";
import { bytesFromHex, hexFromBytes } from "./hex.ts";
import { expectSameNumbers } from "./laws.ts";
import { loadPeers } from "./peers.ts";
import { plainKind, readPlain, writePlain } from "./portable.ts";
import { RangeModel } from "./range-model.ts";
import { CHOICES, someSet } from "./sets.ts";

const TIMEOUT_MS = 600_000;
const peers = await loadPeers();

if (peers.length === 1) printSkip("round trips with roaring", "the native addon is not installed");

/** The bitmap of a model: long ranges as ranges, the others value by value. */
function bitmapOf(model: RangeModel): Bitmap {
  const bitmap = new Bitmap();
  const long = model.ranges.filter(({ begin, end }) => end - begin > 1000);
  const short = model.ranges.filter(({ begin, end }) => end - begin <= 1000);
  for (const { begin, end } of long) bitmap.addRange(begin, end);
  bitmap.addMany(RangeModel.ofRanges(short).toArray());
  return bitmap;
}

function strictVerdict(bytes: Uint8Array): string {
  try {
    const bitmap = Bitmap.deserialize(bytes, { canonical: true });
    return hexFromBytes(bitmap.serialize()) === hexFromBytes(bytes) ? "accepted" : "changed";
  } catch (error) {
    return error instanceof BitmapError ? error.code : "untyped";
  }
}

describe.each(peers)("round trips with $name", (peer) => {
  test("what we write it reads, with runs and without", { timeout: TIMEOUT_MS }, () => {
    let bitmaps = 0;
    fc.assert(
      fc.property(someSet, fc.boolean(), (model, runs) => {
        const read = peer.deserialize(bitmapOf(model).serialize({ runs }));
        expectSameNumbers(read.toUint32Array(), model.toArray());
        bitmaps++;
      }),
      { numRuns: scaled(100) },
    );
    expect(bitmaps).toBe(scaled(100));
    printCounts(`written for ${peer.name}`, { bitmaps });
  });

  test("what it writes we read, with runs and without", { timeout: TIMEOUT_MS }, () => {
    let bitmaps = 0;
    fc.assert(
      fc.property(someSet, fc.boolean(), (model, runs) => {
        const values = model.toArray();
        const theirs = peer.from(values);
        if (runs) theirs.runOptimize();
        else theirs.removeRunCompression();
        const bytes = theirs.serialize("portable");
        expectSameNumbers(Bitmap.deserialize(bytes).toArray(), values);
        // Without runs there is one way to write a bitmap; with them libraries differ on ties.
        if (!runs) expectSameNumbers(bitmapOf(model).serialize({ runs: false }), bytes);
        bitmaps++;
      }),
      { numRuns: scaled(100) },
    );
    expect(bitmaps).toBe(scaled(100));
    printCounts(`written by ${peer.name}`, { bitmaps });
  });
});

describe("the bytes of a bitmap", () => {
  test("follow from the values alone", { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(someSet, (model) => {
        const smallest = writePlain(model);
        const plain = writePlain(model, plainKind);
        const values = model.toArray();
        const shrunk = bitmapOf(RangeModel.range(0, 300_000));
        shrunk.andInPlace(bitmapOf(model));
        shrunk.orInPlace(Bitmap.from(values));
        for (const bitmap of [bitmapOf(model), Bitmap.from(values.toReversed()), shrunk]) {
          expectSameNumbers(bitmap.serialize(), smallest);
          expectSameNumbers(bitmap.serialize({ runs: false }), plain);
          expect(bitmap.serializedSize()).toBe(smallest.length);
          expect(bitmap.serializedSize({ runs: false })).toBe(plain.length);
          bitmap.runOptimize();
          expectSameNumbers(bitmap.serialize(), smallest);
        }
      }),
      { numRuns: scaled(80) },
    );
  });

  test("are read whichever forms the writer chose", { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(someSet, fc.constantFrom(...Object.values(CHOICES)), (model, choose) => {
        const bytes = writePlain(model, choose);
        const bitmap = Bitmap.deserialize(bytes);
        expect(bitmap.size).toBe(model.size);
        expectSameNumbers(bitmap.toArray(), model.toArray());
        expectSameNumbers(bitmap.serialize(), writePlain(model));
      }),
      { numRuns: scaled(80) },
    );
  });

  test("are canonical when they are what we write, and only then", { timeout: TIMEOUT_MS }, () => {
    let canonical = 0;
    let others = 0;
    fc.assert(
      fc.property(someSet, fc.constantFrom(...Object.values(CHOICES)), (model, choose) => {
        const bytes = writePlain(model, choose);
        const isOurs = hexFromBytes(bytes) === hexFromBytes(writePlain(model));
        expect(strictVerdict(bytes)).toBe(isOurs ? "accepted" : "BITMAP_NON_CANONICAL");
        if (isOurs) canonical++;
        else others++;
      }),
      { numRuns: scaled(80) },
    );
    expect(Math.min(canonical, others)).toBeGreaterThan(0);
  });

  test("are fresh each time, and an input is not kept", () => {
    const bitmap = Bitmap.from([1, 2, 3, 70_000]);
    const bytes = bitmap.serialize();
    const expected = hexFromBytes(bytes);
    const read = Bitmap.deserialize(bytes);
    bytes.fill(255);
    expect(hexFromBytes(bitmap.serialize())).toBe(expected);
    expect(hexFromBytes(read.serialize())).toBe(expected);
    bitmap.toArray().fill(0);
    expect([...bitmap]).toEqual([1, 2, 3, 70_000]);
  });

  test("are read from the middle of other bytes", () => {
    const bytes = Bitmap.from([5, 65_536, 4_000_000_000]).serialize();
    const buffer = new Uint8Array(bytes.length + 9).fill(255);
    buffer.set(bytes, 5);
    const bitmap = Bitmap.deserialize(buffer.subarray(5, 5 + bytes.length));
    expect([...bitmap]).toEqual([5, 65_536, 4_000_000_000]);
  });
});

describe("the edges of the format", () => {
  test("the empty set is a cookie and no containers", () => {
    expect(hexFromBytes(new Bitmap().serialize())).toBe("3a30000000000000");
    expect(Bitmap.deserialize(bytesFromHex("3a30000000000000")).size).toBe(0);
  });

  test("the full set is 65,536 runs and comes back whole", () => {
    const full = new Bitmap();
    full.addRange(0, 2 ** 32);
    const bytes = full.serialize();
    // Cookie, flags, then per container: descriptor, offset, run count and one run.
    expect(bytes.length).toBe(4 + 8192 + 65_536 * (4 + 4 + 2 + 4));
    const read = Bitmap.deserialize(bytes, { canonical: true });
    expect(read.size).toBe(2 ** 32);
    expect(read.rank(2 ** 32 - 1)).toBe(2 ** 32);
    expect(read.select(2 ** 32 - 1)).toBe(2 ** 32 - 1);
    expect(read.equals(full)).toBe(true);
  });

  test.each([
    { count: 4095, form: "array", bytes: 16 + 2 * 4095 },
    { count: 4096, form: "array", bytes: 16 + 2 * 4096 },
    { count: 4097, form: "bitset", bytes: 16 + 8192 },
  ])("$count scattered values are $form, $bytes bytes", ({ count, bytes }) => {
    const bitmap = Bitmap.from(Array.from({ length: count }, (_, i) => 3 * i));
    expect(bitmap.serialize().length).toBe(bytes);
    const read = readPlain(bitmap.serialize());
    expect(read.ok && read.model.size).toBe(count);
  });

  test.each([
    { runCount: 2047, form: "runs", bytes: 4 + 1 + 4 + 2 + 4 * 2047 },
    { runCount: 2048, form: "a bitset", bytes: 16 + 8192 },
  ])("$runCount runs of three values are $form", ({ runCount, bytes }) => {
    const values = Array.from({ length: runCount * 3 }, (_, i) => i + Math.floor(i / 3));
    expect(Bitmap.from(values).serialize().length).toBe(bytes);
  });

  test.each([3, 4])("%i containers of runs have an offset table from four on", (count) => {
    const bitmap = new Bitmap();
    for (let key = 0; key < count; key++) bitmap.addRange(key * 65_536, key * 65_536 + 100);
    const offsets = count < 4 ? 0 : 4 * count;
    expect(bitmap.serialize().length).toBe(4 + 1 + 4 * count + offsets + 6 * count);
    expect(Bitmap.deserialize(bitmap.serialize(), { canonical: true }).equals(bitmap)).toBe(true);
  });
});

describe("bytes after a bitmap", () => {
  const bytes = Bitmap.from([1, 2, 3, 100_000]).serialize();
  const longer = Uint8Array.of(...bytes, 0);

  test("are refused at their offset unless they may be ignored", () => {
    for (const options of [{}, { trailing: "refuse" as const }]) {
      expect(() => Bitmap.deserialize(longer, options)).toThrow(
        expect.objectContaining({ code: "BITMAP_TRAILING_BYTES", offset: bytes.length }),
      );
    }
  });

  test("are ignored on request, also after canonical bytes", () => {
    const options = { trailing: "ignore", canonical: true } as const;
    expect([...Bitmap.deserialize(longer, options)]).toEqual([1, 2, 3, 100_000]);
    expect([...Bitmap.deserialize(bytes, options)]).toEqual([1, 2, 3, 100_000]);
  });

  test("do not count towards the most bytes to read", () => {
    const bytesMax = bytes.length;
    expect(Bitmap.deserialize(longer, { bytesMax, trailing: "ignore" }).size).toBe(4);
    expect(() => Bitmap.deserialize(longer, { bytesMax: bytesMax - 1 })).toThrow(
      expect.objectContaining({ code: "BITMAP_TOO_LARGE" }),
    );
  });
});
