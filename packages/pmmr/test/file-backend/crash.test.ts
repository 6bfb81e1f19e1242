import { crashCampaign, crashExhaustively, faultCampaign, printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { folderSubject } from "./support/crash-subject.ts";
import { type Kind, step, type Step } from "./support/history.ts";

interface History {
  readonly kind: Kind;
  readonly steps: readonly Step[];
}

/** Kinds of ranges, the one with most files most often. */
const kind: fc.Arbitrary<Kind> = fc.constantFrom(
  { prunable: true, variable: false },
  { prunable: true, variable: true },
  { prunable: true, variable: false },
  { prunable: false, variable: true },
);

function histories(minLength: number, maxLength: number): fc.Arbitrary<History> {
  return fc.record({ kind, steps: fc.array(step, { minLength, maxLength, size: "max" }) });
}

const subject = (history: History): ReturnType<typeof folderSubject> =>
  folderSubject(history.kind, history.steps);

const HOUR = 3_600_000;

describe("a range in a folder", () => {
  test("is at one committed state after every crash", { timeout: HOUR }, async () => {
    const images = scaled(46_000);
    const counts = await crashCampaign({
      title: "T-CRASH pmmr/file",
      histories: histories(20, 30),
      subject,
      runs: scaled(80),
      volume: { images },
    });
    expect(counts.images).toBeGreaterThanOrEqual(images);
  });

  test("is at one committed state after crashes of its recoveries", { timeout: HOUR }, async () => {
    const nested = scaled(26_000);
    const counts = await crashCampaign(
      {
        title: "T-CRASH nested pmmr/file",
        histories: histories(8, 12),
        subject,
        runs: scaled(20),
        volume: { nested },
      },
      {
        plan: { kill: 1, none: 1, prefix: 1, subset: 2, reverse: 1, tear: 1 },
        nested: ["kill", "none", "subset"],
      },
    );
    expect(counts.nested).toBeGreaterThanOrEqual(nested);
  });

  test("keeps its promises when any operation fails", { timeout: HOUR }, async () => {
    const counts = await faultCampaign({
      title: "T-ERR pmmr/file",
      histories: histories(6, 9),
      subject,
      runs: scaled(3),
    });
    expect(counts.faults).toBeGreaterThan(scaled(4_000));
  });

  test(
    "is at one committed state after every subset of what is pending",
    { timeout: HOUR },
    async () => {
      let images = 0;
      const few = fc.sample(histories(2, 4), { numRuns: scaled(4), seed: 5 });
      for (const history of few) {
        const counts = await crashExhaustively(subject(history), { seed: 5 }, 14);
        images += counts.images;
      }
      printCounts("T-CRASH all subsets pmmr/file", { images });
      expect(images).toBeGreaterThan(scaled(5_000));
    },
  );
});
