import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Child, hexOf, Random } from "@x/testing";
import { ClassicLevel } from "classic-level";

import { open } from "../../src/index.ts";

const READER = fileURLToPath(new URL("reader-child.mjs", import.meta.url));

/** How a damaged database was read: as it was, with less, with something else, not at all (a code), or to death. */
export type Outcome = "same" | "missing" | "wrong" | "aborted" | (string & {});

/** Copies of one database, each damaged in its own way. */
export class DamagedCopies {
  readonly #home: string;
  readonly #random: Random;
  #copyCount = 0;

  private constructor(home: string, seed: number) {
    this.#home = home;
    this.#random = new Random(seed);
  }

  /** @param where - whether what was written is in LevelDB's log, or in a table */
  static async make(where: "log" | "table", seed: number): Promise<DamagedCopies> {
    const copies = new DamagedCopies(mkdtempSync(join(tmpdir(), "damaged-")), seed);
    await copies.#write();
    if (where === "table") await copies.#compact();
    return copies;
  }

  /** Damages one file in each of `count` copies, and gives their folders. */
  damage(
    count: number,
    file: RegExp,
    change: (bytes: Uint8Array, random: Random) => void,
  ): string[] {
    return Array.from({ length: count }, () => {
      const folder = this.copy();
      const name = readdirSync(folder).find((one) => file.test(one)) ?? "";
      const bytes = readFileSync(join(folder, name));
      change(bytes, this.#random);
      writeFileSync(join(folder, name), bytes);
      return folder;
    });
  }

  /** An undamaged copy. */
  copy(): string {
    const folder = join(this.#home, `copy-${this.#copyCount++}`);
    cpSync(join(this.#home, "base"), folder, { recursive: true });
    return folder;
  }

  /** Reads copies in processes that may die of it. */
  async read(how: "raw" | "store", folders: readonly string[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    while (outcomes.length < folders.length) {
      const { code, output, errors } = await Child.start([
        READER,
        how,
        ...folders.slice(outcomes.length),
      ]).ended;
      for (const line of output.split("\n").filter(Boolean)) outcomes.push(line);
      if (code === 0) continue;
      if (code !== undefined) throw new Error(`the reader failed: ${errors}`);
      outcomes.push("aborted");
    }
    return outcomes;
  }

  destroy(): void {
    rmSync(this.#home, { recursive: true });
  }

  async #write(): Promise<void> {
    const expected = new Map<string, string>();
    const store = await open(join(this.#home, "base"), { level: { compression: false } });
    for (let i = 0; i < 60; i++) {
      const operations = Array.from({ length: this.#random.between(1, 3) }, () => ({
        type: "put" as const,
        key: this.#random.bytes(8),
        value: this.#random.bytes(this.#random.between(40, 200)),
      }));
      for (const { key, value } of operations) expected.set(hexOf(key), hexOf(value));
      await store.batch(operations);
    }
    await store.close();
    writeFileSync(
      join(this.#home, "expected.txt"),
      Array.from(expected, ([key, value]) => `${key} ${value}\n`).join(""),
    );
  }

  async #compact(): Promise<void> {
    const database = new ClassicLevel(join(this.#home, "base"), { compression: false });
    await database.open();
    await database.compactRange("", "\u{10ffff}");
    await database.close();
  }
}

/** How often each outcome is there. */
export function counted(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** Flips one bit at random. */
export function flipBit(bytes: Uint8Array, random: Random): void {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
}
