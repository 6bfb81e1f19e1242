import { MemoryFileSystem } from "@x/append-only-file";
import { compareBytes, toHex } from "@x/hash";
import { printCounts, Random } from "@x/testing";
import { describe, expect, test } from "vitest";
import { verifyPmmr } from "../../src/file-backend/index.ts";
import type { PmmrView } from "../../src/pmmr-view.ts";
import { fastHashing } from "./support/fast-hashing.ts";
import {
  element,
  fixedCodec,
  type Kind,
  openKind,
  Twin,
  variableCodec,
} from "./support/history.ts";
import { allFiles, codeOf, folderOf, readFile, writeFile } from "./support/memory-folder.ts";
import { type Files, join, type NaiveStore } from "./support/naive-store.ts";

const OPTIONS = { hashing: fastHashing, checkReads: true };
const FIXED: Kind = { prunable: true, variable: false };
const VARIABLE: Kind = { prunable: true, variable: true };

interface Store {
  readonly kind: Kind;
  readonly files: Files;
  /** States that the folder may be found in. */
  readonly states: readonly NaiveStore[];
}

/** A small folder with spent and compacted leaves; closed or, with commits still in its journal, abandoned. */
async function smallStore(kind: Kind, end: "closed" | "abandoned" | "handed over"): Promise<Store> {
  const fs = new MemoryFileSystem();
  const twin = await Twin.open(fs, kind, { hashing: fastHashing });
  await twin.apply({ do: "push", count: 9, many: true });
  await twin.apply({ do: "spend", leaves: [0, 1, 4] });
  await twin.apply({ do: "compact", horizon: 255, restorable: [] });
  const first = twin.committed.clone();
  await twin.apply({ do: "push", count: 2, many: true });
  await twin.apply({ do: "commit", sync: true, wait: true });
  const second = twin.committed.clone();
  await twin.apply({ do: "spend", leaves: [7, 9] });
  await twin.apply({ do: "commit", sync: true, wait: true });
  // What the journal holds can be cut away without a trace, from its end.
  const states = end === "abandoned" ? [first, second, twin.committed] : [twin.committed];
  const files = allFiles(fs);
  if (end === "abandoned") return { kind, files, states };
  await twin.folder.close({ handOver: end === "handed over" });
  return { kind, files: allFiles(fs), states };
}

/** How a damaged folder answers: with an error at opening, with the truth, or with something that verifying objects to. */
async function outcome(fs: MemoryFileSystem, store: Store): Promise<string> {
  const { kind, states } = store;
  const codec = kind.variable ? variableCodec : fixedCodec;
  const codeOfOpening = await codeOf(async () => {
    const folder = await openKind(fs, kind, { ...OPTIONS, readOnly: true });
    await folder.close();
  });
  if (codeOfOpening !== "none") {
    expect(codeOfOpening).toMatch(/^(?:PMMR|AOF)_/);
    return "refused";
  }
  const folder = await openKind(fs, kind, { ...OPTIONS, readOnly: true });
  const truth = states.some((state) => isTruth(folder.pmmr, state, kind));
  await folder.close();
  const { ok } = await verifyPmmr(fs, { ...OPTIONS, codec, prunable: kind.prunable });
  if (ok) return truth ? "true" : "wrong";
  return "verified";
}

/** Whether everything that can be read is as it should be, or a damaged record that is refused. */
function isTruth(pmmr: PmmrView<Uint8Array, Uint8Array>, naive: NaiveStore, kind: Kind): boolean {
  if (pmmr.size !== naive.size || toHex(pmmr.root()) !== toHex(naive.root())) return false;
  for (let pos0 = 0; pos0 < naive.size; pos0++) {
    const index = naive.leafAt(pos0);
    if (!isSame(pmmr.hashAt(pos0), naive.hash(pos0))) return false;
    if (index === undefined) continue;
    if (kind.prunable && pmmr.isUnspent(pos0) !== naive.isUnspent(index)) return false;
    if (!isSame(recordOf(pmmr, pos0), naive.record(index))) return false;
  }
  return true;
}

function recordOf(pmmr: PmmrView<Uint8Array, Uint8Array>, pos0: number): Uint8Array | undefined {
  return pmmr.recordAt(pos0);
}

function isSame(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return compareBytes(left, right) === 0;
}

async function tally(
  store: Store,
  damages: Iterable<readonly [name: string, bytes: Uint8Array]>,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = { refused: 0, verified: 0, true: 0, wrong: 0 };
  for (const [name, bytes] of damages) {
    const fs = folderOf({ ...store.files, [name]: bytes });
    let result: string;
    try {
      result = await outcome(fs, store);
    } catch (error) {
      // A read refused what it found.
      const isTyped = error instanceof Error && "code" in error;
      if (!isTyped || !/^(?:PMMR|AOF)_/.test(String(error.code))) throw error;
      result = "read";
    }
    counts[result] = (counts[result] ?? 0) + 1;
    counts[`${name} ${result}`] = (counts[`${name} ${result}`] ?? 0) + 1;
  }
  return counts;
}

function* everyBit(files: Files): Generator<readonly [string, Uint8Array]> {
  for (const [name, bytes] of Object.entries(files)) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const at = Math.floor(bit / 8);
      yield [name, bytes.map((byte, i) => (i === at ? byte ^ (1 << (bit % 8)) : byte))];
    }
  }
}

function* everyLength(files: Files): Generator<readonly [string, Uint8Array]> {
  for (const [name, bytes] of Object.entries(files)) {
    for (let length = 0; length < bytes.length; length++) yield [name, bytes.slice(0, length)];
    for (let more = 1; more <= 8; more++) yield [name, join([bytes, new Uint8Array(more)])];
  }
}

/** Only totals, without the counts per file. */
function totals(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([key]) => !key.includes(" ")));
}

describe("every bit of a small folder, flipped", () => {
  for (const [title, kind] of [
    ["fixed size", FIXED],
    ["variable size", VARIABLE],
  ] as const) {
    test(`is found when it was closed: ${title}`, async () => {
      const store = await smallStore(kind, "closed");
      const counts = await tally(store, everyBit(store.files));
      printCounts(`T-DAMAGE bits, closed, ${title}`, totals(counts));
      expect(counts["wrong"]).toBe(0);
      expect(counts["true"]).toBe(0);
    }, 120_000);

    test(`is found, or drops commits of the journal, when it was abandoned: ${title}`, async () => {
      const store = await smallStore(kind, "abandoned");
      const counts = await tally(store, everyBit(store.files));
      printCounts(`T-DAMAGE bits, abandoned, ${title}`, totals(counts));
      expect(counts["wrong"]).toBe(0);
      // Only the journal may hide damage, in its last record; and what it will write again anyway.
      for (const name of ["pmmr_prun.bin", "pmmr_leaf.bin"]) {
        expect(counts[`${name} true`] ?? 0).toBe(0);
      }
    }, 120_000);
  }

  test("is found without a journal too, but for bits of the leaf set that leave it plausible", async () => {
    const store = await smallStore(FIXED, "handed over");
    const counts = await tally(store, everyBit(store.files));
    printCounts("T-DAMAGE bits, handed over", totals(counts));
    const wrong = Object.entries(counts).filter(([key]) => key.endsWith(" wrong"));
    expect(wrong.map(([key]) => key)).toEqual(["pmmr_leaf.bin wrong"]);
  }, 120_000);
});

describe("every length of a small folder's files", () => {
  for (const end of ["closed", "abandoned", "handed over"] as const) {
    test(`is found or makes no difference: ${end}`, async () => {
      for (const kind of [FIXED, VARIABLE]) {
        const store = await smallStore(kind, end);
        const counts = await tally(store, everyLength(store.files));
        printCounts(`T-DAMAGE lengths, ${end}`, totals(counts));
        expect(counts["wrong"]).toBe(0);
      }
    }, 120_000);
  }
});

describe("a folder with something in it that is no file of its kind", () => {
  test("is refused when a file that the journal counts on is gone", async () => {
    const store = await smallStore(VARIABLE, "closed");
    for (const name of Object.keys(store.files)) {
      if (name === "pmmr_journal.bin") continue;
      const rest = Object.entries(store.files).filter(([other]) => other !== name);
      const fs = folderOf(Object.fromEntries(rest));
      const before = allFiles(fs);
      const code = await codeOf(() => openKind(fs, VARIABLE, OPTIONS));
      expect({ name, code }).toEqual({ name, code: "AOF_MISSING" });
      expect(allFiles(fs)).toEqual(before);
    }
  });

  test("of another shape is refused", async () => {
    const store = await smallStore(FIXED, "closed");
    for (const kind of [VARIABLE, { prunable: false, variable: false }]) {
      const code = await codeOf(() => openKind(folderOf(store.files), kind, OPTIONS));
      expect(code).toMatch(/^AOF_/);
    }
  });
});

describe("random damage of a larger folder", () => {
  test("is refused, read as an error, or found by verifying", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openKind(fs, FIXED, OPTIONS);
    const elements = Array.from({ length: 20_000 }, (_, i) => element(i, FIXED));
    folder.pmmr.pushMany(elements);
    for (let i = 0; i < 20_000; i += 3) folder.pmmr.prune(2 * i - bits(i));
    await folder.commit();
    await folder.compact();
    await folder.close();
    const random = new Random(11);
    const counts = { flips: 0, refused: 0, verified: 0 };
    const names = fs.list().filter((name) => name.endsWith(".bin"));
    for (let i = 0; i < 60; i++) {
      const name = random.pick(names);
      const bytes = readFile(fs, name);
      const at = random.below(bytes.length);
      const mask = 1 << random.below(8);
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      writeFile(fs, name, bytes);
      counts.flips++;
      const report = await verifyPmmr(fs, { codec: fixedCodec, prunable: true, ...OPTIONS });
      expect(report.ok).toBe(false);
      if (report.size === undefined) counts.refused++;
      else counts.verified++;
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      writeFile(fs, name, bytes);
    }
    printCounts("T-DAMAGE random flips", counts);
    expect(counts.refused).toBeGreaterThan(0);
    expect(counts.verified).toBeGreaterThan(0);
  }, 120_000);
});

function bits(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
