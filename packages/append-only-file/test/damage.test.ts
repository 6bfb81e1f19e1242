import { printCounts, Random, scaled, SimulatedDisk } from "@x/testing";
import { describe, expect, test } from "vitest";

import { type AofError } from "../src/index.ts";
import { eventually, type Outcome } from "./support/outcome.ts";
import { JOURNAL, SmallGroup } from "./support/small-group.ts";

const failing = (code: AofError["code"]): unknown => expect.objectContaining({ code });

/** A folder with records in the file and, unless closed, commits in the journal. */
async function folder(end: "closed" | "killed"): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const group = await SmallGroup.open(disk, { bulkBytesMin: 300 });
  for (const value of [1, 2, 3]) await group.append(value).commit({ value });
  await group.group.checkpoint();
  await group.append(4).commit({ value: 4 });
  await group.append(5, 80).commit({ value: 5 });
  await group.rewind(60).append(6).commit({ value: 6 });
  await group.append(7).commit({ value: 7 });
  if (end === "closed") await group.close();
  return disk.fork();
}

/** Opens and reads everything, so that nothing damaged stays unseen that can be seen. */
async function look(disk: SimulatedDisk): Promise<Outcome<string>> {
  return eventually(async () => {
    const group = await SmallGroup.open(disk);
    const [file] = group.group.files;
    const bytes = file?.read(0, file.size) ?? [];
    const text = `${bytes.join(" ")}/${group.values.join(" ")}/${group.group.sequence}`;
    await group.close();
    return text;
  });
}

function tally(found: Map<string, number>, key: string): void {
  found.set(key, (found.get(key) ?? 0) + 1);
}

const TYPED = new Set([
  "AOF_DAMAGED",
  "AOF_FOREIGN_CHANGE",
  "AOF_JOURNAL_DAMAGED",
  "AOF_MISSING",
  "AOF_NOT_A_FILE",
  "AOF_TRUNCATED",
]);

describe.each(["closed", "killed"] as const)("damage to a folder that was %s", (end) => {
  test("of any bit is reported, or harmless, or lies where only the owner can see it", async () => {
    const disk = await folder(end);
    const whole = await look(disk.fork());
    const found = new Map<string, number>();
    for (const name of disk.names()) {
      const size = disk.sizeOf(name) ?? 0;
      for (let at = 0; at < size; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const image = disk.fork();
          image.flip(name, at, 1 << bit);
          const { value, code } = await look(image);
          const what =
            value === undefined
              ? String(code)
              : value === whole.value
                ? "harmless"
                : name === JOURNAL
                  ? "older"
                  : "another value";
          tally(found, `${name}: ${what}`);
          expect(image.openFiles).toBe(0);
        }
      }
    }
    printCounts(`T-DAMAGE bits, ${end}`, Object.fromEntries(found));
    // The journal and the blob are under checksums. A record file is not ours to put one into.
    const expected =
      end === "closed"
        ? ["s.bin: another value", "s.blob: AOF_FOREIGN_CHANGE", `${JOURNAL}: AOF_JOURNAL_DAMAGED`]
        : [
            "s.bin: another value",
            // Bytes the journal has too are written again.
            "s.bin: harmless",
            "s.blob: AOF_DAMAGED",
            `${JOURNAL}: AOF_JOURNAL_DAMAGED`,
            // The last record cannot be told from an unfinished write.
            `${JOURNAL}: older`,
          ];
    expect([...found.keys()].toSorted()).toEqual(expected.toSorted());
  });

  test("by cutting or extending any file to any length is reported or undone", async () => {
    const disk = await folder(end);
    const whole = await look(disk.fork());
    const found = new Map<string, number>();
    for (const name of disk.names()) {
      const size = disk.sizeOf(name) ?? 0;
      for (let length = 0; length <= size + 8; length++) {
        if (length === size) continue;
        const image = disk.fork();
        image.open(name, "existing").truncate(length);
        const { value, code } = await look(image);
        const side = length < size ? "shorter" : "longer";
        const what =
          value === undefined ? String(code) : value === whole.value ? "undone" : "older";
        tally(found, `${name} ${side}: ${what}`);
      }
    }
    printCounts(`T-DAMAGE lengths, ${end}`, Object.fromEntries(found));
    const expected =
      end === "closed"
        ? [
            "s.bin longer: AOF_FOREIGN_CHANGE",
            "s.bin shorter: AOF_FOREIGN_CHANGE",
            "s.blob longer: AOF_FOREIGN_CHANGE",
            "s.blob shorter: AOF_FOREIGN_CHANGE",
            `${JOURNAL} longer: AOF_JOURNAL_DAMAGED`,
            `${JOURNAL} shorter: AOF_JOURNAL_DAMAGED`,
          ]
        : [
            "s.bin longer: undone",
            "s.bin shorter: AOF_TRUNCATED",
            "s.bin shorter: undone",
            "s.blob longer: AOF_DAMAGED",
            "s.blob shorter: AOF_DAMAGED",
            `${JOURNAL} longer: undone`,
            `${JOURNAL} shorter: AOF_JOURNAL_DAMAGED`,
            // The file shows that a record is missing: the rewind it holds was carried out.
            `${JOURNAL} shorter: AOF_TRUNCATED`,
            `${JOURNAL} shorter: older`,
          ];
    expect([...found.keys()].toSorted()).toEqual(expected.toSorted());
  });

  test.each(["s.bin", "s.blob", JOURNAL])(
    "by removing or replacing %s is reported",
    async (name) => {
      const disk = await folder(end);
      const gone = disk.fork();
      gone.erase(name);
      const { code } = await look(gone);
      expect(code).toBe(name === JOURNAL ? "AOF_FOREIGN_CHANGE" : "AOF_MISSING");
      expect(gone.sizeOf(name)).toBeUndefined();
      for (const kind of ["folder", "link", "pipe"] as const) {
        const image = disk.fork();
        image.erase(name);
        image.plant(name, kind);
        await expect(SmallGroup.open(image)).rejects.toThrow(failing("AOF_NOT_A_FILE"));
        expect(image.openFiles).toBe(0);
      }
    },
  );

  test("of several bytes anywhere gives a typed error or a state, never anything else", async () => {
    const disk = await folder(end);
    const names = disk.names();
    const random = new Random(9);
    const found = new Map<string, number>();
    const runs = scaled(1500);
    for (let run = 0; run < runs; run++) {
      const image = disk.fork();
      for (let i = random.between(1, 4); i > 0; i--) {
        const name = random.pick(names);
        image.flip(name, random.below(image.sizeOf(name) ?? 1), random.between(1, 255));
      }
      const { value, code } = await look(image);
      tally(found, value === undefined ? String(code) : "a state");
    }
    printCounts(`T-DAMAGE bytes, ${end}`, Object.fromEntries(found));
    expect([...found.keys()].filter((what) => what !== "a state" && !TYPED.has(what))).toEqual([]);
  });

  test("by strangers' files changes nothing", async () => {
    const disk = await folder(end);
    const whole = await look(disk.fork());
    disk.put("s_journal.bin.old", Uint8Array.of(1));
    disk.put("s.bin.tmp", Uint8Array.of(1));
    disk.plant("s_folder", "folder");
    expect(await look(disk)).toEqual(whole);
    expect(disk.names()).toContain("s.bin.tmp");
  });
});

describe("a large file", () => {
  test(
    "with random flips is read as it is or refused, and opens in the same few reads",
    { timeout: 60_000 },
    async () => {
      const disk = new SimulatedDisk();
      const group = await SmallGroup.open(disk);
      await group.append(7, 2_500_000).commit({ value: 1 });
      await group.close();
      const random = new Random(4);
      const runs = scaled(10_000);
      let refused = 0;
      for (let run = 0; run < runs; run++) {
        const image = disk.fork();
        const name = random.pick(["s.bin", JOURNAL, "s.blob"]);
        image.flip(name, random.below(image.sizeOf(name) ?? 1), 1 << random.below(8));
        const { value, code } = await eventually(() => SmallGroup.open(image));
        if (value === undefined) refused++;
        expect(code === undefined).toBe(name === "s.bin");
        expect(value?.group.stats.bytesRead ?? 0).toBeLessThan(10_000);
      }
      expect(refused).toBeGreaterThan(10);
    },
  );
});
