import { crashEverywhere, type CrashSubject, failEverywhere, SimulatedDisk } from "@x/testing";
import { describe, expect, test } from "vitest";

import {
  type Adoption,
  type AdoptionRepair,
  type AdoptView,
  type AofError,
  type FileGroup,
  type GroupLayout,
} from "../src/index.ts";
import { eventually } from "./support/outcome.ts";
import { JOURNAL, SmallGroup } from "./support/small-group.ts";

const failing = (code: AofError["code"]): unknown => expect.objectContaining({ code });
const META = Uint8Array.of(42);

/** Accepts whole records with as many blob values; repairs to the shorter of the two. */
function judge(folder: AdoptView, { repair }: { readonly repair: boolean }): Adoption {
  const bytes = folder.size("s.bin") ?? 0;
  const values = folder.size("s.blob") ?? 0;
  const records = Math.floor(bytes / 4);
  if (bytes % 4 === 0 && records === values) return { kind: "accept", meta: META };
  if (!repair) {
    return {
      kind: "damaged",
      problems: [`${bytes} bytes and ${values} values`],
      repairable: true,
    };
  }
  const kept = Math.min(records, values);
  return {
    kind: "repair",
    meta: META,
    sizes: [4 * kept],
    blobs: [folder.read("s.blob", 0, kept)],
  };
}

const LAYOUT: Partial<GroupLayout> = { adopt: judge };

function foreignDisk(bytes: readonly number[], values: readonly number[]): SimulatedDisk {
  const disk = new SimulatedDisk({ syncTurnsMax: 3 });
  disk.put("s.bin", Uint8Array.from(bytes));
  disk.put("s.blob", Uint8Array.from(values));
  return disk;
}

const TWO = [1, 1, 1, 1, 2, 2, 2, 2];

function verdict(more: Partial<AdoptionRepair>): Partial<GroupLayout> {
  return { adopt: () => ({ kind: "repair", meta: META, sizes: [8], blobs: [undefined], ...more }) };
}

describe("a folder without a journal", () => {
  test("is refused when nobody can judge it", async () => {
    await expect(SmallGroup.open(foreignDisk(TWO, [1, 2]))).rejects.toThrow(
      failing("AOF_FOREIGN_CHANGE"),
    );
  });

  test("is taken as it is when its owner accepts it", async () => {
    const disk = foreignDisk(TWO, [1, 2]);
    const group = await SmallGroup.open(disk, {}, LAYOUT);
    expect([group.records, group.values, [...group.group.meta], group.group.created]).toEqual([
      [1, 2],
      [1, 2],
      [42],
      false,
    ]);
    await group.append(3).commit({ value: 3 });
    expect((await SmallGroup.open(disk.fork())).records).toEqual([1, 2, 3]);
  });

  test("gets the files it lacks", async () => {
    const disk = new SimulatedDisk();
    disk.put("s.blob", new Uint8Array(0));
    const group = await SmallGroup.open(disk, {}, LAYOUT);
    expect(group.records).toEqual([]);
    expect(disk.names()).toEqual(["s.bin", "s.blob", JOURNAL]);
    const other = new SimulatedDisk();
    other.put("s.bin", new Uint8Array(0));
    const without = await SmallGroup.open(other, {}, LAYOUT);
    expect(other.names()).toEqual(["s.bin", JOURNAL]);
    await without.append(1).commit({ value: 1 });
    await without.close();
    expect(other.bytesOf("s.blob")).toEqual(Uint8Array.of(1));
  });

  test("is refused with its owner's reasons, and not touched", async () => {
    const disk = foreignDisk([...TWO, 3], [1, 2]);
    disk.before = ({ changes }) => {
      if (changes) throw new Error("a change before validation passed");
    };
    await expect(SmallGroup.open(disk, {}, LAYOUT)).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      problems: ["9 bytes and 2 values"],
      repairable: true,
    });
    expect(disk.openFiles).toBe(0);
  });

  test.each<[string, readonly number[], readonly number[]]>([
    ["a torn tail", [...TWO, 3, 3], [1, 2]],
    ["a record too many", [...TWO, 3, 3, 3, 3], [1, 2]],
    ["a value too many", TWO, [1, 2, 3, 4]],
  ])("is repaired on request: %s", async (_, bytes, values) => {
    const disk = foreignDisk(bytes, values);
    const group = await SmallGroup.open(disk, { repair: true }, LAYOUT);
    expect([group.records, group.values]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(disk.bytesOf("s.bin")).toEqual(Uint8Array.from(TWO));
    await group.append(9).commit({ value: 9 });
    expect((await SmallGroup.open(disk.fork())).records).toEqual([1, 2, 9]);
  });

  test("is repaired from another file, or from bytes, where its owner says so", async () => {
    const disk = new SimulatedDisk();
    disk.put("s.old", Uint8Array.from([...TWO, 7]));
    disk.put("s.blob", Uint8Array.of(1, 2));
    const other = disk.fork();
    const taken = await SmallGroup.open(disk, { repair: true }, verdict({ takeFrom: ["s.old"] }));
    expect(taken.records).toEqual([1, 2]);
    expect(disk.names()).toEqual(["s.bin", "s.blob", "s.old", JOURNAL]);
    const given = await SmallGroup.open(
      other,
      { repair: true },
      verdict({ content: [Uint8Array.from([...TWO, 5])] }),
    );
    expect(given.records).toEqual([1, 2]);
    await expect(
      SmallGroup.open(foreignDisk([1], [1]), { repair: true }, verdict({})),
    ).rejects.toThrow(RangeError);
  });

  test("that would need repair is not repaired unasked", async () => {
    const layout: Partial<GroupLayout> = {
      adopt: () => ({ kind: "repair", meta: META, sizes: [4], blobs: [undefined] }),
    };
    const disk = foreignDisk(TWO, [1]);
    await expect(SmallGroup.open(disk, {}, layout)).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      repairable: true,
    });
    expect(disk.sizeOf("s.bin")).toBe(8);
  });

  test("can be read without being touched", async () => {
    const disk = foreignDisk(TWO, [1, 2]);
    disk.before = ({ changes, kind }) => {
      if (changes || kind === "lock") throw new Error("a change while reading only");
    };
    const group = await SmallGroup.open(disk, { readOnly: true }, LAYOUT);
    expect([group.records, group.values, group.group.sequence]).toEqual([[1, 2], [1, 2], 0]);
    await group.close();
    expect(disk.openFiles).toBe(0);
  });

  test("shows its owner neither the group's own files nor anything beyond an end", async () => {
    const disk = foreignDisk(TWO, [1, 2]);
    disk.put("s_next.9.s.bin", Uint8Array.of(1));
    disk.put("s_journal.tmp", Uint8Array.of(1));
    disk.put("other", Uint8Array.of(1));
    const seen: unknown[] = [];
    const layout: Partial<GroupLayout> = {
      adopt: (folder) => {
        seen.push(folder.names().toSorted(), folder.size("none"), folder.read("s.bin", 6, 100));
        seen.push(folder.read("s.bin", 100, 1), folder.read("none", 0, 1));
        return { kind: "accept", meta: META };
      },
    };
    await SmallGroup.open(disk, {}, layout);
    const none = new Uint8Array(0);
    expect(seen).toEqual([
      ["other", "s.bin", "s.blob"],
      undefined,
      Uint8Array.of(2, 2),
      none,
      none,
    ]);
  });
});

async function closedThenChanged(change: (disk: SimulatedDisk) => void): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const group = await SmallGroup.open(disk);
  await group.append(1).commit({ value: 1 });
  await group.close();
  change(disk);
  return disk;
}

describe("a folder somebody else wrote to", () => {
  const changes: [string, (disk: SimulatedDisk) => void][] = [
    ["a file grew", (disk) => disk.put("s.bin", Uint8Array.from(TWO))],
    ["a file was cut", (disk) => disk.put("s.bin", Uint8Array.of(1))],
    ["a blob changed", (disk) => disk.put("s.blob", Uint8Array.of(7))],
    ["a blob grew", (disk) => disk.put("s.blob", Uint8Array.of(1, 2))],
  ];

  test.each(changes)("after it was closed is refused: %s", async (_, change) => {
    const disk = await closedThenChanged(change);
    await expect(SmallGroup.open(disk, {}, LAYOUT)).rejects.toThrow(failing("AOF_FOREIGN_CHANGE"));
    await expect(SmallGroup.open(disk, { readOnly: true }, LAYOUT)).rejects.toThrow(
      failing("AOF_FOREIGN_CHANGE"),
    );
  });

  test("is accepted on request if it is consistent", async () => {
    const disk = await closedThenChanged((folder) => {
      folder.put("s.bin", Uint8Array.from(TWO));
      folder.put("s.blob", Uint8Array.of(1, 2));
    });
    const before = await SmallGroup.open(disk.fork(), { readOnly: true, adopt: true }, LAYOUT);
    expect([before.records, before.group.sequence]).toEqual([[1, 2], 2]);
    const group = await SmallGroup.open(disk, { adopt: true }, LAYOUT);
    expect([group.records, group.values, group.group.sequence]).toEqual([[1, 2], [1, 2], 2]);
    await group.close();
    expect((await SmallGroup.open(disk)).records).toEqual([1, 2]);
  });

  test("is not accepted, even on request, if it is not", async () => {
    const disk = await closedThenChanged((folder) => folder.put("s.bin", Uint8Array.from(TWO)));
    await expect(SmallGroup.open(disk, { adopt: true }, LAYOUT)).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      repairable: true,
    });
  });

  test("lacks a file", async () => {
    const disk = await closedThenChanged((folder) => folder.erase("s.bin"));
    await expect(SmallGroup.open(disk, { adopt: true }, LAYOUT)).rejects.toThrow(
      failing("AOF_MISSING"),
    );
    expect(disk.sizeOf("s.bin")).toBeUndefined();
  });

  test("has a blob that was not there", async () => {
    const disk = new SimulatedDisk();
    disk.put("s.bin", new Uint8Array(0));
    await (await SmallGroup.open(disk, {}, LAYOUT)).close();
    disk.put("s.blob", new Uint8Array(0));
    await expect(SmallGroup.open(disk, {}, LAYOUT)).rejects.toThrow(failing("AOF_FOREIGN_CHANGE"));
  });
});

async function unclean(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const group = await SmallGroup.open(disk, { bulkBytesMin: 1 });
  for (const value of [1, 2, 3]) await group.append(value).commit({ value });
  await group.group.checkpoint();
  return disk.fork();
}

describe("repair of a folder whose journal does not count", () => {
  test.each<[string, AofError["code"], (disk: SimulatedDisk) => void]>([
    ["a file was cut", "AOF_TRUNCATED", (disk) => disk.open("s.bin", "existing").truncate(9)],
    ["a file is gone", "AOF_MISSING", (disk) => disk.erase("s.bin")],
    ["a blob changed", "AOF_DAMAGED", (disk) => disk.put("s.blob", Uint8Array.of(1, 2))],
    ["the header is broken", "AOF_JOURNAL_DAMAGED", (disk) => disk.flip(JOURNAL, 20, 1)],
  ])("goes by what its owner says: %s", async (_, code, harm) => {
    const disk = await unclean();
    harm(disk);
    await expect(SmallGroup.open(disk, {}, LAYOUT)).rejects.toThrow(failing(code));
    await expect(SmallGroup.open(disk, { repair: true })).rejects.toThrow(failing(code));
    const group = await SmallGroup.open(disk, { repair: true }, LAYOUT);
    expect(group.records.length).toBe(group.values.length);
    await group.append(9).commit({ value: 9 });
    const again = await SmallGroup.open(disk.fork());
    expect([again.records.at(-1), again.values.at(-1)]).toEqual([9, 9]);
  });

  test("finishes the switch that the journal had begun", async () => {
    const disk = new SimulatedDisk();
    const group = await SmallGroup.open(disk);
    for (const value of [1, 2, 3]) await group.append(value).commit({ value });
    disk.failAt(disk.operations + 100, "EIO");
    const names: string[] = [];
    disk.before = ({ kind, name }) => {
      if (kind === "rename" && name !== "s_journal.tmp") names.push(name);
      if (names.length > 0) throw Object.assign(new Error("stop"), { code: "AOF_IO" });
    };
    expect((await eventually(() => group.group.checkpoint())).code).toBe("AOF_IO");
    expect(names).toEqual(["s_next.2.s.blob"]);
    const image = disk.fork();
    image.open("s.bin", "existing").truncate(9);
    const repaired = await SmallGroup.open(image, { repair: true }, LAYOUT);
    expect([repaired.records, repaired.values]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test("refuses to guess which prepared files count when the header cannot be read", async () => {
    const disk = await unclean();
    disk.flip(JOURNAL, 20, 1);
    disk.put("s_next.3.s.bin", Uint8Array.of(1));
    await expect(SmallGroup.open(disk, { repair: true }, LAYOUT)).rejects.toThrow(
      failing("AOF_JOURNAL_DAMAGED"),
    );
    expect(disk.sizeOf("s_next.3.s.bin")).toBe(1);
  });
});

/** Opens a foreign folder; whatever happens, it ends as the first two records, or is as it was. */
const subject: CrashSubject = {
  initial: "1 2/1 2",
  run: async (disk) => {
    const group = await SmallGroup.open(disk, { repair: true }, LAYOUT);
    await group.close();
  },
  reopen: async (disk) => {
    const group = await SmallGroup.open(disk, { repair: true }, LAYOUT);
    return {
      digest: digest(group),
      check: () => {
        if (disk.sizeOf("s.bin") !== 8) throw new Error(`s.bin has ${disk.sizeOf("s.bin")} bytes`);
      },
      extend: async () => {
        await group.append(3).commit({ value: 3 });
        return digest(group);
      },
    };
  },
};

function digest(group: SmallGroup): string {
  return `${group.records.join(" ")}/${group.values.join(" ")}`;
}

describe("adoption and repair", () => {
  test.each<[string, readonly number[], readonly number[]]>([
    ["accepts", TWO, [1, 2]],
    ["cuts", [...TWO, 3, 3, 3, 3, 4], [1, 2]],
    ["replaces", TWO, [1, 2, 3]],
  ])("survives every crash and fault: it %s", { timeout: 60_000 }, async (_, bytes, values) => {
    const options = { seed: 3, disk: () => foreignDisk(bytes, values) };
    const crashes = await crashEverywhere(subject, {
      ...options,
      nested: ["kill", "none", "subset"],
      plan: { kill: 1, none: 1, prefix: 1, subset: 2, reverse: 1, tear: 1 },
    });
    expect(crashes.nested).toBeGreaterThan(100);
    const faults = await failEverywhere(subject, options);
    expect(faults.reported).toBeGreaterThan(50);
  });
});

function boom(): never {
  throw new Error("boom");
}

describe("exceptions of the owner", () => {
  test("while it judges mean damage, and change nothing", async () => {
    const disk = foreignDisk(TWO, [1, 2]);
    await expect(SmallGroup.open(disk, {}, { adopt: boom })).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      cause: { message: "boom" },
    });
    expect(disk.names()).toEqual(["s.bin", "s.blob"]);
    expect(disk.openFiles).toBe(0);
    expect((await SmallGroup.open(disk, {}, LAYOUT)).records).toEqual([1, 2]);
  });

  test("while it restores a blob mean damage, and change nothing", async () => {
    const broken: Partial<GroupLayout> = { blobs: [{ name: "s.blob", restore: boom }] };
    const disk = new SimulatedDisk();
    const group = await SmallGroup.open(disk);
    await group.append(1).commit({ value: 1 });
    const image = disk.fork();
    image.before = ({ changes }) => {
      if (changes) throw new Error("a change before validation passed");
    };
    await expect(SmallGroup.open(image, {}, broken)).rejects.toMatchObject({
      code: "AOF_DAMAGED",
      cause: { message: "boom" },
    });
    expect(image.openFiles).toBe(0);
    image.before = undefined;
    expect((await SmallGroup.open(image)).values).toEqual([1]);
    const empty = new SimulatedDisk();
    await expect(SmallGroup.open(empty, {}, broken)).rejects.toThrow(failing("AOF_DAMAGED"));
    expect(empty.names()).toEqual([]);
    await expect(
      SmallGroup.open(foreignDisk(TWO, [1, 2]), {}, { ...LAYOUT, ...broken }),
    ).rejects.toThrow(failing("AOF_DAMAGED"));
  });

  test("while it writes a blob fail the checkpoint, and nothing else", async () => {
    const disk = new SimulatedDisk();
    const group = await SmallGroup.open(disk, { journalRecordsMax: 2 });
    const commit = (content: () => Uint8Array): Promise<void> => {
      const blob: Parameters<FileGroup["commit"]>[0]["blobs"] = [
        { delta: Uint8Array.of(5), content },
      ];
      return group.group.commit({ meta: META, blobs: blob });
    };
    await commit(boom);
    await expect(group.group.checkpoint()).rejects.toThrow("boom");
    await commit(boom);
    await commit(boom);
    // The journal is over its limit: the next commit must make room, and says why it cannot.
    await expect(commit(boom)).rejects.toThrow("boom");
    expect([group.group.state, group.group.sequence]).toEqual(["open", 3]);
    expect(disk.names()).toEqual(["s.bin", "s.blob", JOURNAL]);
    await expect(group.group.close()).rejects.toThrow("boom");
    const again = await SmallGroup.open(disk);
    expect([again.values, again.group.sequence]).toEqual([[5, 5, 5], 3]);
  });

  test("while it is asked what to keep undo the rewrite, wherever they come", async () => {
    const disk = new SimulatedDisk();
    const group = await SmallGroup.open(disk);
    await group.append(1, 100).commit({ value: 1 });
    const plans: Parameters<FileGroup["rewrite"]>[0][] = [];
    for (let at = 0; at < 4; at++) {
      const keep = function* keep(): Generator<readonly [number, number]> {
        for (let i = 0; i < 5; i++) {
          if (i === at) throw new Error("boom");
          yield [4 * i, 4 * i + 4];
        }
      };
      plans.push({ files: [{ keep: keep() }], blobs: [undefined], meta: META });
    }
    plans.push({ files: [{ content: [Uint8Array.from(TWO)] }], blobs: [boom], meta: META });
    plans.push({ files: [{ keep: [[0, 4]] }], blobs: [undefined], meta: META, onProgress: boom });
    for (const plan of plans) {
      const names = disk.names();
      await expect(group.group.rewrite(plan)).rejects.toThrow("boom");
      expect([disk.names(), disk.openFiles, group.group.state]).toEqual([names, 2, "open"]);
      group.group.discard();
    }
    await group.append(2).commit();
    expect(group.records).toHaveLength(101);
  });
});
