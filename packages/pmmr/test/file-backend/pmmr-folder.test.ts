import { MemoryFileSystem } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { toHex } from "@x/hash";
import { SimulatedDisk } from "@x/testing";
import { describe, expect, expectTypeOf, test } from "vitest";
import { bytesCodec, type ElementCodec } from "../../src/codec.ts";
import { openPmmr, type PmmrFolder } from "../../src/file-backend/index.ts";
import { leafPosition } from "../../src/position.ts";
import { fastHashing } from "./support/fast-hashing.ts";
import { element, fixedCodec, type Kind, openKind, Twin } from "./support/history.ts";
import {
  allFiles,
  codeOf,
  contentOf,
  folderOf,
  formatFiles,
  readFile,
  writeFile,
} from "./support/memory-folder.ts";
import { type Files, NaiveStore, sizeOfLeaves } from "./support/naive-store.ts";

const PRUNABLE: Kind = { prunable: true, variable: false };
const LOG: Kind = { prunable: false, variable: false };
const OPTIONS = { hashing: fastHashing };

type Folder = PmmrFolder<Uint8Array, Uint8Array>;

async function withLeaves(
  count: number,
  fs = new MemoryFileSystem(),
): Promise<{ folder: Folder; fs: MemoryFileSystem }> {
  const folder = await openKind(fs, PRUNABLE, OPTIONS);
  for (let i = 0; i < count; i++) folder.pmmr.push(element(i, PRUNABLE));
  await folder.commit();
  return { folder, fs };
}

function codeOfOpening(options: object): Promise<string> {
  return codeOf(() => openPmmr(new MemoryFileSystem(), { codec: fixedCodec, ...options }));
}

/** The second half of a tree of eight leaves, as one hash. */
function secondHalf(): { hash: Uint8Array; pos0: number } {
  const naive = new NaiveStore(PRUNABLE, fastHashing);
  for (let i = 0; i < 4; i++) naive.push(element(i, PRUNABLE));
  return naive.pushPruned([4, 5, 6, 7].map((i) => element(i, PRUNABLE)));
}

/** What tells states of a range apart. */
function stateOf({ pmmr }: Folder): object {
  return { size: pmmr.size, root: pmmr.root(), unspent: [...pmmr.unspentPositions()] };
}

/**
 * One leaf, and then a failure.
 *
 * @yields a position
 */
function* failingLeaves(): Generator<number> {
  yield 0;
  throw new RangeError("mine");
}

function rootOf(leaves: number): Uint8Array {
  const naive = new NaiveStore(PRUNABLE, fastHashing);
  for (let i = 0; i < leaves; i++) naive.push(element(i, PRUNABLE));
  return naive.root();
}

describe("opening a folder", () => {
  test("gives handles of the codec's types", async () => {
    const codec: ElementCodec<string, number> = {
      recordSize: 4,
      store: () => new Uint8Array(4),
      hashForm: () => new Uint8Array(4),
      load: () => 1,
      storedHashForm: () => undefined,
    };
    const folder = await openPmmr(new MemoryFileSystem(), { codec });
    expectTypeOf(folder).toEqualTypeOf<PmmrFolder<string, number>>();
    expectTypeOf<typeof folder.pmmr.push>().parameter(0).toEqualTypeOf<string>();
    expectTypeOf(folder.pmmr.element(0)).toEqualTypeOf<number | undefined>();
    expect(folder.created).toBe(true);
    await folder.close();
  });

  test("refuses options that cannot be", async () => {
    expect(await codeOfOpening({ codec: { ...fixedCodec, recordSize: 0 } })).toBe("RangeError");
    expect(await codeOfOpening({ codec: { ...fixedCodec, recordSize: 65_536 } })).toBe(
      "RangeError",
    );
    expect(await codeOfOpening({ expect: { size: 2 } })).toBe("RangeError");
    expect(await codeOfOpening({ expect: { root: new Uint8Array(32) } })).toBe("TypeError");
    expect(await codeOfOpening({ expect: { size: 1, root: new Uint8Array(31) } })).toBe(
      "RangeError",
    );
    expect(await codeOfOpening({ prunable: true, snapshot: "0123" })).toBe("TypeError");
    expect(await codeOfOpening({ prunable: true, snapshot: "0123456789AB" })).toBe("TypeError");
    expect(await codeOfOpening({ snapshot: "0123456789ab" })).toBe("TypeError");
    expect(await codeOfOpening({ prunable: true, readOnly: true, snapshot: "0123456789ab" })).toBe(
      "TypeError",
    );
    expect(await codeOfOpening({ readOnly: true, repair: true })).toBe("TypeError");
    expect(await codeOfOpening({ cachePagesMax: -1 })).toBe("RangeError");
  });

  test("twice at once is refused, and possible after closing", async () => {
    const { folder, fs } = await withLeaves(3);
    expect(await codeOf(() => openKind(fs, PRUNABLE, OPTIONS))).toBe("AOF_LOCKED");
    await folder.close();
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    expect(again.created).toBe(false);
    await again.close();
  });

  test("for reading only takes no lock, changes nothing, and refuses every write", async () => {
    const { folder, fs } = await withLeaves(4);
    folder.pmmr.prune(0);
    await folder.commit();
    const before = allFiles(fs);
    const reader = await openKind(fs, PRUNABLE, { ...OPTIONS, readOnly: true });
    expect(reader.pmmr.size).toBe(7);
    expect(reader.pmmr.unspentCount()).toBe(3);
    expect(reader.pmmr.root()).toEqual(folder.pmmr.root());
    const writes: (() => unknown)[] = [
      () => reader.pmmr.push(element(9, PRUNABLE)),
      () => reader.pmmr.prune(1),
      () => reader.pmmr.rewind(4),
      () => reader.pmmr.pushPrunedSubtree(new Uint8Array(32), 9),
      () => reader.commit(),
      () => reader.discard(),
      () => reader.compact(),
      () => reader.checkpoint(),
      () => reader.sync(),
      () => reader.writeSnapshot("0123456789ab"),
      () => reader.useSnapshot("0123456789ab"),
      () => reader.removeSnapshot("0123456789ab"),
    ];
    for (const write of writes) expect(await codeOf(write)).toBe("AOF_READ_ONLY");
    expect((await reader.verify()).ok).toBe(true);
    await reader.close();
    expect(allFiles(fs)).toEqual(before);
    await folder.close();
  });

  test("for reading only an empty folder is an error", async () => {
    const opening = openKind(new MemoryFileSystem(), PRUNABLE, { ...OPTIONS, readOnly: true });
    expect(await codeOf(() => opening)).toBe("AOF_MISSING");
  });

  test("with other hashing than it was written with is refused", async () => {
    const { folder, fs } = await withLeaves(5);
    await folder.close();
    expect(await codeOf(() => openKind(fs, PRUNABLE))).toBe("PMMR_DAMAGED");
  });
});

describe("a folder that was changed behind its back", () => {
  test("is refused, and accepted on request if it is consistent", async () => {
    const { folder, fs } = await withLeaves(5);
    await folder.close();
    const naive = new NaiveStore(PRUNABLE, fastHashing);
    for (let i = 0; i < 7; i++) naive.push(element(i, PRUNABLE));
    const files = { ...allFiles(fs), ...naive.files() };
    expect(await codeOf(() => openKind(folderOf(files), PRUNABLE, OPTIONS))).toBe(
      "AOF_FOREIGN_CHANGE",
    );
    const adopted = await openKind(folderOf(files), PRUNABLE, { ...OPTIONS, adopt: true });
    expect(adopted.pmmr.leafCount).toBe(7);
    await adopted.close();
    const torn: Files = { ...files, "pmmr_hash.bin": new Uint8Array(33) };
    const opening = openKind(folderOf(torn), PRUNABLE, { ...OPTIONS, adopt: true });
    await expect(opening).rejects.toMatchObject({
      code: "PMMR_DAMAGED",
      problems: [{ kind: "torn-record" }],
    });
  });
});

describe("an owner who remembers a state", () => {
  test("is told when an older folder was put in its place", async () => {
    const { folder, fs } = await withLeaves(5);
    await folder.close();
    const old = allFiles(fs);
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    again.pmmr.push(element(5, PRUNABLE));
    await again.commit();
    const known = { size: again.pmmr.size, root: again.pmmr.root(), sequence: again.sequence };
    await again.close();
    const open = (files: Files, expected: object): Promise<string> =>
      codeOf(() => openKind(folderOf(files), PRUNABLE, { ...OPTIONS, expect: expected }));
    const now = allFiles(fs);
    expect(await open(now, known)).toBe("none");
    expect(await open(old, known)).toBe("PMMR_ROLLED_BACK");
    expect(await open(old, { size: known.size })).toBe("PMMR_ROLLED_BACK");
    expect(await open(old, { sequence: known.sequence })).toBe("PMMR_ROLLED_BACK");
    expect(await open(now, { size: known.size, root: rootOf(5) })).toBe("PMMR_ROLLED_BACK");
    expect(await open(now, { size: sizeOfLeaves(5), root: rootOf(5) })).toBe("none");
    expect(await open(now, { size: sizeOfLeaves(5), root: rootOf(6) })).toBe("PMMR_ROLLED_BACK");
    expect(await open(now, {})).toBe("none");
  });

  test("is told when only the leaf set is older, by the number of the commit", async () => {
    const { folder, fs } = await withLeaves(5);
    await folder.close();
    const old = allFiles(fs);
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    again.pmmr.prune(0);
    await again.commit();
    const { sequence } = again;
    await again.close();
    const opening = openKind(folderOf(old), PRUNABLE, { ...OPTIONS, expect: { sequence } });
    expect(await codeOf(() => opening)).toBe("PMMR_ROLLED_BACK");
  });

  test("of what was compacted since is told so", async () => {
    const { folder, fs } = await withLeaves(8);
    for (let i = 0; i < 4; i++) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
    await folder.compact();
    await folder.close();
    const expected = { size: sizeOfLeaves(3), root: rootOf(3) };
    const opening = openKind(fs, PRUNABLE, { ...OPTIONS, expect: expected });
    expect(await codeOf(() => opening)).toBe("PMMR_COMPACTED");
  });
});

describe("what a range refuses", () => {
  test("records that its format cannot hold, and then nothing was written", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openPmmr(fs, { codec: bytesCodec(), ...OPTIONS });
    expect(await codeOf(() => folder.pmmr.push(new Uint8Array(0)))).toBe("PMMR_CAPACITY");
    expect(await codeOf(() => folder.pmmr.push(new Uint8Array(65_536)))).toBe("PMMR_CAPACITY");
    expect(folder.isDirty).toBe(false);
    folder.pmmr.push(new Uint8Array(65_535).fill(7));
    await folder.commit();
    expect(folder.pmmr.element(0)?.length).toBe(65_535);
    await folder.close();
  });

  test("the position after the last that fits into 32 bits", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openKind(fs, PRUNABLE, OPTIONS);
    // Two halves of a tree of 2^31 leaves, each one hash: together they fill a prunable range.
    folder.pmmr.pushPrunedSubtree(new Uint8Array(32).fill(1), 2 ** 31 - 2);
    folder.pmmr.pushPrunedSubtree(new Uint8Array(32).fill(2), 2 ** 32 - 3);
    expect(folder.pmmr.size).toBe(2 ** 32 - 1);
    expect(folder.pmmr.leafCount).toBe(2 ** 31);
    expect(folder.stats()).toMatchObject({ prunedRootCount: 1, hashCount: 1, recordCount: 0 });
    expect(await codeOf(() => folder.pmmr.push(element(0, PRUNABLE)))).toBe("PMMR_CAPACITY");
    expect(await codeOf(() => folder.pmmr.pushPrunedSubtree(new Uint8Array(32), 2 ** 32 + 1))).toBe(
      "PMMR_CAPACITY",
    );
    expect(folder.pmmr.unspentCount()).toBe(0);
    const root = folder.pmmr.root();
    await folder.commit();
    await folder.close({ handOver: true });
    expect([...Bitmap.deserialize(readFile(fs, "pmmr_prun.bin"))]).toEqual([2 ** 32 - 1]);
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    expect(again.pmmr.root()).toEqual(root);
    expect((await again.verify()).ok).toBe(true);
    await again.close();
  });

  test("spending and compacting where leaves cannot be spent", async () => {
    const folder = await openKind(new MemoryFileSystem(), LOG, OPTIONS);
    folder.pmmr.push(element(0, LOG));
    await folder.commit();
    expect(await codeOf(() => folder.pmmr.prune(0))).toBe("PMMR_NOT_PRUNABLE");
    expect(await codeOf(() => folder.compact())).toBe("PMMR_NOT_PRUNABLE");
    expect(await codeOf(() => folder.writeSnapshot("0123456789ab"))).toBe("PMMR_NOT_PRUNABLE");
    expect(await codeOf(() => folder.useSnapshot("0123456789ab"))).toBe("PMMR_NOT_PRUNABLE");
    expect(await codeOf(() => folder.pmmr.pushPrunedSubtree(new Uint8Array(32), 3))).toBe(
      "PMMR_NOT_PRUNABLE",
    );
    expect(folder.stats()).toMatchObject({ unspentCount: 1, leafSetSize: 0 });
    await folder.close();
  });

  test("to rewind into what was compacted, or to bring a compacted leaf back", async () => {
    const { folder } = await withLeaves(9);
    for (const index of [0, 1, 2, 3, 6]) folder.pmmr.prune(leafPosition(index));
    await folder.commit();
    await folder.compact();
    const { pmmr } = folder;
    expect(await codeOf(() => pmmr.rewind(sizeOfLeaves(3)))).toBe("PMMR_COMPACTED");
    expect(await codeOf(() => pmmr.rewind(sizeOfLeaves(8), [leafPosition(2)]))).toBe(
      "PMMR_COMPACTED",
    );
    // A leaf that was compacted alone still has its record, and may not come back either.
    expect(await codeOf(() => pmmr.rewind(sizeOfLeaves(8), [leafPosition(6)]))).toBe(
      "PMMR_COMPACTED",
    );
    expect(folder.isDirty).toBe(false);
    pmmr.rewind(sizeOfLeaves(4));
    expect(pmmr.leafCount).toBe(4);
    expect(folder.stats().prunedRootCount).toBe(1);
    await folder.close();
  });

  test("anything once it is closed", async () => {
    const { folder, fs } = await withLeaves(5);
    const { pmmr } = folder;
    const view = folder.view();
    await folder.close();
    await folder.close();
    const calls: (() => unknown)[] = [
      () => pmmr.push(element(1, PRUNABLE)),
      () => pmmr.prune(0),
      () => pmmr.rewind(0),
      () => pmmr.hashAt(0),
      () => pmmr.recordAt(0),
      () => pmmr.isUnspent(0),
      () => pmmr.isCompacted(0),
      () => pmmr.unspentCount(),
      () => [...pmmr.unspentIndexes()],
      () => view.root(),
      () => folder.commit(),
      () => folder.sync(),
      () => folder.discard(),
      () => folder.compact(),
      () => folder.checkpoint(),
      () => folder.verify(),
      () => folder.writeSnapshot("0123456789ab"),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("AOF_CLOSED");
    expect(folder.state).toBe("closed");
    expect(fs.list()).not.toContain("pmmr_lock");
  });
});

describe("a compaction", () => {
  test("needs everything committed", async () => {
    const { folder } = await withLeaves(4);
    folder.pmmr.prune(0);
    expect(await codeOf(() => folder.compact())).toBe("TypeError");
    await folder.commit();
    expect(await codeOf(() => folder.compact({ horizon: -1 }))).toBe("RangeError");
    expect(await codeOf(() => folder.compact({ restorable: [0.5] }))).toBe("RangeError");
    await folder.compact();
    expect(folder.stats().prunedRootCount).toBe(1);
  });

  test("lets reads go on, at one state at every moment, and refuses writes", async () => {
    const disk = new SimulatedDisk({ syncTurnsMax: 3 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    for (let i = 0; i < 40; i++) folder.pmmr.push(element(i, PRUNABLE));
    for (let i = 0; i < 39; i++) if (i % 8 !== 5) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
    const { pmmr } = folder;
    const root = toHex(pmmr.root());
    const before = folder.stats().hashCount;
    const writes: readonly (() => unknown)[] = [
      () => pmmr.push(element(1, PRUNABLE)),
      () => pmmr.prune(leafPosition(5)),
      () => pmmr.rewind(7),
      () => folder.commit(),
      () => folder.discard(),
      () => folder.compact(),
      () => folder.useSnapshot("0123456789ab"),
    ];
    const running = { is: true };
    const compacted = folder.compact().then(() => void (running.is = false));
    const refused: string[] = [];
    let turns = 0;
    const hashCounts = new Set<number>();
    for (; running.is; turns++) {
      expect(toHex(pmmr.root())).toBe(root);
      for (let i = 5; i < 40; i += 8) {
        expect(pmmr.element(leafPosition(i))).toEqual(element(i, PRUNABLE));
        expect(pmmr.merkleProof(leafPosition(i), { recheck: true }).size).toBe(pmmr.size);
      }
      hashCounts.add(pmmr.hashAt(0) === undefined ? 0 : 1);
      const write = writes[turns];
      if (write !== undefined) refused.push(await codeOf(write));
      await Promise.resolve();
    }
    await compacted;
    expect(refused).toEqual(writes.map(() => "PMMR_BUSY"));
    expect(turns).toBeGreaterThan(20);
    expect(hashCounts).toEqual(new Set([0, 1]));
    expect(folder.stats().hashCount).toBeLessThan(before);
    pmmr.push(element(40, PRUNABLE));
    await folder.commit();
    expect((await folder.verify()).ok).toBe(true);
    await folder.close();
  });

  test("makes views stale", async () => {
    const { folder } = await withLeaves(4);
    folder.pmmr.prune(0);
    folder.pmmr.prune(1);
    await folder.commit();
    const view = folder.view();
    expect(view.hashAt(0)).toBeDefined();
    await folder.compact();
    expect(await codeOf(() => view.hashAt(0))).toBe("PMMR_STALE_VIEW");
    expect(folder.view().hashAt(0)).toBeUndefined();
  });

  test("says how far it is, and can be stopped without a trace", async () => {
    const { folder, fs } = await withLeaves(400);
    for (let i = 0; i < 300; i++) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
    await folder.checkpoint();
    const before = formatFiles(fs);
    const aborted = { aborted: true, reason: "enough" };
    await expect(folder.compact({ signal: aborted })).rejects.toMatchObject({
      code: "PMMR_ABORTED",
      cause: "enough",
    });
    const signal = { aborted: false };
    const stopped = folder.compact({
      signal,
      onProgress: () => {
        signal.aborted = true;
      },
    });
    expect(await codeOf(() => stopped)).toBe("PMMR_ABORTED");
    const thrown = folder.compact({
      onProgress: () => {
        throw new RangeError("mine");
      },
    });
    await expect(thrown).rejects.toThrow("mine");
    expect(folder.state).toBe("open");
    expect(formatFiles(fs)).toEqual(before);
    expect(folder.pmmr.hashAt(0)).toBeDefined();
    let last = { done: 0, total: 0 };
    await folder.compact({
      onProgress: async (progress) => {
        await Promise.resolve();
        last = progress;
      },
    });
    expect(last.done).toBe(last.total);
    expect(last.total).toBe(folder.stats().hashSize + folder.stats().dataSize);
    expect(folder.pmmr.hashAt(0)).toBeUndefined();
    await folder.close();
  });

  test("keeps what a rewind may bring back", async () => {
    const { folder } = await withLeaves(16);
    for (let i = 0; i < 12; i++) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
    const restorable = [4, 5, 9].map(leafPosition);
    await folder.compact({ horizon: sizeOfLeaves(12), restorable });
    folder.pmmr.rewind(sizeOfLeaves(12), restorable);
    expect([...folder.pmmr.unspentPositions()]).toEqual(restorable);
    expect(folder.pmmr.element(leafPosition(9))).toEqual(element(9, PRUNABLE));
    await folder.commit();
    expect((await folder.verify()).ok).toBe(true);
    await folder.close();
  });
});

describe("discarding", () => {
  test("restores everything, pruned subtrees included", async () => {
    const { folder } = await withLeaves(4);
    for (let i = 0; i < 4; i++) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
    await folder.compact();
    const state = (): object => ({
      size: folder.pmmr.size,
      root: folder.pmmr.root(),
      unspent: [...folder.pmmr.unspentPositions()],
      roots: folder.stats().prunedRootCount,
      hashes: folder.stats().hashCount,
    });
    const before = state();
    const { hash, pos0 } = secondHalf();
    folder.pmmr.pushPrunedSubtree(hash, pos0);
    expect(folder.stats()).toMatchObject({ prunedRootCount: 1, size: 15, hashCount: 1 });
    folder.pmmr.push(element(9, PRUNABLE));
    folder.pmmr.rewind(0);
    expect(folder.stats().prunedRootCount).toBe(0);
    folder.discard();
    expect(state()).toEqual(before);
    expect(folder.isDirty).toBe(false);
    folder.discard();
    await folder.close();
  });
});

describe("views of a folder", () => {
  test("go stale when what was written is discarded, or nodes are rewound, and not before", async () => {
    const { folder } = await withLeaves(4);
    const ends: (() => void)[] = [
      () => folder.discard(),
      () => folder.pmmr.rewind(4),
      () => folder.discard(),
    ];
    for (const end of ends) {
      folder.pmmr.push(element(4, PRUNABLE));
      folder.pmmr.prune(0);
      const view = folder.view();
      folder.pmmr.push(element(5, PRUNABLE));
      expect(view.root().length).toBe(32);
      end();
      expect(await codeOf(() => view.root())).toBe("PMMR_STALE_VIEW");
    }
    await folder.close();
  });
});

describe("calls that overlap", () => {
  test("take effect in the order in which they were made", async () => {
    const disk = new SimulatedDisk({ seed: 3, syncTurnsMax: 4 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    const done: number[] = [];
    const commits: Promise<void>[] = [];
    for (let i = 0; i < 30; i++) {
      folder.pmmr.push(element(i, PRUNABLE));
      if (i % 7 === 6) folder.pmmr.rewind(sizeOfLeaves(i - 1));
      if (i % 5 === 4) folder.pmmr.prune(leafPosition(0));
      commits.push(folder.commit({ sync: i % 3 === 0 }).then(() => void done.push(i)));
      if (i % 11 === 10) commits.push(folder.checkpoint());
    }
    const expected = stateOf(folder);
    folder.pmmr.push(element(99, PRUNABLE));
    folder.discard();
    await Promise.all(commits);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(stateOf(folder)).toEqual(expected);
    await folder.close();
    const again = await openKind(disk, PRUNABLE, OPTIONS);
    expect(stateOf(again)).toEqual(expected);
    await again.close();
  });

  test("may close while commits run", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openKind(fs, PRUNABLE, OPTIONS);
    folder.pmmr.push(element(0, PRUNABLE));
    const committed = folder.commit();
    folder.pmmr.push(element(1, PRUNABLE));
    const closed = folder.close();
    expect(await codeOf(() => folder.commit())).toBe("AOF_CLOSED");
    await committed;
    await closed;
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    expect(again.pmmr.leafCount).toBe(1);
    await again.close();
  });

  test("need no handle to be kept: `await using` closes", async () => {
    const fs = new MemoryFileSystem();
    {
      await using folder = await openKind(fs, PRUNABLE, OPTIONS);
      folder.pmmr.push(element(0, PRUNABLE));
      await folder.commit();
    }
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    expect(again.pmmr.leafCount).toBe(1);
    await again.close();
  });
});

describe("a commit that fails", () => {
  test("leaves everything to be committed again or discarded", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    folder.pmmr.push(element(0, PRUNABLE));
    await folder.commit();
    folder.pmmr.push(element(1, PRUNABLE));
    folder.pmmr.prune(0);
    disk.failAt(disk.operations, "ENOSPC");
    expect(await codeOf(() => folder.commit())).toBe("AOF_NO_SPACE");
    expect(folder.state).toBe("open");
    expect(folder.isDirty).toBe(true);
    expect(folder.pmmr.leafCount).toBe(2);
    await folder.commit();
    expect([...folder.pmmr.unspentPositions()]).toEqual([1]);
    folder.pmmr.push(element(2, PRUNABLE));
    disk.failAt(disk.operations, "EIO");
    expect(await codeOf(() => folder.commit())).toBe("AOF_IO");
    folder.discard();
    expect(folder.pmmr.leafCount).toBe(2);
    await folder.close();
    const again = await openKind(disk, PRUNABLE, OPTIONS);
    expect([...again.pmmr.unspentPositions()]).toEqual([1]);
    await again.close();
  });

  test("keeps pruned subtrees too", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    folder.pmmr.pushPrunedSubtree(new Uint8Array(32).fill(1), 6);
    disk.failAt(disk.operations, "ENOSPC");
    expect(await codeOf(() => folder.commit())).toBe("AOF_NO_SPACE");
    folder.pmmr.push(element(9, PRUNABLE));
    await folder.commit();
    await folder.close();
    const again = await openKind(disk, PRUNABLE, OPTIONS);
    expect(again.stats()).toMatchObject({ prunedRootCount: 1, size: 8, hashCount: 2 });
    expect((await again.verify()).ok).toBe(true);
    await again.close();
  });

  test("takes those called after it along, and nothing of any is half there", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    disk.failAt(disk.operations, "ENOSPC");
    const commits = [0, 1, 2].map((i) => {
      folder.pmmr.push(element(i, PRUNABLE));
      if (i > 0) folder.pmmr.prune(leafPosition(i - 1));
      return folder.commit();
    });
    const results = await Promise.allSettled(commits);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(folder.isDirty).toBe(true);
    await folder.commit();
    await folder.close();
    const again = await openKind(disk, PRUNABLE, OPTIONS);
    expect([...again.pmmr.unspentPositions()]).toEqual([leafPosition(2)]);
    expect((await again.verify()).ok).toBe(true);
    await again.close();
  });

  test("takes those along that had nothing to add, and none that follow a discard", async () => {
    for (const sync of [true, false]) {
      const disk = new SimulatedDisk({ seed: 1 });
      const folder = await openKind(disk, PRUNABLE, OPTIONS);
      folder.pmmr.push(element(0, PRUNABLE));
      disk.failAt(disk.operations, "ENOSPC");
      const commits = [folder.commit(), folder.commit({ sync }), folder.commit({ sync })];
      const codes = await Promise.all(commits.map((commit) => codeOf(() => commit)));
      expect(codes).toEqual(["AOF_NO_SPACE", "AOF_NO_SPACE", "AOF_NO_SPACE"]);
      expect(folder.isDirty).toBe(true);
      folder.discard();
      expect(await codeOf(() => folder.commit({ sync }))).toBe("none");
      expect(folder.pmmr.leafCount).toBe(0);
      await folder.close();
    }
  });

  test("at its sync takes those along that had nothing to add", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    disk.before = ({ index, kind }) => {
      if (kind === "sync") disk.failAt(index, "EIO");
    };
    folder.pmmr.push(element(0, PRUNABLE));
    const commits = [folder.commit(), folder.commit({ sync: false }), folder.commit()];
    const codes = await Promise.all(commits.map((commit) => codeOf(() => commit)));
    const unknown = "AOF_DURABILITY_UNKNOWN";
    expect(codes).toEqual([unknown, unknown, unknown]);
    disk.before = undefined;
    await folder.close();
  });

  test("loses nothing of what is written and committed at every moment around it", async () => {
    let rejected = 0;
    for (let at = 0; at < 30; at++) {
      const disk = new SimulatedDisk({ seed: at, syncTurnsMax: 2 });
      const folder = await openKind(disk, PRUNABLE, OPTIONS);
      let writes = 0;
      disk.before = ({ index, kind }) => {
        if (kind === "write" && writes++ === at) disk.failAt(index, "ENOSPC");
      };
      const commits: Promise<void>[] = [];
      for (let turn = 0; turn < 40 && folder.state === "open"; turn++) {
        folder.pmmr.push(element(turn, PRUNABLE));
        if (turn % 3 === 2) folder.pmmr.prune(leafPosition(turn - 1));
        commits.push(folder.commit({ sync: turn % 2 === 0 }));
        await Promise.resolve();
      }
      const results = await Promise.allSettled(commits);
      rejected += results.filter(({ status }) => status === "rejected").length;
      if (folder.state === "open") await folder.commit();
      const state = stateOf(folder);
      const wasOpen = folder.state === "open";
      await folder.close();
      const again = await openKind(disk, PRUNABLE, OPTIONS);
      expect((await again.verify()).ok).toBe(true);
      expect(wasOpen ? stateOf(again) : {}).toEqual(wasOpen ? state : {});
      await again.close();
    }
    expect(rejected).toBeGreaterThan(10);
  });

  test("at its sync poisons the folder: it reads on, and refuses every write", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    folder.pmmr.push(element(0, PRUNABLE));
    await folder.commit();
    folder.pmmr.push(element(1, PRUNABLE));
    disk.before = ({ index, kind }) => {
      if (kind === "sync") disk.failAt(index, "EIO");
    };
    expect(await codeOf(() => folder.commit())).toBe("AOF_DURABILITY_UNKNOWN");
    disk.before = undefined;
    expect(folder.state).toBe("poisoned");
    expect(await codeOf(() => folder.pmmr.push(element(2, PRUNABLE)))).toBe("AOF_POISONED");
    expect(await codeOf(() => folder.pmmr.prune(0))).toBe("AOF_POISONED");
    expect(await codeOf(() => folder.commit())).toBe("AOF_POISONED");
    expect(folder.pmmr.element(0)).toEqual(element(0, PRUNABLE));
    await folder.close();
    const again = await openKind(disk, PRUNABLE, OPTIONS);
    expect([1, 2]).toContain(again.pmmr.leafCount);
    await again.close();
  });
});

describe("a read that fails", () => {
  test("in the middle of any operation leaves the range as it was", async () => {
    const kind: Kind = { prunable: true, variable: true };
    const actions: readonly ((folder: Folder) => unknown)[] = [
      ({ pmmr }) => pmmr.rewind(sizeOfLeaves(9), [leafPosition(8)]),
      ({ pmmr }) => pmmr.push(element(99, kind)),
      ({ pmmr }) => pmmr.pushPrunedSubtree(new Uint8Array(32).fill(1), 27),
      ({ pmmr }) => pmmr.root(),
      ({ pmmr }) => pmmr.element(leafPosition(5)),
      (folder) => folder.compact(),
      (folder) => folder.verify(),
    ];
    let failed = 0;
    for (const action of actions) {
      for (let at = 0; at < 12; at++) {
        const disk = new SimulatedDisk({ seed: at });
        const folder = await openKind(disk, kind, { ...OPTIONS, cachePagesMax: 0 });
        for (let i = 0; i < 14; i++) folder.pmmr.push(element(i, kind));
        for (const index of [2, 3, 8, 12, 13]) folder.pmmr.prune(leafPosition(index));
        await folder.commit();
        await folder.compact({ horizon: sizeOfLeaves(4) });
        await folder.checkpoint();
        const before = stateOf(folder);
        let reads = 0;
        disk.before = ({ index, kind: operation }) => {
          if (operation === "read" && reads++ === at) disk.failAt(index, "EIO");
        };
        const code = await codeOf(() => action(folder));
        disk.before = undefined;
        if (code === "none") break;
        failed++;
        expect(code).toBe("AOF_IO");
        expect(folder.state).toBe("open");
        expect(stateOf(folder)).toEqual(before);
        await folder.commit();
        expect((await folder.verify()).ok).toBe(true);
        await folder.close();
      }
    }
    expect(failed).toBeGreaterThan(15);
  });
});

describe("callbacks that throw", () => {
  test("leave no trace: codecs while writing, sources of elements, leaves to restore", async () => {
    let fuse = Number.POSITIVE_INFINITY;
    const burn = (): void => {
      if (fuse-- <= 0) throw new RangeError("mine");
    };
    const codec: ElementCodec<Uint8Array, Uint8Array> = {
      ...bytesCodec(5),
      store: (bytes) => (burn(), bytes.slice()),
      hashForm: (bytes) => (burn(), bytes.slice()),
    };
    const folder = await openPmmr(new MemoryFileSystem(), { codec, prunable: true, ...OPTIONS });
    folder.pmmr.pushMany([0, 1, 2, 3].map((i) => element(i, PRUNABLE)));
    await folder.commit();
    for (let calls = 0; calls < 10; calls++) {
      fuse = calls;
      const many = [4, 5, 6, 7, 8].map((i) => element(i, PRUNABLE));
      expect(await codeOf(() => folder.pmmr.pushMany(many))).toBe("RangeError");
      fuse = calls % 2;
      expect(await codeOf(() => folder.pmmr.push(element(4, PRUNABLE)))).toBe("RangeError");
      expect(folder.isDirty).toBe(false);
      expect(folder.pmmr.leafCount).toBe(4);
    }
    fuse = Number.POSITIVE_INFINITY;
    folder.pmmr.prune(0);
    await folder.commit();
    expect(await codeOf(() => folder.pmmr.rewind(4, failingLeaves()))).toBe("RangeError");
    expect(await codeOf(() => folder.compact({ restorable: failingLeaves() }))).toBe("RangeError");
    expect(folder.isDirty).toBe(false);
    folder.pmmr.push(element(4, PRUNABLE));
    await folder.commit();
    expect((await folder.verify()).ok).toBe(true);
    await folder.close();
  });
});

describe("iterators that nobody ends", () => {
  test("cost nothing, do not keep the folder open, and see the state of each step", async () => {
    const { folder } = await withLeaves(50);
    const { pmmr } = folder;
    const abandoned = Array.from({ length: 10_000 }, () => {
      const iterator = pmmr.unspentIndexes();
      iterator.next();
      return iterator;
    });
    const one = pmmr.unspentIndexes();
    expect(one.next().value).toBe(0);
    pmmr.prune(leafPosition(1));
    expect(one.next().value).toBe(2);
    await folder.commit();
    await folder.close();
    expect(await codeOf(() => one.next())).toBe("AOF_CLOSED");
    expect(await codeOf(() => abandoned[0]?.next())).toBe("AOF_CLOSED");
  });
});

describe("copies", () => {
  test("show one commit, whatever happens to the range while they are read", async () => {
    const { folder } = await withLeaves(9);
    for (const index of [0, 1, 4]) folder.pmmr.prune(leafPosition(index));
    await folder.commit();
    await folder.writeSnapshot("0123456789ab");
    const expected = new NaiveStore(PRUNABLE, fastHashing);
    for (let i = 0; i < 9; i++) expected.push(element(i, PRUNABLE));
    const files = expected.files();
    const archive = await folder.archive({ snapshot: "0123456789ab" });
    expect(archive.entries.map(({ name, size }) => [name, size])).toEqual([
      ["pmmr_data.bin", 45],
      ["pmmr_hash.bin", 512],
      ["pmmr_prun.bin", 8],
      ["pmmr_leaf.bin.0123456789ab", 28],
    ]);
    folder.pmmr.push(element(9, PRUNABLE));
    await folder.commit();
    await folder.compact();
    folder.pmmr.rewind(sizeOfLeaves(5));
    folder.pmmr.push(element(77, PRUNABLE));
    await folder.commit();
    for (const entry of archive.entries.slice(0, 3)) {
      expect(await contentOf(entry)).toEqual(files[entry.name]);
      expect(await contentOf(entry)).toEqual(files[entry.name]);
    }
    archive.close();
    await folder.close();
  });

  test("taken while a compaction runs show the range before it or after it", async () => {
    const sizes = new Set<number>();
    for (let turns = 0; turns < 80; turns += 2) {
      const { folder } = await withLeaves(40);
      for (let index = 0; index < 20; index++) folder.pmmr.prune(leafPosition(index));
      await folder.commit();
      await folder.writeSnapshot("0123456789ab");
      const compacted = folder.compact();
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const archive = await folder.archive({ snapshot: "0123456789ab" });
      await compacted;
      const fs = new MemoryFileSystem();
      for (const entry of archive.entries) writeFile(fs, entry.name, await contentOf(entry));
      archive.close();
      const copied = await openKind(fs, PRUNABLE, { ...OPTIONS, snapshot: "0123456789ab" });
      expect((await copied.verify()).ok).toBe(true);
      expect(copied.pmmr.root()).toEqual(folder.pmmr.root());
      sizes.add(copied.stats().hashCount);
      await copied.close();
      await folder.close();
    }
    expect(sizes.size).toBe(2);
  });

  test("wait for commits that were called, and need the rest committed", async () => {
    const { folder } = await withLeaves(9);
    folder.pmmr.push(element(9, PRUNABLE));
    const committed = folder.commit();
    const { entries } = await folder.archive();
    await committed;
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ["pmmr_data.bin", 50],
      ["pmmr_hash.bin", 576],
      ["pmmr_prun.bin", 8],
    ]);
    folder.pmmr.push(element(10, PRUNABLE));
    expect(await codeOf(() => folder.archive())).toBe("TypeError");
    folder.discard();
    expect(await codeOf(() => folder.archive({ snapshot: "0123456789ab" }))).toBe("AOF_MISSING");
    await folder.close();
  });

  test("of a range that is not prunable are hashes and data", async () => {
    const folder = await openKind(new MemoryFileSystem(), LOG, OPTIONS);
    folder.pmmr.push(element(0, LOG));
    await folder.commit();
    const { entries } = await folder.archive();
    expect(entries.map(({ name }) => name)).toEqual(["pmmr_data.bin", "pmmr_hash.bin"]);
    await folder.close();
  });
});

describe("snapshots", () => {
  test("are named by 12 hex digits, and refused under any other name", async () => {
    const { folder } = await withLeaves(2);
    for (const id of ["", "0123456789a", "0123456789AB", "../456789ab", "0123456789abc"]) {
      expect(await codeOf(() => folder.writeSnapshot(id))).toBe("TypeError");
      expect(await codeOf(() => folder.useSnapshot(id))).toBe("TypeError");
      expect(await codeOf(() => folder.removeSnapshot(id))).toBe("TypeError");
    }
    expect(await codeOf(() => folder.useSnapshot("0123456789ab"))).toBe("AOF_MISSING");
    expect(await codeOf(() => folder.readSnapshot("0123456789ab"))).toBe("AOF_MISSING");
    expect(await codeOf(() => folder.removeSnapshot("0123456789ab"))).toBe("AOF_MISSING");
  });

  test("that fail half-way leave the old one, and nothing else once the folder is opened again", async () => {
    for (let at = 0; at < 9; at++) {
      const disk = new SimulatedDisk({ seed: 1 });
      const folder = await openKind(disk, PRUNABLE, OPTIONS);
      folder.pmmr.push(element(0, PRUNABLE));
      await folder.writeSnapshot("0123456789ab");
      const old = readFile(disk, "pmmr_leaf.bin.0123456789ab");
      folder.pmmr.push(element(1, PRUNABLE));
      disk.failAt(disk.operations + at, "EIO", { persistent: true });
      const code = await codeOf(() => folder.writeSnapshot("0123456789ab"));
      disk.mend();
      const now = readFile(disk, "pmmr_leaf.bin.0123456789ab");
      expect([old.length, old.length + 2]).toContain(now.length);
      expect(code === "none" || code === "AOF_IO").toBe(true);
      await folder.close();
      await (await openKind(disk, PRUNABLE, OPTIONS)).close();
      const strange = disk.names().filter((name) => name.startsWith("pmmr_next"));
      expect(strange).toEqual([]);
    }
  });

  test("change in the order of the calls, without waiting for each other", async () => {
    const { folder } = await withLeaves(4);
    const first = folder.writeSnapshot("0123456789ab");
    folder.pmmr.prune(0);
    const calls = [
      first,
      folder.writeSnapshot("0123456789ab"),
      folder.removeSnapshot("00ff00ff00ff"),
      folder.writeSnapshot("00ff00ff00ff"),
      folder.removeSnapshot("00ff00ff00ff"),
    ];
    await folder.close();
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status === "fulfilled")).toEqual(
      calls.map((_, i) => i !== 2),
    );
    expect(folder.snapshots()).toEqual(["0123456789ab"]);
    expect([...folder.readSnapshot("0123456789ab")]).toEqual([1, 3, 4]);
  });

  test("that are written when the folder closes are there before its lock is free", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const lock = disk.lock.bind(disk);
    let released = 0;
    disk.lock = (name) => {
      const unlock = lock(name);
      return () => {
        released = disk.operations;
        unlock();
      };
    };
    const folder = await openKind(disk, PRUNABLE, OPTIONS);
    folder.pmmr.push(element(0, PRUNABLE));
    await folder.commit();
    // Every one takes two syncs, one after the other: longer than the closing itself.
    const ids = Array.from({ length: 20 }, (_, i) => `${i}`.padStart(12, "0"));
    const written = Promise.all(ids.map(async (id) => folder.writeSnapshot(id)));
    await folder.close();
    await written;
    expect(disk.operations).toBe(released);
    expect(await codeOf(() => folder.writeSnapshot("000000000000"))).toBe("AOF_CLOSED");
    const again = await openKind(disk, PRUNABLE, OPTIONS);
    expect(again.snapshots()).toEqual(ids);
    await again.close();
  });

  test("replace a journaled folder's leaf set at opening, durably", async () => {
    const { folder, fs } = await withLeaves(5);
    await folder.writeSnapshot("0123456789ab");
    folder.pmmr.prune(0);
    folder.pmmr.prune(1);
    await folder.commit();
    await folder.close();
    const back = await openKind(fs, PRUNABLE, { ...OPTIONS, snapshot: "0123456789ab" });
    expect(back.pmmr.unspentCount()).toBe(5);
    expect(back.isDirty).toBe(false);
    await back.close();
    const again = await openKind(fs, PRUNABLE, OPTIONS);
    expect(again.pmmr.unspentCount()).toBe(5);
    await again.close();
  });
});

describe("short reads and writes", () => {
  test("make no difference", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new SimulatedDisk({ seed, shortRate: 0.5 });
      const twin = await Twin.open(disk, { prunable: true, variable: seed % 2 === 0 }, OPTIONS);
      await twin.apply({ do: "push", count: 9, many: true });
      await twin.apply({ do: "spend", leaves: [0, 1, 4] });
      await twin.apply({ do: "commit", sync: true, wait: true });
      await twin.apply({ do: "snapshot", id: 0 });
      await twin.apply({ do: "compact", horizon: 200, restorable: [] });
      await twin.apply({ do: "push", count: 5, many: false });
      await twin.apply({ do: "reopen", handOver: seed % 3 === 0 });
      await twin.apply({ do: "useSnapshot", id: 0 });
      expect((await twin.folder.verify()).ok).toBe(true);
      await twin.folder.close();
      const files = Object.fromEntries(
        Object.keys(twin.committed.files()).map((name) => [name, disk.bytesOf(name)]),
      );
      expect(files).toEqual(twin.committed.files());
    }
  });
});

test("a folder in which any operation of a commit or compaction fails still shows one true range", async () => {
  let ended = 0;
  for (const what of ["commit", "compact"]) {
    for (let at = 0; ; at++) {
      const disk = new SimulatedDisk({ seed: at });
      const folder = await openKind(disk, PRUNABLE, OPTIONS);
      for (let i = 0; i < 16; i++) folder.pmmr.push(element(i, PRUNABLE));
      for (let i = 0; i < 7; i++) folder.pmmr.prune(leafPosition(i));
      await folder.commit();
      if (what === "commit") folder.pmmr.push(element(16, PRUNABLE));
      const root = folder.pmmr.root();
      const count = folder.pmmr.leafCount;
      const first = disk.operations;
      disk.failAt(first + at, "EIO");
      const code = await codeOf(() => (what === "commit" ? folder.commit() : folder.compact()));
      const isOver = disk.operations <= first + at;
      disk.mend();
      if (folder.state === "poisoned") ended++;
      // A file that could not be opened again fails to be read, which is no damage.
      const problem = await codeOf(async () => {
        expect(folder.pmmr.root()).toEqual(root);
        for (let i = 7; i < count; i++) {
          expect(folder.pmmr.element(leafPosition(i))).toEqual(element(i, PRUNABLE));
        }
        expect((await folder.verify()).problems).toEqual([]);
      });
      expect([what, at, code, problem]).toEqual([what, at, code, expect.stringMatching(READABLE)]);
      await folder.close();
      expect(disk.openFiles).toBe(0);
      if (isOver) break;
    }
  }
  expect(ended).toBeGreaterThan(5);
});

const READABLE = /^(none|AOF_CLOSED|AOF_IO)$/;
