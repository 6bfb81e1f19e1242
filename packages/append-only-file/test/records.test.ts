import { readFileSync } from "node:fs";

import { fromEnvironment, printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  type ByteSource,
  checkSizes,
  FileGroup,
  FixedRecords,
  MemoryFileSystem,
  rebuildSizes,
  type RecordParser,
  VariableRecords,
} from "../src/index.ts";
import { decodeSizeEntry, encodeSizeEntry, SIZE_ENTRY_BYTES } from "../src/size-entries.ts";
import { mutated, mutations } from "./support/mutate.ts";
import { outcomeOf } from "./support/outcome.ts";

interface Views {
  readonly group: FileGroup;
  readonly fixed: FixedRecords;
  readonly variable: VariableRecords;
}

async function openViews(fs = new MemoryFileSystem()): Promise<Views> {
  const group = await FileGroup.open(fs, {
    prefix: "v",
    files: [
      { name: "fixed.bin", recordSize: 3 },
      { name: "data.bin", recordSize: 0 },
      { name: "size.bin", recordSize: SIZE_ENTRY_BYTES },
    ],
    blobs: [],
  });
  const [fixed, data, sizes] = group.files;
  if (fixed === undefined || data === undefined || sizes === undefined)
    throw new Error("three files");
  return { group, fixed: new FixedRecords(fixed, 3), variable: new VariableRecords(data, sizes) };
}

/** A record that tells its own length, as parsers need it: u16be, then that many bytes. */
function prefixed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + body.length);
  new DataView(bytes.buffer).setUint16(0, body.length);
  bytes.set(body, 2);
  return bytes;
}

const parsePrefixed: RecordParser = (bytes) => {
  const [high, low] = bytes;
  if (high === undefined || low === undefined) return undefined;
  const size = 2 + high * 256 + low;
  return size <= bytes.length ? size : undefined;
};

function source(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (at, length) => bytes.slice(at, at + length) };
}

function filesOf(records: readonly Uint8Array[]): { data: Uint8Array; sizes: Uint8Array } {
  const data = Uint8Array.from(records.flatMap((record) => [...record]));
  const sizes = new Uint8Array(records.length * SIZE_ENTRY_BYTES);
  let offset = 0;
  for (const [i, { length: size }] of records.entries()) {
    encodeSizeEntry({ offset, size }, sizes, i * SIZE_ENTRY_BYTES);
    offset += size;
  }
  return { data, sizes };
}

function entry(offset: number, size: number): Uint8Array {
  const bytes = new Uint8Array(SIZE_ENTRY_BYTES);
  encodeSizeEntry({ offset, size }, bytes, 0);
  return bytes;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

describe("records of one size", () => {
  test("are appended one by one or packed, read, counted and rewound", async () => {
    const { group, fixed } = await openViews();
    fixed.append(Uint8Array.of(1, 1, 1));
    fixed.append(Uint8Array.of(2, 2, 2, 3, 3, 3));
    expect([fixed.count, fixed.committedCount]).toEqual([3, 0]);
    await group.commit({ meta: new Uint8Array(0), blobs: [] });
    fixed.rewind(1);
    expect([fixed.count, fixed.committedCount]).toEqual([1, 3]);
    fixed.append(Uint8Array.of(4, 4, 4));
    expect(fixed.read(1)).toEqual(Uint8Array.of(4, 4, 4));
    expect(fixed.readMany(0, 2)).toEqual(Uint8Array.of(1, 1, 1, 4, 4, 4));
    expect(fixed.readMany(2, 0)).toEqual(new Uint8Array(0));
  });

  test("that are not there, or not whole, are errors with codes", async () => {
    const { fixed } = await openViews();
    fixed.append(Uint8Array.of(1, 1, 1));
    expect(outcomeOf(() => fixed.read(1)).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => fixed.readMany(0, 2)).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => fixed.rewind(2)).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => fixed.append(new Uint8Array(4))).code).toBe("AOF_RECORD_SIZE");
    expect(outcomeOf(() => fixed.append(new Uint8Array(0))).code).toBe("AOF_RECORD_SIZE");
    expect(() => fixed.read(-1)).toThrow(RangeError);
    expect(() => new FixedRecords(fixed.file, 0)).toThrow(RangeError);
    expect(fixed.count).toBe(1);
  });
});

describe("records of varying size", () => {
  test("become the files that Grin writes for them", async () => {
    const url = new URL("vectors/variable-size.json", import.meta.url);
    const vector = JSON.parse(readFileSync(url, "utf8")) as Record<"data" | "sizes", string> & {
      elements: string[];
    };
    const { variable } = await openViews();
    for (const element of vector.elements) variable.append(fromHex(element));
    const { data, sizes } = variable;
    expect(toHex(data.read(0, data.size))).toBe(vector.data);
    expect(toHex(sizes.read(0, sizes.size))).toBe(vector.sizes);
    expect(vector.elements.map((_, i) => toHex(variable.read(i)))).toEqual(vector.elements);
    const rebuilt = rebuildSizes(variable.data, parsePrefixed);
    expect(toHex(rebuilt.entries)).toBe(vector.sizes);
    expect(rebuilt.end).toBe(variable.data.size);
  });

  test("are read many at once, packed", async () => {
    const { variable } = await openViews();
    variable.appendMany([Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3, 3, 3)]);
    expect(variable.readMany(1, 2)).toEqual({
      bytes: Uint8Array.of(2, 2, 3, 3, 3),
      bounds: Float64Array.of(0, 2, 5),
    });
    expect(variable.readMany(3, 0)).toEqual({
      bytes: new Uint8Array(0),
      bounds: Float64Array.of(0),
    });
  });

  test("have 1 to 65,535 bytes", async () => {
    const { variable } = await openViews();
    variable.append(new Uint8Array(1));
    variable.append(new Uint8Array(65_535));
    for (const size of [0, 65_536]) {
      expect(outcomeOf(() => variable.append(new Uint8Array(size))).code).toBe("AOF_RECORD_SIZE");
    }
    const some = [new Uint8Array(5), new Uint8Array(0)];
    expect(outcomeOf(() => variable.appendMany(some)).code).toBe("AOF_RECORD_SIZE");
    expect([variable.count, variable.data.size]).toEqual([2, 65_536]);
    expect(variable.read(1)).toHaveLength(65_535);
  });

  test("with a size entry that points elsewhere are AOF_DAMAGED", async () => {
    const { variable } = await openViews();
    variable.appendMany([Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)]);
    for (const [offset, size] of [
      [3, 3],
      [9, 1],
      [3, 0],
      [2 ** 53 - 1, 2],
    ] as const) {
      variable.sizes.rewind(SIZE_ENTRY_BYTES);
      variable.sizes.append(entry(offset, size));
      expect(outcomeOf(() => variable.read(1)).code).toBe("AOF_DAMAGED");
      expect(outcomeOf(() => variable.readMany(0, 2)).code).toBe("AOF_DAMAGED");
      expect(variable.check().problem).toBeDefined();
    }
    variable.sizes.rewind(SIZE_ENTRY_BYTES);
    variable.sizes.append(entry(2, 3));
    expect(outcomeOf(() => variable.readMany(0, 2)).code).toBe("AOF_DAMAGED");
    expect(variable.check()).toMatchObject({ count: 0, end: 0 });
  });

  test("that are not there are AOF_OUT_OF_RANGE", async () => {
    const { variable } = await openViews();
    variable.append(Uint8Array.of(1));
    expect(outcomeOf(() => variable.read(1)).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => variable.readMany(1, 1)).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => variable.rewind(2)).code).toBe("AOF_OUT_OF_RANGE");
  });
});

describe("a size file", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 40 });

  test("that is whole is consistent, and made again from the data byte by byte", () => {
    fc.assert(
      fc.property(bodies, (all) => {
        const records = all.map(prefixed);
        const { data, sizes } = filesOf(records);
        expect(checkSizes(source(sizes), data.length)).toEqual({
          count: records.length,
          end: data.length,
          problem: undefined,
        });
        expect(rebuildSizes(source(data), parsePrefixed)).toEqual({
          entries: sizes,
          end: data.length,
        });
      }),
    );
  });

  test("of more entries than fit one block is read in blocks", () => {
    const records = Array.from({ length: 10_000 }, (_, i) => prefixed(new Uint8Array(i % 50)));
    const { data, sizes } = filesOf(records);
    expect(checkSizes(source(sizes), data.length).count).toBe(10_000);
    expect(rebuildSizes(source(data), parsePrefixed).entries).toEqual(sizes);
    const long = Array.from({ length: 9 }, () => prefixed(new Uint8Array(65_533)));
    const { data: longData, sizes: longSizes } = filesOf(long);
    expect(rebuildSizes(source(longData), parsePrefixed).entries).toEqual(longSizes);
  });

  test("that is cut, or whose data is, is consistent up to there", () => {
    fc.assert(
      fc.property(bodies, fc.nat(2000), fc.nat(2000), (all, dataCut, sizesCut) => {
        const records = all.map(prefixed);
        const { data, sizes } = filesOf(records);
        const dataSize = Math.min(dataCut, data.length);
        const sizesSize = Math.min(sizesCut, sizes.length);
        let count = 0;
        let end = 0;
        for (const record of records) {
          if (end + record.length > dataSize || (count + 1) * SIZE_ENTRY_BYTES > sizesSize) break;
          end += record.length;
          count++;
        }
        const found = checkSizes(source(sizes.slice(0, sizesSize)), dataSize);
        expect([found.count, found.end]).toEqual([count, end]);
        const whole = end === dataSize && count * SIZE_ENTRY_BYTES === sizesSize;
        expect(found.problem === undefined).toBe(whole);
      }),
    );
  });

  test("made by anybody is judged in time, and never more of it is believed than is there", () => {
    const runs = scaled(20_000);
    let whole = 0;
    fc.assert(
      fc.property(bodies, mutations, fc.nat(100), (all, spoiling, more) => {
        const { data, sizes } = filesOf(all.map(prefixed));
        const spoilt = mutated(sizes, spoiling);
        const dataSize = data.length + (more > 90 ? more : 0);
        const { count, end, problem } = checkSizes(source(spoilt), dataSize);
        if (problem === undefined) whole++;
        return (
          end <= dataSize &&
          count * SIZE_ENTRY_BYTES <= spoilt.length &&
          (problem === undefined) ===
            (end === dataSize && count * SIZE_ENTRY_BYTES === spoilt.length)
        );
      }),
      { numRuns: runs, seed: fromEnvironment("FUZZ_SEED", 13) },
    );
    printCounts("T-FUZZ size file", { inputs: runs, whole });
    expect(whole).toBeGreaterThan(10);
  });

  test("entry made by anybody is refused or the only encoding of what it says", () => {
    const runs = scaled(20_000);
    let accepted = 0;
    const entries = fc.oneof(
      fc.uint8Array({ minLength: SIZE_ENTRY_BYTES, maxLength: SIZE_ENTRY_BYTES }),
      fc.tuple(fc.nat(1_000_000), fc.nat(65_535)).map(([offset, size]) => entry(offset, size)),
    );
    fc.assert(
      fc.property(entries, (bytes) => {
        const { value, code } = outcomeOf(() => decodeSizeEntry(bytes, 0));
        if (value === undefined) return code === "AOF_DAMAGED";
        accepted++;
        const again = new Uint8Array(SIZE_ENTRY_BYTES);
        encodeSizeEntry(value, again, 0);
        return again.every((byte, i) => byte === bytes[i]);
      }),
      { numRuns: runs, seed: fromEnvironment("FUZZ_SEED", 14) },
    );
    printCounts("T-FUZZ size entry", { inputs: runs, accepted });
    expect(accepted).toBeGreaterThan(1000);
  });

  test("is not made from data a parser cannot read, nor from a parser that lies", () => {
    const { data } = filesOf([prefixed(Uint8Array.of(1, 2)), prefixed(Uint8Array.of(3))]);
    expect(rebuildSizes(source(data.slice(0, 6)), parsePrefixed)).toMatchObject({ end: 4 });
    for (const lie of [0, -1, 1.5, 1000, Number.NaN]) {
      expect(rebuildSizes(source(data), () => lie).end).toBe(0);
    }
  });
});
