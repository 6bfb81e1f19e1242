import { SimulatedDisk } from "@x/testing";
import { describe, expect, test } from "vitest";

import { AppendOnlyFile, type FileSystem, type OpenFile } from "../src/index.ts";
import { Medium } from "../src/medium.ts";
import { eventually, outcomeOf } from "./support/outcome.ts";
import { sha256 } from "./support/sha256.ts";

/** A file system whose every call fails with this. */
function failingWith(cause: unknown): FileSystem {
  const fail = (): never => {
    throw cause;
  };
  return {
    open: fail,
    rename: fail,
    remove: fail,
    list: fail,
    sync: async () => fail(),
    syncNow: fail,
    lock: fail,
  };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: of a system`), { code });
}

describe("a medium", () => {
  test.each([
    ["ENOSPC", "AOF_NO_SPACE"],
    ["EDQUOT", "AOF_NO_SPACE"],
    ["EFBIG", "AOF_NO_SPACE"],
    ["ENOENT", "AOF_MISSING"],
    ["EIO", "AOF_IO"],
    ["EMFILE", "AOF_IO"],
    ["AOF_LOCKED", "AOF_LOCKED"],
    ["AOF_NOT_A_FILE", "AOF_NOT_A_FILE"],
    ["AOF_CLOSED", "AOF_CLOSED"],
    ["ERR_ANYTHING", "AOF_IO"],
  ])("reports %s of a file system as %s, with the cause", (from, to) => {
    const cause = systemError(from);
    const medium = new Medium(failingWith(cause));
    for (const call of [
      () => medium.open("a", "create"),
      () => medium.rename("a", "b"),
      () => medium.remove("a"),
      () => medium.names(),
      () => medium.lock("a"),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: to, cause }));
    }
  });

  test("reports every failed sync as AOF_DURABILITY_UNKNOWN", async () => {
    const cause = systemError("ENOSPC");
    const medium = new Medium(failingWith(cause));
    await expect(medium.syncFolder()).rejects.toMatchObject({
      code: "AOF_DURABILITY_UNKNOWN",
      cause,
    });
    const file: OpenFile = new SimulatedDisk().open("a", "create");
    const broken = { ...failingWith(cause), open: (): OpenFile => failingSync(file, cause) };
    await expect(new Medium(broken).open("a", "create").sync()).rejects.toMatchObject({
      code: "AOF_DURABILITY_UNKNOWN",
      cause,
    });
  });

  test("reports what is no error too", () => {
    expect(outcomeOf(() => new Medium(failingWith("text")).names()).code).toBe("AOF_IO");
  });

  test("hashes and draws random bytes itself where its file system does not", async () => {
    const disk = new SimulatedDisk();
    const plain = withoutOwn(disk);
    const medium = new Medium(plain);
    const parts = [Uint8Array.of(1, 2), new Uint8Array(100), Uint8Array.of(3)];
    expect(medium.sha256(parts)).toEqual(sha256(parts));
    expect(medium.sha256([Uint8Array.of(7)])).toEqual(sha256([Uint8Array.of(7)]));
    expect(medium.sha256([])).toEqual(sha256([]));
    expect(medium.randomBytes(16)).toHaveLength(16);
    expect(medium.randomBytes(16)).not.toEqual(medium.randomBytes(16));
    const options = { name: "log", recordSize: 1 };
    const file = await AppendOnlyFile.open(plain, options);
    file.append(Uint8Array.of(5));
    await file.commit();
    const again = await AppendOnlyFile.open(disk.fork(), options);
    expect(again.read(0)).toEqual(Uint8Array.of(5));
  });

  test("waits for every sync it began, also when one fails", async () => {
    const disk = new SimulatedDisk({ syncTurnsMax: 20, seed: 5 });
    const file = await AppendOnlyFile.open(disk, { name: "log", recordSize: 0, bulkBytesMin: 1 });
    file.append(Uint8Array.of(1));
    // Both files are synced side by side; the first fails.
    disk.failAt(disk.operations + 2, "EIO");
    expect((await eventually(() => file.commit())).code).toBe("AOF_DURABILITY_UNKNOWN");
    expect(disk.stats.sync).toBe(3 + 2);
    await file.close();
    expect(disk.openFiles).toBe(0);
  });
});

function withoutOwn(disk: SimulatedDisk): FileSystem {
  return {
    open: (name, mode) => disk.open(name, mode),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    list: () => disk.list(),
    sync: () => disk.sync(),
    syncNow: () => disk.syncNow(),
    lock: (name) => disk.lock(name),
  };
}

function failingSync(file: OpenFile, cause: unknown): OpenFile {
  return {
    size: () => file.size(),
    read: (at, into) => file.read(at, into),
    write: (at, from) => file.write(at, from),
    truncate: (size) => file.truncate(size),
    sync: async () => {
      throw cause;
    },
    syncNow: () => file.syncNow(),
    close: () => file.close(),
  };
}
