import {
  crashCampaign,
  crashExhaustively,
  faultCampaign,
  fromEnvironment,
  printCounts,
  scaled,
} from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import * as module from "../src/index.ts";
import { crashAfterFailedSyncs } from "./support/failed-sync.ts";
import { type Change, type History, histories, ledgerSubject } from "./support/ledger.ts";

const HOURS = 3_600_000;

describe("a group of files", () => {
  test("is at one committed state after every crash", { timeout: HOURS }, async () => {
    const images = scaled(50_000);
    const counts = await crashCampaign({
      title: "T-CRASH append-only-file",
      histories: histories({ turnsMin: 30, turnsMax: 40 }),
      subject: (history) => ledgerSubject(module, history),
      runs: scaled(40),
      volume: { images },
    });
    expect(counts.images).toBeGreaterThanOrEqual(images);
  });

  test(
    "is at one committed state after crashes of its recoveries",
    { timeout: HOURS },
    async () => {
      const nested = scaled(30_000);
      const counts = await crashCampaign(
        {
          title: "T-CRASH nested append-only-file",
          histories: histories({ turnsMin: 3, turnsMax: 4 }),
          subject: (history) => ledgerSubject(module, history),
          runs: scaled(25),
          volume: { nested },
        },
        {
          plan: { kill: 1, none: 0, prefix: 0, subset: 1, reverse: 0, tear: 1 },
          nested: ["kill", "none", "subset"],
        },
      );
      expect(counts.nested).toBeGreaterThanOrEqual(nested);
    },
  );

  test("keeps its promises when any operation fails", { timeout: HOURS }, async () => {
    const counts = await faultCampaign({
      title: "T-ERR append-only-file",
      histories: histories({ turnsMin: 10, turnsMax: 14 }),
      subject: (history) => ledgerSubject(module, history),
      runs: scaled(1),
    });
    expect(counts.faults).toBeGreaterThan(1000);
  });

  test(
    "is at one committed state after crashes of recoveries from failed syncs",
    { timeout: HOURS },
    async () => {
      const total = { histories: 0, syncs: 0, images: 0 };
      for (const history of fc.sample(histories({ turnsMin: 8, turnsMax: 10 }), {
        numRuns: scaled(4),
        seed: fromEnvironment("CRASH_SEED", 7),
      })) {
        const { syncs, images } = await crashAfterFailedSyncs(ledgerSubject(module, history), 7);
        total.histories++;
        total.syncs += syncs;
        total.images += images;
      }
      printCounts("T-ERR failed syncs append-only-file", total);
      expect(total.images).toBeGreaterThan(1000);
    },
  );

  test(
    "is at one committed state after every subset of what is pending",
    { timeout: HOURS },
    async () => {
      let images = 0;
      for (const history of TINY) {
        const counts = await crashExhaustively(ledgerSubject(module, history), { seed: 3 }, 13);
        images += counts.images;
      }
      printCounts("T-CRASH all subsets append-only-file", { histories: TINY.length, images });
      expect(images).toBeGreaterThan(1000);
    },
  );
});

const COMMIT = { kind: "commit", sync: true, wait: true } as const;
const LAZY = { kind: "commit", sync: false, wait: true } as const;
const APPEND: Change = { kind: "append", file: 0, bytes: 16 };
const SECOND: Change = { kind: "append", file: 1, bytes: 5 };
const BACK: Change = { kind: "rewind", file: 0, keep: 50 };
const TOGGLE: Change = { kind: "toggle", blob: 0, value: 3 };

/** Histories with few sectors pending at a time. */
const TINY: readonly History[] = [
  [{ changes: [APPEND, SECOND], end: COMMIT }],
  [
    { changes: [APPEND], end: LAZY },
    { changes: [APPEND], end: LAZY },
  ],
  [
    { changes: [APPEND, TOGGLE], end: COMMIT },
    { changes: [BACK], end: LAZY },
  ],
  [
    { changes: [APPEND], end: LAZY },
    { changes: [BACK, APPEND], end: COMMIT },
  ],
  [
    { changes: [APPEND], end: COMMIT },
    { changes: [TOGGLE], end: { kind: "checkpoint" } },
  ],
  [
    { changes: [APPEND], end: COMMIT },
    { changes: [], end: { kind: "rewrite", seed: 1 } },
  ],
  [
    { changes: [SECOND], end: COMMIT },
    { changes: [], end: { kind: "reopen" } },
    { changes: [SECOND], end: COMMIT },
  ],
];
