import { ClassicLevel } from "classic-level";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Folder } from "../src/folder.ts";
import { open, type SyncLevelStore } from "../src/index.ts";
import { newFolder } from "./support/folders.ts";

const key = (number: number): Uint8Array => Uint8Array.of(number >> 8, number, 7);
const put = (number: number) =>
  ({ type: "put", key: key(number), value: Uint8Array.of(number) }) as const;

const expected = (number: number) => ({ key: key(number), value: undefined });

let store: SyncLevelStore;
/** Calls of LevelDB and of the system, as `batch 3 synced`, in order. */
let calls: string[];

beforeEach(async () => {
  store = await open(newFolder());
  calls = [];
  noteCalls(ClassicLevel.prototype, "get", () => "get");
  noteCalls(ClassicLevel.prototype, "getSync", () => "getSync");
  noteCalls(ClassicLevel.prototype, "snapshot", () => "snapshot");
  noteCalls(ClassicLevel.prototype, "getMany", ([keys]) => `getMany ${lengthOf(keys)}`);
  noteCalls(ClassicLevel.prototype, "batch", ([operations, options]) => {
    const { sync } = options as { sync: boolean };
    return `batch ${lengthOf(operations)}${sync ? " synced" : ""}`;
  });
  for (const name of ["names", "syncFile", "sync"]) noteCalls(Folder.prototype, name, () => name);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await store.close();
});

/** Notes every call of a method, and makes it. */
function noteCalls(prototype: object, name: string, describe: (args: unknown[]) => string): void {
  const method: unknown = Reflect.get(prototype, name);
  if (typeof method !== "function") throw new TypeError(`${name} is no method`);
  const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
  vi.spyOn(methods, name).mockImplementation(function note(this: unknown, ...args: unknown[]) {
    calls.push(describe(args));
    return Reflect.apply(method, this, args) as unknown;
  });
}

function lengthOf(list: unknown): number {
  return (list as readonly unknown[]).length;
}

function taken(): string[] {
  return calls.splice(0);
}

test("a synced batch is one batch with one operation more, and no other call", async () => {
  await store.batch([put(1), put(2), { type: "del", key: key(1) }]);
  expect(taken()).toEqual(["batch 4 synced"]);
  await store.batch([put(1)], { sync: false });
  expect(taken()).toEqual(["batch 2"]);
});

test("expectations are one read, however many batches wait", async () => {
  await store.batch([put(1)], { expect: [expected(1), expected(2)] });
  expect(taken()).toEqual(["getMany 2", "batch 2 synced"]);
  await Promise.all([
    store.batch([put(2)]),
    store.batch([put(3)], { expect: [expected(3)] }),
    store.batch([put(4)], { expect: [expected(4), expected(5)] }),
  ]);
  expect(taken()).toEqual(["batch 2 synced", "getMany 3", "batch 3 synced"]);
});

test("batches that wait are written together: a hundred at once are two writes", async () => {
  await Promise.all(Array.from({ length: 100 }, (_, i) => store.batch([put(i)])));
  expect(taken()).toEqual(["batch 2 synced", "batch 100 synced"]);
});

test("a synced batch after unsynced ones costs one barrier, the next one none", async () => {
  for (let i = 0; i < 3; i++) await store.batch([put(i)], { sync: false });
  expect(taken()).toEqual(["batch 2", "batch 2", "batch 2"]);
  await store.batch([put(4)]);
  expect(taken()).toEqual(["names", "syncFile", "batch 2 synced"]);
  await store.batch([put(5)]);
  expect(taken()).toEqual(["batch 2 synced"]);
});

test("a barrier costs nothing where all is durable, else one barrier and one write", async () => {
  await store.batch([], { sync: true });
  await store.batch([]);
  await store.batch([put(1)]);
  taken();
  await store.batch([], { sync: true });
  await store.batch([], { sync: false });
  expect(taken()).toEqual([]);
  await store.batch([put(1)], { sync: false });
  taken();
  await store.batch([], { sync: true });
  expect(taken()).toEqual(["names", "syncFile", "batch 1 synced"]);
});

test("closing costs a barrier only where something is not durable", async () => {
  await store.batch([put(1)]);
  taken();
  await store.close();
  expect(taken().filter((call) => call !== "sync")).toEqual([]);
});

test("a read is one call, of many keys too; without waiting one each", async () => {
  await store.batch([put(1), put(2)]);
  taken();
  await store.get(key(1));
  await store.getMany([key(1), key(2), key(3)]);
  expect(taken()).toEqual(["get", "getMany 3"]);
  store.getSync(key(1));
  store.getManySync([key(1), key(2)]);
  store.viewManySync([key(3)]);
  expect(taken()).toEqual(["getSync", "getSync", "getSync", "getSync"]);
});

test("several reads without waiting take a snapshot only while a write is under way", async () => {
  const writing = store.batch([put(1), put(2)]);
  // The write begins in this turn of the event loop.
  for (let i = 0; i < 20; i++) await Promise.resolve();
  store.getManySync([key(1), key(2)]);
  store.getManySync([key(1)]);
  expect(taken()).toEqual(["batch 3 synced", "snapshot", "getSync", "getSync", "getSync"]);
  await writing;
  store.getManySync([key(1), key(2)]);
  expect(taken()).toEqual(["getSync", "getSync"]);
});
