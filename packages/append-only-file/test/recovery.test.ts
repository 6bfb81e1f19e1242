import {
  CommitLog,
  crashEverywhere,
  type CrashSubject,
  fromEnvironment,
  printCounts,
  Random,
  scaled,
  SimulatedDisk,
} from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type AofError, type GroupLayout, type GroupOptions } from "../src/index.ts";
import * as module from "../src/index.ts";
import {
  type Change,
  digestOf,
  type History,
  histories,
  INITIAL,
  Ledger,
  ledgerLayout,
  ledgerSubject,
  LIMITS,
  stateOf,
} from "./support/ledger.ts";
import { eventually } from "./support/outcome.ts";
import { JOURNAL, SmallGroup } from "./support/small-group.ts";

const failing = (code: AofError["code"]): unknown => expect.objectContaining({ code });
/** Few images, each with all crashes of its recovery. */
const PLAN = { kill: 1, none: 0, prefix: 0, subset: 1, reverse: 0, tear: 1 };
const COMMIT = { kind: "commit", sync: true, wait: true } as const;
const REOPEN = { kind: "reopen" } as const;
const small: Change = { kind: "append", file: 0, bytes: 16 };
const large: Change = { kind: "append", file: 0, bytes: 2400 };
const back: Change = { kind: "rewind", file: 0, keep: 10 };
const toggle: Change = { kind: "toggle", blob: 0, value: 5 };

/** A group after these commits, seen as a power cut would leave it if the medium had everything. */
async function imageAfter(
  commits: readonly ((group: SmallGroup) => SmallGroup)[],
  options: GroupOptions = {},
): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const group = await SmallGroup.open(disk, options);
  for (const [i, change] of commits.entries())
    await change(group).commit({ value: i + 1, meta: i + 1 });
  return disk.fork();
}

const three = [
  (group: SmallGroup) => group.append(1),
  (group: SmallGroup) => group.append(2, 2),
  (group: SmallGroup) => group.rewind(1).append(3),
];

describe("recovery", () => {
  // Each of these was once wrong in a prototype or here.
  test.each<[string, History]>([
    [
      "an early record is not written over later direct bytes",
      [
        { changes: [small], end: COMMIT },
        { changes: [back], end: COMMIT },
        { changes: [large], end: COMMIT },
      ],
    ],
    [
      "a direct range that was cut away later is not missed",
      [
        { changes: [large], end: COMMIT },
        { changes: [back], end: COMMIT },
      ],
    ],
    [
      "a group that was half created is not taken for an existing one",
      [{ changes: [small], end: COMMIT }],
    ],
    [
      "a clean opening makes the folder's entries durable",
      [
        { changes: [toggle], end: COMMIT },
        { changes: [], end: REOPEN },
        { changes: [small], end: COMMIT },
      ],
    ],
    [
      "a commit after a clean close is not a foreign change",
      [
        { changes: [small], end: COMMIT },
        { changes: [], end: REOPEN },
        { changes: [small], end: COMMIT },
        { changes: [small, toggle], end: COMMIT },
      ],
    ],
  ])("keeps in mind that %s", { timeout: 60_000 }, async (_, history) => {
    const counts = await crashEverywhere(ledgerSubject(module, history), {
      seed: 5,
      nested: ["kill", "none", "subset"],
      plan: PLAN,
    });
    expect(counts.images).toBeGreaterThan(100);
  });

  test("restores everything from the journal alone", async () => {
    const disk = await imageAfter(three);
    // The file as it was at the last checkpoint, plus garbage.
    const file = disk.open("s.bin", "existing");
    file.truncate(0);
    file.write(0, new Uint8Array(100).fill(0xee));
    const group = await SmallGroup.open(disk);
    expect([group.records, group.values, group.group.sequence, [...group.group.meta]]).toEqual([
      [1, 3],
      [1, 2, 3],
      3,
      [3],
    ]);
    expect(disk.bytesOf("s.bin")).toEqual(Uint8Array.of(1, 1, 1, 1, 3, 3, 3, 3));
    expect(disk.bytesOf("s.blob")).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("is over after one opening: the next finds nothing to do", async () => {
    const disk = await imageAfter(three);
    await (await SmallGroup.open(disk)).group.checkpoint();
    const image = disk.fork();
    const writes = image.stats.write;
    await SmallGroup.open(image);
    expect([image.stats.write - writes, image.stats.rename]).toEqual([0, 0]);
  });

  test("removes what an interrupted checkpoint left", async () => {
    const disk = await imageAfter(three);
    disk.put("s_next.2.s.blob", Uint8Array.of(9));
    disk.put("s_next.77.s.bin", Uint8Array.of(9));
    disk.put("s_journal.tmp", Uint8Array.of(9));
    disk.put("s_saved.0", Uint8Array.of(9));
    disk.put("somebody.else", Uint8Array.of(9));
    const group = await SmallGroup.open(disk);
    expect(group.values).toEqual([1, 2, 3]);
    expect(disk.names()).toEqual(["s.bin", "s.blob", JOURNAL, "somebody.else"]);
  });

  test("removes what an interrupted creation left", async () => {
    const disk = new SimulatedDisk();
    disk.put("s_next.1.s.blob", Uint8Array.of(9));
    disk.put("s_journal.tmp", Uint8Array.of(9));
    const group = await SmallGroup.open(disk);
    expect([group.group.created, group.values]).toEqual([true, []]);
  });
});

describe("reading only", () => {
  test(
    "finds what recovery finds, wherever a writer was stopped",
    { timeout: 60_000 },
    async () => {
      const counts = { histories: 0, images: 0 };
      for (const history of fc.sample(histories({ turnsMin: 12, turnsMax: 16 }), {
        numRuns: scaled(6),
        seed: fromEnvironment("CRASH_SEED", 6),
      })) {
        const disk = new SimulatedDisk({ syncTurnsMax: 3 });
        const images: SimulatedDisk[] = [];
        const random = new Random(images.length);
        disk.before = ({ changes }) => {
          if (!changes) return;
          images.push(disk.fork(), disk.crash("subset", random), disk.crash("tear", random));
        };
        const log = new CommitLog(digestOf(INITIAL));
        await new Ledger(module, disk, LIMITS, log).live(history);
        for (const image of images) {
          // Before the first journal there is nothing to be read.
          if (image.sizeOf("led_journal.bin") === undefined) continue;
          const operations = image.stats;
          const before =
            operations.write + operations.rename + operations.truncate + operations.sync;
          const sets: [number[], number[]] = [[], []];
          const options = { ...LIMITS, readOnly: true };
          const reader = await module.FileGroup.open(image, ledgerLayout(sets), options);
          const found = digestOf(stateOf(reader, sets));
          await reader.close();
          expect(operations.write + operations.rename + operations.truncate + operations.sync).toBe(
            before,
          );
          expect(found).toBe((await ledgerSubject(module, []).reopen(image)).digest);
          counts.images++;
        }
        counts.histories++;
      }
      printCounts("reading only beside recovery", counts);
      expect(counts.images).toBeGreaterThan(1000);
    },
  );
});

describe("a broken journal", () => {
  test("is told from an unfinished write by a later record that knew better", async () => {
    const disk = await imageAfter(three);
    const intact = disk.bytesOf(JOURNAL) ?? new Uint8Array(0);
    const header = await imageAfter([]);
    const begin = header.sizeOf(JOURNAL) ?? 0;
    // Where the last record begins: the sum of what the first two add.
    const last = (await imageAfter(three.slice(0, 2))).sizeOf(JOURNAL) ?? 0;
    const found = new Map<string, number>();
    for (let at = 0; at < intact.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const image = disk.fork();
        image.flip(JOURNAL, at, 1 << bit);
        const { value, code } = await eventually(() => SmallGroup.open(image));
        const what =
          value === undefined ? code : `${value.records.join(" ")}, ${value.values.join(" ")}`;
        const key = `${at < last ? "earlier" : "last"}: ${String(what)}`;
        found.set(key, (found.get(key) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(found)).toEqual({
      "earlier: AOF_JOURNAL_DAMAGED": last * 8,
      "last: 1 2 2, 1 2": (intact.length - last) * 8,
    });
    expect(begin).toBeGreaterThan(100);
  });

  test("cut anywhere loses what was cut, whole commits at a time, or is refused", async () => {
    const disk = await imageAfter(three);
    const size = disk.sizeOf(JOURNAL) ?? 0;
    const header = (await imageAfter([])).sizeOf(JOURNAL) ?? 0;
    const found = new Set<string>();
    for (let length = 0; length < size; length++) {
      const image = disk.fork();
      image.open(JOURNAL, "existing").truncate(length);
      const { value, code } = await eventually(() => SmallGroup.open(image));
      found.add(value === undefined ? String(code) : value.records.join(" "));
      expect(code === undefined).toBe(length >= header);
    }
    expect([...found]).toEqual(["AOF_JOURNAL_DAMAGED", "", "1", "1 2 2"]);
  });

  test("is opened up to the break when repair is asked for", async () => {
    const disk = await imageAfter(three);
    const second = (await imageAfter(three.slice(0, 1))).sizeOf(JOURNAL) ?? 0;
    disk.flip(JOURNAL, second + 30, 1);
    await expect(SmallGroup.open(disk)).rejects.toThrow(failing("AOF_JOURNAL_DAMAGED"));
    const group = await SmallGroup.open(disk, { repair: true });
    expect([group.records, group.values, group.group.sequence]).toEqual([[1], [1], 1]);
    await group.append(8).commit();
    expect((await SmallGroup.open(disk.fork())).records).toEqual([1, 8]);
  });

  test("that goes on after a clean close is refused", async () => {
    const disk = new SimulatedDisk();
    await (await SmallGroup.open(disk)).close();
    const file = disk.open(JOURNAL, "existing");
    file.write(file.size(), Uint8Array.of(0));
    await expect(SmallGroup.open(disk)).rejects.toThrow(failing("AOF_JOURNAL_DAMAGED"));
  });

  test("of another journal's records keeps only its own", async () => {
    const disk = await imageAfter(three.slice(0, 1));
    const other = await imageAfter(three, { journalRecordsMax: 1 });
    const foreign = other.bytesOf(JOURNAL) ?? new Uint8Array(0);
    const file = disk.open(JOURNAL, "existing");
    file.write(file.size(), foreign.slice(264));
    expect((await SmallGroup.open(disk)).records).toEqual([1]);
  });

  test("full of what looks like records takes bounded time", async () => {
    const disk = await imageAfter(three.slice(0, 1));
    const file = disk.open(JOURNAL, "existing");
    // Each claims to reach almost to the end; none verifies.
    const count = 20_000;
    const fake = new Uint8Array(24 * count);
    const view = new DataView(fake.buffer);
    for (let i = 0; i < count; i++) {
      view.setUint32(24 * i, 0x52454331);
      view.setUint32(24 * i + 4, fake.length - 24 * i - 40);
      view.setUint32(24 * i + 12, 1000);
      view.setUint32(24 * i + 20, 999);
    }
    file.write(file.size(), fake);
    expect((await SmallGroup.open(disk)).records).toEqual([1]);
  });

  test("full of plausible records is called damaged rather than searched for ever", async () => {
    const disk = await imageAfter([]);
    const file = disk.open(JOURNAL, "existing");
    // Records whose content is in order and whose checksums are not, one within the other: each is one delta.
    const size = 2_000_000;
    const fake = new Uint8Array(size);
    const view = new DataView(fake.buffer);
    for (let at = 0; at + 61 < size; at += 49) {
      view.setUint32(at, 0x52454331);
      view.setUint32(at + 4, size - at - 40);
      view.setUint32(at + 12, 1000);
      view.setUint32(at + 20, 999);
      view.setUint32(at + 41, size - at - 40 - 25);
    }
    file.write(file.size(), fake);
    const began = performance.now();
    const { code } = await eventually(() => SmallGroup.open(disk));
    expect(code).toBe("AOF_JOURNAL_DAMAGED");
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe("an older folder put back", () => {
  test("is AOF_ROLLED_BACK to one who knows better, and stays as it is", async () => {
    const disk = new SimulatedDisk();
    const group = await SmallGroup.open(disk);
    await group.append(1).commit();
    await group.group.checkpoint();
    const older = disk.fork();
    await group.append(2).commit();
    const known = group.group.durableSequence;
    expect(known).toBe(2);
    const names = older.names();
    await expect(SmallGroup.open(older, { expect: { sequence: known } })).rejects.toThrow(
      failing("AOF_ROLLED_BACK"),
    );
    expect(older.names()).toEqual(names);
    await (await SmallGroup.open(older, { expect: { sequence: 1 } })).close();
    await (await SmallGroup.open(disk.fork(), { expect: { sequence: known } })).close();
  });

  test("is noticed when it is empty, or has lost its journal", async () => {
    const options = { expect: { sequence: 1 } };
    await expect(SmallGroup.open(new SimulatedDisk(), options)).rejects.toThrow(
      failing("AOF_ROLLED_BACK"),
    );
    const disk = await imageAfter(three);
    disk.erase(JOURNAL);
    const adopt: Partial<GroupLayout> = {
      adopt: () => ({ kind: "accept", meta: new Uint8Array(0) }),
    };
    await expect(SmallGroup.open(disk, options, adopt)).rejects.toThrow(failing("AOF_ROLLED_BACK"));
  });

  test("is noticed by a reader too", async () => {
    const disk = await imageAfter(three);
    await expect(
      SmallGroup.open(disk, { readOnly: true, expect: { sequence: 4 } }),
    ).rejects.toThrow(failing("AOF_ROLLED_BACK"));
  });
});

describe("a folder handed over and taken back", () => {
  test("survives every crash", { timeout: 60_000 }, async () => {
    const accept: Partial<GroupLayout> = {
      adopt: (folder) => ({ kind: "accept", meta: Uint8Array.of(folder.size("s.bin") ?? 0) }),
    };
    const subject: CrashSubject = {
      initial: "",
      run: async (disk, log) => {
        let group = await SmallGroup.open(disk, {}, accept);
        for (let i = 1; i <= 2; i++) {
          const state = log.started("1 ".repeat(i).trim());
          await group.append(1).commit({ value: i });
          log.durable(state);
          await group.group.close({ handOver: true });
          group = await SmallGroup.open(disk, {}, accept);
        }
        await group.close();
      },
      reopen: async (disk) => {
        const group = await SmallGroup.open(disk, {}, accept);
        if (group.values.length !== group.records.length) throw new Error("blob and file differ");
        return {
          digest: group.records.join(" "),
          extend: async () => {
            await group.append(1).commit({ value: 1 });
            return group.records.join(" ");
          },
        };
      },
    };
    const counts = await crashEverywhere(subject, {
      seed: 1,
      nested: ["kill", "none", "subset"],
      plan: PLAN,
    });
    expect(counts.images).toBeGreaterThan(1000);
  });
});
