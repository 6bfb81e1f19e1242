// Runs abstract-level's published suite against the databases the store is built on.
// Argument: classic, memory or browser.
const { existsSync, mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");

const suite = require("abstract-level/test");
const { BrowserLevel } = require("browser-level");
const { ClassicLevel } = require("classic-level");
const fakeIndexedDb = require("fake-indexeddb");
const { MemoryLevel } = require("memory-level");
const test = require("tape");

// Hundreds of databases are made; where there is a file system in memory, they need not wait for a disk.
const home = mkdtempSync(
  path.join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "abstract-level-"),
);
let count = 0;

const factories = {
  classic: (options) => new ClassicLevel(path.join(home, String(count++)), options),
  memory: (options) => new MemoryLevel(options),
  browser: (options) => new BrowserLevel(`suite-${count++}`, options),
};

Object.assign(globalThis, {
  indexedDB: fakeIndexedDb.indexedDB,
  IDBKeyRange: fakeIndexedDb.IDBKeyRange,
});
suite({ test, factory: factories[process.argv[2]] });
test.onFinish(() => rmSync(home, { recursive: true }));
