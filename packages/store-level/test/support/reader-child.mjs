// Reads databases one after the other and says of each how it compares with the text in `expected.txt` beside it.
// Arguments: `raw` (classic-level alone) or `store`, then folders.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeSync } from "node:fs";

import { open } from "@x/store-level";
import { ClassicLevel } from "classic-level";

const [how, ...folders] = process.argv.slice(2);

for (const folder of folders) {
  const expected = new Map(
    readFileSync(join(dirname(folder), "expected.txt"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ")),
  );
  writeSync(1, `${await outcomeOf(folder, expected)}\n`);
}

async function outcomeOf(folder, expected) {
  try {
    const found = await (how === "raw" ? readRaw(folder, expected) : readStore(folder));
    for (const [key, value] of found) if (expected.get(key) !== value) return "wrong";
    return found.size === expected.size ? "same" : "missing";
  } catch (error) {
    return error.code ?? error.stack;
  }
}

async function readRaw(folder, expected) {
  const options = { keyEncoding: "hex", valueEncoding: "hex", createIfMissing: false };
  const database = new ClassicLevel(folder, options);
  await database.open();
  // Where a walk reports damage, a search may run into it.
  for (const key of expected.keys()) database.getSync(key);
  const found = new Map(await database.iterator().all());
  await database.close();
  // The store's own record, and checksums.
  found.delete("0073746f72652d6c6576656c00");
  return new Map(Array.from(found, ([key, value]) => [key, value.slice(0, -8)]));
}

async function readStore(folder) {
  const store = await open(folder, { createIfMissing: false });
  const found = new Map();
  try {
    for await (const [key, value] of store.iterator()) found.set(hex(key), hex(value));
  } finally {
    await store.close();
  }
  return found;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
