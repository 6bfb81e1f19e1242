// A store on a real disk: what children write and tests open.
import { createHash } from "node:crypto";

import { open, verify } from "@x/store-level";

/** A small buffer, so that logs and tables follow each other within moments. */
const LEVEL = { writeBufferSize: 64 * 1024, maxFileSize: 1024 * 1024 };

/** A string that two states share only when they are the same. */
export function digestOf(sequence, entries) {
  const hash = createHash("sha1");
  for (const [key, value] of [...entries].toSorted(([a], [b]) => a - b))
    hash.update(`${key} ${value.length} `).update(value);
  return `${sequence}:${hash.digest("hex")}`;
}

/** What an empty folder opens to. */
export const EMPTY = digestOf(0, new Map());

/** Opens the store and reads all of it. */
export async function openKit(folder, level = LEVEL) {
  const store = await open(folder, { level });
  const entries = new Map();
  for await (const [key, value] of store.iterator()) entries.set(key[0], value);
  return { store, entries };
}

/** Opens, digests and closes. Thorough: then checks every byte of what is left. */
export async function digestOfFolder(folder, thorough) {
  const { store, entries } = await openKit(folder);
  const digest = digestOf(store.sequence, entries);
  await store.close();
  if (!thorough) return digest;
  const { ok, findings } = await verify(folder);
  if (!ok) throw new Error(`verify found ${JSON.stringify(findings)}`);
  return digest;
}
