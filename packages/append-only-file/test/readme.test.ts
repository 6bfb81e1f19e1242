import { readdirSync, readFileSync } from "node:fs";
import { readmeExamples } from "@x/testing/readme";
import { describe, expect, test } from "vitest";

import { concatBytes } from "../src/bytes.ts";
import { decodeJournalHeader, encodeJournalHeader, namesDigest } from "../src/journal-header.ts";
import {
  decodeJournalRecord,
  encodeJournalRecord,
  type JournalRecord,
  journalRecordLength,
} from "../src/journal-record.ts";
import { decodeLockOwner, encodeLockOwner } from "../src/lock.ts";
import { decodeSizeEntry, encodeSizeEntry } from "../src/size-entries.ts";
import { sha256 } from "./support/sha256.ts";

readmeExamples(new URL("../README.md", import.meta.url));

const FORMAT = readFileSync(new URL("../FORMAT.md", import.meta.url), "utf8");

/** Lines of the indented block under a heading, without what stands after two spaces. */
function exampleOf(heading: string): string[] {
  const section = FORMAT.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("    "));
  return lines.map((line) => line.trim().split("  ", 1)[0] ?? "");
}

function bytesOf(lines: readonly string[]): Uint8Array {
  const digits = lines.join("").replaceAll(" ", "");
  expect(digits).toMatch(/^(?:[0-9a-f]{2})+$/);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

describe("the example of FORMAT.md", () => {
  test("of a header is what is written and read", () => {
    const bytes = bytesOf(exampleOf("Header"));
    const header = {
      clean: true,
      generation: 3,
      salt: Uint8Array.from({ length: 16 }, (_, i) => i),
      sequence: 7,
      names: namesDigest(["a.bin", "s.blob"], sha256),
      files: [{ pending: false, length: 24, recordSize: 8 }],
      blobs: [{ pending: true, content: { length: 2, digest: new Uint8Array(32).fill(9) } }],
      meta: Uint8Array.of(0xaa, 0xbb),
    };
    expect(encodeJournalHeader(header, sha256)).toEqual(bytes);
    expect(decodeJournalHeader(bytes, sha256)).toEqual(header);
  });

  test("of a record is what is written and read", () => {
    const bytes = bytesOf(exampleOf("Record"));
    const salt = Uint8Array.from({ length: 16 }, (_, i) => 7 * i);
    const record: JournalRecord = {
      sequence: 9,
      durable: 8,
      files: [
        { base: 24, length: 2, bytes: Uint8Array.of(0xaa, 0xbb) },
        { base: 300, length: 5_000_000, bytes: undefined },
      ],
      deltas: [Uint8Array.of(1, 2, 3)],
      meta: Uint8Array.of(0xcc),
    };
    const written = new Uint8Array(journalRecordLength(record));
    encodeJournalRecord(record, salt, sha256, written);
    expect(written).toEqual(bytes);
    const context = { salt, fileCount: 2, blobCount: 1 };
    expect(decodeJournalRecord(bytes, 0, context, sha256)).toEqual({ record, end: bytes.length });
  });

  test("of a size file is what is written and read", () => {
    const lines = exampleOf("Size file").map((line) => bytesOf([line]));
    const entries = [
      { offset: 0, size: 3 },
      { offset: 3, size: 5 },
    ];
    expect(lines.map((line) => decodeSizeEntry(line, 0))).toEqual(entries);
    const written = new Uint8Array(20);
    for (const [i, entry] of entries.entries()) encodeSizeEntry(entry, written, 10 * i);
    expect(written).toEqual(concatBytes(lines));
  });

  test("of a lock file is what is written and read", () => {
    const [line = ""] = exampleOf("Lock file");
    const owner = decodeLockOwner(line);
    expect(owner).toMatchObject({ pid: 4711, start: "186344" });
    expect(owner === undefined ? undefined : encodeLockOwner(owner)).toBe(line);
  });
});

describe("a heading that the source refers to", () => {
  const folder = new URL("../src/", import.meta.url);
  const named = readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .flatMap((source) =>
      [...source.matchAll(/FORMAT\.md, "([^"]+)"/g)].map(([, heading]) => heading),
    );

  test("is there", () => {
    const headings = [...FORMAT.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(named.length).toBeGreaterThan(3);
    for (const heading of named) expect(headings).toContain(heading);
  });
});
