// A range in a folder on a real disk: what children write and tests open.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";

import { nodeFileSystem } from "@x/append-only-file/node";
import { bytesCodec, grinHashing } from "@x/pmmr";
import { openPmmr } from "@x/pmmr/file";

/** Small limits, so that journal, bulk commits and checkpoints all happen within moments. */
const LIMITS = {
  bulkBytesMin: 4000,
  journalBytesMax: 20_000,
  journalRecordsMax: 20,
  cachePagesMax: 8,
};

/** The files of a closed folder. */
export const NAMES = [
  "pmmr_data.bin",
  "pmmr_hash.bin",
  "pmmr_journal.bin",
  "pmmr_leaf.bin",
  "pmmr_prun.bin",
  "pmmr_size.bin",
];

/** The runtime's SHA-256: these tests are about files. */
const hashing = grinHashing({
  name: "sha-256/native",
  outputSize: 32,
  hash: (message) => new Uint8Array(createHash("sha256").update(message).digest()),
  hashMany: (messages, messageSize, count, output, outputOffset = 0) => {
    for (let i = 0; i < count; i++) {
      const message = messages.subarray(i * messageSize, (i + 1) * messageSize);
      output.set(createHash("sha256").update(message).digest(), outputOffset + i * 32);
    }
  },
});

/** Opens the folder: a prunable range with elements of any size. */
export function openKit(folder, options = {}) {
  const fs = nodeFileSystem(folder);
  return openPmmr(fs, { codec: bytesCodec(), prunable: true, hashing, ...LIMITS, ...options });
}

/** A string that two states share only when they are the same. The root stands for all elements, spent or not. */
export function digestOf({ pmmr }) {
  const hash = createHash("sha1").update(pmmr.root());
  for (const index of pmmr.unspentIndexes()) hash.update(`${index} `);
  return `${pmmr.size}:${hash.digest("hex")}`;
}

export const EMPTY = digestOf({
  pmmr: { size: 0, root: () => new Uint8Array(32), unspentIndexes: () => [] },
});

/** Digest of what the folder holds, after closing it again. */
export async function digestOfFolder(folder, thorough) {
  const opened = await openKit(folder);
  const digest = digestOf(opened);
  if (thorough) await mustVerify(opened);
  await opened.close();
  if (thorough) await mustShow(folder, digest);
  return digest;
}

async function mustVerify(opened) {
  const { ok, problems } = await opened.verify();
  if (!ok) throw new Error(`verify: ${problems[0].message}`);
}

/** A closed folder has its own files and nothing else, and reads the same without being touched. */
async function mustShow(folder, digest) {
  const names = readdirSync(folder).toSorted();
  if (names.join() !== NAMES.join()) throw new Error(`the folder holds ${names.join()}`);
  const reader = await openKit(folder, { readOnly: true });
  const again = digestOf(reader);
  await mustVerify(reader);
  await reader.close();
  if (again !== digest) throw new Error("reading only shows another state");
}

/** Whether this is an error that the packages document. */
export function isDocumented(error) {
  return error instanceof Error && /^(?:AOF|PMMR)_/.test(String(error.code));
}
