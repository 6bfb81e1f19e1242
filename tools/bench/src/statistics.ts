import type { Counts, Measured, Sample } from "./harness.ts";

/** The figures of one contender in one benchmark. Times are per operation. */
export interface Figures {
  readonly name: string;
  readonly subject: string;
  readonly unit: string;
  /** Operations per run, and rounds the figures are made of. */
  readonly operations: number;
  readonly rounds: number;
  readonly nsMedian: number;
  readonly nsMin: number;
  readonly nsMax: number;
  /** Median distance from the median. */
  readonly nsDeviation: number;
  readonly operationsPerSecond: number;
  /** Time of processor per operation, of all threads; more than the wall time where threads share the work. */
  readonly cpuNsMedian: number;
  /** How many times the first contender's time this one takes: median over the rounds. 1 for the first itself. */
  readonly ratio: number;
  /** Largest over the rounds. */
  readonly peakBytes: number;
  /** Of one run of `operations`; where rounds differ, of the last. */
  readonly counts: Counts;
  readonly note: string | undefined;
}

/** Sums up the samples of a benchmark, one entry per contender. */
export function summarize({ benchmark, samples }: Measured): Figures[] {
  const { name, unit, operations, note, contenders } = benchmark;
  const perOperation = (sample: Sample, ns: number): number => ns / sample.runs / operations;
  const times = samples.map((list) => list.map((sample) => perOperation(sample, sample.wallNs)));
  return contenders.map(({ subject }, i) => {
    const list = samples[i] ?? [];
    const ns = times[i] ?? [];
    const nsMedian = median(ns);
    return {
      name,
      subject,
      unit,
      operations,
      rounds: ns.length,
      nsMedian,
      nsMin: Math.min(...ns),
      nsMax: Math.max(...ns),
      nsDeviation: median(ns.map((time) => Math.abs(time - nsMedian))),
      operationsPerSecond: 1e9 / nsMedian,
      cpuNsMedian: median(list.map((sample) => perOperation(sample, sample.cpuNs))),
      ratio: median(ns.map((time, round) => time / (times[0]?.[round] ?? time))),
      peakBytes: Math.max(...list.map((sample) => sample.peakBytes)),
      counts: list.at(-1)?.counts ?? {},
      note,
    };
  });
}

/** The middle value; the mean of the middle two of an even number. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (Number.isInteger(middle)) {
    return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  }
  return sorted[Math.floor(middle)] ?? Number.NaN;
}
