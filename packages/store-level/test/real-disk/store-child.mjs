// Writes one random history into a store and reports it line by line.
// Arguments: folder, seed, number of commits, and a manner: `mixed` (some batches synced), `synced`, `unsynced`, or a
// mistake to make: `pretends to sync`.
import { open } from "node:fs/promises";

import { HistoryReport } from "@x/testing/report";
import { ClassicLevel } from "classic-level";

import { digestOf, openKit } from "./store-kit.mjs";

/** Keys there are, and bytes in a value: several buffers per second, and digests stay cheap. */
const KEY_COUNT = 24;
const VALUE_SIZE_MAX = 3000;

/** LevelDB says in words what the system said in codes. */
const WORDS = { EIO: "Input/output error", ENOSPC: "No space left", EMFILE: "Too many open files" };

const [folder, seed, commitsMax, manner] = process.argv.slice(2);
const report = new HistoryReport();
let word = Number(seed) >>> 0;

const pretends = manner === "pretends to sync";
if (pretends) await pretend();
// With small buffers tables are written, and synced, all the time: little is left to lose.
const { store, entries } = await openKit(folder, pretends ? {} : undefined).catch((error) => {
  fail(error);
  process.exit(0);
});
let { sequence } = store;
report.opened(digestOf(sequence, entries));
try {
  await write();
} catch (error) {
  fail(error);
}
await store.close().catch(fail);

async function write() {
  let waiting = [];
  for (let made = 0; made < Number(commitsMax); made++) {
    waiting.push(commit(isSynced()));
    // Now and then several at once, which are written together.
    if (next() % 4 > 0) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
}

async function commit(sync) {
  const operations = [];
  for (let i = next() % 6; i >= 0; i--) operations.push(operation());
  for (const { type, key, value } of operations) {
    if (type === "del") entries.delete(key[0]);
    else entries.set(key[0], value);
  }
  sequence++;
  const number = report.started(digestOf(sequence, entries));
  await store.batch(operations, { sync });
  if (sync) report.durable(number);
  else report.acknowledged(number);
}

function operation() {
  const key = Uint8Array.of(next() % KEY_COUNT);
  if (next() % 8 === 0) return { type: "del", key };
  const value = new Uint8Array(next() % VALUE_SIZE_MAX);
  for (let i = 0; i < value.length; i++) value[i] = next();
  return { type: "put", key, value };
}

function isSynced() {
  return manner === "synced" || (manner !== "unsynced" && next() % 12 === 0);
}

function next() {
  word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
  return word >>> 8;
}

/** Reports an error of the store; any other is a mistake, and ends the process. */
function fail(error) {
  if (error.name !== "StoreError") throw error;
  let innermost = error;
  while (innermost.cause instanceof Error) innermost = innermost.cause;
  const code = Object.keys(WORDS).find((one) => innermost.message.includes(WORDS[one]));
  if (code !== undefined) innermost.code = code;
  report.failed(error);
}

/** A store that believes it syncs. */
async function pretend() {
  const synced = Object.getOwnPropertyDescriptor(ClassicLevel.prototype, "_batch").value;
  Object.defineProperty(ClassicLevel.prototype, "_batch", {
    value(operations, options) {
      return synced.call(this, operations, { ...options, sync: false });
    },
  });
  const file = await open("/dev/null");
  const prototype = Object.getPrototypeOf(file);
  prototype.datasync = async () => {};
  prototype.sync = async () => {};
  await file.close();
}
