import { Random, scaled } from "@x/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { readLog } from "../../src/leveldb/log-file.ts";
import { batchSpan, readBatch } from "../../src/leveldb/write-batch.ts";
import { fileOf, type Written, writtenByLevel } from "../support/written.ts";

const cases = [
  { seed: 1, batchCount: 8, valueSizeMax: 40 },
  // Records that take several blocks, and blocks whose end has no room for a header.
  { seed: 2, batchCount: 20, valueSizeMax: 90_000 },
  { seed: 3, batchCount: 2000, valueSizeMax: 30 },
];

let logs: { written: Written; bytes: Uint8Array }[] = [];

beforeAll(async () => {
  const all = await Promise.all(cases.map((one) => writtenByLevel(one)));
  logs = all.map((written) => ({ written, bytes: fileOf(written, /\.log$/) }));
}, 60_000);

test("a log of LevelDB holds the batches it was given, numbered without gaps", () => {
  for (const { written, bytes } of logs) {
    const { records, end, rest } = readLog(bytes);
    expect(end).toMatchObject({ kind: "whole", offset: bytes.length });
    expect(rest).toEqual([]);
    const read = records.flatMap(readBatch);
    expect(read.map(({ sequence }) => sequence)).toEqual(read.map((_, index) => index + 1));
    expect(records.reduce((count, record) => count + batchSpan(record).count, 0)).toBe(read.length);
    expect(
      read.map(({ key, value }) => ({
        key: hex(key),
        value: value === undefined ? "" : hex(value),
      })),
    ).toEqual(
      written.operations.map(({ type, key, value }) => ({
        key: hex(key),
        value: type === "del" ? "" : hex(value),
      })),
    );
  }
});

describe("a log that is cut off", () => {
  test("ends with the last whole record, at every length", () => {
    const { bytes } = small();
    const { records } = readLog(bytes);
    const ends = [...records.slice(1).map(({ offset }) => offset), bytes.length];
    for (let size = 0; size <= bytes.length; size++) {
      const cut = readLog(bytes.subarray(0, size));
      const whole = ends.filter((end) => end <= size).length;
      expect(cut.records.length).toBe(whole);
      expect(cut.rest).toEqual([]);
      const isWhole = size === 0 || ends.includes(size);
      expect(cut.end.kind).toBe(isWhole ? "whole" : "cut");
      expect(cut.end.offset).toBe(isWhole ? size : (records[whole]?.offset ?? -1));
    }
  });

  test("is cut as well where the rest was never written and reads as zeros", () => {
    const { bytes } = large();
    const { records } = readLog(bytes);
    for (const record of records.slice(-3)) {
      // A power cut leaves whole sectors.
      const from = Math.ceil(record.offset / 512) * 512;
      const torn = bytes.slice();
      torn.fill(0, from);
      const { end, rest } = readLog(torn);
      expect(end.kind).toBe("cut");
      expect(end.offset).toBeLessThanOrEqual(from);
      expect(rest).toEqual([]);
    }
  });
});

describe("a log in which a bit was flipped", () => {
  test("never gives a record that was not written, and is not whole", () => {
    const { bytes } = small();
    const { records } = readLog(bytes);
    const known = new Set(records.map(({ data }) => hex(data)));
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = readLog(flipped(bytes, bit));
      const found = [...damaged.records, ...damaged.rest].map(({ data }) => hex(data));
      expect(found.every((data) => known.has(data))).toBe(true);
      expect(damaged.end.kind).not.toBe("whole");
      // Everything before the flipped record is read, and everything behind it that can be found again.
      const hit = records.findLastIndex(({ offset }) => offset <= bit >> 3);
      expect(damaged.records.length).toBe(hit);
      expect(damaged.end.offset).toBe(records[hit]?.offset);
      expect(damaged.rest.length).toBeGreaterThanOrEqual(records.length - hit - 1 - 1);
    }
  });

  test("is damaged, not cut, unless the flip is in the length of the last record", () => {
    const { bytes } = small();
    const { records } = readLog(bytes);
    const last = records.at(-1)?.offset ?? 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const { end, rest } = readLog(flipped(bytes, bit));
      const isLength = [4, 5].includes((bit >> 3) - end.offset);
      expect(isLength || end.kind === "damaged").toBe(true);
      const isLastLength = isLength && end.offset === last;
      expect(rest.length === 0 && end.kind === "cut" && !isLastLength).toBe(false);
    }
  });

  test("of many blocks is found, wherever it is", () => {
    const random = new Random(7);
    for (const { bytes } of logs)
      for (let i = 0; i < scaled(20); i++) {
        const bit = random.below(8 * bytes.length);
        const damaged = readLog(flipped(bytes, bit));
        // The last bytes of a block that have no room for a header carry nothing.
        const inTrailer = 32_768 - ((bit >> 3) % 32_768) <= 6;
        expect(damaged.end.kind === "whole" && !inTrailer).toBe(false);
      }
  });
});

test("whole records behind a hole are found", () => {
  const { bytes } = logs[2] as (typeof logs)[0];
  const { records } = readLog(bytes);
  const hole = records.findIndex(({ offset }) => offset > 40_000);
  const from = records[hole]?.offset ?? 0;
  const torn = bytes.slice();
  torn.fill(0, Math.ceil(from / 512) * 512, Math.ceil(from / 512) * 512 + 512);
  const { end, rest } = readLog(torn);
  expect(end.kind).toBe("cut");
  expect(rest.length).toBeGreaterThan(records.length - hole - 60);
  expect(hex(rest.at(-1)?.data ?? new Uint8Array())).toBe(
    hex(records.at(-1)?.data ?? new Uint8Array()),
  );
});

test("any bytes are read, and batches in them are refused with the place", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000, size: "max" }), (bytes) => {
      const { records, end, rest } = readLog(bytes);
      expect(end.offset).toBeLessThanOrEqual(bytes.length);
      expect(records.length + rest.length).toBe(0);
      expect(batchOrReason({ offset: 5, data: bytes })).toBeTruthy();
    }),
    { numRuns: scaled(2000) },
  );
});

/** What a decoder of untrusted bytes may do: give something, or throw damage. */
function batchOrReason(record: { offset: number; data: Uint8Array }): unknown {
  try {
    return readBatch(record);
  } catch (error) {
    if (error instanceof Error && error.name === "Damage") return error;
    throw error;
  }
}

function small(): { bytes: Uint8Array } {
  return logs[0] as (typeof logs)[0];
}

function large(): { bytes: Uint8Array } {
  return logs[1] as (typeof logs)[0];
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
