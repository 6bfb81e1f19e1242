import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";

import { scaled } from "@x/testing";
import { ClassicLevel } from "classic-level";
import { describe, expect, test, vi } from "vitest";

import { Folder } from "../src/folder.ts";
import { open } from "../src/index.ts";
import { readLog } from "../src/leveldb/log-file.ts";
import { checkLogs } from "../src/log-check.ts";
import { newFolder } from "./support/folders.ts";

/** Bytes in a value: records of several sectors. */
const VALUE_SIZE = 1500;

/**
 * A copy of the folder of a store that is open, as a kill leaves it.
 *
 * @param syncs - for each batch, whether it is synced; batch i puts value i under key i
 * @param folder - goes on with this store, whose batches are of the same kind. Default: a new one
 */
async function killed(
  syncs: readonly boolean[],
  level = {},
  folder: string = newFolder(),
): Promise<string> {
  const copy = newFolder();
  const store = await open(folder, { level });
  const before = store.sequence ?? 0;
  for (const [index, sync] of syncs.entries()) {
    const number = before + index + 1;
    const value = new Uint8Array(VALUE_SIZE).fill(number);
    await store.batch([{ type: "put", key: Uint8Array.of(number), value }], { sync });
  }
  copyFolder(folder, copy);
  await store.close();
  return copy;
}

function copyFolder(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) copyFileSync(join(from, name), join(to, name));
}

function logPath(folder: string): string {
  const name =
    readdirSync(folder)
      .filter((one) => one.endsWith(".log"))
      .toSorted()
      .at(-1) ?? "";
  return join(folder, name);
}

/** Batches that are there after opening: which, in order. */
async function held(folder: string): Promise<number[]> {
  const store = await open(folder);
  const numbers: number[] = [];
  for await (const [key, value] of store.iterator()) {
    expect(value).toEqual(new Uint8Array(VALUE_SIZE).fill(key[0] ?? 0));
    numbers.push(key[0] ?? 0);
  }
  expect(store.sequence).toBe(numbers.length);
  await store.close();
  return numbers;
}

/** Makes a sector of the log zeros, as one that was never written: the first that lies wholly in a record. */
function unwrite(path: string, record: number): void {
  const bytes = readFileSync(path);
  // The format record of a store that was just made comes first.
  const offset = readLog(bytes).records[record]?.offset ?? 0;
  const from = Math.ceil((offset + 7) / 512) * 512;
  bytes.fill(0, from, from + 512);
  writeFileSync(path, bytes);
}

describe("unsynced batches after a power cut", () => {
  test("end where the first is missing: what came after it in the log is dropped", async () => {
    for (let missing = 2; missing <= 6; missing++) {
      const folder = await killed([true, ...unsynced(5)]);
      unwrite(logPath(folder), missing);
      expect(await held(folder)).toEqual(Array.from({ length: missing - 1 }, (_, i) => i + 1));
      expect(await held(folder)).toEqual(Array.from({ length: missing - 1 }, (_, i) => i + 1));
    }
  });

  test("that a later synced one made durable are not dropped: they are lost", async () => {
    const folder = await killed([false, false, false, true, false]);
    unwrite(logPath(folder), 4);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
    unwrite(logPath(folder), 2);
    const before = readFileSync(logPath(folder));
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
    // LevelDB has not touched it: it can still be copied, or mended.
    expect(readFileSync(logPath(folder)).equals(before)).toBe(true);
  });

  test("that are damaged, not missing, are lost: no power cut does that", async () => {
    const folder = await killed([true, false, false, false]);
    const bytes = readFileSync(logPath(folder));
    const offset = readLog(bytes).records[2]?.offset ?? 0;
    bytes[offset + 900] = (bytes[offset + 900] ?? 0) ^ 1;
    writeFileSync(logPath(folder), bytes);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
  });

  test("at the end of the log are dropped without a word, wherever it was cut", async () => {
    for (let i = 0; i < scaled(12); i++) {
      const folder = await killed([true, false, false]);
      const bytes = readFileSync(logPath(folder));
      const records = readLog(bytes).records.map(({ offset }) => offset);
      const from = records[2] ?? 0;
      const size = from + Math.floor(((bytes.length - from) * i) / scaled(12));
      if (i % 2 === 0) truncateSync(logPath(folder), size);
      else writeFileSync(logPath(folder), bytes.fill(0, Math.ceil(size / 512) * 512));
      const expected = records.filter((_, index) => (records[index + 1] ?? bytes.length) <= size);
      expect((await held(folder)).length).toBe(Math.max(expected.length - 1, 1));
      expect((await held(folder)).length).toBe(Math.max(expected.length - 1, 1));
    }
  });
});

describe("two logs", () => {
  test("of which the older was cut by a power cut end where it ends", async () => {
    const folder = await killed([true, ...unsynced(8)]);
    const { older, names } = splitLog(folder, 6);
    truncateSync(older, (readLog(readFileSync(older)).records[4]?.offset ?? 0) + 10);
    const { cuts } = await checkLogs(new Folder(folder));
    expect(cuts.map(({ file }) => file)).toEqual(names);
    // The first record is that of the store's making.
    expect(await held(folder)).toEqual([1, 2, 3]);
    expect(await held(folder)).toEqual([1, 2, 3]);
  });

  test("of which the older was emptied end with what is in tables", async () => {
    const folder = await killed([true, true, true]);
    // Opening moves what is in the log to a table.
    expect(await held(folder)).toEqual([1, 2, 3]);
    const copy = await killed(unsynced(6), {}, folder);
    const { older, names } = splitLog(copy, 3);
    truncateSync(older, 0);
    // The older ends where it begins: nothing is to be cut from it.
    const { cuts } = await checkLogs(new Folder(copy));
    expect(cuts).toEqual([{ file: names[1], size: 0 }]);
    expect(await held(copy)).toEqual([1, 2, 3]);
  });

  test("of which the older was emptied, with nothing in tables, are lost", async () => {
    const folder = await killed([true, ...unsynced(8)]);
    truncateSync(splitLog(folder, 6).older, 0);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
  });

  test("of which the older held what was durable are lost", async () => {
    const folder = await killed([...unsynced(5), true, ...unsynced(2)]);
    const { older } = splitLog(folder, 7);
    truncateSync(older, (readLog(readFileSync(older)).records[4]?.offset ?? 0) + 10);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
  });

  test("of which one is missing between two others end before it, or are lost", async () => {
    for (const [syncs, expected] of [
      [
        [true, ...unsynced(8)],
        [1, 2],
      ],
      [[...unsynced(7), true, false], undefined],
    ] as const) {
      const folder = await killed(syncs);
      const { newer } = splitLog(folder, 3);
      const bytes = readFileSync(newer);
      const from = readLog(bytes).records[2]?.offset ?? 0;
      writeFileSync(newer, bytes.subarray(from));
      const outcome = await held(folder).catch((error: { code: string }) => error.code);
      expect(outcome).toEqual(expected ?? "STORE_LOST_WRITES");
    }
  });
});

function unsynced(count: number): boolean[] {
  return Array.from({ length: count }, () => false);
}

/** Makes two logs of the one there is: the first `count` records, and the others. */
function splitLog(
  folder: string,
  count: number,
): { readonly older: string; readonly newer: string; readonly names: string[] } {
  const older = logPath(folder);
  const bytes = readFileSync(older);
  // Within one block it makes no difference where a record lies.
  expect(bytes.length).toBeLessThan(32_768);
  const at = readLog(bytes).records[count]?.offset ?? 0;
  const name = basename(older);
  const next = `${String(Number.parseInt(name, 10) + 1).padStart(6, "0")}.log`;
  const newer = join(folder, next);
  writeFileSync(older, bytes.subarray(0, at));
  writeFileSync(newer, bytes.subarray(at));
  return { older, newer, names: [name, next] };
}

test("a store that is open is STORE_LOCKED, whatever its logs look like meanwhile", async () => {
  const folder = newFolder();
  const store = await open(folder);
  await store.batch([{ type: "put", key: Uint8Array.of(1), value: new Uint8Array(VALUE_SIZE) }]);
  await store.batch([{ type: "put", key: Uint8Array.of(2), value: new Uint8Array(VALUE_SIZE) }]);
  const read = vi.spyOn(Folder.prototype, "read");
  const bytes = readFileSync(logPath(folder));
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  read.mockImplementation(async (name) => (name.endsWith(".log") ? bytes : undefined));
  await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOCKED" });
  vi.restoreAllMocks();
  expect(readFileSync(logPath(folder)).length).toBe(bytes.length);
  await store.close();
});

test("logs of a foreign database are checked for gaps as well", async () => {
  const [folder, copy] = [newFolder(), newFolder()];
  const database = new ClassicLevel(folder);
  for (let i = 0; i < 20; i++) await database.put(`key ${i}`, "v".repeat(1000));
  copyFolder(folder, copy);
  await database.close();
  unwrite(logPath(copy), 10);
  await expect(open(copy, { foreign: true })).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
  const store = await open(copy, { foreign: true, allowLostWrites: true });
  expect(await store.get(new TextEncoder().encode("key 3"))).toBeDefined();
  await store.close();
});
