import { printCounts, scaled, SimulatedDisk } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  type AofError,
  AppendOnlyFile,
  type AppendOnlyFileOptions,
  type FileSystem,
  MemoryFileSystem,
} from "../src/index.ts";
import { eventually, outcomeOf } from "./support/outcome.ts";

const failing = (code: AofError["code"]): unknown => expect.objectContaining({ code });
const FIXED: AppendOnlyFileOptions = { name: "log", recordSize: 4 };
const VARIABLE: AppendOnlyFileOptions = { name: "log", recordSize: 0 };

function record(value: number, length = 4): Uint8Array {
  return new Uint8Array(length).fill(value);
}

async function withRecords(
  values: readonly number[],
  options = FIXED,
  fs: FileSystem = new SimulatedDisk(),
): Promise<AppendOnlyFile> {
  const file = await AppendOnlyFile.open(fs, options);
  for (const value of values) file.append(record(value, options.recordSize === 0 ? value : 4));
  await file.commit();
  return file;
}

function valuesOf(file: AppendOnlyFile): number[] {
  return [...file.records()].map((bytes) => bytes[0] ?? -1);
}

async function bytesOf(copy: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of copy) for (const byte of piece) bytes.push(byte);
  return bytes;
}

describe.each([
  ["of one size", FIXED],
  ["of varying size", VARIABLE],
] as const)("a file of records %s", (_, options) => {
  test("keeps what is committed and drops what is not", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2, 3], options, disk);
    file.append(record(4));
    await file.close();
    const again = await AppendOnlyFile.open(disk, options);
    expect([valuesOf(again), again.created, again.sequence, again.durableSequence]).toEqual([
      [1, 2, 3],
      false,
      1,
      1,
    ]);
  });

  test("has the name asked for, and hands over nothing else", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2], options, disk);
    expect(disk.names()).toEqual(
      options === FIXED ? ["log", "log_journal.bin"] : ["log", "log.sizes", "log_journal.bin"],
    );
    await file.close({ handOver: true });
    expect(disk.names()).toEqual(options === FIXED ? ["log"] : ["log", "log.sizes"]);
    expect(valuesOf(await AppendOnlyFile.open(disk, options))).toEqual([1, 2]);
  });

  test("goes back, on, and back again", async () => {
    const file = await withRecords([1, 2, 3], options);
    file.rewind(2);
    file.append(record(4));
    file.rewind(1);
    file.append(record(5));
    expect([valuesOf(file), file.count, file.committedCount]).toEqual([[1, 5], 2, 3]);
    file.discard();
    expect(valuesOf(file)).toEqual([1, 2, 3]);
    await file.truncate(1);
    expect([file.count, file.committedCount]).toEqual([1, 1]);
  });

  test("removes records in one atomic step", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2, 3, 4, 5, 6], options, disk);
    await file.rewriteWithout([5, 0, 2, 2], { meta: Uint8Array.of(9) });
    expect(valuesOf(file)).toEqual([2, 4, 5]);
    expect(file.meta).toEqual(Uint8Array.of(9));
    file.append(record(7));
    await file.commit();
    const again = await AppendOnlyFile.open(disk.fork(), options);
    expect(valuesOf(again)).toEqual([2, 4, 5, 7]);
    expect((await again.verify()).ok).toBe(true);
    await file.rewriteWithout([]);
    await file.rewriteWithout([0, 1, 2, 3]);
    expect(valuesOf(file)).toEqual([]);
    expect((await eventually(() => file.rewriteWithout([0]))).code).toBe("AOF_OUT_OF_RANGE");
    await expect(file.rewriteWithout([-1])).rejects.toThrow(RangeError);
    file.append(record(1));
    await expect(file.rewriteWithout([])).rejects.toThrow(TypeError);
  });

  test("removes in linear time, reading and writing each byte once", async () => {
    const file = await AppendOnlyFile.open(new MemoryFileSystem(), options);
    const count = 20_000;
    file.appendMany(Array.from({ length: count }, () => record(7)));
    await file.commit();
    const before = file.stats;
    const progress: number[] = [];
    await file.rewriteWithout(
      Array.from({ length: count / 2 }, (_unused, i) => 2 * i),
      { onProgress: ({ bytesDone }) => progress.push(bytesDone) },
    );
    const after = file.stats;
    const [data, sizes] = options === FIXED ? [80_000, 0] : [80_000, 200_000];
    // The sizes are looked at twice, and read once. The first record is not read at all.
    expect(after.bytesRead - before.bytesRead).toBe(data - 4 + sizes);
    expect(after.bytesWritten - before.bytesWritten).toBeLessThan((data + sizes) / 2 + 500);
    expect(progress.at(-1)).toBe((data + sizes) / 2);
    expect(file.count).toBe(count / 2);
  });

  test("lists records, up to the end there was, unless they go away", async () => {
    const file = await withRecords([1, 2, 3, 4, 5], options);
    const listed: number[] = [];
    for (const bytes of file.records(1)) {
      listed.push(bytes[0] ?? -1);
      bytes.fill(0);
      if (listed.length < 3) file.append(record(9));
    }
    expect(listed).toEqual([2, 3, 4, 5]);
    expect([...file.records(1, 3)].map((bytes) => bytes[0])).toEqual([2, 3]);
    expect([...file.records(7)]).toEqual([]);
    const iterator = file.records();
    iterator.next();
    file.rewind(6);
    expect(outcomeOf(() => iterator.next()).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => [...file.records(0, 99)]).code).toBe("AOF_OUT_OF_RANGE");
  });

  test("is copied as it was while writing goes on", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2, 3, 4], options, disk);
    const expected = await bytesOf(file.copy());
    const copies = [file.copy(), file.copy()] as const;
    const sizes = options === VARIABLE ? file.copy("sizes") : undefined;
    file.rewind(1);
    file.append(record(8, 4));
    await file.commit();
    const second = await bytesOf(file.copy());
    const later = file.copy();
    await file.rewriteWithout([0]);
    await file.truncate(0);
    expect(await bytesOf(copies[0])).toEqual(expected);
    expect(await bytesOf(later)).toEqual(second);
    expect(await bytesOf(copies[1])).toEqual(expected);
    expect(sizes === undefined ? 40 : (await bytesOf(sizes)).length).toBe(40);
    expect(disk.names().filter((name) => name.includes("saved"))).toEqual([]);
    expect(await bytesOf(file.copy())).toEqual([]);
    await file.close();
    expect(disk.openFiles).toBe(0);
  });

  test("does what a list does, whatever is done to it", { timeout: 60_000 }, async () => {
    const counts = { histories: scaled(120), commands: 0 };
    for (const [name, make] of [
      ["memory", () => new MemoryFileSystem()],
      ["disk", () => new SimulatedDisk({ shortRate: 0.2, syncTurnsMax: 3 })],
    ] as const) {
      await fc.assert(
        fc.asyncProperty(
          fc.commands(commandsOf(options), { maxCommands: 50, size: "max" }),
          async (commands) => {
            const fs = make();
            const small: AppendOnlyFileOptions = { ...options, ...LIMITS };
            const real: Real = { fs, options: small, file: await AppendOnlyFile.open(fs, small) };
            const model: Model = { now: [], committed: [], copies: [] };
            await fc.asyncModelRun(() => ({ model, real }), commands);
            counts.commands += [...commands].length;
            await real.file.close();
          },
        ),
        { numRuns: counts.histories },
      );
      printCounts(`model of records, ${name}`, counts);
    }
    expect(counts.commands).toBeGreaterThan(1000);
  });
});

const LIMITS = { bulkBytesMin: 300, journalBytesMax: 3000, journalRecordsMax: 5, cachePagesMax: 2 };

/** The naive model: two lists, and what copies must show. */
interface Model {
  now: Uint8Array[];
  committed: Uint8Array[];
  copies: { readonly copy: AsyncIterable<Uint8Array>; readonly bytes: number[] }[];
}

interface Real {
  readonly fs: FileSystem;
  readonly options: AppendOnlyFileOptions;
  file: AppendOnlyFile;
}

type Command = fc.AsyncCommand<Model, Real>;

/** A command from a name and what it does to both. */
function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void> | void,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return {
    check,
    toString: () => name,
    run: async (model, real) => {
      await run(model, real);
      expect([real.file.count, real.file.committedCount]).toEqual([
        model.now.length,
        model.committed.length,
      ]);
    },
  };
}

const settled = (model: Readonly<Model>): boolean =>
  model.now.length === model.committed.length &&
  model.now.every((bytes, i) => bytes === model.committed[i]);

function commandsOf({ recordSize }: AppendOnlyFileOptions): fc.Arbitrary<Command>[] {
  const size = recordSize === 0 ? fc.integer({ min: 1, max: 200 }) : fc.constant(recordSize);
  const bytes = size.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  return [
    fc.array(bytes, { minLength: 1, maxLength: 20 }).map((records) =>
      command(`append ${records.length}`, (model, { file }) => {
        file.appendMany(records);
        model.now = [...model.now, ...records];
      }),
    ),
    fc.nat(100).map((share) =>
      command(`rewind to ${share}%`, (model, { file }) => {
        const count = Math.floor((model.now.length * share) / 100);
        file.rewind(count);
        model.now = model.now.slice(0, count);
      }),
    ),
    fc.constant(
      command("discard", (model, { file }) => {
        file.discard();
        model.now = model.committed;
      }),
    ),
    fc.boolean().map((sync) =>
      command(`commit, sync ${sync}`, async (model, { file }) => {
        model.committed = model.now;
        await file.commit({ sync });
      }),
    ),
    fc.constant(
      command("commit and go on", (model, { file }) => {
        model.committed = model.now;
        void file.commit();
      }),
    ),
    fc.constant(command("sync", (_, { file }) => file.sync())),
    fc.constant(command("checkpoint", (_, { file }) => file.checkpoint())),
    fc.nat(6).map((step) =>
      command(
        `remove every ${step + 2}nd`,
        async (model, { file }) => {
          const kept = model.now.filter((_, i) => i % (step + 2) !== 0);
          await file.rewriteWithout(model.now.flatMap((_, i) => (i % (step + 2) === 0 ? [i] : [])));
          model.now = kept;
          model.committed = kept;
        },
        settled,
      ),
    ),
    fc.nat(100).map((share) =>
      command(`read at ${share}%`, (model, { file }) => {
        const index = Math.floor(((model.now.length - 1) * share) / 100);
        const found = model.now.length === 0 ? undefined : file.read(index);
        expect(found).toEqual(model.now[index]);
      }),
    ),
    fc.tuple(fc.nat(100), fc.nat(100)).map(([from, share]) =>
      command(`read many from ${from}%`, (model, { file }) => {
        const begin = Math.floor((model.now.length * from) / 100);
        const count = Math.floor(((model.now.length - begin) * share) / 100);
        const { bytes: packed, bounds } = file.readMany(begin, count);
        const found = Array.from({ length: count }, (_, i) =>
          packed.slice(bounds[i], bounds[i + 1]),
        );
        expect(found).toEqual(model.now.slice(begin, begin + count));
      }),
    ),
    fc.constant(
      command("list all", (model, { file }) => {
        expect([...file.records()]).toEqual(model.now);
      }),
    ),
    fc.constant(
      command("take a copy", async (model, { file }) => {
        await file.sync();
        const content = model.committed.flatMap((one) => [...one]);
        if (model.copies.length < 5) model.copies.push({ copy: file.copy(), bytes: content });
      }),
    ),
    fc.constant(
      command("read a copy", async (model) => {
        const taken = model.copies.shift();
        expect(taken === undefined ? [] : await bytesOf(taken.copy)).toEqual(taken?.bytes ?? []);
      }),
    ),
    fc.constant(
      command("verify", async (_, { file }) => {
        expect(await file.verify()).toMatchObject({ ok: true, records: file.count });
      }),
    ),
    fc.boolean().map((handOver) =>
      command(`reopen, hand over ${handOver}`, async (model, real) => {
        await real.file.close({ handOver });
        real.file = await AppendOnlyFile.open(real.fs, real.options);
        model.now = model.committed;
        model.copies = [];
      }),
    ),
  ];
}

/** Five records, each starting with the number of bytes that follow; no journal. */
async function handedOver(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const file = await AppendOnlyFile.open(disk, VARIABLE);
  for (let i = 1; i <= 5; i++) file.append(Uint8Array.of(i, ...record(i, i)));
  await file.commit();
  await file.close({ handOver: true });
  return disk;
}

function parse(bytes: Uint8Array): number | undefined {
  return bytes[0] === undefined || bytes[0] + 1 > bytes.length ? undefined : bytes[0] + 1;
}

describe("strict opening", () => {
  test("refuses a torn tail, says so, and cuts it on request", async () => {
    const disk = new SimulatedDisk();
    disk.put("log", new Uint8Array(10).fill(1));
    await expect(AppendOnlyFile.open(disk, FIXED)).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      problems: ["log ends 2 bytes into record 2"],
      repairable: true,
    });
    expect(disk.sizeOf("log")).toBe(10);
    const file = await AppendOnlyFile.open(disk, { ...FIXED, repair: true });
    expect([file.count, disk.sizeOf("log")]).toEqual([2, 8]);
  });

  test("takes a file that holds whole records", async () => {
    const disk = new SimulatedDisk();
    disk.put("log", new Uint8Array(12).fill(3));
    const file = await AppendOnlyFile.open(disk, FIXED);
    expect([file.created, valuesOf(file)]).toEqual([false, [3, 3, 3]]);
  });

  test("finds what a power cut left beyond the last commit, and removes it by itself", async () => {
    const disk = new SimulatedDisk();
    await withRecords([1, 2], FIXED, disk);
    const image = disk.fork();
    image.open("log", "existing").write(8, Uint8Array.of(7, 7, 7));
    const file = await AppendOnlyFile.open(image, FIXED);
    expect([valuesOf(file), image.sizeOf("log")]).toEqual([[1, 2], 8]);
  });

  test.each<[string, (disk: SimulatedDisk) => void, number]>([
    ["data that ends early", (disk) => disk.open("log", "existing").truncate(13), 3],
    ["data that goes on", (disk) => disk.open("log", "existing").write(20, Uint8Array.of(1)), 5],
    ["a torn size entry", (disk) => disk.open("log.sizes", "existing").truncate(45), 4],
    ["a wrong size entry", (disk) => disk.flip("log.sizes", 29, 1), 2],
  ])("refuses %s and cuts to what agrees on request", async (_, harm, kept) => {
    const disk = await handedOver();
    harm(disk);
    await expect(AppendOnlyFile.open(disk, VARIABLE)).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      repairable: true,
    });
    const image = disk.fork();
    const file = await AppendOnlyFile.open(image, { ...VARIABLE, repair: true });
    expect([valuesOf(file), (await file.verify()).ok]).toEqual([
      [1, 2, 3, 4, 5].slice(0, kept),
      true,
    ]);
    // A parser brings back every record that is whole.
    const whole = Math.min(5, disk.sizeOf("log") === 13 ? 3 : 5);
    const parsed = await AppendOnlyFile.open(disk, { ...VARIABLE, repair: true, parse });
    expect(valuesOf(parsed)).toEqual([1, 2, 3, 4, 5].slice(0, whole));
  });

  test("makes a lost size file again from the data, and only with a parser", async () => {
    const disk = await handedOver();
    disk.erase("log.sizes");
    await expect(AppendOnlyFile.open(disk, VARIABLE)).rejects.toMatchObject({ repairable: false });
    await expect(AppendOnlyFile.open(disk, { ...VARIABLE, repair: true })).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      problems: ["log.sizes is missing"],
    });
    expect(disk.sizeOf("log")).toBe(20);
    await expect(AppendOnlyFile.open(disk, { ...VARIABLE, parse })).rejects.toMatchObject({
      repairable: true,
    });
    const file = await AppendOnlyFile.open(disk, { ...VARIABLE, repair: true, parse });
    expect(valuesOf(file)).toEqual([1, 2, 3, 4, 5]);
  });

  test("refuses another record size than it was made with", async () => {
    const disk = new SimulatedDisk();
    await (await withRecords([1], FIXED, disk)).close();
    await expect(AppendOnlyFile.open(disk, { name: "log", recordSize: 2 })).rejects.toThrow(
      failing("AOF_RECORD_SIZE"),
    );
  });

  test("refuses a second writer, not a reader", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2], FIXED, disk);
    await expect(AppendOnlyFile.open(disk, FIXED)).rejects.toThrow(failing("AOF_LOCKED"));
    const reader = await AppendOnlyFile.open(disk, { ...FIXED, readOnly: true });
    expect(valuesOf(reader)).toEqual([1, 2]);
    expect(outcomeOf(() => reader.append(record(1))).code).toBe("AOF_READ_ONLY");
    await reader.close();
    await file.close();
  });
});

describe("appending", () => {
  test("refuses records of another size, all of a batch or none", async () => {
    const file = await withRecords([1]);
    for (const size of [0, 3, 5, 8]) {
      expect(outcomeOf(() => file.append(new Uint8Array(size))).code).toBe("AOF_RECORD_SIZE");
    }
    const some = [record(2), new Uint8Array(3)];
    expect(outcomeOf(() => file.appendMany(some)).code).toBe("AOF_RECORD_SIZE");
    expect(file.count).toBe(1);
    file.appendMany([]);
    expect(() => file.append("text" as unknown as Uint8Array)).toThrow(TypeError);
    expect(file.count).toBe(1);
  });

  test("that was refused for want of space can be committed again, or dropped", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1], FIXED, disk);
    disk.failAt(disk.operations, "ENOSPC");
    file.append(record(2));
    await expect(file.commit()).rejects.toThrow(failing("AOF_NO_SPACE"));
    file.resume();
    await file.commit();
    disk.failAt(disk.operations, "ENOSPC");
    file.append(record(3));
    await expect(file.commit()).rejects.toThrow(failing("AOF_NO_SPACE"));
    file.discard();
    expect([valuesOf(file), file.state]).toEqual([[1, 2], "open"]);
  });
});

describe("verifying", () => {
  const checksum: AppendOnlyFileOptions = {
    ...FIXED,
    check: (bytes, index) => {
      if (bytes[0] !== bytes[3]) throw new Error(`record ${index} is not even`);
    },
  };

  test("names the first record its owner refuses, or all of them", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2, 3, 4], checksum, disk);
    expect(await file.verify()).toEqual({
      ok: true,
      records: 4,
      bytes: 16,
      problemCount: 0,
      problems: [],
    });
    await file.close();
    disk.flip("log", 7, 1);
    disk.flip("log", 12, 1);
    const damaged = await AppendOnlyFile.open(disk, checksum);
    expect(
      (await damaged.verify()).problems.map(({ index, file: name, offset }) => [
        index,
        name,
        offset,
      ]),
    ).toEqual([[1, "log", 4]]);
    const all = await damaged.verify({ all: true });
    expect([all.problemCount, all.problems.map(({ index }) => index)]).toEqual([2, [1, 3]]);
    const few = await damaged.verify({ all: true, problemsMax: 1 });
    expect([few.problemCount, few.problems.length]).toEqual([2, 1]);
  });

  test("names the size entry that is wrong", async () => {
    const disk = new SimulatedDisk();
    await (await withRecords([1, 2, 3], VARIABLE, disk)).close();
    disk.flip("log.sizes", 19, 4);
    const file = await AppendOnlyFile.open(disk, VARIABLE);
    const { ok, problems } = await file.verify();
    expect([ok, problems[0]?.index, problems[0]?.file]).toEqual([false, 1, "log"]);
    expect((await file.verify({ all: true })).problemCount).toBe(2);
    disk.flip("log.sizes", 19, 4);
    disk.flip("log.sizes", 29, 2);
    const shorter = await AppendOnlyFile.open(disk.fork(), VARIABLE);
    expect((await shorter.verify()).problems.map(({ index, offset }) => [index, offset])).toEqual([
      [3, 4],
    ]);
  });

  test("reports progress and stops when asked to, or when a callback throws", async () => {
    const file = await AppendOnlyFile.open(new MemoryFileSystem(), FIXED);
    file.appendMany(Array.from({ length: 3000 }, () => record(1)));
    const seen: number[] = [];
    await file.verify({ onProgress: ({ recordsDone }) => seen.push(recordsDone) });
    expect(seen).toEqual([1024, 2048]);
    const signal = { aborted: false, reason: new Error("enough") };
    const stopping = file.verify({
      signal,
      onProgress: () => {
        signal.aborted = true;
      },
    });
    await expect(stopping).rejects.toThrow("enough");
    await expect(file.verify({ signal: { aborted: true } })).rejects.toThrow("stopped");
    const throwing = file.verify({
      onProgress: () => {
        throw new Error("boom");
      },
    });
    await expect(throwing).rejects.toThrow("boom");
    await file.commit();
  });
});

describe("many unfinished iterations and copies", () => {
  test("cost little, and do not keep a file from closing", async () => {
    const disk = new SimulatedDisk();
    const file = await AppendOnlyFile.open(disk, FIXED);
    file.appendMany(Array.from({ length: 3000 }, () => record(1)));
    await file.commit();
    const before = process.memoryUsage().arrayBuffers;
    const lists = Array.from({ length: 10_000 }, () => file.records());
    for (const list of lists) list.next();
    const copies = Array.from({ length: 10_000 }, () => file.copy());
    for (const copy of copies.slice(0, 1000)) await copy.next();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000);
    expect(outcomeOf(() => file.copy()).code).toBe("AOF_TOO_MANY");
    // What 10,000 copies need of the old bytes is kept once.
    await file.truncate(1);
    expect(disk.names().filter((name) => name.includes("saved"))).toHaveLength(1);
    const last = file.records();
    const began = performance.now();
    await file.close();
    expect(performance.now() - began).toBeLessThan(1000);
    expect(disk.names()).toEqual(["log", "log_journal.bin"]);
    expect(outcomeOf(() => lists[0]?.next()).code).toBe("AOF_OUT_OF_RANGE");
    expect(outcomeOf(() => last.next()).code).toBe("AOF_CLOSED");
    expect((await eventually(async () => copies[2000]?.next())).code).toBe("AOF_CLOSED");
    expect(disk.openFiles).toBe(0);
  });

  test("free what they held when they end, are returned, or throw", async () => {
    const disk = new SimulatedDisk();
    const file = await withRecords([1, 2, 3], { ...FIXED, copiesMax: 1 }, disk);
    for (let i = 0; i < 3; i++) {
      await bytesOf(file.copy());
      for await (const _ of file.copy()) break;
      await file.copy().return?.();
    }
    const copy = file.copy();
    await copy.next();
    disk.failAt(disk.operations, "EIO");
    await file.truncate(1).catch(() => undefined);
    expect(file.state).toBe("open");
    file.resume();
    await file.commit();
    expect(valuesOf(file)).toEqual([1]);
    await copy.return?.();
    expect(disk.names()).toEqual(["log", "log_journal.bin"]);
  });
});
