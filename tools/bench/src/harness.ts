/**
 * Measures workloads beside each other: the contenders of a benchmark take turns in one process (A B A B …), so that a
 * machine that slows down slows down for all of them, and a ratio is the median of the ratios of the rounds.
 *
 * Times are for reading, never for asserting. Counts (reads, writes, syncs, bytes) come from the workload, are exact, and
 * do not depend on the machine.
 */

/** What a workload says about one run besides how long it took: exact counts, by name (`reads`, `syncs`, `bytesWritten`). */
export type Counts = Readonly<Record<string, number>>;

/** What a running workload can tell the harness. */
export interface Probe {
  /** Takes a sample of the memory in use now; long synchronous workloads call it at their progress points. */
  sampleMemory(): void;
}

/**
 * One way to do the work of a benchmark.
 *
 * @template State - what `prepare` makes for one sample
 */
export interface Contender<State = unknown> {
  /** Who does it: `"@x/hash portable"`, `"node:crypto"`. */
  readonly subject: string;
  /** Called before each sample, not timed. With it a sample is one run; without it runs are repeated. */
  readonly prepare?: () => State | Promise<State>;
  /** The work, `operations` times over, timed. What it returns are this run's counts. */
  readonly run: (state: State, probe: Probe) => Counts | void | Promise<Counts | void>;
  /** Called after each sample, not timed. */
  readonly dispose?: (state: State) => void | Promise<void>;
}

/** Contenders for the same work, the first of which is the one the others are compared with. */
export interface Benchmark {
  /** `package/operation/key=value`, more pairs joined by commas; stable, so that runs can be compared. */
  readonly name: string;
  /** How many operations one run does; times are reported per operation. */
  readonly operations: number;
  /** What one operation is: `"hash"`, `"leaf"`. */
  readonly unit: string;
  readonly contenders: readonly Contender[];
  /**
   * Whether each sample has a process of its own, for an honest peak of memory. Slower: each process prepares anew.
   * Default: false.
   */
  readonly isolated?: boolean;
  /** Rounds after the warm-up. Default: 7, or 3 for isolated benchmarks. */
  readonly rounds?: number;
  /** Rounds that are thrown away. Default: 1, or 0 for isolated benchmarks. */
  readonly warmUpRounds?: number;
  /** What a reader should know: sizes on disk, cold or warm. */
  readonly note?: string;
}

/** Turns a typed contender into one that fits in a list beside others. */
export function contender<State>(typed: Contender<State>): Contender {
  return typed as unknown as Contender;
}

/** One run, or several runs in a row, of one contender. */
export interface Sample {
  /** Runs in this sample. */
  readonly runs: number;
  readonly wallNs: number;
  readonly cpuNs: number;
  /** Most resident memory seen, less what was resident before; of an isolated process, its whole peak. */
  readonly peakBytes: number;
  readonly counts: Counts;
}

/** Shortest sample of a contender that may be repeated, in nanoseconds. */
const SAMPLE_NS_MIN = 20e6;
/** Interval of memory samples while a workload awaits, in milliseconds. */
const MEMORY_INTERVAL_MS = 5;

/** Everything measured of one benchmark, in the order of its contenders. */
export interface Measured {
  readonly benchmark: Benchmark;
  readonly samples: readonly (readonly Sample[])[];
}

/** Measures one benchmark in this process. */
export async function measure(benchmark: Benchmark): Promise<Measured> {
  checkBenchmark(benchmark);
  const { contenders, rounds = 7, warmUpRounds = 1 } = benchmark;
  const runs: number[] = [];
  for (const each of contenders) runs.push(await calibrate(each));
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    for (const [i, each] of contenders.entries()) {
      const sample = await takeSample(each, runs[i] ?? 1);
      if (round >= warmUpRounds) samples[i]?.push(sample);
    }
  }
  return { benchmark, samples };
}

/** Refuses names that scripts could not tell apart later, and benchmarks without work. */
export function checkBenchmark({ name, operations, contenders }: Benchmark): void {
  if (
    !/^[a-z0-9-]+(?:\/[a-z0-9-]+)+(?:\/[a-zA-Z-]+=[^,/\s]+(?:,[a-zA-Z-]+=[^,/\s]+)*)?$/.test(name)
  ) {
    throw new RangeError(`benchmark name ${name} is not package/operation/key=value`);
  }
  if (!(operations >= 1)) throw new RangeError(`${name} has ${operations} operations`);
  if (contenders.length === 0) throw new RangeError(`${name} has no contender`);
}

/** How many runs make a sample long enough to be timed. Prepared contenders run once: their state is used up. */
async function calibrate(each: Contender): Promise<number> {
  if (each.prepare !== undefined) return 1;
  let runs = 1;
  for (;;) {
    const { wallNs } = await takeSample(each, runs);
    if (wallNs >= SAMPLE_NS_MIN) return runs;
    runs = wallNs === 0 ? runs * 10 : Math.ceil((runs * SAMPLE_NS_MIN * 1.2) / wallNs);
  }
}

/** Prepares, runs `runs` times, disposes. */
export async function takeSample(each: Contender, runs: number): Promise<Sample> {
  const state = await each.prepare?.();
  try {
    collectGarbage();
    const memoryBefore = process.memoryUsage.rss();
    let memoryPeak = memoryBefore;
    const probe: Probe = {
      sampleMemory() {
        memoryPeak = Math.max(memoryPeak, process.memoryUsage.rss());
      },
    };
    const timer = setInterval(() => probe.sampleMemory(), MEMORY_INTERVAL_MS);
    let counts: Counts | void = undefined;
    const cpuBefore = process.cpuUsage();
    const wallBefore = process.hrtime.bigint();
    for (let i = 0; i < runs; i++) {
      const result = each.run(state, probe);
      counts = result instanceof Promise ? await result : result;
    }
    const wallNs = Number(process.hrtime.bigint() - wallBefore);
    const { user, system } = process.cpuUsage(cpuBefore);
    clearInterval(timer);
    probe.sampleMemory();
    return {
      runs,
      wallNs,
      cpuNs: (user + system) * 1000,
      peakBytes: memoryPeak - memoryBefore,
      counts: counts ?? {},
    };
  } finally {
    await each.dispose?.(state);
  }
}

/** Only where Node was started with `--expose-gc`, as `npm run bench` does. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
