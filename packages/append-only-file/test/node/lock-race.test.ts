import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Child, fromEnvironment, printCounts, Random, sleep, testScale } from "@x/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { nodeFileSystem } from "../../src/node/index.ts";

const CHILD = fileURLToPath(new URL("lock-child.mjs", import.meta.url));
const PROCESSES = 6;
/** Time that the processes race, at scale 1. */
const RACE_MS = 5000;

/** Time for a race without a lock to show it. */
const BROKEN_MS = 1500;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aof-lock-"));
  writeFileSync(join(folder, "guard"), "free");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("six racing processes, killed while they hold the lock or want it,", () => {
  test("never hold it together", { timeout: RACE_MS * testScale() + 30_000 }, async () => {
    const counts = await new Race(folder, "real").run(RACE_MS * testScale());
    printCounts("T-LOCK", counts);
    expect(counts.double).toBe(0);
    expect(counts.failures).toBe(0);
    expect(counts.acquisitions).toBeGreaterThan(100);
    expect(counts.killed).toBeGreaterThan(10);
    // Whatever the dead left behind, the next owner takes the lock and clears up.
    const unlock = nodeFileSystem(folder).lock("x_lock");
    expect(readdirSync(folder).toSorted()).toEqual(["guard", "x_lock"]);
    unlock();
  });

  test("are seen when they do", { timeout: 30_000 }, async () => {
    const counts = await new Race(folder, "broken").run(BROKEN_MS);
    expect(counts.double).toBeGreaterThan(0);
    expect(counts.failures).toBe(0);
  });
});

interface RaceCounts extends Readonly<Record<string, number>> {
  readonly acquisitions: number;
  readonly refusals: number;
  /** Processes that ended while they held the lock. */
  readonly killedHolding: number;
  readonly killed: number;
  readonly double: number;
  /** Children that ended by themselves. */
  readonly failures: number;
}

class Race {
  readonly #folder: string;
  readonly #kind: "real" | "broken";
  readonly #random = new Random(fromEnvironment("LOCK_SEED", 1));
  #letters = "";
  #killed = 0;
  #failures = 0;

  constructor(shared: string, kind: "real" | "broken") {
    this.#folder = shared;
    this.#kind = kind;
  }

  async run(ms: number): Promise<RaceCounts> {
    const racing = { on: true };
    const lanes = Array.from({ length: PROCESSES }, () => this.#lane(racing));
    await sleep(ms);
    racing.on = false;
    await Promise.all(lanes);
    return {
      acquisitions: this.#count("a"),
      refusals: this.#count("r"),
      killedHolding: this.#count("k"),
      killed: this.#killed,
      double: this.#count("D"),
      failures: this.#failures,
    };
  }

  /** One process after another: each ends by killing itself while holding, or is killed at a random moment. */
  async #lane(racing: { readonly on: boolean }): Promise<void> {
    while (racing.on) {
      const child = Child.start([CHILD, this.#folder, String(this.#random.next()), this.#kind]);
      await Promise.race([child.ended, sleep(this.#random.between(200, 1500))]);
      const { signal, output, errors } = await child.kill();
      this.#letters += output;
      if (signal === "SIGKILL") this.#killed++;
      else {
        this.#failures++;
        process.stderr.write(errors);
      }
    }
  }

  #count(letter: string): number {
    return this.#letters.split(letter).length - 1;
  }
}
