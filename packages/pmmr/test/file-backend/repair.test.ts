import { MemoryFileSystem } from "@x/append-only-file";
import { toHex } from "@x/hash";
import { printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmmrError, type PmmrProblem } from "../../src/errors.ts";
import { fastHashing } from "./support/fast-hashing.ts";
import { element, type Kind, openKind, step, type Step, Twin } from "./support/history.ts";
import { allFiles, codeOf, contentOf, folderOf, formatFiles } from "./support/memory-folder.ts";
import { type Files, join, NaiveStore, sizeOfLeaves, writeBitmap } from "./support/naive-store.ts";

const OPTIONS = { hashing: fastHashing };
const PRUNABLE: Kind = { prunable: true, variable: false };
const VARIABLE: Kind = { prunable: true, variable: true };
const LOG: Kind = { prunable: false, variable: true };

/** A store of `leaves` leaves, some spent, some of them compacted. */
function storeOf(
  kind: Kind,
  leaves: number,
  spent: readonly number[] = [],
  cutoff = 0,
): NaiveStore {
  const naive = new NaiveStore(kind, fastHashing);
  for (let i = 0; i < leaves; i++) naive.push(element(i, kind));
  for (const index of spent) naive.spend(index);
  naive.compact(cutoff);
  return naive;
}

async function problemsOf(files: Files, kind: Kind): Promise<readonly PmmrProblem[]> {
  try {
    await openKind(folderOf(files), kind, OPTIONS);
  } catch (error) {
    if (error instanceof PmmrError && error.code === "PMMR_DAMAGED") return error.problems;
    throw error;
  }
  return [];
}

/** Opens with repair and returns the files that are left afterwards. */
async function repaired(files: Files, kind: Kind): Promise<Files> {
  const fs = folderOf(files);
  const folder = await openKind(fs, kind, { ...OPTIONS, repair: true });
  expect(await folder.verify({ all: true })).toMatchObject({ problems: [] });
  await folder.close({ handOver: true });
  return formatFiles(fs);
}

function cut(files: Files, name: string, size: number): Files {
  return { ...files, [name]: bytesIn(files, name).slice(0, size) };
}

function bytesIn(files: Files, name: string): Uint8Array {
  const bytes = files[name];
  if (bytes === undefined) throw new Error(`no ${name}`);
  return bytes;
}

function without(files: Files, ...names: readonly string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));
}

describe("a folder without a journal is refused, with the problem's kind and file", () => {
  const whole = storeOf(PRUNABLE, 8, [0, 1, 2, 3, 6], 7).files();
  const variable = storeOf(VARIABLE, 4).files();

  const cases: readonly (readonly [string, Kind, Files, Partial<PmmrProblem>])[] = [
    [
      "a torn hash",
      PRUNABLE,
      cut(whole, "pmmr_hash.bin", bytesIn(whole, "pmmr_hash.bin").length - 1),
      { kind: "torn-record", file: "pmmr_hash.bin", offset: 256 },
    ],
    [
      "a torn record",
      PRUNABLE,
      cut(whole, "pmmr_data.bin", 18),
      { kind: "torn-record", file: "pmmr_data.bin", offset: 15 },
    ],
    [
      "a missing hash",
      PRUNABLE,
      cut(whole, "pmmr_hash.bin", 256),
      { kind: "invalid-size", file: "pmmr_hash.bin" },
    ],
    [
      "a missing record",
      PRUNABLE,
      cut(whole, "pmmr_data.bin", 15),
      { kind: "record-count", file: "pmmr_data.bin", expected: "4", found: "3" },
    ],
    [
      "no hash file",
      PRUNABLE,
      without(whole, "pmmr_hash.bin"),
      { kind: "missing-file", file: "pmmr_hash.bin" },
    ],
    [
      "no leaf set: never taken for the empty one",
      PRUNABLE,
      without(whole, "pmmr_leaf.bin"),
      { kind: "missing-file", file: "pmmr_leaf.bin" },
    ],
    [
      "a leaf set that is no bitmap: never taken for the empty one",
      PRUNABLE,
      cut(whole, "pmmr_leaf.bin", 7),
      { kind: "bitmap", file: "pmmr_leaf.bin" },
    ],
    [
      "bytes after a bitmap",
      PRUNABLE,
      { ...whole, "pmmr_leaf.bin": join([bytesIn(whole, "pmmr_leaf.bin"), new Uint8Array(1)]) },
      { kind: "bitmap", file: "pmmr_leaf.bin" },
    ],
    [
      "a prune list that is no bitmap",
      PRUNABLE,
      { ...whole, "pmmr_prun.bin": new Uint8Array(8) },
      { kind: "bitmap", file: "pmmr_prun.bin" },
    ],
    [
      "an unspent leaf beyond the end",
      PRUNABLE,
      { ...whole, "pmmr_leaf.bin": writeBitmap([8, 16]) },
      { kind: "leaf-entry", file: "pmmr_leaf.bin", position1: 16 },
    ],
    [
      "an unspent inner node",
      PRUNABLE,
      { ...whole, "pmmr_leaf.bin": writeBitmap([10]) },
      { kind: "leaf-entry", file: "pmmr_leaf.bin", position1: 10 },
    ],
    [
      "an unspent leaf that was pruned",
      PRUNABLE,
      { ...whole, "pmmr_leaf.bin": writeBitmap([4, 8]) },
      { kind: "leaf-entry", file: "pmmr_leaf.bin", position1: 4 },
    ],
    [
      "an unspent leaf 0",
      PRUNABLE,
      { ...whole, "pmmr_leaf.bin": writeBitmap([0, 8]) },
      { kind: "leaf-entry", file: "pmmr_leaf.bin", position1: 0 },
    ],
    [
      "a root below a root",
      PRUNABLE,
      { ...whole, "pmmr_prun.bin": writeBitmap([3, 7]) },
      { kind: "prune-entry", file: "pmmr_prun.bin", position1: 7 },
    ],
    [
      "two roots that are siblings",
      PRUNABLE,
      { ...whole, "pmmr_prun.bin": writeBitmap([3, 6]) },
      { kind: "prune-entry", file: "pmmr_prun.bin", position1: 6 },
    ],
    [
      "a root 0",
      PRUNABLE,
      { ...whole, "pmmr_prun.bin": writeBitmap([0, 7]) },
      { kind: "prune-entry", file: "pmmr_prun.bin", position1: 0 },
    ],
    [
      "a root beyond the end",
      PRUNABLE,
      { ...whole, "pmmr_prun.bin": writeBitmap([7, 16]) },
      { kind: "prune-entry", file: "pmmr_prun.bin", position1: 16 },
    ],
    [
      "roots in a range that is not prunable",
      { prunable: false, variable: false },
      without(whole, "pmmr_leaf.bin"),
      { kind: "prune-entry", file: "pmmr_prun.bin" },
    ],
    [
      "a leaf set in a range that is not prunable",
      { prunable: false, variable: false },
      storeOf(PRUNABLE, 3).files(),
      { kind: "unexpected-file", file: "pmmr_leaf.bin" },
    ],
    [
      "a size file for records of one size",
      PRUNABLE,
      { ...whole, "pmmr_size.bin": new Uint8Array(0) },
      { kind: "unexpected-file", file: "pmmr_size.bin" },
    ],
    [
      "a torn size entry",
      VARIABLE,
      cut(variable, "pmmr_size.bin", 39),
      { kind: "torn-record", file: "pmmr_size.bin", offset: 30 },
    ],
    [
      "size entries with a gap and the right sum",
      VARIABLE,
      swapSizes(variable),
      { kind: "size-entry", file: "pmmr_size.bin", offset: 10, expected: "4", found: "3" },
    ],
    [
      "an empty record",
      VARIABLE,
      emptyRecord(variable),
      { kind: "size-entry", file: "pmmr_size.bin", offset: 0 },
    ],
    [
      "data after the last record",
      VARIABLE,
      {
        ...variable,
        "pmmr_data.bin": join([bytesIn(variable, "pmmr_data.bin"), new Uint8Array(2)]),
      },
      { kind: "size-entry", file: "pmmr_data.bin", offset: 18, found: "20" },
    ],
  ];

  for (const [title, kind, files, expected] of cases) {
    test(`because of ${title}`, async () => {
      const fs = folderOf(files);
      const before = allFiles(fs);
      const problems = await problemsOf(files, kind);
      expect(problems[0]).toMatchObject(expected);
      // Judging changes nothing, and neither does a repair that is not possible.
      expect(await codeOf(() => openKind(fs, kind, OPTIONS))).toBe("PMMR_DAMAGED");
      expect(allFiles(fs)).toEqual(before);
    });
  }

  test("several problems are all listed", async () => {
    const files = cut(cut(whole, "pmmr_hash.bin", 33), "pmmr_data.bin", 7);
    const problems = await problemsOf({ ...files, "pmmr_leaf.bin": new Uint8Array(2) }, PRUNABLE);
    expect(problems.map(({ kind, file }) => `${kind} ${file}`)).toEqual([
      "torn-record pmmr_hash.bin",
      "torn-record pmmr_data.bin",
      "bitmap pmmr_leaf.bin",
    ]);
  });
});

/** The first record one byte longer, the second one byte shorter: the sum stays. */
function swapSizes(files: Files): Files {
  const sizes = new Uint8Array(bytesIn(files, "pmmr_size.bin"));
  sizes[9] = 4;
  sizes[19] = 3;
  return { ...files, "pmmr_size.bin": sizes };
}

function emptyRecord(files: Files): Files {
  const sizes = new Uint8Array(bytesIn(files, "pmmr_size.bin"));
  sizes[9] = 0;
  return { ...files, "pmmr_size.bin": sizes };
}

describe("an interrupted append", () => {
  const counts = { folders: 0, repaired: 0 };

  test("is cut back to the largest size that all files hold", async () => {
    const lengths = fc.record({
      kind: fc.constantFrom(PRUNABLE, VARIABLE, LOG),
      before: fc.nat(20),
      more: fc.integer({ min: 1, max: 12 }),
      spent: fc.array(fc.nat(19), { maxLength: 12 }),
      hash: fc.nat(100),
      data: fc.nat(100),
      size: fc.nat(100),
    });
    await fc.assert(
      fc.asyncProperty(lengths, async ({ kind, before, more, spent, hash, data, size }) => {
        const naive = storeOf(kind, before, kind.prunable ? spent.filter((i) => i < before) : []);
        if (kind.prunable) naive.compact(naive.size);
        const old = naive.files();
        for (let i = 0; i < more; i++) naive.push(element(before + i, kind));
        const after = naive.files();
        // Hashes, data and sizes are partly there, bitmaps are the old ones.
        const torn: Files = { ...old };
        for (const [name, part] of [
          ["pmmr_hash.bin", hash],
          ["pmmr_data.bin", data],
          ["pmmr_size.bin", size],
        ] as const) {
          const bytes = after[name];
          if (bytes === undefined) continue;
          const begin = bytesIn(old, name).length;
          torn[name] = bytes.slice(0, begin + Math.floor((part * (bytes.length - begin)) / 100));
        }
        counts.folders++;
        if ((await problemsOf(torn, kind)).length === 0) return;
        const files = await repaired(torn, kind);
        counts.repaired++;
        expect(files).toEqual(largest(naive, torn, kind, old));
      }),
      { numRuns: scaled(300) },
    );
    printCounts("interrupted appends", counts);
    expect(counts.repaired).toBeGreaterThan(scaled(150));
  }, 120_000);
});

/** What must be left of torn files: a range of as many leaves as all of them hold, with the old leaf set. */
function largest(naive: NaiveStore, torn: Files, kind: Kind, old: Files): Files {
  const model = naive.clone();
  for (let leaves = model.leafCount; leaves >= 0; leaves--) {
    if (leaves < model.leafCount) model.rewind(leaves);
    const files = model.files();
    const fits = ["pmmr_hash.bin", "pmmr_data.bin"].every((name) =>
      isPrefix(bytesIn(files, name), bytesIn(torn, name)),
    );
    const sizes = files["pmmr_size.bin"];
    if (!fits || (sizes !== undefined && !fitsSizes(files, torn))) continue;
    const unspent = kind.prunable ? { "pmmr_leaf.bin": bytesIn(old, "pmmr_leaf.bin") } : {};
    return { ...files, ...unspent };
  }
  throw new Error("nothing fits");
}

/** Records delimit themselves, so a size file that is too short is made anew from the data. */
function fitsSizes(files: Files, torn: Files): boolean {
  return isPrefix(bytesIn(files, "pmmr_data.bin"), bytesIn(torn, "pmmr_data.bin"));
}

function isPrefix(short: Uint8Array, long: Uint8Array): boolean {
  return short.length <= long.length && toHex(long.slice(0, short.length)) === toHex(short);
}

describe("a compaction of the original that was interrupted", () => {
  const spentMost = fc.array(fc.nat(39), { minLength: 8, maxLength: 40 });
  const input = fc.record({
    kind: fc.constantFrom(PRUNABLE, VARIABLE),
    leaves: fc.integer({ min: 4, max: 40 }),
    first: spentMost,
    second: spentMost,
    cutoff: fc.integer({ min: 4, max: 80 }),
  });
  const counts = { folders: 0, repaired: 0 };

  /** Files before and after a second compaction. */
  function around({ kind, leaves, first, second, cutoff }: Input): {
    readonly before: Files;
    readonly after: Files;
    readonly naive: NaiveStore;
  } {
    const naive = storeOf(kind, leaves);
    // The last leaf stays, as in a chain whose last block pays somebody.
    for (const index of first) if (index < leaves - 1) naive.spend(index);
    naive.compact(cutoff);
    for (const index of second) if (index < leaves - 1) naive.spend(index);
    const before = naive.files();
    naive.compact(naive.size);
    return { before, after: naive.files(), naive };
  }

  type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

  const stages: Readonly<Record<string, (before: Files, after: Files) => Files>> = {
    "before the hash file is replaced": (before, after) => ({
      ...without(before, "pmmr_hash.bin"),
      "pmmr_hash.tmp": bytesIn(after, "pmmr_hash.bin"),
      "pmmr_data.tmp": bytesIn(after, "pmmr_data.bin"),
    }),
    "between hash file and data file": (before, after) => ({
      ...before,
      "pmmr_hash.bin": bytesIn(after, "pmmr_hash.bin"),
      "pmmr_data.tmp": bytesIn(after, "pmmr_data.bin"),
    }),
    "before the data file is replaced": (before, after) => ({
      ...without(before, "pmmr_data.bin", "pmmr_size.bin"),
      "pmmr_hash.bin": bytesIn(after, "pmmr_hash.bin"),
      "pmmr_data.tmp": bytesIn(after, "pmmr_data.bin"),
    }),
    "before the list of pruned roots is replaced": (before, after) => ({
      ...after,
      "pmmr_prun.bin": bytesIn(before, "pmmr_prun.bin"),
    }),
  };

  for (const [title, interrupt] of Object.entries(stages)) {
    test(`${title}, is finished`, async () => {
      await fc.assert(
        fc.asyncProperty(input, async (one) => {
          const { before, after, naive } = around(one);
          const files = interrupt(before, after);
          counts.folders++;
          if ((await problemsOf(files, one.kind)).length === 0) return;
          const fs = folderOf(files);
          const folder = await openKind(fs, one.kind, { ...OPTIONS, repair: true });
          counts.repaired++;
          expect(toHex(folder.pmmr.root())).toBe(toHex(naive.root()));
          expect(await folder.verify({ all: true })).toMatchObject({ problems: [] });
          await folder.close({ handOver: true });
          const left = formatFiles(fs);
          for (const name of ["pmmr_hash.bin", "pmmr_data.bin", "pmmr_leaf.bin"]) {
            expect(toHex(bytesIn(left, name))).toBe(toHex(bytesIn(after, name)));
          }
        }),
        { numRuns: scaled(150) },
      );
      expect(counts.repaired).toBeGreaterThan(0);
    }, 120_000);
  }

  test("was finished as often as this says", () => {
    printCounts("interrupted compactions", counts);
    expect(counts.repaired).toBeGreaterThan(scaled(200));
  });
});

describe("what cannot be repaired", () => {
  const whole = storeOf(PRUNABLE, 8, [0, 1, 2, 3, 6], 7).files();

  test("is a folder without a readable leaf set, and it stays as it is", async () => {
    for (const files of [
      without(whole, "pmmr_leaf.bin"),
      cut(whole, "pmmr_leaf.bin", 9),
      { ...whole, "pmmr_leaf.bin": writeBitmap([10]) },
    ]) {
      const fs = folderOf(files);
      const opening = openKind(fs, PRUNABLE, { ...OPTIONS, repair: true });
      await expect(opening).rejects.toMatchObject({ code: "PMMR_DAMAGED" });
      expect(allFiles(fs)).toEqual(files);
    }
  });

  test("is a folder that would become empty although leaves are unspent", async () => {
    const fs = folderOf(cut(whole, "pmmr_hash.bin", 0));
    const opening = openKind(fs, PRUNABLE, { ...OPTIONS, repair: true });
    await expect(opening).rejects.toMatchObject({ code: "PMMR_DAMAGED" });
  });

  test("is a folder whose hash and data files are both gone", async () => {
    const fs = folderOf(without(whole, "pmmr_hash.bin", "pmmr_data.bin"));
    const opening = openKind(fs, PRUNABLE, { ...OPTIONS, repair: true });
    await expect(opening).rejects.toMatchObject({ code: "PMMR_DAMAGED" });
  });

  test("is said by the error before anything is tried", async () => {
    const torn = cut(whole, "pmmr_hash.bin", bytesIn(whole, "pmmr_hash.bin").length - 1);
    const opening = openKind(folderOf(torn), PRUNABLE, OPTIONS);
    await expect(opening).rejects.toMatchObject({ cause: { repairable: true } });
    const lost = openKind(folderOf(without(whole, "pmmr_leaf.bin")), PRUNABLE, OPTIONS);
    await expect(lost).rejects.toMatchObject({ cause: { repairable: false } });
  });
});

describe("a repair", () => {
  test("goes back to the size its caller expects", async () => {
    const naive = storeOf(PRUNABLE, 8);
    const root = storeOf(PRUNABLE, 5).root();
    const torn = cut(naive.files(), "pmmr_hash.bin", 32 * 14);
    const folder = await openKind(folderOf(torn), PRUNABLE, {
      ...OPTIONS,
      repair: true,
      expect: { size: sizeOfLeaves(5), root },
    });
    expect(folder.pmmr.leafCount).toBe(5);
    expect(toHex(folder.pmmr.root())).toBe(toHex(root));
    expect(folder.pmmr.unspentCount()).toBe(5);
  });

  test("drops from the list of roots a leaf that was brought back", async () => {
    const naive = storeOf(PRUNABLE, 4, [0], 1);
    const files = { ...naive.files(), "pmmr_leaf.bin": writeBitmap([1, 2, 4, 5]) };
    const folder = await openKind(folderOf(files), PRUNABLE, { ...OPTIONS, repair: true });
    expect([...folder.pmmr.unspentPositions()]).toEqual([0, 1, 3, 4]);
    expect(folder.stats().prunedRootCount).toBe(0);
    expect((await folder.verify()).ok).toBe(true);
  });

  test("leaves a folder alone that needs none", async () => {
    const files = storeOf(VARIABLE, 9, [0, 1, 4], 20).files();
    expect(await repaired(files, VARIABLE)).toEqual(files);
  });

  test("of a size file that is wrong in the middle reads the data again", async () => {
    const naive = storeOf(VARIABLE, 9);
    expect(await repaired(swapSizes(naive.files()), VARIABLE)).toEqual(naive.files());
    expect(await repaired(emptyRecord(naive.files()), VARIABLE)).toEqual(naive.files());
  });
});

describe("a folder from a state archive", () => {
  const steps: readonly Step[] = [
    { do: "push", count: 9, many: true },
    { do: "spend", leaves: [0, 1, 5] },
    { do: "commit", sync: true, wait: true },
    { do: "compact", horizon: 8, restorable: [] },
  ];

  test("opens with the snapshot in it, and only with it", async () => {
    const twin = await Twin.open(new MemoryFileSystem(), PRUNABLE, OPTIONS);
    for (const one of steps) await twin.apply(one);
    await twin.folder.writeSnapshot("00ff00ff00ff");
    const expected = twin.naive.clone();
    const { entries } = await twin.folder.archive({ snapshot: "00ff00ff00ff" });
    expect(entries.map(({ name }) => name)).toEqual([
      "pmmr_data.bin",
      "pmmr_hash.bin",
      "pmmr_prun.bin",
      "pmmr_leaf.bin.00ff00ff00ff",
    ]);
    const files: Files = {};
    for (const entry of entries) {
      files[entry.name] = await contentOf(entry);
      expect(files[entry.name]?.length).toBe(entry.size);
    }
    const fs = folderOf(files);
    expect(await codeOf(() => openKind(fs, PRUNABLE, OPTIONS))).toBe("PMMR_DAMAGED");
    const folder = await openKind(fs, PRUNABLE, { ...OPTIONS, snapshot: "00ff00ff00ff" });
    expect(toHex(folder.pmmr.root())).toBe(toHex(expected.root()));
    expect([...folder.pmmr.unspentPositions()].map((pos0) => pos0 + 1)).toEqual(
      expected.unspentPositions1(),
    );
    await folder.close();
    expect(formatFiles(fs)).toEqual(expected.files());
  });

  test("is refused when the snapshot is missing, damaged, or of another range", async () => {
    const files = storeOf(PRUNABLE, 4).files();
    const archived = without(files, "pmmr_leaf.bin");
    const snapshot = "00ff00ff00ff";
    const options = { ...OPTIONS, snapshot };
    const name = `pmmr_leaf.bin.${snapshot}`;
    const outcomes = [undefined, new Uint8Array(3), writeBitmap([1, 8])].map(async (bytes) => {
      const more = bytes === undefined ? {} : { [name]: bytes };
      const fs = folderOf({ ...archived, ...more });
      const before = allFiles(fs);
      const code = await codeOf(() => openKind(fs, PRUNABLE, options));
      expect(allFiles(fs)).toEqual(before);
      return code;
    });
    expect(await Promise.all(outcomes)).toEqual(Array.from({ length: 3 }, () => "PMMR_DAMAGED"));
  });
});

describe("repairing random damage", () => {
  test("gives a consistent range or refuses, and never changes a folder that it refuses", async () => {
    const counts = { folders: 0, accepted: 0, repaired: 0, refused: 0 };
    const damage = fc.record({
      steps: fc.array(step, { minLength: 3, maxLength: 10, size: "max" }),
      kind: fc.constantFrom(PRUNABLE, VARIABLE, LOG),
      file: fc.nat(4),
      at: fc.nat(),
      how: fc.constantFrom("cut", "drop", "flip", "grow"),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ steps, kind, file, at, how }) => {
        const source = new MemoryFileSystem();
        const twin = await Twin.open(source, kind, OPTIONS);
        for (const one of steps) if (one.do !== "reopen") await twin.apply(one);
        await twin.idle();
        await twin.folder.close({ handOver: true });
        const files = formatFiles(source);
        const names = Object.keys(files).toSorted();
        const name = names[file % names.length] ?? "";
        const bytes = bytesIn(files, name);
        const place = bytes.length === 0 ? 0 : at % bytes.length;
        if (how === "drop") delete files[name];
        if (how === "cut") files[name] = bytes.slice(0, place);
        if (how === "grow") files[name] = join([bytes, new Uint8Array(1 + (at % 40))]);
        if (how === "flip" && bytes.length > 0) {
          files[name] = bytes.map((byte, i) => (i === place ? byte ^ 0x10 : byte));
        }
        counts.folders++;
        const strict = folderOf(files);
        const before = allFiles(strict);
        if ((await codeOf(() => openKind(strict, kind, OPTIONS))) === "none") {
          counts.accepted++;
          return;
        }
        expect(allFiles(strict)).toEqual(before);
        const fs = folderOf(files);
        const code = await codeOf(() => openKind(fs, kind, { ...OPTIONS, repair: true }));
        if (code === "none") {
          counts.repaired++;
          return;
        }
        counts.refused++;
        expect(code).toBe("PMMR_DAMAGED");
        expect(allFiles(fs)).toEqual(before);
      }),
      { numRuns: scaled(400) },
    );
    printCounts("randomly damaged folders", counts);
    expect(counts.repaired).toBeGreaterThan(scaled(50));
  }, 120_000);
});
