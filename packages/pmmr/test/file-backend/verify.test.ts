import { MemoryFileSystem } from "@x/append-only-file";
import { toHex } from "@x/hash";
import { printCounts } from "@x/testing";
import { describe, expect, test } from "vitest";
import { bytesCodec, type ElementCodec } from "../../src/codec.ts";
import { PmmrError } from "../../src/errors.ts";
import { openPmmr, verifyPmmr, type VerifyReport } from "../../src/file-backend/index.ts";
import { fastHashing } from "./support/fast-hashing.ts";
import { element, fixedCodec, type Kind, Twin, variableCodec } from "./support/history.ts";
import { allFiles, codeOf, folderOf, readFile, writeFile } from "./support/memory-folder.ts";
import type { Files, NaiveStore } from "./support/naive-store.ts";

const KINDS: Readonly<Record<string, Kind>> = {
  "prunable, fixed size": { prunable: true, variable: false },
  "prunable, variable size": { prunable: true, variable: true },
  "not prunable, variable size": { prunable: false, variable: true },
};

const LEAVES = 23;

/** A folder of 23 leaves, some spent, some compacted; closed, with its journal. */
async function folderWith(kind: Kind): Promise<{ fs: MemoryFileSystem; naive: NaiveStore }> {
  const fs = new MemoryFileSystem();
  const twin = await Twin.open(fs, kind, { hashing: fastHashing });
  await twin.apply({ do: "push", count: LEAVES, many: true });
  await twin.apply({ do: "spend", leaves: [0, 1, 2, 3, 6, 7, 8, 9, 12, 22] });
  await twin.apply({ do: "commit", sync: true, wait: true });
  await twin.apply({ do: "compact", horizon: 22, restorable: [] });
  await twin.apply({ do: "spend", leaves: [13, 14] });
  await twin.apply({ do: "commit", sync: true, wait: true });
  await twin.folder.close();
  return { fs, naive: twin.committed };
}

function verify(
  fs: MemoryFileSystem,
  kind: Kind,
  options: { readonly all?: boolean } = {},
): Promise<VerifyReport> {
  const codec = kind.variable ? variableCodec : fixedCodec;
  return verifyPmmr(fs, { codec, prunable: kind.prunable, hashing: fastHashing, ...options });
}

/** A copy of a folder with the bits of a mask flipped in one byte. */
function flipped(files: Files, name: string, at: number, mask: number): MemoryFileSystem {
  const fs = folderOf(files);
  const bytes = readFile(fs, name);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  writeFile(fs, name, bytes);
  return fs;
}

/** Where each stored hash and each stored record lies, and whose it is. */
function storedPlaces(naive: NaiveStore): {
  readonly hashes: { readonly pos0: number; readonly offset: number }[];
  readonly records: { readonly pos0: number; readonly offset: number; readonly size: number }[];
} {
  const hashes: { pos0: number; offset: number }[] = [];
  const records: { pos0: number; offset: number; size: number }[] = [];
  let end = 0;
  for (let pos0 = 0; pos0 < naive.size; pos0++) {
    if (naive.hash(pos0) === undefined) continue;
    hashes.push({ pos0, offset: 32 * hashes.length });
    const index = naive.leafAt(pos0);
    const record = index === undefined ? undefined : naive.record(index);
    if (record === undefined) continue;
    records.push({ pos0, offset: end, size: record.length });
    end += record.length;
  }
  return { hashes, records };
}

describe("verifying", () => {
  const counts = { hashes: 0, records: 0, entries: 0, bitmaps: 0, journal: 0 };

  for (const [title, kind] of Object.entries(KINDS)) {
    test(`finds nothing wrong with a sound folder: ${title}`, async () => {
      const { fs, naive } = await folderWith(kind);
      const before = allFiles(fs);
      const { hashes, records } = storedPlaces(naive);
      expect(await verify(fs, kind, { all: true })).toEqual({
        ok: true,
        problems: [],
        size: naive.size,
        hashCount: hashes.length,
        recordCount: records.length,
      });
      expect(allFiles(fs)).toEqual(before);
    });

    test(`names exactly the damaged hash, whichever it is: ${title}`, async () => {
      const { fs, naive } = await folderWith(kind);
      const files = allFiles(fs);
      for (const { pos0, offset } of storedPlaces(naive).hashes) {
        const damaged = flipped(files, "pmmr_hash.bin", offset + 17, 0x40);
        const report = await verify(damaged, kind, { all: true });
        counts.hashes++;
        const found = readFile(damaged, "pmmr_hash.bin").slice(offset, offset + 32);
        expect(report.ok).toBe(false);
        expect(report.problems.length).toBe(1);
        expect(report.problems[0]).toMatchObject({
          kind: "hash",
          file: "pmmr_hash.bin",
          offset,
          position1: pos0 + 1,
          found: toHex(found),
        });
        expect(await verify(damaged, kind)).toEqual({ ...report, problems: report.problems });
      }
    });

    test(`names exactly the damaged record, whichever it is: ${title}`, async () => {
      const { fs, naive } = await folderWith(kind);
      const files = allFiles(fs);
      for (const { pos0, offset, size } of storedPlaces(naive).records) {
        for (let at = offset; at < offset + size; at++) {
          const report = await verify(flipped(files, "pmmr_data.bin", at, 0x02), kind, {
            all: true,
          });
          counts.records++;
          expect(report.problems.length).toBe(1);
          expect(report.problems[0]).toMatchObject({
            kind: "record",
            file: "pmmr_data.bin",
            offset,
            position1: pos0 + 1,
          });
        }
      }
    });
  }

  test("names the wrong size entry", async () => {
    const kind = { prunable: true, variable: true };
    const { fs } = await folderWith(kind);
    const files = allFiles(fs);
    const { length } = files["pmmr_size.bin"] ?? new Uint8Array(0);
    for (let at = 0; at < length; at++) {
      const report = await verify(flipped(files, "pmmr_size.bin", at, 0x01), kind);
      counts.entries++;
      expect(report.ok).toBe(false);
      const [problem] = report.problems;
      expect(problem).toMatchObject({ kind: "size-entry" });
      // Only data that is left over may mean a last size that is too small, or data that does not belong there.
      const isLastSize = at === length - 1 || at === length - 2;
      const places = isLastSize ? ["pmmr_data.bin"] : [];
      places.push(`pmmr_size.bin at ${10 * Math.floor(at / 10)}`);
      const isData = problem?.file === "pmmr_data.bin";
      expect(places).toContain(isData ? problem.file : `${problem?.file} at ${problem?.offset}`);
    }
  });

  test("names the bitmap file of which any bit is wrong", async () => {
    for (const kind of Object.values(KINDS)) {
      const { fs } = await folderWith(kind);
      const files = allFiles(fs);
      for (const name of ["pmmr_leaf.bin", "pmmr_prun.bin"]) {
        for (let bit = 0; bit < 8 * (files[name]?.length ?? 0); bit++) {
          const damaged = flipped(files, name, Math.floor(bit / 8), 1 << (bit % 8));
          const report = await verify(damaged, kind);
          counts.bitmaps++;
          expect(report.ok).toBe(false);
          expect(report.problems[0]).toMatchObject({ file: name });
        }
      }
    }
  });

  test("names the journal of which any byte is wrong, and never a state that was not", async () => {
    const kind = { prunable: true, variable: false };
    const { fs } = await folderWith(kind);
    const files = allFiles(fs);
    for (let at = 0; at < (files["pmmr_journal.bin"]?.length ?? 0); at++) {
      const report = await verify(flipped(files, "pmmr_journal.bin", at, 0x80), kind);
      counts.journal++;
      expect(report.ok).toBe(false);
      expect(report.problems[0]).toMatchObject({ file: "pmmr_journal.bin" });
    }
  });

  test("was tried as often as this says", () => {
    printCounts("T-VERIFY pmmr/file", counts);
    expect(counts.hashes).toBeGreaterThan(90);
    expect(counts.records).toBeGreaterThan(200);
  });
});

async function handedOver(kind: Kind): Promise<{ files: Files; naive: NaiveStore }> {
  const { fs, naive } = await folderWith(kind);
  const codec = kind.variable ? variableCodec : fixedCodec;
  const folder = await openPmmr(fs, {
    codec,
    prunable: kind.prunable,
    hashing: fastHashing,
  });
  await folder.close({ handOver: true });
  return { files: allFiles(fs), naive };
}

describe("verifying without a journal", () => {
  test("names the damaged record below the peaks, and says so of peaks when the root is known", async () => {
    const kind = { prunable: true, variable: false };
    const { files, naive } = await handedOver(kind);
    const known = { size: naive.size, root: naive.root() };
    for (const { pos0, offset } of storedPlaces(naive).hashes) {
      const damaged = flipped(files, "pmmr_hash.bin", offset, 0x01);
      const report = await verifyPmmr(damaged, {
        codec: fixedCodec,
        prunable: true,
        hashing: fastHashing,
        expect: known,
      });
      expect(report.problems[0]).toMatchObject({ kind: "hash", position1: pos0 + 1 });
    }
  });

  test("finds the disagreement at a peak even when no root is known", async () => {
    const kind = { prunable: false, variable: true };
    const { files, naive } = await handedOver(kind);
    for (const { offset } of storedPlaces(naive).hashes) {
      const report = await verify(flipped(files, "pmmr_hash.bin", offset, 0x01), kind);
      expect(report.ok).toBe(false);
    }
  });

  test("lists what is wrong with a folder that does not open", async () => {
    const kind = { prunable: true, variable: false };
    const { files } = await handedOver(kind);
    const fs = folderOf({
      ...files,
      "pmmr_leaf.bin": new Uint8Array(3),
      "pmmr_prun.bin": new Uint8Array(3),
    });
    const report = await verify(fs, kind, { all: true });
    expect(report.size).toBeUndefined();
    expect(report.problems.map(({ kind: one, file }) => `${one} ${file}`)).toEqual([
      "bitmap pmmr_prun.bin",
      "bitmap pmmr_leaf.bin",
    ]);
    expect((await verify(fs, kind)).problems.length).toBe(1);
  });

  test("of an empty folder is an error, not a report", async () => {
    const code = await codeOf(() =>
      verify(new MemoryFileSystem(), { prunable: true, variable: false }),
    );
    expect(code).toBe("AOF_MISSING");
  });
});

/** Hashes something else than it stores: a leaf's hash cannot be made from its record. */
const blindCodec: ElementCodec<Uint8Array, Uint8Array> = {
  ...bytesCodec(5),
  hashForm: (bytes) => bytes.map((byte) => byte ^ 0xff),
  storedHashForm: () => undefined,
};

/** Refuses records that begin with an odd byte. */
const pickyCodec: ElementCodec<Uint8Array, Uint8Array> = {
  ...bytesCodec(5),
  load: (record) => {
    if ((record[0] ?? 0) % 2 === 1) throw new PmmrError("PMMR_MALFORMED", "odd");
    return record.slice();
  },
};

describe("what a verification can tell", () => {
  const log = { prunable: false, variable: false };

  async function files(codec: ElementCodec<Uint8Array, Uint8Array>): Promise<Files> {
    const fs = new MemoryFileSystem();
    const folder = await openPmmr(fs, { codec, hashing: fastHashing });
    for (let i = 0; i < 11; i++) folder.pmmr.push(element(2 * i, log).fill(2 * i));
    await folder.commit();
    await folder.close();
    return allFiles(fs);
  }

  test("of leaves that records do not determine: one of two siblings", async () => {
    const whole = await files(blindCodec);
    const options = { codec: blindCodec, hashing: fastHashing };
    expect(await verifyPmmr(folderOf(whole), options)).toMatchObject({
      ok: true,
      recordCount: 11,
    });
    // Positions 4 and 5 (counted from 1) are siblings; 11 nodes end with the tree of leaves 11 and 12.
    const left = await verifyPmmr(flipped(whole, "pmmr_hash.bin", 32 * 3, 1), options);
    const right = await verifyPmmr(flipped(whole, "pmmr_hash.bin", 32 * 4, 1), options);
    expect(left.problems[0]).toMatchObject({ kind: "hash", position1: 4 });
    expect(right.problems[0]).toMatchObject({ kind: "hash", position1: 4 });
    expect(right.problems[0]?.message).toContain("positions 4 and 5");
    // Its parent is told apart from both.
    const parent = await verifyPmmr(flipped(whole, "pmmr_hash.bin", 32 * 5, 1), options);
    expect(parent.problems[0]).toMatchObject({ kind: "hash", position1: 6 });
    // The last leaf is a peak: the root convicts it.
    const lone = await verifyPmmr(flipped(whole, "pmmr_hash.bin", 32 * 18, 1), options);
    expect(lone.problems[0]).toMatchObject({ kind: "hash", position1: 19 });
  });

  test("of a record that its codec refuses: which, and why", async () => {
    const whole = await files(pickyCodec);
    const options = { codec: pickyCodec, hashing: fastHashing };
    const report = await verifyPmmr(flipped(whole, "pmmr_data.bin", 10, 1), options);
    expect(report.problems).toEqual([
      {
        kind: "record",
        file: "pmmr_data.bin",
        offset: 10,
        position1: 4,
        message: "record of the leaf at position 4 cannot be read: PMMR_MALFORMED",
      },
    ]);
  });

  test("of many damaged records: all of them, on request, in order", async () => {
    const whole = await files(fixedCodec);
    const fs = folderOf(whole);
    const data = readFile(fs, "pmmr_data.bin").map((byte, i) => (i % 10 === 0 ? byte ^ 4 : byte));
    writeFile(fs, "pmmr_data.bin", data);
    const report = await verifyPmmr(fs, { codec: fixedCodec, hashing: fastHashing, all: true });
    const positions = report.problems.map(({ position1 }) => position1);
    expect(positions).toEqual([1, 4, 8, 11, 16, 19]);
    expect(report.problems.every(({ kind }) => kind === "record")).toBe(true);
    const first = await verifyPmmr(fs, { codec: fixedCodec, hashing: fastHashing });
    expect(first.problems.map(({ position1 }) => position1)).toEqual([1]);
  });

  test("of a whole file of noise: bounded, and the first position", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openPmmr(fs, { codec: fixedCodec, hashing: fastHashing });
    for (let i = 0; i < 3000; i++) folder.pmmr.push(element(i, log));
    await folder.commit();
    await folder.close();
    writeFile(fs, "pmmr_data.bin", readFile(fs, "pmmr_data.bin").fill(9));
    const report = await verifyPmmr(fs, { codec: fixedCodec, hashing: fastHashing, all: true });
    expect(report.problems.length).toBe(1000);
    expect(report.problems[0]).toMatchObject({ kind: "record", position1: 1 });
  });
});

async function opened(): Promise<Twin> {
  const twin = await Twin.open(
    new MemoryFileSystem(),
    { prunable: true, variable: false },
    { hashing: fastHashing },
  );
  for (let i = 0; i < 300; i++) await twin.apply({ do: "push", count: 9, many: true });
  await twin.apply({ do: "commit", sync: true, wait: true });
  return twin;
}

describe("a running verification", () => {
  test("says how far it is, and waits for who listens", async () => {
    const { folder } = await opened();
    const seen: number[] = [];
    let waiting = false;
    const report = await folder.verify({
      onProgress: async ({ done, total }) => {
        expect(waiting).toBe(false);
        waiting = true;
        await Promise.resolve();
        waiting = false;
        expect(total).toBe(folder.pmmr.size);
        seen.push(done);
      },
    });
    expect(report.ok).toBe(true);
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(folder.pmmr.size);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test("stops when it is told to", async () => {
    const { folder } = await opened();
    const controller = new AbortController();
    const running = folder.verify({
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done > 0) controller.abort();
      },
    });
    expect(await codeOf(() => running)).toBe("PMMR_ABORTED");
  });

  test("gives up when the range is rewound under it, and not when it grows", async () => {
    const twin = await opened();
    const { folder } = twin;
    const grows = await folder.verify({
      onProgress: () => {
        folder.pmmr.push(element(1, twin.kind));
      },
    });
    expect(grows.ok).toBe(true);
    const rewound = folder.verify({ onProgress: () => folder.pmmr.rewind(7) });
    expect(await codeOf(() => rewound)).toBe("PMMR_STALE_VIEW");
  });

  test("passes on what a callback throws", async () => {
    const { folder } = await opened();
    const failing = folder.verify({
      onProgress: () => {
        throw new RangeError("mine");
      },
    });
    await expect(failing).rejects.toThrow("mine");
    expect((await folder.verify()).ok).toBe(true);
  });

  test("sees uncommitted changes", async () => {
    const twin = await opened();
    twin.folder.pmmr.push(element(7, twin.kind));
    const { ok, size } = await twin.folder.verify();
    expect({ ok, size }).toEqual({ ok: true, size: twin.folder.pmmr.size });
  });
});
