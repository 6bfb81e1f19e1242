import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import type { Figures } from "./statistics.ts";

/** Where and how figures were taken; stands above every table of them. */
export interface Environment {
  readonly command: string;
  readonly processor: string;
  readonly processorCount: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly runtime: string;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
}

/** Describes this machine and this run. */
export function describeEnvironment(command: string): Environment {
  return {
    command,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    processorCount: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    runtime: `Node ${process.version}`,
    takenAt: new Date().toISOString(),
  };
}

/** The figures as a Markdown table under a line about machine and command. */
export function toMarkdown(environment: Environment, figures: readonly Figures[]): string {
  const { processor, processorCount, memoryBytes, system, runtime, command } = environment;
  const machine = `${processor}, ${processorCount} processors, ${formatBytes(memoryBytes)}, ${system}, ${runtime}`;
  return `${machine}; \`${command}\`.\n\n${toRows(figures).map(toLine).join("\n")}\n`;
}

/** The figures as aligned columns. */
export function toTable(figures: readonly Figures[]): string {
  const rows = toRows(figures).filter((_, i) => i !== 1);
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Heading, alignment, then one row per figure. Columns that would be empty throughout are left out. */
function toRows(figures: readonly Figures[]): string[][] {
  const columns = COLUMNS.filter(
    ({ always, cell }) => always === true || figures.some((each) => cell(each) !== ""),
  );
  return [
    columns.map(({ heading }) => heading),
    columns.map((_, i) => (i < 2 ? "---" : "---:")),
    ...figures.map((each) => columns.map(({ cell }) => cell(each))),
  ];
}

interface Column {
  readonly heading: string;
  readonly always?: boolean;
  readonly cell: (figures: Figures) => string;
}

/** Below this a peak is noise of the allocator. */
const PEAK_BYTES_MIN = 1e6;

const COLUMNS: readonly Column[] = [
  { heading: "benchmark", always: true, cell: ({ name }) => name },
  { heading: "by", always: true, cell: ({ subject }) => subject },
  {
    heading: "per second",
    always: true,
    cell: ({ operationsPerSecond, unit }) => `${formatCount(operationsPerSecond)} ${unit}`,
  },
  { heading: "median", always: true, cell: ({ nsMedian }) => formatTime(nsMedian) },
  {
    heading: "from – to",
    always: true,
    cell: ({ nsMin, nsMax }) => `${formatTime(nsMin)} – ${formatTime(nsMax)}`,
  },
  { heading: "processor", always: true, cell: ({ cpuNsMedian }) => formatTime(cpuNsMedian) },
  { heading: "times the first", always: true, cell: ({ ratio }) => ratio.toFixed(2) },
  {
    heading: "peak memory",
    cell: ({ peakBytes }) => (peakBytes < PEAK_BYTES_MIN ? "" : formatBytes(peakBytes)),
  },
  {
    heading: "counts",
    cell: ({ counts }) =>
      Object.entries(counts)
        .map(([name, count]) => `${name} ${count}`)
        .join(", "),
  },
  { heading: "note", cell: ({ note }) => note ?? "" },
];

function toLine(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}

/** Three digits and a unit: `812 ns`, `5.04 µs`. */
function formatTime(ns: number): string {
  for (const [unit, size] of [
    ["ns", 1],
    ["µs", 1e3],
    ["ms", 1e6],
  ] as const) {
    if (ns < 999.5 * size) return `${threeDigits(ns / size)} ${unit}`;
  }
  return `${threeDigits(ns / 1e9)} s`;
}

/** Three digits and a decimal unit: `1.21 MB`. */
function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ["B", 1],
    ["kB", 1e3],
    ["MB", 1e6],
  ] as const) {
    if (bytes < 999.5 * size) return `${threeDigits(bytes / size)} ${unit}`;
  }
  return `${threeDigits(bytes / 1e9)} GB`;
}

/** Three digits, with thousands apart: `197,000`. */
function formatCount(count: number): string {
  return Number(count.toPrecision(3)).toLocaleString("en-US");
}

function threeDigits(value: number): string {
  const rounded = value.toPrecision(3);
  return rounded.includes("e") ? String(Number(rounded)) : rounded;
}
