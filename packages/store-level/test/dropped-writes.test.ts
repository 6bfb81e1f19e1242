import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { checkDropped, expectTorn } from "../src/dropped-writes.ts";
import { Folder } from "../src/folder.ts";
import { newFolder } from "./support/folders.ts";

const CLEAN = "2026/11/21-01:58:28.078324 7f1354f976c0 Recovering log #3\n";
const DROPPED =
  "2026/11/21-02:00:00.000001 7f1354f976c0 (ignoring error) /data/000005.log: dropping 1043 bytes; Corruption: checksum mismatch\n";
const IGNORED = "2026/11/21-02:00:00.000002 7f1354f976c0 Ignoring error Corruption: bad\n";
const LOST = { code: "STORE_LOST_WRITES" };

/** A folder whose LOG says this. */
function folderWith(log: string): Folder {
  const path = newFolder();
  mkdirSync(path);
  writeFileSync(join(path, "LOG"), log);
  return new Folder(path);
}

function say(folder: Folder, log: string): void {
  writeFileSync(join(folder.path, "LOG"), log);
}

describe("what LevelDB says in its LOG", () => {
  test("is no loss where it says nothing of the kind, or there is none", async () => {
    await expect(checkDropped(folderWith(CLEAN), false)).resolves.toBeUndefined();
    await expect(checkDropped(new Folder(newFolder()), false)).resolves.toBeUndefined();
  });

  test.each([DROPPED, IGNORED, CLEAN + DROPPED + CLEAN])(
    "is a loss, and names the log: %s",
    async (log) => {
      await expect(checkDropped(folderWith(log), false)).rejects.toMatchObject(LOST);
    },
  );

  test("is remembered when LevelDB begins a new LOG", async () => {
    const folder = folderWith(DROPPED);
    await expect(checkDropped(folder, false)).rejects.toThrow("000005.log");
    for (let opening = 0; opening < 3; opening++) {
      say(folder, CLEAN);
      await expect(checkDropped(folder, false)).rejects.toThrow("000005.log");
    }
  });

  test("is accepted once and for all, but not what it says later", async () => {
    const folder = folderWith(DROPPED);
    await expect(checkDropped(folder, false)).rejects.toMatchObject(LOST);
    await checkDropped(folder, true);
    await checkDropped(folder, false);
    say(folder, CLEAN);
    await checkDropped(folder, false);
    say(folder, DROPPED.replace("000005", "000009"));
    await expect(checkDropped(folder, false)).rejects.toMatchObject(LOST);
  });

  test("is no loss of a log that was found to end in a write cut short, also at the next opening", async () => {
    const folder = folderWith(CLEAN);
    await expectTorn(folder, []);
    await expectTorn(folder, ["000005.log"]);
    say(folder, DROPPED);
    await checkDropped(folder, false);
    await checkDropped(folder, false);
    say(folder, DROPPED + DROPPED.replace("000005", "000006"));
    await expect(checkDropped(folder, false)).rejects.toThrow("000006.log");
  });

  test("counts at its beginning: LevelDB replays first, and may write on for months", async () => {
    await checkDropped(folderWith(CLEAN.repeat(30_000) + DROPPED), false);
    await expect(checkDropped(folderWith(DROPPED + CLEAN.repeat(30_000)), false)).rejects.toThrow(
      "000005.log",
    );
  });
});

test("a file of its own that does not begin as one is STORE_CORRUPT", async () => {
  const folder = folderWith(CLEAN);
  writeFileSync(join(folder.path, "STORE_LOST_WRITES"), "something else\n");
  await expect(checkDropped(folder, false)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
});

test("what is remembered is text for people as well", async () => {
  const folder = folderWith(DROPPED);
  await expectTorn(folder, ["000004.log"]);
  await expect(checkDropped(folder, false)).rejects.toMatchObject(LOST);
  const text = readFileSync(join(folder.path, "STORE_LOST_WRITES"), "utf8");
  expect(text).toBe(`refused\ntorn 000004.log\n${DROPPED}`);
});
