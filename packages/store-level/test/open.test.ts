import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { hasSyncReads } from "@x/store";
import { Child } from "@x/testing";
import { ClassicLevel } from "classic-level";
import { describe, expect, test } from "vitest";

import { open, type SyncLevelStore, verify } from "../src/index.ts";
import { newFolder } from "./support/folders.ts";

const KEY = Uint8Array.of(1);
const FORMAT_KEY = new TextEncoder().encode("\0store-level\0");
const put = (value: number) => [{ type: "put", key: KEY, value: Uint8Array.of(value) } as const];

async function valueIn(store: SyncLevelStore): Promise<number | undefined> {
  return (await store.get(KEY))?.[0];
}

/** Makes a store with so many batches in it, and closes it. */
async function made(folder: string, batchCount: number): Promise<void> {
  const store = await open(folder);
  for (let i = 1; i <= batchCount; i++) await store.batch(put(i));
  await store.close();
}

function nameIn(folder: string, pattern: RegExp): string {
  return readdirSync(folder).find((name) => pattern.test(name)) ?? "";
}

describe("a folder", () => {
  test("is made, with those above it, for its owner alone; and opened again", async () => {
    const folder = join(newFolder(), "deep", "er");
    const store = await open(folder);
    expect(hasSyncReads(store)).toBe(true);
    writeFileSync(join(folder, "STORE_CLOSED.123.new"), "left by a crash");
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await store.batch(put(5));
    await store.close();
    const again = await open(folder);
    expect(await valueIn(again)).toBe(5);
    expect(again.getSync(KEY)?.[0]).toBe(5);
    await again.close();
    expect(readdirSync(folder).filter((name) => name.startsWith("STORE"))).toEqual([
      "STORE_CLOSED",
    ]);
  });

  test("that is empty, or holds files of no database, becomes a store", async () => {
    const folder = newFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, "notes.txt"), "keep");
    await made(folder, 1);
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("keep");
    expect(await verify(folder)).toMatchObject({ ok: true });
  });

  test("without a store is STORE_MISSING where none is to be made", async () => {
    const folder = newFolder();
    await expect(open(folder, { createIfMissing: false })).rejects.toMatchObject({
      code: "STORE_MISSING",
    });
    expect(existsSync(folder)).toBe(false);
    await made(folder, 1);
    await (await open(folder, { createIfMissing: false })).close();
    await expect(verify(newFolder())).rejects.toMatchObject({ code: "STORE_MISSING" });
  });

  test("that is a file is STORE_IO with the system's error", async () => {
    const folder = newFolder();
    writeFileSync(folder, "");
    await expect(open(folder)).rejects.toMatchObject({
      code: "STORE_IO",
      cause: { code: "ENOTDIR" },
    });
    await expect(verify(folder)).rejects.toMatchObject({ code: "STORE_IO" });
  });

  test("has a name, and options are counts", async () => {
    await expect(open("")).rejects.toThrow(TypeError);
    await expect(open(1 as never)).rejects.toThrow(TypeError);
    for (const options of [{ sequenceMin: -1 }, { createdMs: 0.5 }, { iteratorCountMax: 0 }])
      await expect(open(newFolder(), options)).rejects.toThrow(RangeError);
  });
});

describe("one store per folder", () => {
  test("a second one in this process is STORE_LOCKED, and the first goes on", async () => {
    const folder = newFolder();
    const store = await open(folder);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOCKED" });
    await store.batch(put(1));
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_LOCKED" });
    await store.close();
    await (await open(folder)).close();
  });

  test("a second one in another process is STORE_LOCKED", async () => {
    const folder = newFolder();
    const store = await open(folder);
    await store.batch(put(1));
    const opener = fileURLToPath(new URL("support/opener-child.mjs", import.meta.url));
    const other = (): Promise<{ readonly output: string }> => Child.start([opener, folder]).ended;
    expect((await other()).output).toBe("STORE_LOCKED\n");
    await store.close();
    expect((await other()).output).toBe("opened\n");
  });

  test("of six processes that make a store at once, one does at a time", async () => {
    const folder = newFolder();
    const opener = fileURLToPath(new URL("support/opener-child.mjs", import.meta.url));
    const children = Array.from({ length: 6 }, () => Child.start([opener, folder, "hold"]).ended);
    const outputs = (await Promise.all(children)).map(({ output, errors }) => output + errors);
    for (const output of outputs) expect(output).toMatch(/^(opened|STORE_LOCKED)\n$/);
    expect(outputs).toContain("opened\n");
    const store = await open(folder);
    expect(store.sequence).toBe(outputs.filter((output) => output === "opened\n").length);
    await store.close();
  });
});

describe("what a store says about itself", () => {
  test("how many batches there were, also after reopening, and when it was made", async () => {
    const folder = newFolder();
    const store = await open(folder, { createdMs: 1234 });
    expect([store.sequence, store.createdMs, store.checksums]).toEqual([0, 1234, true]);
    for (let i = 0; i < 3; i++) await store.batch(put(i), { sync: false });
    await store.batch([]);
    await store.batch([{ type: "del", key: KEY }]);
    expect(store.sequence).toBe(4);
    await store.close();
    const again = await open(folder, { createdMs: 99, checksums: false, sequenceMin: 4 });
    expect([again.sequence, again.createdMs, again.checksums]).toEqual([4, 1234, true]);
    await again.close();
  });

  test("fewer batches than its owner knows of are STORE_ROLLED_BACK", async () => {
    const folder = newFolder();
    await made(folder, 3);
    await expect(open(folder, { sequenceMin: 4 })).rejects.toMatchObject({
      code: "STORE_ROLLED_BACK",
    });
    await (await open(folder, { sequenceMin: 3 })).close();
  });

  test("values without checksums are stored as they are", async () => {
    const folder = newFolder();
    const store = await open(folder, { checksums: false });
    await store.batch(put(7));
    await store.close();
    const again = await open(folder);
    expect(again.checksums).toBe(false);
    expect(await valueIn(again)).toBe(7);
    await again.close();
    expect(await rawValue(folder)).toEqual(Uint8Array.of(7));
  });
});

describe("a database that is not a store", () => {
  test("is STORE_INCOMPLETE, and stays as it is", async () => {
    const folder = newFolder();
    await foreign(folder);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_INCOMPLETE" });
    expect(await rawValue(folder)).toEqual(Uint8Array.of(42));
  });

  test("is read and written as it is when it is declared foreign", async () => {
    const folder = newFolder();
    await foreign(folder);
    const store = await open(folder, { foreign: true });
    expect([store.sequence, store.createdMs, store.checksums]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    expect(await valueIn(store)).toBe(42);
    await store.batch(put(43), { expect: [{ key: KEY, value: Uint8Array.of(42) }], sync: false });
    await store.batch([], { sync: true });
    await store.close();
    expect(await rawValue(folder)).toEqual(Uint8Array.of(43));
    expect(await verify(folder)).toMatchObject({ ok: true });
    expect(existsSync(join(folder, "STORE_CLOSED"))).toBe(false);
  });

  test("cannot be foreign if it is a store", async () => {
    const folder = newFolder();
    await made(folder, 1);
    await expect(open(folder, { foreign: true })).rejects.toMatchObject({ code: "STORE_FORMAT" });
  });

  test("may lie in a folder of its own making", async () => {
    const folder = newFolder();
    const store = await open(folder, { foreign: true });
    await store.batch(put(1));
    await store.close();
    expect(await rawValue(folder)).toEqual(Uint8Array.of(1));
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_INCOMPLETE" });
  });
});

describe("files that are missing or empty", () => {
  test("without CURRENT nothing is begun anew over what is there", async () => {
    const folder = newFolder();
    await made(folder, 2);
    const names = readdirSync(folder);
    rmSync(join(folder, "CURRENT"));
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_INCOMPLETE" });
    expect(readdirSync(folder)).toEqual(names.filter((name) => name !== "CURRENT"));
  });

  test.each(["CURRENT", "MANIFEST"])("%s without content is STORE_CORRUPT", async (start) => {
    const folder = newFolder();
    await made(folder, 2);
    truncateSync(join(folder, nameIn(folder, new RegExp(`^${start}`))), 0);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    const { findings } = await verify(folder);
    expect(findings[0]?.file.startsWith(start)).toBe(true);
  });

  test("a missing table is STORE_CORRUPT, and verify names it; a short one is found as well", async () => {
    const folder = newFolder();
    // Opening moves the log into a table.
    await made(folder, 2);
    await (await open(folder)).close();
    const table = nameIn(folder, /ldb$/);
    truncateSync(join(folder, table), 100);
    expect(await verify(folder)).toMatchObject({
      ok: false,
      findings: [{ file: table, offset: 100 }],
    });
    rmSync(join(folder, table));
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await verify(folder)).toMatchObject({
      ok: false,
      findings: [{ file: table, offset: 0, reason: "the file is missing" }],
    });
  });

  test("a missing or empty log is found, also when the format record went with it", async () => {
    for (const change of [rmSync, (path: string) => truncateSync(path, 0)]) {
      const folder = newFolder();
      await made(folder, 2);
      change(join(folder, nameIn(folder, /log$/)));
      await expect(open(folder)).rejects.toMatchObject({ code: "STORE_INCOMPLETE" });
      const moved = newFolder();
      await made(moved, 2);
      // The first log is in a table now.
      await made(moved, 2);
      change(join(moved, nameIn(moved, /log$/)));
      await expect(open(moved)).rejects.toMatchObject({ code: "STORE_LOST_WRITES" });
    }
  });

  test("a format record that is damaged is STORE_CORRUPT", async () => {
    const folder = newFolder();
    await made(folder, 1);
    await changeRaw(folder, FORMAT_KEY, flipBit);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(await verify(folder)).toMatchObject({ ok: false });
    await changeRaw(folder, FORMAT_KEY, flipBit);
    await (await open(folder)).close();
  });
});

describe("a store that was being made", () => {
  /** What is in the folder at each step of making a store, as a kill or a power cut leaves it. */
  const steps: Record<string, (folder: string) => Promise<void>> = {
    "nothing but the sign": async (folder) => {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
    },
    "a manifest that CURRENT does not name yet": async (folder) => {
      rmSync(join(folder, "CURRENT"));
      rmSync(join(folder, nameIn(folder, /log$/)));
    },
    "a database without a format record": async (folder) => {
      truncateSync(join(folder, nameIn(folder, /log$/)), 0);
    },
    "names without content": async (folder) => {
      truncateSync(join(folder, nameIn(folder, /^MANIFEST/)), 0);
      truncateSync(join(folder, nameIn(folder, /log$/)), 0);
    },
    "a manifest that was cut": async (folder) => {
      truncateSync(join(folder, nameIn(folder, /^MANIFEST/)), 30);
    },
    "all but the end": async () => {},
  };

  for (const [name, step] of Object.entries(steps))
    test(`is made again: ${name}`, async () => {
      const folder = newFolder();
      await made(folder, 0);
      await step(folder);
      writeFileSync(join(folder, "STORE_CREATING"), "");
      const store = await open(folder);
      expect(store.sequence).toBe(0);
      expect(existsSync(join(folder, "STORE_CREATING"))).toBe(false);
      await store.batch(put(3));
      await store.close();
      const again = await open(folder);
      expect(await valueIn(again)).toBe(3);
      await again.close();
    });

  test("is not taken for one where anything was ever written", async () => {
    const folder = newFolder();
    await made(folder, 3);
    writeFileSync(join(folder, "STORE_CREATING"), "");
    const store = await open(folder);
    expect(await valueIn(store)).toBe(3);
    await store.close();
    writeFileSync(join(folder, "STORE_CREATING"), "");
    truncateSync(join(folder, nameIn(folder, /^MANIFEST/)), 0);
    const names = readdirSync(folder);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(readdirSync(folder).filter((name) => /log$|ldb$/.test(name))).toEqual(
      names.filter((name) => /log$|ldb$/.test(name)),
    );
  });

  test("leaves nothing behind where another database is", async () => {
    const folder = newFolder();
    await made(folder, 1);
    writeFileSync(join(folder, "STORE_CREATING"), "");
    await changeRaw(folder, FORMAT_KEY, undefined);
    await expect(open(folder)).rejects.toMatchObject({ code: "STORE_INCOMPLETE" });
  });
});

test("the store's own key is nobody else's", async () => {
  const store = await open(newFolder());
  const key = FORMAT_KEY;
  await expect(store.get(key)).rejects.toThrow(TypeError);
  await expect(store.getMany([key])).rejects.toThrow(TypeError);
  expect(() => store.getSync(key)).toThrow(TypeError);
  await expect(store.batch([{ type: "del", key }])).rejects.toThrow(TypeError);
  await expect(store.batch([], { expect: [{ key, value: undefined }] })).rejects.toThrow(TypeError);
  await store.batch(put(1));
  const first = [];
  for await (const entry of store.iterator({ limit: 1 })) first.push(entry);
  for await (const entry of store.iterator({ lte: key })) first.push(entry);
  for await (const entry of store.iterator({ gte: key, reverse: true, limit: 2 }))
    first.push(entry);
  expect(first.map(([one]) => one)).toEqual([KEY, KEY]);
  await store.close();
});

function flipBit(value: Uint8Array): void {
  value[30] = (value[30] ?? 0) ^ 1;
}

/** A database that another program made. */
async function foreign(folder: string): Promise<void> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  await database.put(KEY, Uint8Array.of(42));
  await database.close();
}

async function rawValue(folder: string): Promise<Uint8Array | undefined> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  const value = await database.get(KEY);
  await database.close();
  return value === undefined ? undefined : new Uint8Array(value);
}

/** Changes a value behind the store's back, or removes it. */
async function changeRaw(
  folder: string,
  key: Uint8Array,
  change: ((value: Uint8Array) => void) | undefined,
): Promise<void> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "view",
    valueEncoding: "view",
  });
  const value = new Uint8Array((await database.get(key)) ?? []);
  change?.(value);
  await (change === undefined ? database.del(key) : database.put(key, value));
  await database.close();
}
