import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";

import {
  type Campaign,
  crashCampaign,
  crashEverywhere,
  crashExhaustively,
  type CrashOptions,
  type CrashSubject,
  failEverywhere,
  faultCampaign,
  findsMistake,
} from "../../src/index.ts";
import { type ToyHistory, type ToyMistake, toySubject } from "./toy-store.ts";

const histories: fc.Arbitrary<ToyHistory> = fc.array(
  fc.record({ value: fc.integer({ min: 1, max: 199 }), sync: fc.boolean() }),
  { minLength: 2, maxLength: 6 },
);

function campaign(mistake?: ToyMistake): Campaign<ToyHistory> {
  return {
    title: "toy",
    histories,
    subject: (history) => toySubject(history, mistake),
    runs: 8,
    shrinkMsMax: 500,
  };
}

const NESTED: Omit<CrashOptions, "seed"> = { nested: ["kill", "none", "subset"] };

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a store that keeps its promises", () => {
  test("survives every crash, in recoveries too", async () => {
    const counts = await crashCampaign(campaign(), NESTED);
    expect(counts.histories).toBeGreaterThanOrEqual(8);
    expect(counts.images - counts.nested).toBe(counts.operations * 21);
    expect(counts.nested).toBeGreaterThan(counts.operations * 21);
    expect(counts.settled).toBeGreaterThan(100);
  });

  test("survives every failing operation", async () => {
    const counts = await faultCampaign({ ...campaign(), runs: 3 });
    expect(counts.faults).toBeGreaterThan(counts.operations);
    expect(counts.reported).toBeGreaterThan(counts.operations);
  });

  test("survives every subset of what is pending", async () => {
    const history = [
      { value: 1, sync: false },
      { value: 2, sync: false },
      { value: 3, sync: true },
    ];
    const counts = await crashExhaustively(toySubject(history), { seed: 1 }, 8);
    expect(counts.images).toBeGreaterThan(50);
  });
});

describe("crashes find a store that", () => {
  test.each<[ToyMistake, RegExp]>([
    ["acknowledges before the sync", /promised at least|power cut lost/],
    ["never syncs the folder", /promised at least|power cut lost/],
    ["believes what it reads", /no commit left/],
    ["keeps a torn tail", /wrong length/],
    ["does not sync what it recovered", /power cut lost/],
    ["forgets the first commit", /no commit left/],
  ])("%s", async (mistake, reason) => {
    const found = await findsMistake(() => crashCampaign(campaign(mistake), NESTED));
    expect(found).toMatch(reason);
    expect(found).toMatch(/CRASH_SEED=1 CRASH_PATH=[\d:]+ CRASH_OP=\d+ CRASH_MODE=\w+ CRASH_I=\d/);
  });

  test("is wrong in all subsets too", async () => {
    const subject = toySubject([{ value: 1, sync: true }], "acknowledges before the sync");
    const found = await findsMistake(() => crashExhaustively(subject, { seed: 1 }));
    expect(found).toMatch(
      /(promised at least|power cut lost).* \[CRASH_OP=\d+ CRASH_MODE=all CRASH_I=\d+\]/,
    );
  });
});

describe("faults find a store that", () => {
  test.each<[ToyMistake, RegExp]>([
    ["goes on after a failed sync", /promised at least|no commit left/],
    ["throws something of its own", /not a documented error/],
    ["does not sync what it recovered", /power cut lost/],
  ])("%s", async (mistake, reason) => {
    const found = await findsMistake(() => faultCampaign(campaign(mistake)));
    expect(found).toMatch(reason);
    expect(found).toMatch(/FAULT_AT='\d+ EIO/);
  });
});

describe("a failure", () => {
  test("is made again, alone, by the line it prints", async () => {
    const mistaken = campaign("believes what it reads");
    const found = await findsMistake(() => crashCampaign(mistaken, NESTED));
    const line = found?.split("\n")[1] ?? "";
    for (const setting of line.split(" ")) {
      const [name = "", value = ""] = setting.split("=");
      vi.stubEnv(name, value);
    }
    const again = await findsMistake(() => crashCampaign(mistaken, NESTED));
    expect(again?.split("\n").slice(1)).toEqual(found?.split("\n").slice(1));
    vi.stubEnv("CRASH_I", "99");
    expect(await findsMistake(() => crashCampaign(mistaken, NESTED))).toBeUndefined();
  });

  test("comes from the same images for the same seed, and from others for another", async () => {
    const history: ToyHistory = [1, 2, 3, 4].map((value) => ({ value, sync: value === 4 }));
    const digests = async (seed: number): Promise<string[]> => {
      const subject = toySubject(history);
      const seen: string[] = [];
      const watched: CrashSubject = {
        ...subject,
        async reopen(disk) {
          const reopened = await subject.reopen(disk);
          seen.push(reopened.digest);
          return reopened;
        },
      };
      await crashEverywhere(watched, { seed, ...NESTED });
      return seen;
    };
    expect(await digests(1)).toEqual(await digests(1));
    expect(await digests(1)).not.toEqual(await digests(2));
  });

  test("in a fault campaign is one fault, which can be run alone", async () => {
    const subject = toySubject([{ value: 1, sync: true }]);
    const all = await failEverywhere(subject, { seed: 1 });
    vi.stubEnv("FAULT_AT", "2 EIO");
    const one = await failEverywhere(subject, { seed: 1 });
    expect(one.faults).toBeGreaterThan(0);
    expect(one.faults).toBeLessThan(all.faults / 5);
  });

  test("that is no broken promise is not taken for a found mistake", async () => {
    const found = findsMistake(() => Promise.reject(new TypeError("bug in the test")));
    await expect(found).rejects.toThrow(TypeError);
    const campaigned = findsMistake(() => crashCampaign({ ...campaign(), subject: brokenSubject }));
    await expect(campaigned).rejects.toThrow(/toy: TypeError: bug in the test\nCRASH_SEED=1/);
  });
});

/** A subject with a mistake of the test's own. */
function brokenSubject(history: ToyHistory): CrashSubject {
  return { ...toySubject(history), run: () => Promise.reject(new TypeError("bug in the test")) };
}
