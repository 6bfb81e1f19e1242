import { fromEnvironment, printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  decodeJournalHeader,
  encodeJournalHeader,
  HEADER_BYTES_MAX,
  type JournalHeader,
  journalHeaderLength,
  namesDigest,
} from "../src/journal-header.ts";
import { sameBytes } from "../src/bytes.ts";
import { mutated, mutations } from "./support/mutate.ts";
import { outcomeOf } from "./support/outcome.ts";
import { sha256 } from "./support/sha256.ts";

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const number = fc.oneof(fc.nat(1000), fc.maxSafeNat());

const headers: fc.Arbitrary<JournalHeader> = fc.record({
  clean: fc.boolean(),
  generation: fc.oneof(
    fc.integer({ min: 1, max: 9 }),
    fc.maxSafeNat().filter((n) => n > 0),
  ),
  salt: bytesOf(16),
  sequence: number,
  names: bytesOf(32),
  files: fc.array(
    fc.record({ pending: fc.boolean(), length: number, recordSize: fc.nat(0xffff_ffff) }),
    { maxLength: 8 },
  ),
  blobs: fc.array(
    fc.oneof(
      fc.record({
        pending: fc.boolean(),
        content: fc.record({ length: number, digest: bytesOf(32) }),
      }),
      fc.constant({ pending: false, content: undefined }),
    ),
    { maxLength: 8 },
  ),
  meta: fc.uint8Array({ maxLength: 1024 }),
});

const EXAMPLE: JournalHeader = {
  clean: true,
  generation: 3,
  salt: Uint8Array.from({ length: 16 }, (_, i) => i),
  sequence: 7,
  names: namesDigest(["a.bin", "s.blob"], sha256),
  files: [{ pending: false, length: 24, recordSize: 8 }],
  blobs: [{ pending: true, content: { length: 2, digest: new Uint8Array(32).fill(9) } }],
  meta: Uint8Array.of(0xaa, 0xbb),
};

/** Recomputes the digest at the end, as an enemy would. */
function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(sha256([copy.subarray(0, copy.length - 32)]), copy.length - 32);
  return copy;
}

describe("a journal header", () => {
  test("is read back as it was written", () => {
    fc.assert(
      fc.property(headers, (header) => {
        const bytes = encodeJournalHeader(header, sha256);
        expect(bytes.length).toBeLessThanOrEqual(HEADER_BYTES_MAX);
        expect(journalHeaderLength(bytes)).toBe(bytes.length);
        expect(decodeJournalHeader(bytes, sha256)).toEqual(header);
      }),
    );
  });

  test("has the bytes of FORMAT.md", () => {
    const bytes = encodeJournalHeader(EXAMPLE, sha256);
    const hex = (from: number, to: number): string =>
      Array.from(bytes.slice(from, to), (byte) => byte.toString(16).padStart(2, "0")).join("");
    expect(bytes.length).toBe(88 + 2 * 48 + 8 + 32);
    expect(hex(0, 24)).toBe("414f464a524e4c31000000e0000000010000000000000003");
    expect(hex(24, 56)).toBe("000102030405060708090a0b0c0d0e0f00000000000000070101000200000002");
    expect(bytes.slice(56, 88)).toEqual(
      sha256([new TextEncoder().encode("\u0005a.bin\u0006s.blob")]),
    );
    expect(hex(88, 136)).toBe("0000000000000018" + "00".repeat(32) + "0000000800000001");
    expect(hex(136, 184)).toBe("0000000000000002" + "09".repeat(32) + "0000000000000001");
    expect(hex(184, 192)).toBe("aabb000000000000");
    expect(bytes.slice(192)).toEqual(sha256([bytes.slice(0, 192)]));
  });

  test("is refused when any bit of it is flipped", () => {
    const bytes = encodeJournalHeader(EXAMPLE, sha256);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const copy = bytes.slice();
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        expect(() => decodeJournalHeader(copy, sha256)).toThrow(
          expect.objectContaining({ code: "AOF_JOURNAL_DAMAGED" }),
        );
      }
    }
  });

  test("is refused at every shorter length", () => {
    const bytes = encodeJournalHeader(EXAMPLE, sha256);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeJournalHeader(bytes.slice(0, length), sha256)).toThrow(
        expect.objectContaining({ code: "AOF_JOURNAL_DAMAGED" }),
      );
    }
  });

  test.each([
    ["an unknown flag", 12, [0, 0, 0, 2]],
    ["generation 0", 16, [0, 0, 0, 0, 0, 0, 0, 0]],
    ["a generation above 2^53 - 1", 16, [0, 0x20, 0, 0, 0, 0, 0, 0]],
    ["nine files", 48, [9]],
    ["a file too many", 48, [2]],
    ["a longer meta", 50, [0, 9]],
    ["a pending bit of no file", 52, [0, 0, 0, 4]],
    ["a digest of an append file", 96, [1]],
    ["an absent append file", 132, [0, 0, 0, 0]],
    ["a record size of a blob", 176, [0, 0, 0, 1]],
    ["a blob that is present twice", 180, [0, 0, 0, 2]],
    ["an absent blob with content", 180, [0, 0, 0, 0]],
    ["padding that is not zero", 191, [1]],
  ])("with %s is refused under a right digest", (_, at, replacement) => {
    const bytes = encodeJournalHeader(EXAMPLE, sha256);
    bytes.set(replacement, at);
    expect(() => decodeJournalHeader(resealed(bytes), sha256)).toThrow(
      expect.objectContaining({ code: "AOF_JOURNAL_DAMAGED" }),
    );
  });

  test("that was made by anybody is refused or is the only encoding of what it says", () => {
    let accepted = 0;
    const runs = scaled(20_000);
    const input = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc
        .tuple(headers, mutations)
        .map(([header, all]) => mutated(encodeJournalHeader(header, sha256), all)),
      fc
        .tuple(headers, mutations)
        .map(([header, all]) => mutated(encodeJournalHeader(header, sha256), all))
        .map((bytes) => (bytes.length >= 32 ? resealed(bytes) : bytes)),
    );
    fc.assert(
      fc.property(input, (bytes) => {
        const { value, code } = outcomeOf(() => decodeJournalHeader(bytes, sha256));
        if (value === undefined) return code === "AOF_JOURNAL_DAMAGED";
        accepted++;
        const again = encodeJournalHeader(value, sha256);
        return sameBytes(again, bytes.slice(0, again.length));
      }),
      { numRuns: runs, seed: fromEnvironment("FUZZ_SEED", 11) },
    );
    printCounts("T-FUZZ journal header", { inputs: runs, accepted });
    expect(accepted).toBeGreaterThan(10);
  });
});
