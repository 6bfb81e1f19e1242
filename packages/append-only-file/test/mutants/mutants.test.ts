import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import {
  crashCampaign,
  faultCampaign,
  findsMistake,
  fromEnvironment,
  printCounts,
  testScale,
} from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import * as unchanged from "../../src/index.ts";
import { crashAfterFailedSyncs } from "../support/failed-sync.ts";
import { histories, ledgerSubject, type Module } from "../support/ledger.ts";
import { applyPatches, MORE_MUTANTS, type Mutant, MUTANTS } from "./list.ts";

const HOURS = 3_600_000;
const ALL = [...MUTANTS, ...MORE_MUTANTS];

/** What found a mistake, or nothing. */
async function search(module: Module): Promise<string | undefined> {
  const common = {
    subject: (history: Parameters<typeof ledgerSubject>[1]) => ledgerSubject(module, history),
    shrinkMsMax: 0,
  };
  const crash = await findsMistake(() =>
    crashCampaign({
      ...common,
      title: "crashes",
      histories: histories({ turnsMin: 12, turnsMax: 16 }),
      runs: 12,
    }),
  );
  if (crash !== undefined) return crash;
  const fault = await findsMistake(() =>
    faultCampaign({
      ...common,
      title: "faults",
      histories: histories({ turnsMin: 6, turnsMax: 8 }),
      runs: 4,
    }),
  );
  if (fault !== undefined) return fault;
  const failedSync = await findsMistake(async () => {
    const sample = { numRuns: 8, seed: 7 };
    for (const history of fc.sample(histories({ turnsMin: 8, turnsMax: 10 }), sample)) {
      await crashAfterFailedSyncs(ledgerSubject(module, history), 7);
    }
  });
  if (failedSync !== undefined) return `failed syncs: ${failedSync}`;
  return findsMistake(() =>
    crashCampaign(
      {
        ...common,
        title: "nested crashes",
        histories: histories({ turnsMin: 2, turnsMax: 4 }),
        runs: 2,
      },
      {
        plan: { kill: 1, none: 1, prefix: 0, subset: 1, reverse: 1, tear: 0 },
        nested: ["kill", "none", "subset"],
      },
    ),
  );
}

/** `MUTANT_TURN`, else the number of commits: every commit's run takes the next two. */
function turn(): number {
  return fromEnvironment("MUTANT_TURN", commitCount());
}

function commitCount(): number {
  try {
    const output = execFileSync("git", ["rev-list", "--count", "HEAD"], { stdio: "pipe" });
    return Number(output.toString());
  } catch {
    return 0;
  }
}

/** Two of all by default; all with `MUTANTS=all` or a tenfold scale; those named in `MUTANTS`, joined by commas. */
function chosen(): readonly Mutant[] {
  if (process.env["MUTANTS"] === "all" || testScale() >= 10) return ALL;
  const named = process.env["MUTANTS"];
  if (named !== undefined) return ALL.filter(({ id }) => named.split(",").includes(id));
  return [0, 1].map((i) => {
    const mutant = ALL[(turn() * 2 + i) % ALL.length];
    if (mutant === undefined) throw new Error("the list of mutants is empty");
    return mutant;
  });
}

describe("the crash harness", () => {
  test.each(ALL)("patch $id matches the source exactly once", (mutant) => {
    for (const file of new Set(mutant.patches.map((patch) => patch.file))) {
      const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
      expect(applyPatches(mutant, file, source)).not.toBe(source);
    }
  });

  test("knows all sixteen mistakes", () => {
    expect(MUTANTS).toHaveLength(16);
    expect(new Set(ALL.map(({ id }) => id)).size).toBe(ALL.length);
  });

  test.runIf(chosen().length > 2)(
    "finds nothing where no mistake is planted",
    { timeout: HOURS },
    async () => {
      expect(await search(unchanged)).toBeUndefined();
    },
  );

  test.each(chosen())("catches $id: $what", { timeout: HOURS }, async ({ id }) => {
    const specifier = `../../src/index.ts?mutant=${id}`;
    const module = (await import(/* @vite-ignore */ specifier)) as Module;
    const found = await search(module);
    printCounts(`T-MUTANT ${id}`, {
      caught: found === undefined ? "NO" : (found.split("\n")[0] ?? ""),
    });
    expect(found).toBeDefined();
  });
});
