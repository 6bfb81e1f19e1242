import { SimulatedDisk } from "@x/testing";
import { describe, expect, expectTypeOf, test } from "vitest";

import {
  type AofError,
  type BlobContent,
  type Copy,
  FileGroup,
  type GroupFile,
  type GroupLayout,
  type GroupOptions,
  type GroupStats,
  MemoryFileSystem,
} from "../src/index.ts";
import { codeOf, eventually, outcomeOf } from "./support/outcome.ts";
import { unclosable } from "./support/unclosable.ts";
import { JOURNAL, SmallGroup, smallLayout } from "./support/small-group.ts";

const failing = (code: AofError["code"]): unknown => expect.objectContaining({ code });

async function bytesOf(copy: Copy): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of copy.bytes(0)) bytes.push(...piece);
  return bytes;
}

const noBytes: BlobContent = () => new Uint8Array(0);

function open(options: GroupOptions): Promise<SmallGroup> {
  return SmallGroup.open(new MemoryFileSystem(), options);
}

/** What was asked of the file system between two snapshots. */
function spent(before: GroupStats, after: GroupStats): Partial<GroupStats> {
  const { reads, writes, truncates, syncs, folderSyncs, opens, renames, removes } = after;
  const difference = {
    reads: reads - before.reads,
    writes: writes - before.writes,
    truncates: truncates - before.truncates,
    syncs: syncs - before.syncs,
    folderSyncs: folderSyncs - before.folderSyncs,
    opens: opens - before.opens,
    renames: renames - before.renames,
    removes: removes - before.removes,
  };
  return Object.fromEntries(Object.entries(difference).filter(([, count]) => count !== 0));
}

async function cost(small: SmallGroup, work: () => unknown): Promise<Partial<GroupStats>> {
  const before = small.group.stats;
  await work();
  return spent(before, small.group.stats);
}

describe("a group", () => {
  test("is created from nothing and holds nothing", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk, { initialMeta: Uint8Array.of(1, 2) });
    expect(small.group.created).toBe(true);
    expect(small.group.meta).toEqual(Uint8Array.of(1, 2));
    expect([small.group.sequence, small.group.durableSequence]).toEqual([0, 0]);
    expect(disk.names()).toEqual(["s.bin", "s.blob", JOURNAL]);
    await small.close();
    const again = await SmallGroup.open(disk);
    expect(again.group.created).toBe(false);
    expect(again.group.meta).toEqual(Uint8Array.of(1, 2));
  });

  test("shows pending changes to readers at once", async () => {
    const small = await SmallGroup.open(new MemoryFileSystem());
    small.append(1).append(2).append(3).rewind(1).append(4);
    expect(small.records).toEqual([1, 4]);
    expect(small.group.files[0]?.committedSize).toBe(0);
  });

  test("goes back to the last commit call on discard", async () => {
    const small = await SmallGroup.open(new MemoryFileSystem());
    await small.append(1).append(2).commit();
    small.append(3).rewind(1).append(4).append(5).rewind(0).append(6);
    small.group.discard();
    expect(small.records).toEqual([1, 2]);
    // A commit that waits counts as made.
    const waiting = small.append(7).commit();
    small.append(8);
    small.group.discard();
    expect(small.records).toEqual([1, 2, 7]);
    await waiting;
  });

  test("takes overlapping commits in call order", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    const order: number[] = [];
    const calls = [1, 2, 3, 4, 5].map(async (value) => {
      small.append(value);
      if (value === 3) small.rewind(1).append(9);
      await small.commit({ value });
      order.push(value);
    });
    expect(small.records).toEqual([1, 9, 4, 5]);
    expect(small.group.sequence).toBe(5);
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    const again = await SmallGroup.open(disk.fork());
    expect([again.records, again.values, again.group.sequence]).toEqual([
      [1, 9, 4, 5],
      [1, 2, 3, 4, 5],
      5,
    ]);
  });

  test("keeps nothing its caller may change", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    const bytes = Uint8Array.of(1, 1, 1, 1);
    const meta = Uint8Array.of(5);
    const delta = Uint8Array.of(6);
    small.group.files[0]?.append(bytes);
    const done = small.group.commit({ meta, blobs: [{ delta, content: () => Uint8Array.of(6) }] });
    bytes.fill(0);
    meta.fill(0);
    delta.fill(0);
    await done;
    small.group.meta.fill(0);
    small.group.files[0]?.read(0, 4).fill(0);
    const again = await SmallGroup.open(disk.fork());
    expect([again.records, again.values, [...again.group.meta]]).toEqual([[1], [6], [5]]);
    expect([small.records, [...small.group.meta]]).toEqual([[1], [5]]);
  });

  test("has one writer", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await expect(SmallGroup.open(disk)).rejects.toThrow(failing("AOF_LOCKED"));
    await small.close();
    await (await SmallGroup.open(disk)).close();
  });

  test("frees the lock when it cannot be opened", async () => {
    const disk = new SimulatedDisk();
    disk.put(JOURNAL, Uint8Array.of(1, 2, 3));
    await expect(SmallGroup.open(disk)).rejects.toThrow(failing("AOF_JOURNAL_DAMAGED"));
    disk.erase(JOURNAL);
    const small = await SmallGroup.open(disk);
    expect(small.group.created).toBe(true);
    await small.close();
    expect(disk.openFiles).toBe(0);
  });

  test("tells its metrics hook, whatever that throws", async () => {
    const events: string[] = [];
    const note = (text: string): never => {
      events.push(text);
      throw new Error("a hook fails");
    };
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk, {
      metrics: {
        commit: ({ sequence, journalBytes }) => note(`commit ${sequence} ${journalBytes > 40}`),
        checkpoint: ({ sequence, generation }) => note(`checkpoint ${sequence} ${generation}`),
        poisoned: ({ error }) => note(`poisoned ${String(codeOf(error))}`),
      },
    });
    await small.append(1).commit();
    await small.group.checkpoint();
    disk.failAt(disk.operations + 2, "EIO");
    await expect(small.append(2).commit()).rejects.toThrow(failing("AOF_DURABILITY_UNKNOWN"));
    expect(events).toEqual([
      "commit 1 true",
      "checkpoint 1 2",
      "commit 2 true",
      "poisoned AOF_DURABILITY_UNKNOWN",
    ]);
  });
});

describe("what a call costs", () => {
  test("creating: two files prepared, the journal, two folder syncs", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    expect(spent(ZERO, small.group.stats)).toEqual({
      // The blob is empty: only the journal's header is written.
      writes: 1,
      syncs: 3,
      folderSyncs: 2,
      renames: 3,
      opens: 5,
    });
  });

  test("one commit: one write per changed file, one of the journal, one sync", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    expect(await cost(small, () => small.append(1).commit({ value: 1 }))).toEqual({
      writes: 2,
      syncs: 1,
    });
    expect(await cost(small, () => small.commit())).toEqual({ writes: 1, syncs: 1 });
  });

  test("a commit without sync: the same without the sync", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    expect(await cost(small, () => small.append(1).commit({ sync: false }))).toEqual({ writes: 2 });
    expect(small.group.durableSequence).toBe(0);
    expect(await cost(small, () => small.group.sync())).toEqual({ syncs: 1 });
    expect(small.group.durableSequence).toBe(1);
    expect(await cost(small, () => small.group.sync())).toEqual({});
  });

  test("commits that wait together: one sync for all", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    const many = await cost(small, () =>
      Promise.all(Array.from({ length: 50 }, (_, i) => small.append(i).commit())),
    );
    expect(many).toEqual({ writes: 100, syncs: 1 });
    expect(small.group.durableSequence).toBe(50);
  });

  test("a commit that goes back: journal first, synced whether asked for or not", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    await small.append(1, 10).commit();
    expect(await cost(small, () => small.rewind(5).append(2).commit({ sync: false }))).toEqual({
      writes: 2,
      syncs: 1,
      truncates: 1,
    });
  });

  test("a commit of many bytes: they go to the file only", async () => {
    const small = await SmallGroup.open(new SimulatedDisk(), { bulkBytesMin: 4000 });
    expect(await cost(small, () => small.append(1, 1000).commit())).toEqual({
      writes: 2,
      syncs: 2,
    });
    expect(small.group.stats.journalBytes).toBeLessThan(400);
    expect(await cost(small, () => small.append(1, 999).commit())).toEqual({ writes: 2, syncs: 1 });
    expect(small.group.stats.journalBytes).toBeGreaterThan(4000);
  });

  test("a checkpoint: the files, the changed blobs, the journal, and the folder twice", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    await small.append(1).commit({ value: 1 });
    expect(await cost(small, () => small.group.checkpoint())).toEqual({
      writes: 2,
      syncs: 3,
      folderSyncs: 2,
      renames: 2,
      opens: 3,
    });
    expect(await cost(small, () => small.group.checkpoint())).toEqual({});
    await small.append(2).commit();
    expect(await cost(small, () => small.group.checkpoint())).toEqual({
      writes: 1,
      syncs: 2,
      folderSyncs: 2,
      renames: 1,
      opens: 2,
    });
  });

  test("opening what was closed: no write, one folder sync", async () => {
    const disk = new SimulatedDisk();
    const first = await SmallGroup.open(disk);
    await first.append(1).commit({ value: 1 });
    await first.close();
    const again = await SmallGroup.open(disk);
    expect(spent(ZERO, again.group.stats)).toEqual({
      // Journal header, journal, blob.
      reads: 4,
      opens: 5,
      folderSyncs: 1,
    });
    const before = disk.stats.write;
    await again.close();
    expect(disk.stats.write).toBe(before);
  });

  test("reading: one read per page of 4 KiB, and none for what is in memory", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    await small.append(1, 3000).commit();
    const file = small.group.files[0];
    expect(await cost(small, () => file?.read(0, 4))).toEqual({ reads: 1 });
    expect(await cost(small, () => file?.read(4000, 96))).toEqual({});
    expect(await cost(small, () => file?.read(4000, 200))).toEqual({ reads: 1 });
    small.append(2);
    expect(await cost(small, () => file?.read(12_000, 4))).toEqual({});
  });

  const ZERO: GroupStats = {
    commits: 0,
    checkpoints: 0,
    cacheHits: 0,
    cacheMisses: 0,
    reads: 0,
    bytesRead: 0,
    writes: 0,
    bytesWritten: 0,
    truncates: 0,
    syncs: 0,
    folderSyncs: 0,
    opens: 0,
    renames: 0,
    removes: 0,
    journalBytes: 0,
    journalRecords: 0,
  };
});

describe("a journal", () => {
  test("never grows past its limits by more than one commit", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk, { journalBytesMax: 3000, journalRecordsMax: 10 });
    let bytes = 0;
    let records = 0;
    for (let i = 0; i < 60; i++) {
      await small.append(i, i % 7 === 0 ? 150 : 1).commit();
      bytes = Math.max(bytes, small.group.stats.journalBytes);
      records = Math.max(records, small.group.stats.journalRecords);
    }
    expect(records).toBe(11);
    // The file and the journal.
    expect(disk.openFiles).toBe(2);
    expect(bytes).toBeLessThanOrEqual(3000 + 700);
    expect(small.group.stats.checkpoints).toBeGreaterThan(4);
  });

  test("bounds commits that wait together too", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk, { journalRecordsMax: 3 });
    await Promise.all(Array.from({ length: 20 }, (_, i) => small.append(i).commit()));
    await small.group.sync();
    expect(small.group.stats.checkpoints).toBe(5);
    expect((await SmallGroup.open(disk.fork())).records).toHaveLength(20);
  });

  test("is marked as open again before the first commit after a clean close", async () => {
    const disk = new SimulatedDisk();
    await (await SmallGroup.open(disk)).close();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit();
    expect(small.group.stats.checkpoints).toBe(1);
    await small.append(1).commit();
    expect(small.group.stats.checkpoints).toBe(1);
  });
});

describe("a failing commit", () => {
  test("that found no space is undone, and can be made again once there is some", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit({ value: 1, meta: 1 });
    small.append(2);
    disk.failAt(disk.operations, "ENOSPC", { partial: "short" });
    await expect(small.commit({ value: 2, meta: 2 })).rejects.toThrow(failing("AOF_NO_SPACE"));
    expect(small.group.state).toBe("open");
    expect([small.group.sequence, [...small.group.meta]]).toEqual([1, [1]]);
    expect(small.records).toEqual([1, 2]);
    expect(small.group.files[0]?.committedSize).toBe(4);
    expect(disk.sizeOf("s.bin")).toBe(4);
    await expect(small.commit()).rejects.toThrow(failing("AOF_NO_SPACE"));
    small.group.resume();
    await small.commit({ value: 2, meta: 2 });
    const again = await SmallGroup.open(disk.fork());
    expect([again.records, again.values, again.group.sequence]).toEqual([[1, 2], [1, 2], 2]);
  });

  test("takes those that wait behind it along, and not those before", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    const first = small.append(1).commit();
    const second = small.append(2).commit();
    const third = small.rewind(0).append(3).commit();
    const synced = small.group.sync();
    small.append(4);
    // Writes of the file and the journal for the first, then of the file for the second.
    disk.failAt(disk.operations + 2, "ENOSPC");
    const results = await Promise.all(
      [first, second, third, synced].map((call) => eventually(() => call)),
    );
    expect(results.map(({ code }) => code)).toEqual([
      undefined,
      "AOF_NO_SPACE",
      "AOF_NO_SPACE",
      undefined,
    ]);
    expect(small.records).toEqual([3, 4]);
    expect(small.group.files[0]?.committedSize).toBe(4);
    small.group.discard();
    expect(small.records).toEqual([1]);
    await small.append(5).commit();
    expect((await SmallGroup.open(disk.fork())).records).toEqual([1, 5]);
  });

  test("that cannot be undone ends writing", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit();
    disk.failAt(disk.operations, "EIO", { persistent: true });
    await expect(small.append(2).commit()).rejects.toThrow(failing("AOF_IO"));
    expect(small.group.state).toBe("poisoned");
  });

  test("whose record was not written completely ends writing", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    disk.failAt(disk.operations + 1, "ENOSPC", { partial: "torn" });
    await expect(small.append(2).commit()).rejects.toThrow(failing("AOF_NO_SPACE"));
    expect(small.group.state).toBe("poisoned");
    await small.close();
    expect((await SmallGroup.open(disk)).records).toEqual([]);
  });

  test("whose sync failed ends writing, is never tried again, and its fate is unknown", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit();
    disk.failAt(disk.operations + 2, "EIO");
    const first = small.append(2).commit();
    const waiting = small.append(3).rewind(0).commit();
    await expect(first).rejects.toThrow(failing("AOF_DURABILITY_UNKNOWN"));
    await expect(waiting).rejects.toThrow(failing("AOF_POISONED"));
    const syncs = disk.stats.sync;
    for (const call of [
      () => small.commit(),
      () => small.group.sync(),
      () => small.group.checkpoint(),
      () =>
        small.group.rewrite({ files: [undefined], blobs: [undefined], meta: new Uint8Array(0) }),
    ]) {
      await expect(call()).rejects.toThrow(failing("AOF_POISONED"));
    }
    for (const call of [
      () => small.append(1),
      () => small.rewind(0),
      () => small.group.discard(),
    ]) {
      expect(outcomeOf(call).code).toBe("AOF_POISONED");
    }
    await expect(small.commit()).rejects.toMatchObject({
      cause: { code: "AOF_DURABILITY_UNKNOWN" },
    });
    expect(small.group.files[0]?.read(0, 0)).toEqual(new Uint8Array(0));
    await small.close();
    expect(small.group.state).toBe("closed");
    expect(disk.stats.sync).toBe(syncs);
    expect(disk.openFiles).toBe(0);
  });

  test("leaves committed data readable", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).append(2).commit();
    disk.failAt(disk.operations + 2, "EIO");
    await eventually(() => small.append(3).commit());
    expect(small.group.files[0]?.read(0, 8)).toEqual(Uint8Array.of(1, 1, 1, 1, 2, 2, 2, 2));
  });
});

describe("a failing read", () => {
  test("is reported, not remembered, and harms nothing", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(7).commit();
    disk.failAt(disk.operations, "EIO");
    expect(outcomeOf(() => small.records).code).toBe("AOF_IO");
    expect(small.records).toEqual([7]);
    await small.append(8).commit();
  });

  test("of a file that became shorter is AOF_TRUNCATED", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(7, 3).commit();
    disk.open("s.bin", "existing").truncate(5);
    expect(outcomeOf(() => small.group.files[0]?.read(0, 8)).code).toBe("AOF_TRUNCATED");
    expect(outcomeOf(() => small.records).code).toBe("AOF_TRUNCATED");
  });

  test("beyond the end is AOF_OUT_OF_RANGE", async () => {
    const small = await SmallGroup.open(new MemoryFileSystem());
    await small.append(7, 3).commit();
    const file = small.group.files[0];
    expect(outcomeOf(() => file?.read(8, 5)).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => file?.readInto(13, new Uint8Array(0))).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => file?.rewind(13)).code).toBe("AOF_OUT_OF_RANGE");
    expect(() => file?.read(-1, 1)).toThrow(RangeError);
    expect(() => file?.read(0.5, 1)).toThrow(RangeError);
    expect(file?.read(12, 0)).toEqual(new Uint8Array(0));
  });
});

describe("closing", () => {
  test("waits for what was called, refuses what comes later, and happens once", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    const commit = small.append(1).commit();
    const closing = small.group.close();
    expect(small.group.state).toBe("closed");
    for (const call of [
      () => small.commit(),
      () => small.group.sync(),
      () => small.group.checkpoint(),
    ]) {
      await expect(call()).rejects.toThrow(failing("AOF_CLOSED"));
    }
    expect(outcomeOf(() => small.append(1)).code).toBe("AOF_CLOSED");
    expect(outcomeOf(() => small.group.files[0]?.read(0, 0)).code).toBe("AOF_CLOSED");
    await Promise.all([commit, closing, small.group.close()]);
    const operations = disk.operations;
    await small.group.close();
    expect(disk.operations).toBe(operations);
    expect((await SmallGroup.open(disk)).records).toEqual([1]);
  });

  test("drops what was not committed", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    small.append(1);
    await small.close();
    expect((await SmallGroup.open(disk)).records).toEqual([]);
  });

  test("happens at the end of an await using block", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.group[Symbol.asyncDispose]();
    expect(small.group.state).toBe("closed");
  });

  test("that fails frees files and lock all the same", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit();
    disk.failAt(disk.operations, "EIO", { persistent: true });
    await expect(small.close()).rejects.toThrow(failing("AOF_DURABILITY_UNKNOWN"));
    disk.mend();
    expect(disk.openFiles).toBe(0);
    expect((await SmallGroup.open(disk)).records).toEqual([1]);
  });

  test("closes every file and frees the lock though none closes without an error", async () => {
    const disk = new SimulatedDisk();
    const files = ["a.bin", "b.bin"].map((name) => ({ name, recordSize: 1 }));
    const layout = { prefix: "t", files, blobs: [] };
    const group = await FileGroup.open(unclosable(disk, ["a.bin", "b.bin"]), layout);
    group.files[0]?.append(Uint8Array.of(1));
    await group.commit({ meta: new Uint8Array(0), blobs: [] });
    const both = [failing("AOF_IO"), failing("AOF_IO")];
    await expect(group.close()).rejects.toMatchObject({ code: "AOF_IO", cause: { errors: both } });
    expect(disk.openFiles).toBe(0);
    await (await FileGroup.open(disk, layout)).close();
  });

  test("reports a single file that cannot be closed as it is", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(unclosable(disk, ["s.bin"]));
    await small.append(1).commit();
    await expect(small.close()).rejects.toMatchObject({ code: "AOF_IO", cause: { code: "EIO" } });
    expect(disk.openFiles).toBe(0);
    expect((await SmallGroup.open(disk)).records).toEqual([1]);
  });

  test("an opening that fails leaves no file open though none closes without an error", async () => {
    const disk = new SimulatedDisk();
    const files = ["a.bin", "b.bin", "c.bin"].map((name) => ({ name, recordSize: 1 }));
    const layout = { prefix: "t", files, blobs: [] };
    disk.before = ({ index, kind, name }) => {
      if (kind === "open" && name === "c.bin") disk.failAt(index, "ENOSPC");
    };
    const opened = FileGroup.open(unclosable(disk, ["a.bin", "b.bin"]), layout);
    await expect(opened).rejects.toThrow(failing("AOF_NO_SPACE"));
    expect(disk.openFiles).toBe(0);
    disk.before = undefined;
    await (await FileGroup.open(disk, layout)).close();
  });

  test("keeps the lock until its owner is done with the folder, and does not ask how", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    const seen: unknown[] = [];
    const owner = async (): Promise<never> => {
      for (let turn = 0; turn < 1000; turn++) {
        seen.push(outcomeOf(() => disk.lock("s_lock")).code);
        await Promise.resolve();
      }
      throw new Error("the owner's own affair");
    };
    await small.group.close({ until: owner() });
    expect(new Set(seen)).toEqual(new Set(["AOF_LOCKED"]));
    await (await SmallGroup.open(disk)).close();
  });

  test("hands over the folder with the group's files and nothing else", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit({ value: 9 });
    await small.group.close({ handOver: true });
    expect(disk.names()).toEqual(["s.bin", "s.blob"]);
    expect(disk.bytesOf("s.blob")).toEqual(Uint8Array.of(9));
  });

  test("cannot hand over a poisoned group", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    disk.failAt(disk.operations + 2, "EIO");
    await eventually(() => small.append(1).commit());
    await expect(small.group.close({ handOver: true })).rejects.toThrow(failing("AOF_POISONED"));
    expect(disk.openFiles).toBe(0);
  });
});

describe("opening for reading only", () => {
  test("shows what recovery would find and touches nothing", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk, { bulkBytesMin: 400 });
    await small.append(1, 10).commit({ value: 1 });
    await small.append(2, 200).commit({ value: 2 });
    await small.rewind(5).append(3, 2).commit({ value: 3 });
    await small.append(4, 5000).commit();
    const image = disk.fork();
    // The file as a power cut might leave it: without what only the journal holds.
    const cut = image.open("s.bin", "existing");
    cut.write(20, new Uint8Array(8));
    cut.close();
    image.before = ({ kind, changes }) => {
      if (changes || kind === "lock") throw new Error(`${kind} while reading only`);
    };
    const reader = await SmallGroup.open(image, { readOnly: true });
    expect(reader.records).toEqual(small.records);
    expect([reader.values, reader.group.sequence, reader.group.durableSequence]).toEqual([
      [1, 2, 3],
      4,
      4,
    ]);
    expect(reader.group.files[0]?.read(19, 12)).toEqual(small.group.files[0]?.read(19, 12));
    await expect(reader.commit()).rejects.toThrow(failing("AOF_READ_ONLY"));
    await expect(reader.group.sync()).rejects.toThrow(failing("AOF_READ_ONLY"));
    expect(outcomeOf(() => reader.append(1)).code).toBe("AOF_READ_ONLY");
    await reader.close();
    expect(image.openFiles).toBe(0);
    await small.close();
  });

  test("works beside a writer", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1).commit({ value: 1 });
    const reader = await SmallGroup.open(disk, { readOnly: true });
    await small.append(2).commit();
    expect(reader.records).toEqual([1]);
    await reader.close();
  });

  test("starts over when something is committed while it looks", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 3).commit();
    let turns = 0;
    disk.before = ({ kind, name }) => {
      if (kind !== "open" || name !== "s.bin" || turns > 0) return;
      turns++;
      const file = disk.open(JOURNAL, "existing");
      file.write(file.size(), Uint8Array.of(0));
    };
    const reader = await SmallGroup.open(disk, { readOnly: true });
    expect(turns).toBe(1);
    expect(reader.records).toEqual([1, 1, 1]);
    disk.before = ({ kind, name }) => {
      if (kind !== "open" || name !== "s.bin") return;
      const file = disk.open(JOURNAL, "existing");
      file.write(file.size(), Uint8Array.of(0));
    };
    await expect(SmallGroup.open(disk, { readOnly: true })).rejects.toThrow(failing("AOF_LOCKED"));
  });

  test("of nothing is AOF_MISSING", async () => {
    await expect(SmallGroup.open(new SimulatedDisk(), { readOnly: true })).rejects.toThrow(
      failing("AOF_MISSING"),
    );
  });
});

describe("a rewrite", () => {
  test("keeps ranges, replaces contents and blobs, and is one commit", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    for (const value of [1, 2, 3, 4, 5]) small.append(value);
    await small.commit({ value: 1 });
    const rewritten = small.group.rewrite({
      files: [
        {
          keep: [
            [0, 4],
            [8, 16],
            [16, 16],
          ],
        },
      ],
      blobs: [() => Uint8Array.of(8, 8)],
      meta: Uint8Array.of(3),
    });
    expect(small.records).toEqual([1, 2, 3, 4, 5]);
    expect(() => small.append(1)).toThrow(TypeError);
    expect(() => small.group.discard()).toThrow(TypeError);
    const after = small.commit({ meta: 4 });
    await rewritten;
    await after;
    expect(small.records).toEqual([1, 3, 4]);
    expect(small.group.sequence).toBe(3);
    await small.append(6).commit();
    const again = await SmallGroup.open(disk.fork());
    expect([again.records, again.values]).toEqual([
      [1, 3, 4, 6],
      [8, 8],
    ]);
    await small.group.rewrite({
      files: [{ content: [Uint8Array.of(7, 7, 7, 7), Uint8Array.of(8, 8, 8, 8)] }],
      blobs: [undefined],
      meta: new Uint8Array(0),
    });
    expect(small.records).toEqual([7, 8]);
  });

  test("reports progress and stops on a signal with everything as it was", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 200_000).commit();
    const names = disk.names();
    const progress: number[] = [];
    const signal = { aborted: false, reason: new Error("enough") };
    await expect(
      small.group.rewrite({
        files: [{ keep: [[0, 800_000]] }],
        blobs: [undefined],
        meta: new Uint8Array(0),
        signal,
        onProgress: ({ bytesDone }) => {
          progress.push(bytesDone);
          signal.aborted = progress.length === 2;
        },
      }),
    ).rejects.toThrow("enough");
    expect(progress).toEqual([262_144, 524_288]);
    expect(disk.names()).toEqual(names);
    expect(small.group.state).toBe("open");
    small.group.discard();
    await small.append(2).commit();
    expect(small.group.files[0]?.size).toBe(800_004);
  });

  test.each<[string, (readonly [number, number])[]]>([
    ["run backwards", [[4, 0]]],
    [
      "overlap",
      [
        [0, 8],
        [4, 12],
      ],
    ],
    ["leave the file", [[0, 24]]],
    ["are no numbers", [[0, Number.NaN]]],
  ])("refuses ranges that %s", async (_, keep) => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 5).commit();
    const names = disk.names();
    await expect(
      small.group.rewrite({ files: [{ keep }], blobs: [undefined], meta: new Uint8Array(0) }),
    ).rejects.toThrow(RangeError);
    expect(disk.names()).toEqual(names);
    small.group.resume();
    await small.append(2).commit();
    expect(small.records).toEqual([1, 1, 1, 1, 1, 2]);
  });

  test("refuses pending changes", async () => {
    const small = await SmallGroup.open(new SimulatedDisk());
    small.append(1);
    await expect(
      small.group.rewrite({ files: [undefined], blobs: [undefined], meta: new Uint8Array(0) }),
    ).rejects.toThrow(TypeError);
  });

  test("is undone with a commit that it waits behind", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    const commit = small.append(1).commit();
    const rewrite = small.group.rewrite({
      files: [{ keep: [] }],
      blobs: [undefined],
      meta: new Uint8Array(0),
    });
    disk.failAt(disk.operations, "ENOSPC");
    expect((await eventually(() => commit)).code).toBe("AOF_NO_SPACE");
    expect((await eventually(() => rewrite)).code).toBe("AOF_NO_SPACE");
    small.group.resume();
    await small.commit();
    expect(small.records).toEqual([1]);
  });

  test("that found no space leaves the group usable", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 5).commit();
    const names = disk.names();
    // Sync of the file, creation of the side file, then its first write.
    disk.failAt(disk.operations + 3, "ENOSPC");
    await expect(
      small.group.rewrite({
        files: [{ keep: [[0, 8]] }],
        blobs: [undefined],
        meta: new Uint8Array(0),
      }),
    ).rejects.toThrow(failing("AOF_NO_SPACE"));
    expect(small.group.state).toBe("open");
    expect(disk.names()).toEqual(names);
    await expect(small.append(2).commit()).rejects.toThrow(failing("AOF_NO_SPACE"));
    small.group.resume();
    await small.commit();
    expect(small.records).toEqual([1, 1, 1, 1, 1, 2]);
  });

  test("that cannot give its files their names shows readers the new state, and reopening finishes it", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    for (const value of [1, 2, 3]) small.append(value);
    await small.commit({ value: 1 });
    disk.before = ({ kind, name }) => {
      if (kind === "rename" && name.startsWith("s_next")) {
        throw Object.assign(new Error("busy"), { code: "EBUSY" });
      }
    };
    const plan = { files: [{ keep: [[4, 12]] as const }], blobs: [undefined], meta: noBytes() };
    await expect(small.group.rewrite(plan)).rejects.toThrow(failing("AOF_IO"));
    expect([small.group.state, small.records]).toEqual(["poisoned", [2, 3]]);
    disk.before = undefined;
    await small.close();
    expect((await SmallGroup.open(disk)).records).toEqual([2, 3]);
  });

  test("that failed takes the commits behind it along", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 5).commit();
    const rewrite = small.group.rewrite({
      files: [{ keep: [[9, 3]] }],
      blobs: [() => new Uint8Array(0)],
      meta: new Uint8Array(0),
    });
    const behind = small.commit({ value: 1 });
    await expect(rewrite).rejects.toThrow(RangeError);
    await expect(behind).rejects.toThrow(RangeError);
    expect([small.group.sequence, small.values]).toEqual([1, []]);
  });
});

describe("the caller's mistakes", () => {
  const layout = smallLayout({ list: [] });

  test.each<[string, Partial<GroupLayout>]>([
    ["a name that leaves the folder", { files: [{ name: "../x", recordSize: 0 }] }],
    ["a name of the group itself", { files: [{ name: "s_journal.bin", recordSize: 0 }] }],
    ["a name of a side file", { files: [{ name: "s_next.1.x", recordSize: 0 }] }],
    ["a name used twice", { files: [{ name: "s.blob", recordSize: 0 }] }],
    ["a prefix that is no name", { prefix: "" }],
    ["a name too long for its side file", { files: [{ name: "x".repeat(120), recordSize: 0 }] }],
  ])("in a layout are TypeErrors: %s", async (_, more) => {
    await expect(FileGroup.open(new MemoryFileSystem(), { ...layout, ...more })).rejects.toThrow(
      TypeError,
    );
  });

  test.each<[string, Partial<GroupLayout>]>([
    ["no file", { files: [], blobs: [] }],
    [
      "nine files",
      { files: Array.from({ length: 9 }, (_, i) => ({ name: `f${i}`, recordSize: 0 })) },
    ],
    ["a record size that is no u32", { files: [{ name: "f", recordSize: 2 ** 32 }] }],
  ])("in a layout are RangeErrors: %s", async (_, more) => {
    await expect(FileGroup.open(new MemoryFileSystem(), { ...layout, ...more })).rejects.toThrow(
      RangeError,
    );
  });

  test("in options are RangeErrors or TypeErrors", async () => {
    await expect(open({ journalBytesMax: -1 })).rejects.toThrow(RangeError);
    await expect(open({ journalBytesMax: 2 ** 31 })).rejects.toThrow(RangeError);
    await expect(open({ initialMeta: new Uint8Array(1025) })).rejects.toThrow(RangeError);
    await expect(open({ expect: { sequence: 0.5 } })).rejects.toThrow(RangeError);
    await expect(open({ readOnly: true, repair: true })).rejects.toThrow(TypeError);
  });

  test("in a commit change nothing", async () => {
    const small = await SmallGroup.open(new MemoryFileSystem());
    small.append(1);
    const commit = (
      meta: Uint8Array,
      blobs: Parameters<FileGroup["commit"]>[0]["blobs"],
    ): Promise<void> => small.group.commit({ meta, blobs });
    await expect(commit(new Uint8Array(1025), [undefined])).rejects.toThrow(RangeError);
    await expect(commit(new Uint8Array(0), [])).rejects.toThrow(RangeError);
    await expect(
      commit(new Uint8Array(0), [{ delta: new Uint8Array(0), content: noBytes }]),
    ).rejects.toThrow(RangeError);
    expect(() => small.group.files[0]?.append("text" as unknown as Uint8Array)).toThrow(TypeError);
    expect(small.group.sequence).toBe(0);
    await small.commit();
    expect(small.records).toEqual([1]);
  });

  test("of another record size or other names are told apart from damage", async () => {
    const disk = new SimulatedDisk();
    await (await SmallGroup.open(disk)).close();
    await expect(
      SmallGroup.open(disk, {}, { files: [{ name: "s.bin", recordSize: 8 }] }),
    ).rejects.toThrow(failing("AOF_RECORD_SIZE"));
    await expect(
      SmallGroup.open(
        disk,
        { adopt: true, repair: true },
        {
          files: [{ name: "t.bin", recordSize: 4 }],
          adopt: () => ({ kind: "accept", meta: new Uint8Array(0) }),
        },
      ),
    ).rejects.toThrow(failing("AOF_FOREIGN_CHANGE"));
    expect((await SmallGroup.open(disk)).records).toEqual([]);
  });
});

describe("types", () => {
  test("say that results are fresh and files cannot be replaced", () => {
    expectTypeOf<FileGroup["meta"]>().toEqualTypeOf<Uint8Array<ArrayBuffer>>();
    expectTypeOf<FileGroup["state"]>().toEqualTypeOf<"open" | "poisoned" | "closed">();
    expectTypeOf<FileGroup["files"]>().toEqualTypeOf<readonly GroupFile[]>();
  });
});

describe("a copy taken while bytes are about to change", () => {
  /** Each takes bytes of ten records away. */
  const changes: readonly [string, (group: FileGroup) => Promise<void>][] = [
    [
      "a rewinding commit",
      async (group) => {
        group.files[0]?.rewind(8);
        group.files[0]?.append(new Uint8Array(40).fill(99));
        await group.commit({ meta: Uint8Array.of(), blobs: [undefined] });
      },
    ],
    [
      "a rewrite",
      (group) =>
        group.rewrite({
          files: [{ keep: [[20, 40]] }],
          blobs: [undefined],
          meta: Uint8Array.of(),
        }),
    ],
  ];

  test.each(changes)("shows one state in every moment of %s", async (_, change) => {
    let before = 0;
    let after = 0;
    let together = 0;
    for (let turns = 0; turns < 60; turns++) {
      const disk = new SimulatedDisk();
      const small = await SmallGroup.open(disk);
      for (let i = 0; i < 10; i++) small.append(i);
      await small.commit();
      const old = [...(small.group.files[0]?.read(0, 40) ?? [])];
      const changed = change(small.group);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const copies = [small.group.copy(), small.group.copy()] as const;
      const saved = disk.names().filter((name) => name.includes("_saved."));
      together += saved.length;
      expect(saved.length).toBeLessThan(2);
      await changed;
      const { files } = small.group;
      const next = [...(files[0]?.read(0, files[0].size) ?? [])];
      const shown = await bytesOf(copies[0]);
      expect([old, next]).toContainEqual(shown);
      expect(await bytesOf(copies[1])).toEqual(shown);
      if (shown.length === old.length) before++;
      else after++;
      for (const copy of copies) copy.close();
      expect(disk.names()).toEqual(["s.bin", "s.blob", JOURNAL]);
      await small.close();
    }
    expect(Math.min(before, after, together)).toBeGreaterThan(0);
  });

  test("is refused without room, and the change goes on", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 10).commit();
    const changed = small.append(2).rewind(3).commit();
    await Promise.resolve();
    await Promise.resolve();
    disk.failAt(disk.operations + 2, "ENOSPC");
    expect(outcomeOf(() => small.group.copy()).code).toBe("AOF_NO_SPACE");
    await changed;
    expect(small.records).toEqual([1, 1, 1]);
    expect(disk.names()).toEqual(["s.bin", "s.blob", JOURNAL]);
  });

  test("is refused where the change ended half-way", async () => {
    const disk = new SimulatedDisk();
    const small = await SmallGroup.open(disk);
    await small.append(1, 10).commit();
    disk.before = ({ kind, name }) => {
      if (kind === "truncate" && name === "s.bin") throw new Error("no");
    };
    await small.rewind(3).commit();
    await eventually(() => small.group.sync());
    expect(small.group.state).toBe("poisoned");
    expect(outcomeOf(() => small.group.copy()).code).toBe("AOF_POISONED");
    await small.close();
  });
});

test("whichever operation fails, closing frees every file", async () => {
  let failed = 0;
  for (let at = 0; ; at++) {
    const disk = new SimulatedDisk({ seed: at });
    disk.failAt(at, "EIO");
    const group = await eventually(() => SmallGroup.open(disk));
    if (group.value !== undefined) {
      const small = group.value;
      await eventually(() => small.append(1, 3).commit({ value: 1 }));
      await eventually(() => small.group.checkpoint());
      await eventually(() => small.close());
    }
    expect([at, disk.openFiles]).toEqual([at, 0]);
    failed = at;
    if (disk.operations <= at) break;
  }
  expect(failed).toBeGreaterThan(40);
});
