import { describe, expect, test } from "vitest";
import {
  type Benchmark,
  checkBenchmark,
  type Contender,
  contender,
  measure,
  type Sample,
} from "../src/harness.ts";
import { toMarkdown, toTable } from "../src/report.ts";
import { median, summarize } from "../src/statistics.ts";

/** A contender that writes down what is asked of it; prepared, so that a sample is one run. */
function recording(subject: string, log: string[]): Contender<number> {
  return {
    subject,
    prepare: () => {
      log.push(`${subject} prepare`);
      return 7;
    },
    run: (state) => {
      log.push(`${subject} run ${state}`);
      return { reads: log.length };
    },
    dispose: (state) => {
      log.push(`${subject} dispose ${state}`);
    },
  };
}

/** What a contender's one sample leaves in the log. */
function turn(subject: string): string[] {
  return [`${subject} prepare`, `${subject} run 7`, `${subject} dispose 7`];
}

function benchmark(parts: Partial<Benchmark>): Benchmark {
  return { name: "a/b/n=1", operations: 1, unit: "thing", contenders: [], ...parts };
}

function sample(wallNs: number, parts: Partial<Sample> = {}): Sample {
  return { runs: 1, wallNs, cpuNs: wallNs, peakBytes: 0, counts: {}, ...parts };
}

describe("measuring", () => {
  test("lets contenders take turns, and forgets the warm-up", async () => {
    const log: string[] = [];
    const contenders = ["a", "b"].map((subject) => contender(recording(subject, log)));
    const { samples } = await measure(benchmark({ contenders, rounds: 2, warmUpRounds: 1 }));
    // No sample is taken to calibrate: it would use up what was prepared.
    const round = [...turn("a"), ...turn("b")];
    expect(log).toEqual([...round, ...round, ...round]);
    expect(samples.map((list) => list.length)).toEqual([2, 2]);
  });

  test("repeats what needs no preparation until a sample can be timed", async () => {
    let runs = 0;
    const { samples } = await measure(
      benchmark({ contenders: [{ subject: "a", run: () => void runs++ }], rounds: 1 }),
    );
    expect(samples[0]?.[0]?.runs).toBeGreaterThan(100);
    expect(runs).toBeGreaterThan(samples[0]?.[0]?.runs ?? 0);
  });

  test("disposes of the state when the work fails", async () => {
    const log: string[] = [];
    const failing = contender({
      ...recording("a", log),
      run: () => Promise.reject(new Error("oops")),
    });
    await expect(measure(benchmark({ contenders: [failing] }))).rejects.toThrow("oops");
    expect(log).toEqual(["a prepare", "a dispose 7"]);
  });

  test("refuses names that a script could not take apart, and benchmarks without work", () => {
    const run = { subject: "a", run: () => {} };
    for (const name of ["hash", "hash/", "Hash/x", "hash/x/size=1,", "hash/x y"]) {
      expect(() => checkBenchmark(benchmark({ name, contenders: [run] }))).toThrow(RangeError);
    }
    for (const name of ["hash/x", "pmmr/append/leaves=1e6", "pmmr/get/leaves=1e6,store=disk"]) {
      checkBenchmark(benchmark({ name, contenders: [run] }));
    }
    expect(() => checkBenchmark(benchmark({}))).toThrow(RangeError);
    expect(() => checkBenchmark(benchmark({ operations: 0, contenders: [run] }))).toThrow(
      RangeError,
    );
  });
});

describe("figures", () => {
  const two = benchmark({
    operations: 10,
    contenders: [
      { subject: "a", run: () => {} },
      { subject: "b", run: () => {} },
    ],
  });

  test("are per operation, and the ratio is the median of the rounds' ratios", () => {
    const samples = [
      [sample(100), sample(200, { runs: 2 }), sample(1000)],
      [sample(300), sample(800, { runs: 2, counts: { reads: 4 } }), sample(2000)],
    ];
    const [a, b] = summarize({ benchmark: two, samples });
    // A: 10, 10, 100. B: 30, 40, 200. Ratios: 3, 4, 2.
    expect([a?.nsMedian, a?.nsMin, a?.nsMax, a?.nsDeviation, a?.ratio]).toEqual([
      10, 10, 100, 0, 1,
    ]);
    expect([b?.nsMedian, b?.ratio, b?.nsDeviation]).toEqual([40, 3, 10]);
    expect(b?.operationsPerSecond).toBe(25e6);
  });

  test("keep the counts of the last round and the highest peak", () => {
    const samples = [
      [
        sample(1, { counts: { reads: 1 }, peakBytes: 9 }),
        sample(1, { counts: { reads: 2 }, peakBytes: 3 }),
      ],
    ];
    const [figures] = summarize({
      benchmark: { ...two, contenders: two.contenders.slice(0, 1) },
      samples,
    });
    expect([figures?.counts, figures?.peakBytes]).toEqual([{ reads: 2 }, 9]);
  });

  test("print as aligned columns and as Markdown, without columns that say nothing", () => {
    const samples = [[sample(12_345)], [sample(24_690, { counts: { syncs: 3 } })]];
    const figures = summarize({ benchmark: two, samples });
    const table = toTable(figures).split("\n");
    expect(table).toHaveLength(3);
    expect(table[1]).toMatch(/^a\/b\/n=1 +a .* 1\.23 µs .* 1\.00$/);
    expect(table[2]).toMatch(/ 2\.00 {2}syncs 3$/);
    const environment = {
      command: "npm run bench -- a",
      processor: "P",
      processorCount: 2,
      memoryBytes: 8e9,
      system: "linux",
      runtime: "Node",
      takenAt: "2020-01-01T00:00:00.000Z",
    };
    const markdown = toMarkdown(environment, figures);
    expect(markdown).toMatch(
      /^P, 2 processors, 8\.00 GB, linux, Node; `npm run bench -- a`\.\n\n\| /,
    );
    expect(markdown).not.toMatch(/peak memory|note/);
  });
});

test("the median is the middle, or between the middle two", () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([5])]).toEqual([2, 2.5, 5]);
  expect(median([])).toBeNaN();
});
