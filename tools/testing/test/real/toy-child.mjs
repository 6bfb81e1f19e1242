// A list of bytes in one file, on a real disk, for the campaigns' own tests: record = value, check byte.
// Arguments: folder, seed, number of commits, a mistake to make.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  fstatSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { HistoryReport } from "@x/testing/report";

export const EMPTY = "0 0";

/** Opens the list and recovers it. Every read and write is checked, but for the mistake. */
export function openList(folder, mistake) {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, "log"), constants.O_RDWR | constants.O_CREAT, 0o600);
  const bytes = new Uint8Array(fstatSync(file).size);
  for (let done = 0; done < bytes.length;) {
    const count = readSync(file, bytes, done, bytes.length - done, done);
    if (count === 0) throw Object.assign(new Error("file is cut"), { code: "TOY_TRUNCATED" });
    done += count;
  }
  const list = { file, count: 0, hash: 0 };
  while (2 * list.count + 1 < bytes.length) {
    const value = bytes[2 * list.count];
    if (bytes[2 * list.count + 1] !== check(value, list.count)) break;
    add(list, value);
  }
  if (mistake !== "recovers nothing") ftruncateSync(file, 2 * list.count);
  fsyncSync(file);
  syncFolder(folder);
  syncFolder(join(folder, ".."));
  return list;
}

export function digestOf({ count, hash }) {
  return `${count} ${hash}`;
}

function add(list, value) {
  list.count++;
  list.hash = (Math.imul(list.hash, 31) + value + 1) >>> 0;
}

function check(value, index) {
  return (value * 31 + index * 17 + 99) & 0xff;
}

function syncFolder(folder) {
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function write(list, value, mistake) {
  const bytes = Uint8Array.of(value, check(value, list.count));
  for (let done = 0, empty = 0; done < 2;) {
    const count = writeSync(list.file, bytes, done, 2 - done, 2 * list.count + done);
    if (mistake === "is deaf") return;
    if (count === 0 && ++empty > 1)
      throw Object.assign(new Error("no progress"), { code: "TOY_IO" });
    done += count;
  }
}

function main(folder, seed, commitsMax, mistake) {
  const report = new HistoryReport();
  let state = seed >>> 0;
  try {
    const list = openList(folder, mistake);
    report.opened(digestOf(list));
    for (let i = 0; i < commitsMax; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const value = state >>> 24;
      const sync = (state >>> 16) % 2 === 0;
      const before = { ...list };
      add(list, value);
      const commit = report.started(digestOf(list));
      if (mistake === "acknowledges early") {
        report.durable(commit);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
      if (mistake === "fails by itself" && i === 20) throw new Error("oops");
      write(before, value, mistake);
      if (mistake === "hoards" && list.values === undefined) list.values = [];
      list.values?.push(Array.from({ length: 5e6 }, () => value));
      if (sync && mistake !== "never syncs") fdatasyncSync(list.file);
      if (sync) report.durable(commit);
      else report.acknowledged(commit);
    }
    closeSync(list.file);
  } catch (error) {
    if (error.code === undefined) throw error;
    report.failed(error);
  }
}

if (process.argv[1]?.endsWith("toy-child.mjs")) {
  const [folder, seed, commitsMax, mistake] = process.argv.slice(2);
  main(folder, Number(seed), Number(commitsMax), mistake);
}
