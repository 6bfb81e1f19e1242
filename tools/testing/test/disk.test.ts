import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  type CrashMode,
  type DiskOperation,
  Random,
  SimulatedDisk,
  type SimulatedFile,
} from "../src/index.ts";

const MODES: readonly CrashMode[] = ["kill", "none", "prefix", "subset", "reverse", "tear"];

function bytes(count: number, value: number): Uint8Array {
  return new Uint8Array(count).fill(value);
}

function written(disk: SimulatedDisk, name: string, content: Uint8Array): SimulatedFile {
  const file = disk.open(name, "create");
  expect(file.write(0, content)).toBe(content.length);
  return file;
}

/** Contents of all files as one string, to count different disks. */
function shown(disk: SimulatedDisk): string {
  return disk
    .names()
    .map((name) => `${name}=${disk.bytesOf(name)?.join(",")}`)
    .join(" ");
}

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("what is durable", () => {
  test("synced data under a synced name survives every crash", () => {
    const disk = new SimulatedDisk();
    written(disk, "a", bytes(1200, 7)).syncNow();
    disk.syncNow();
    for (const mode of MODES) {
      for (let seed = 0; seed < 20; seed++) {
        expect(disk.crash(mode, new Random(seed)).bytesOf("a")).toEqual(bytes(1200, 7));
      }
    }
  });

  test("syncing a file does not make its name durable", () => {
    const disk = new SimulatedDisk();
    written(disk, "a", bytes(10, 1)).syncNow();
    expect(disk.crash("none", new Random(0)).names()).toEqual([]);
  });

  test("syncing the folder does not make data durable", () => {
    const disk = new SimulatedDisk();
    written(disk, "a", bytes(10, 1));
    disk.syncNow();
    expect(disk.crash("none", new Random(0)).bytesOf("a")).toEqual(bytes(0, 0));
  });

  test("a kill loses nothing, and what was not synced can still be lost afterwards", () => {
    const disk = new SimulatedDisk();
    written(disk, "a", bytes(10, 1));
    const killed = disk.crash("kill", new Random(0));
    expect(killed.bytesOf("a")).toEqual(bytes(10, 1));
    expect(killed.crash("none", new Random(0)).names()).toEqual([]);
  });

  test("a sync covers what was written before it was called, not what came while it ran", async () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(0, 0));
    const file = disk.open("a", "existing");
    file.write(0, bytes(4, 1));
    const running = file.sync();
    expect(disk.crash("none", new Random(0)).sizeOf("a")).toBe(0);
    file.write(4, bytes(4, 2));
    await running;
    expect(disk.crash("none", new Random(0)).bytesOf("a")).toEqual(bytes(4, 1));
  });

  test("a rename without a folder sync can vanish, and never leaves both names or neither", () => {
    const disk = new SimulatedDisk();
    written(disk, "old", bytes(3, 1)).syncNow();
    disk.syncNow();
    disk.rename("old", "new");
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      seen.add(disk.crash("subset", new Random(seed)).names().join());
    }
    expect(seen).toEqual(new Set(["old", "new"]));
    disk.syncNow();
    expect(disk.crash("none", new Random(0)).names()).toEqual(["new"]);
  });

  test("a removed file can come back until the folder is synced", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(3, 1));
    disk.remove("a");
    expect(disk.crash("none", new Random(0)).bytesOf("a")).toEqual(bytes(3, 1));
    disk.syncNow();
    expect(disk.crash("none", new Random(0)).names()).toEqual([]);
  });
});

describe("a power cut", () => {
  test("prefix keeps sectors in order, subset and reverse do not have to", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(2048, 0));
    disk.open("a", "existing").write(0, bytes(2048, 1));
    const patterns = (mode: CrashMode): Set<string> => {
      const seen = new Set<string>();
      for (let seed = 0; seed < 400; seed++) {
        const content = disk.crash(mode, new Random(seed)).bytesOf("a") ?? bytes(0, 0);
        seen.add([0, 512, 1024, 1536].map((at) => content[at]).join(""));
      }
      return seen;
    };
    expect(patterns("prefix")).toEqual(new Set(["0000", "1000", "1100", "1110", "1111"]));
    expect(patterns("reverse")).toEqual(new Set(["0000", "0001", "0011", "0111", "1111"]));
    expect(patterns("subset").size).toBe(16);
  });

  test("an unaligned write is cut at sector bounds of the file, not of the write", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(1024, 0));
    disk.open("a", "existing").write(500, bytes(24, 1));
    expect(disk.pendingPieces()).toBe(2);
    expect(
      [...disk.crashes()].map((image) => image.bytesOf("a")?.subarray(500, 524).join("")),
    ).toEqual([
      "0".repeat(24),
      "1".repeat(12) + "0".repeat(12),
      "0".repeat(12) + "1".repeat(12),
      "1".repeat(24),
    ]);
  });

  test("a length can arrive without its data and data without its length", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(4, 9));
    disk.open("a", "existing").write(4, bytes(4, 1));
    expect(new Set([...disk.crashes()].map(shown))).toEqual(
      new Set(["a=9,9,9,9", "a=9,9,9,9,0,0,0,0", "a=9,9,9,9,1,1,1,1"]),
    );
  });

  test("a later length shows data whose own length was lost", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(0, 0));
    const file = disk.open("a", "existing");
    file.write(0, bytes(2, 1));
    file.write(2, bytes(2, 2));
    expect(new Set([...disk.crashes()].map(shown))).toContain("a=1,1,0,0");
  });

  test("a cut that was not synced can be undone while a write after it stays", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(6, 9));
    const file = disk.open("a", "existing");
    file.truncate(2);
    file.write(2, bytes(2, 1));
    expect(new Set([...disk.crashes()].map(shown))).toEqual(
      new Set(["a=9,9,9,9,9,9", "a=9,9", "a=9,9,1,1,9,9", "a=9,9,1,1", "a=9,9,9,9", "a=9,9,0,0"]),
    );
  });

  test("tearing cuts inside a sector and can leave garbage where a file grew", () => {
    const disk = new SimulatedDisk();
    disk.put("a", bytes(0, 0));
    disk.open("a", "existing").write(0, bytes(100, 1));
    let torn = 0;
    let garbage = 0;
    for (let seed = 0; seed < 300; seed++) {
      const content = disk.crash("tear", new Random(seed)).bytesOf("a") ?? bytes(0, 0);
      const ones = content.findIndex((byte) => byte !== 1);
      if (ones > 0) torn++;
      if (content.some((byte) => byte > 1)) garbage++;
    }
    expect(torn).toBeGreaterThan(20);
    expect(garbage).toBeGreaterThan(20);
  });

  test("every image of every random mode is among the enumerated ones", () => {
    fc.assert(
      fc.property(history(), fc.integer(), (steps, seed) => {
        const disk = played(steps);
        fc.pre(disk.pendingPieces() <= 10);
        const possible = new Set([...disk.crashes()].map(shown));
        for (const mode of ["none", "prefix", "subset", "reverse"] as const) {
          expect(possible).toContain(shown(disk.crash(mode, new Random(seed))));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("all subsets are enumerated, each once per piece", () => {
    const disk = new SimulatedDisk();
    for (const name of ["a", "b"]) disk.put(name, bytes(512, 0));
    disk.open("a", "existing").write(0, bytes(512, 1));
    disk.open("b", "existing").write(0, bytes(512, 1));
    disk.rename("b", "c");
    expect(disk.pendingPieces()).toBe(3);
    expect(new Set([...disk.crashes()].map(shown)).size).toBe(8);
    expect(() => [...disk.crashes(2)]).toThrow(RangeError);
  });

  test("the same seed gives the same image and the same random bytes", () => {
    fc.assert(
      fc.property(history(), fc.integer(), fc.constantFrom(...MODES), (steps, seed, mode) => {
        const disk = played(steps);
        const [one, two] = [0, 0].map(() => disk.crash(mode, new Random(seed)));
        expect(one && shown(one)).toBe(two && shown(two));
        expect(one?.randomBytes(8)).toEqual(two?.randomBytes(8));
      }),
      { numRuns: 100 },
    );
  });

  test("locks are dropped", () => {
    const disk = new SimulatedDisk();
    disk.lock("lock");
    expect(caught(() => disk.lock("lock"))).toMatchObject({ code: "AOF_LOCKED" });
    for (const mode of MODES) disk.crash(mode, new Random(1)).lock("lock");
  });
});

describe("a fork", () => {
  test("and its origin do not see each other's changes", () => {
    fc.assert(
      fc.property(history(), history(), history(), (before, left, right) => {
        const disk = played(before);
        const fork = disk.fork();
        const seen = shown(disk);
        play(fork, left);
        expect(shown(disk)).toBe(seen);
        const changed = shown(fork);
        const lost = shown(fork.crash("none", new Random(0)));
        play(disk, right);
        expect(shown(fork)).toBe(changed);
        expect(shown(fork.crash("none", new Random(0)))).toBe(lost);
      }),
      { numRuns: 300 },
    );
  });

  test("reads like a plain map of arrays, whatever was written, cut and renamed", () => {
    fc.assert(
      fc.property(history(), (steps) => {
        const disk = played(steps);
        expect(shown(disk)).toBe(plain(steps));
        disk.syncNow();
        for (const name of disk.names()) disk.open(name, "existing").syncNow();
        expect(shown(disk.crash("none", new Random(0)))).toBe(plain(steps));
      }),
      { numRuns: 500 },
    );
  });
});

describe("a fault", () => {
  test("strikes the numbered operation, once", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(1, 1));
    disk.failAt(disk.operations, "EIO");
    const error = caught(() => file.write(1, bytes(1, 1)));
    expect(error).toMatchObject({ code: "AOF_IO", cause: { code: "EIO" } });
    expect(file.write(1, bytes(1, 2))).toBe(1);
    expect(disk.bytesOf("a")).toEqual(Uint8Array.of(1, 2));
  });

  test("a full disk takes a part of the write, then refuses the rest", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(1, 1));
    disk.failAt(disk.operations, "ENOSPC", { partial: "short" });
    const count = file.write(1, bytes(100, 2));
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(100);
    expect(caught(() => file.write(1 + count, bytes(100 - count, 2)))).toMatchObject({
      code: "AOF_NO_SPACE",
    });
    expect(disk.sizeOf("a")).toBe(1 + count);
    expect(file.write(1 + count, bytes(1, 3))).toBe(1);
  });

  test("a torn write leaves a part and throws", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(1, 1));
    disk.failAt(disk.operations, "EIO", { partial: "torn" });
    expect(caught(() => file.write(1, bytes(100, 2)))).toMatchObject({ code: "AOF_IO" });
    expect(disk.sizeOf("a")).toBeGreaterThan(1);
    expect(disk.sizeOf("a")).toBeLessThan(101);
  });

  test("a disk that stays full still reads, syncs, cuts and removes", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(4, 1));
    disk.failAt(disk.operations, "ENOSPC", { persistent: true });
    for (let i = 0; i < 3; i++) {
      expect(caught(() => file.write(4, bytes(1, 1)))).toMatchObject({ code: "AOF_NO_SPACE" });
    }
    file.truncate(2);
    file.syncNow();
    expect(file.read(0, bytes(9, 0))).toBe(2);
    disk.mend();
    expect(file.write(2, bytes(1, 1))).toBe(1);
  });

  test("a dead disk fails everything until it is mended", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(4, 1));
    disk.failAt(disk.operations, "EIO", { persistent: true });
    const calls = [
      () => file.read(0, bytes(1, 0)),
      () => file.size(),
      () => disk.list(),
      () => disk.open("a", "existing"),
      () => disk.syncNow(),
    ];
    for (const call of calls) expect(caught(call)).toMatchObject({ code: "AOF_IO" });
    disk.mend();
    expect(file.size()).toBe(4);
  });

  test("a failed sync loses what it covered for good, while readers go on seeing it", async () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(4, 1));
    disk.syncNow();
    disk.failAt(disk.operations, "EIO");
    await expect(file.sync()).rejects.toMatchObject({ code: "AOF_IO" });
    await file.sync();
    disk.syncNow();
    expect(disk.bytesOf("a")).toEqual(bytes(4, 1));
    expect(disk.crash("kill", new Random(0)).bytesOf("a")).toEqual(bytes(4, 1));
    for (const mode of ["none", "prefix", "subset", "tear"] as const) {
      expect(disk.crash(mode, new Random(0)).sizeOf("a")).toBe(0);
    }
    file.write(0, bytes(4, 1));
    await file.sync();
    expect(disk.crash("none", new Random(0)).bytesOf("a")).toEqual(bytes(4, 1));
  });

  test("a failed folder sync loses nothing", () => {
    const disk = new SimulatedDisk();
    written(disk, "a", bytes(1, 1));
    disk.failAt(disk.operations, "EIO");
    expect(caught(() => disk.syncNow())).toMatchObject({ code: "AOF_IO" });
    disk.syncNow();
    expect(disk.crash("none", new Random(0)).names()).toEqual(["a"]);
  });

  test("a hook that throws before a sync loses nothing", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(4, 1));
    disk.before = () => {
      throw new Error("power");
    };
    expect(() => file.syncNow()).toThrow("power");
    disk.before = undefined;
    file.syncNow();
    disk.syncNow();
    expect(disk.crash("none", new Random(0)).sizeOf("a")).toBe(4);
  });

  test("short reads and writes transfer at least one byte and less than asked", () => {
    const disk = new SimulatedDisk({ seed: 5, shortRate: 1 });
    const file = disk.open("a", "create");
    for (let i = 0; i < 50; i++) {
      const count = file.write(0, bytes(20, 1));
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThan(20);
      expect(file.read(0, bytes(20, 0))).toBeLessThan(20);
    }
    expect(file.write(0, bytes(1, 1))).toBe(1);
  });

  test("a transfer can be cut to a given length, also to nothing", () => {
    const disk = new SimulatedDisk();
    const file = written(disk, "a", bytes(20, 1));
    disk.shortAt(disk.operations, 0);
    expect(file.read(0, bytes(20, 0))).toBe(0);
    expect(file.read(0, bytes(20, 0))).toBe(20);
    disk.shortAt(disk.operations, 3, { persistent: true });
    for (let i = 0; i < 3; i++) expect(file.write(0, bytes(20, 2))).toBe(3);
  });
});

describe("looking from outside", () => {
  test("every operation is announced before it happens and counted by kind", async () => {
    const disk = new SimulatedDisk();
    const seen: DiskOperation[] = [];
    disk.before = (operation) => seen.push(operation);
    const file = disk.open("a", "create");
    file.write(0, bytes(3, 1));
    file.read(0, bytes(2, 0));
    file.truncate(1);
    file.truncate(2);
    await file.sync();
    file.close();
    disk.rename("a", "b");
    await disk.sync();
    disk.list();
    disk.remove("b");
    expect(seen.map(({ kind }) => kind)).toEqual([
      "create",
      "write",
      "read",
      "truncate",
      "extend",
      "sync",
      "rename",
      "folderSync",
      "list",
      "remove",
    ]);
    expect(seen.map(({ index }) => index)).toEqual(seen.map((_, i) => i));
    expect(seen.filter(({ changes }) => !changes).map(({ kind }) => kind)).toEqual([
      "read",
      "list",
    ]);
    expect(disk.stats).toMatchObject({ operations: 10, write: 1, bytesWritten: 3, bytesRead: 2 });
  });

  test("what was put there is durable and can be damaged bit by bit", () => {
    const disk = new SimulatedDisk();
    disk.put("a", Uint8Array.of(1, 2));
    disk.flip("a", 1, 0x80);
    expect(disk.crash("none", new Random(0)).bytesOf("a")).toEqual(Uint8Array.of(1, 0x82));
    expect(() => disk.flip("a", 2, 1)).toThrow(RangeError);
    disk.erase("a");
    expect(disk.crash("none", new Random(0)).names()).toEqual([]);
  });

  test("open files are counted until they are closed", () => {
    const disk = new SimulatedDisk();
    const file = disk.open("a", "create");
    const other = disk.open("a", "existing");
    expect(disk.openFiles).toBe(2);
    file.close();
    file.close();
    expect(disk.openFiles).toBe(1);
    expect(caught(() => file.size())).toMatchObject({ code: "AOF_CLOSED" });
    expect(other.size()).toBe(0);
  });
});

type Step =
  | { readonly kind: "write"; readonly name: string; readonly at: number; readonly count: number }
  | { readonly kind: "truncate"; readonly name: string; readonly size: number }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "sync"; readonly name: string }
  | { readonly kind: "folderSync" };

function history(): fc.Arbitrary<Step[]> {
  const name = fc.constantFrom("a", "b", "c");
  const offset = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 500, max: 2100 }));
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        name,
        at: offset,
        count: offset,
      }),
    },
    fc.record({ kind: fc.constant("truncate" as const), name, size: offset }),
    fc.record({ kind: fc.constant("rename" as const), name, to: name }),
    fc.record({ kind: fc.constant("remove" as const), name }),
    fc.record({ kind: fc.constant("sync" as const), name }),
    fc.record({ kind: fc.constant("folderSync" as const) }),
  );
  return fc.array(step, { maxLength: 12 });
}

function played(steps: readonly Step[]): SimulatedDisk {
  const disk = new SimulatedDisk();
  play(disk, steps);
  return disk;
}

function play(disk: SimulatedDisk, steps: readonly Step[]): void {
  for (const [i, step] of steps.entries()) {
    if (step.kind === "folderSync") disk.syncNow();
    else if (step.kind === "write")
      disk.open(step.name, "create").write(step.at, bytes(step.count, i + 1));
    else if (disk.sizeOf(step.name) === undefined) continue;
    else if (step.kind === "truncate") disk.open(step.name, "existing").truncate(step.size);
    else if (step.kind === "rename") disk.rename(step.name, step.to);
    else if (step.kind === "remove") disk.remove(step.name);
    else disk.open(step.name, "existing").syncNow();
  }
}

/** What the steps leave, by a map of plain arrays. */
function plain(steps: readonly Step[]): string {
  const files = new Map<string, number[]>();
  for (const [i, step] of steps.entries()) {
    if (step.kind === "folderSync" || step.kind === "sync") continue;
    const file = files.get(step.name) ?? [];
    if (step.kind !== "write" && !files.has(step.name)) continue;
    if (step.kind === "write") {
      files.set(step.name, file);
      if (step.count > 0) while (file.length < step.at) file.push(0);
      for (let k = 0; k < step.count; k++) file[step.at + k] = i + 1;
    } else if (step.kind === "truncate") {
      file.length = Math.min(file.length, step.size);
      while (file.length < step.size) file.push(0);
    } else {
      files.delete(step.name);
      if (step.kind === "rename") files.set(step.to, file);
    }
  }
  return [...files]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, content]) => `${name}=${content.join(",")}`)
    .join(" ");
}
