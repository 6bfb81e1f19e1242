import { describe, expect, test } from "vitest";

import { AofError, MemoryFileSystem } from "../src/index.ts";
import { bytesOf, codeOf, filled, writeAll } from "./file-system-contract.ts";

describe("a folder in memory", () => {
  test("answers a size that memory does not hold as a full disk, and stays as it was", () => {
    const fs = new MemoryFileSystem();
    const file = filled(fs, "a", Uint8Array.of(1, 2));
    expect(codeOf(() => file.truncate(2 ** 52))).toBe("AOF_NO_SPACE");
    expect(codeOf(() => file.write(2 ** 52, Uint8Array.of(3)))).toBe("AOF_NO_SPACE");
    expect(bytesOf(file)).toEqual(Uint8Array.of(1, 2));
  });

  test("throws this package's error", () => {
    expect(() => new MemoryFileSystem().open("a", "existing")).toThrow(AofError);
    expect(() => new MemoryFileSystem().remove("a")).toThrow(AofError);
  });

  test("shares nothing with another one", () => {
    const [one, two] = [new MemoryFileSystem(), new MemoryFileSystem()];
    filled(one, "a", Uint8Array.of(1));
    one.lock("lock");
    two.lock("lock");
    expect(two.list()).toEqual([]);
  });

  test("grows by small writes without copying all of them each time", () => {
    const fs = new MemoryFileSystem();
    const file = fs.open("a", "create");
    const piece = new Uint8Array(1000).fill(7);
    // At one copy per write this would move 50 GB.
    for (let i = 0; i < 10_000; i++) writeAll(file, i * 1000, piece);
    expect(file.size()).toBe(10_000_000);
  });

  test("syncs at once", async () => {
    const fs = new MemoryFileSystem();
    fs.syncNow();
    await expect(fs.sync()).resolves.toBeUndefined();
  });
});
