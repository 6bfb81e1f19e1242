import { SimulatedDisk } from "@x/testing";
import { describe, expect, test } from "vitest";

import { Journal } from "../src/journal.ts";
import { decodeJournalHeader, encodeJournalHeader, namesDigest } from "../src/journal-header.ts";
import { decodeJournalRecord, type JournalRecord } from "../src/journal-record.ts";
import { Medium } from "../src/medium.ts";
import { eventually } from "./support/outcome.ts";
import { sha256 } from "./support/sha256.ts";

const HEADER = {
  clean: false,
  generation: 1,
  salt: new Uint8Array(16).fill(3),
  sequence: 5,
  names: namesDigest(["a"], sha256),
  files: [{ pending: false, length: 0, recordSize: 0 }],
  blobs: [],
  meta: new Uint8Array(0),
};

function openJournal(): { disk: SimulatedDisk; journal: Journal } {
  const disk = new SimulatedDisk();
  disk.put("j", encodeJournalHeader(HEADER, sha256));
  const medium = new Medium(disk);
  return { disk, journal: new Journal(medium, medium.open("j", "existing"), HEADER) };
}

function partsOf(bytes: Uint8Array, base = 0): Pick<JournalRecord, "files" | "deltas" | "meta"> {
  return { files: [{ base, length: bytes.length, bytes }], deltas: [], meta: new Uint8Array(0) };
}

describe("an open journal", () => {
  test("numbers records from its header on, and counts as durable what a sync has covered", async () => {
    const { disk, journal } = openJournal();
    expect([journal.sequence, journal.durable, journal.records]).toEqual([5, 5, 0]);
    journal.append(journal.encode(partsOf(Uint8Array.of(1))));
    journal.append(journal.encode(partsOf(Uint8Array.of(2), 1)));
    expect([journal.sequence, journal.durable, journal.records]).toEqual([7, 5, 2]);
    await journal.sync();
    expect(journal.durable).toBe(7);
    journal.append(journal.encode(partsOf(Uint8Array.of(3), 2)));
    expect(journal.size).toBe(disk.sizeOf("j"));
    const bytes = disk.bytesOf("j") ?? new Uint8Array(0);
    expect(decodeJournalHeader(bytes, sha256)).toEqual(HEADER);
    const found: [number, number][] = [];
    let at = encodeJournalHeader(HEADER, sha256).length;
    const context = { salt: HEADER.salt, fileCount: 1, blobCount: 0 };
    while (at < bytes.length) {
      const decoded = decodeJournalRecord(bytes, at, context, sha256);
      found.push([decoded?.record.sequence ?? 0, decoded?.record.durable ?? 0]);
      at = decoded?.end ?? bytes.length;
    }
    expect(found).toEqual([
      [6, 5],
      [7, 5],
      [8, 7],
    ]);
  });

  test("takes nothing for durable after a failed sync", async () => {
    const { disk, journal } = openJournal();
    journal.append(journal.encode(partsOf(Uint8Array.of(1))));
    disk.failAt(disk.operations, "EIO");
    expect((await eventually(() => journal.sync())).code).toBe("AOF_DURABILITY_UNKNOWN");
    expect(journal.durable).toBe(5);
  });

  test("refuses a record of more than 1 GiB before it makes one", () => {
    const { disk, journal } = openJournal();
    // Only its length is looked at.
    const huge = { length: 0x4000_0000 } as Uint8Array;
    expect(() => journal.encode(partsOf(huge))).toThrow(RangeError);
    expect([journal.sequence, disk.stats.write]).toEqual([5, 0]);
  });
});
