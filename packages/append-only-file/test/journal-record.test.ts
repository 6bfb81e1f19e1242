import { fromEnvironment, printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
  journalRecordLength,
  plausibleRecord,
  type RecordContext,
} from "../src/journal-record.ts";
import { sameBytes } from "../src/bytes.ts";
import { mutated, mutations } from "./support/mutate.ts";
import { outcomeOf } from "./support/outcome.ts";
import { sha256 } from "./support/sha256.ts";

const SALT = Uint8Array.from({ length: 16 }, (_, i) => i * 7);
const CONTEXT: RecordContext = { salt: SALT, fileCount: 2, blobCount: 1 };

const files = fc.oneof(
  fc
    .tuple(fc.nat(10_000), fc.uint8Array({ maxLength: 60 }))
    .map(([base, bytes]) => ({ base, length: bytes.length, bytes })),
  fc.record({
    base: fc.nat(10_000),
    length: fc.integer({ min: 1, max: 5_000_000 }),
    bytes: fc.constant(undefined),
  }),
);

const records: fc.Arbitrary<JournalRecord> = fc
  .tuple(fc.nat(1_000_000), fc.nat(100))
  .chain(([durable, more]) =>
    fc.record({
      sequence: fc.constant(durable + more + 1),
      durable: fc.constant(durable),
      files: fc.tuple(files, files),
      deltas: fc.tuple(fc.uint8Array({ maxLength: 40 })),
      meta: fc.uint8Array({ maxLength: 100 }),
    }),
  );

function encoded(record: JournalRecord, salt = SALT): Uint8Array {
  const bytes = new Uint8Array(journalRecordLength(record));
  encodeJournalRecord(record, salt, sha256, bytes);
  return bytes;
}

const EXAMPLE: JournalRecord = {
  sequence: 9,
  durable: 8,
  files: [
    { base: 24, length: 2, bytes: Uint8Array.of(0xaa, 0xbb) },
    { base: 300, length: 5_000_000, bytes: undefined },
  ],
  deltas: [Uint8Array.of(1, 2, 3)],
  meta: Uint8Array.of(0xcc),
};

/** Recomputes the checksum, as an enemy who knows the salt would. */
function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = copy.length - 16;
  copy.set(sha256([SALT, copy.subarray(0, at)]).subarray(0, 16), at);
  return copy;
}

describe("a journal record", () => {
  test("is read back as it was written, wherever it lies", () => {
    fc.assert(
      fc.property(records, fc.uint8Array({ maxLength: 20 }), (record, before) => {
        const bytes = encoded(record);
        const lying = Uint8Array.from([...before, ...bytes, 1, 2, 3]);
        const decoded = decodeJournalRecord(lying, before.length, CONTEXT, sha256);
        expect(decoded).toEqual({ record, end: before.length + bytes.length });
        expect(plausibleRecord(lying, before.length, CONTEXT)).toEqual(decoded);
      }),
    );
  });

  test("has the bytes of FORMAT.md", () => {
    const bytes = encoded(EXAMPLE);
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const parts = [
      "524543310000003000000000000000090000000000000008",
      "0000000000000018000000000000000200aabb",
      "000000000000012c00000000004c4b4001",
      "00000003010203",
      "00000001cc",
    ];
    expect(hex.slice(0, -32)).toBe(parts.join(""));
    expect(bytes.slice(-16)).toEqual(sha256([SALT, bytes.slice(0, -16)]).slice(0, 16));
  });

  test("is no record when any bit of it is flipped", () => {
    const bytes = encoded(EXAMPLE);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const copy = bytes.slice();
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        expect(decodeJournalRecord(copy, 0, CONTEXT, sha256)).toBeUndefined();
      }
    }
  });

  test("is no record at any shorter length, nor in another journal", () => {
    const bytes = encoded(EXAMPLE);
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeJournalRecord(bytes.slice(0, length), 0, CONTEXT, sha256)).toBeUndefined();
    }
    const salt = SALT.map((byte) => byte ^ 1);
    expect(decodeJournalRecord(bytes, 0, { ...CONTEXT, salt }, sha256)).toBeUndefined();
  });

  test.each([
    ["its own number as durable", 16, [0, 0, 0, 0, 0, 0, 0, 9]],
    ["a number above 2^53 - 1", 8, [0, 0x20, 0, 0, 0, 0, 0, 0]],
    ["a base above 2^53 - 1", 24, [0xff, 0, 0, 0, 0, 0, 0, 0]],
    ["an end above 2^53 - 1", 51, [0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["a length beyond its bytes", 32, [0, 0, 0, 0, 0, 0, 1, 0]],
    ["a shorter length", 32, [0, 0, 0, 0, 0, 0, 0, 1]],
    ["an unknown mode", 40, [2]],
    ["a direct step of no bytes", 51, [0, 0, 0, 0, 0, 0, 0, 0]],
    ["a delta beyond its end", 60, [0xff, 0xff, 0xff, 0xff]],
    ["a shorter meta", 67, [0, 0, 0, 0]],
  ])("with %s is damage under a right checksum", (_, at, replacement) => {
    const bytes = encoded(EXAMPLE);
    bytes.set(replacement, at);
    const sealed = resealed(bytes);
    expect(() => decodeJournalRecord(sealed, 0, CONTEXT, sha256)).toThrow(
      expect.objectContaining({ code: "AOF_JOURNAL_DAMAGED" }),
    );
    expect(plausibleRecord(sealed, 0, CONTEXT)).toBeUndefined();
  });

  test("that was made by anybody is none, damage, or the only encoding of what it says", () => {
    let accepted = 0;
    let none = 0;
    const runs = scaled(20_000);
    const spoilt = fc
      .tuple(records, mutations)
      .map(([record, all]) => mutated(encoded(record), all));
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      spoilt,
      spoilt.map((bytes) => {
        if (bytes.length < 40) return bytes;
        // The length right, so that only the content is wrong.
        new DataView(bytes.buffer).setUint32(4, bytes.length - 40);
        return resealed(bytes);
      }),
    );
    fc.assert(
      fc.property(input, (bytes) => {
        const { value, code } = outcomeOf(() => decodeJournalRecord(bytes, 0, CONTEXT, sha256));
        if (code !== undefined) return code === "AOF_JOURNAL_DAMAGED";
        if (value === undefined) {
          none++;
          return true;
        }
        accepted++;
        return sameBytes(encoded(value.record), bytes.slice(0, value.end));
      }),
      { numRuns: runs, seed: fromEnvironment("FUZZ_SEED", 12) },
    );
    printCounts("T-FUZZ journal record", { inputs: runs, accepted, none });
    expect(accepted).toBeGreaterThan(10);
    expect(none).toBeGreaterThan(10);
  });
});
