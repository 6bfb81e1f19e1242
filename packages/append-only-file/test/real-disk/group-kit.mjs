// A group of two files and one set, on a real disk: what children write and tests open.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { AofError, FileGroup } from "@x/append-only-file";
import { nodeFileSystem } from "@x/append-only-file/node";

/** Small limits, so that journal, bulk commits and checkpoints all happen within moments. */
const LIMITS = {
  bulkBytesMin: 900,
  journalBytesMax: 6000,
  journalRecordsMax: 12,
  cachePagesMax: 4,
};

/** The files of a closed group. */
export const NAMES = ["a.bin", "b.bin", "kit_journal.bin", "set.blob"];

/** What an empty folder opens to. */
export const EMPTY = digestOf({
  sequence: 0,
  meta: new Uint8Array(0),
  files: [new Uint8Array(0), new Uint8Array(0)],
  set: [],
});

/** A string that two states share only when they are the same. */
export function digestOf({ sequence, meta, files, set }) {
  const hash = createHash("sha1").update(meta);
  for (const file of files) hash.update(`${file.length} `).update(file);
  hash.update(set.join(" "));
  return `${sequence}:${hash.digest("hex")}`;
}

/** Opens the group and reads all of it. */
export async function openKit(folder, { mistake = "", readOnly = false } = {}) {
  const owner = { set: [] };
  const layout = {
    prefix: "kit",
    files: [
      { name: "a.bin", recordSize: 8 },
      { name: "b.bin", recordSize: 0 },
    ],
    blobs: [
      {
        name: "set.blob",
        restore(bytes, deltas) {
          const set = new Set(bytes);
          for (const delta of deltas) for (const value of delta) toggle(set, value);
          owner.set = sorted(set);
          return () => Uint8Array.from(owner.set);
        },
      },
    ],
  };
  const group = await FileGroup.open(fileSystem(folder, mistake), layout, { ...LIMITS, readOnly });
  const files = group.files.map((file) => file.read(0, file.size));
  return { group, state: { sequence: group.sequence, meta: group.meta, files, set: owner.set } };
}

/** Digest of what the folder holds, after closing it again. */
export async function digestOfFolder(folder, thorough) {
  const { group, state } = await openKit(folder);
  await group.close();
  const digest = digestOf(state);
  if (thorough) await mustShow(folder, state, digest);
  return digest;
}

/** A closed folder shows its state in its own files, has nothing else, and reads the same without being touched. */
async function mustShow(folder, state, digest) {
  const names = readdirSync(folder).toSorted();
  if (names.join() !== NAMES.join()) throw new Error(`the folder holds ${names.join()}`);
  const shown = [0, 1].map((i) => Uint8Array.from(readFileSync(join(folder, NAMES[i]))));
  const set = [...readFileSync(join(folder, "set.blob"))];
  if (digestOf({ ...state, files: shown, set }) !== digest) throw new Error("files differ");
  const { group, state: again } = await openKit(folder, { readOnly: true });
  await group.close();
  if (digestOf(again) !== digest) throw new Error("reading only shows another state");
}

function fileSystem(folder, mistake) {
  const fs = nodeFileSystem(folder);
  if (mistake === "never syncs") return withoutSyncs(fs);
  if (mistake === "is deaf") return withFiles(fs, deaf);
  return fs;
}

function withoutSyncs(fs) {
  const unsynced = withFiles(fs, (file) =>
    overlaid(file, { sync: () => Promise.resolve(), syncNow: () => undefined }),
  );
  return overlaid(unsynced, { sync: () => Promise.resolve(), syncNow: () => undefined });
}

/** Believes that every write wrote everything. */
function deaf(file) {
  return overlaid(file, {
    write(at, from) {
      try {
        file.write(at, from);
      } catch {
        // Not heard.
      }
      return from.length;
    },
  });
}

function withFiles(fs, wrap) {
  return overlaid(fs, { open: (name, mode) => wrap(fs.open(name, mode)) });
}

/** The object, with some of its methods replaced. */
function overlaid(object, methods) {
  return new Proxy(object, {
    get(target, name) {
      const value = methods[name] ?? target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Adds a value to a set that lacks it, else removes it. */
export function toggle(set, value) {
  if (!set.delete(value)) set.add(value);
}

/** Values in order. */
export function sorted(set) {
  return [...set].toSorted((left, right) => left - right);
}

/** Whether this is an error that the package documents. */
export function isDocumented(error) {
  return error instanceof AofError;
}
