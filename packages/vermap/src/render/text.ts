import { type CommitGraph, type GraphName } from "./graph.ts";
import { nameText, namesByCommit, shown } from "./label.ts";
import { type GraphLink, type GraphRow, layoutGraph } from "./layout.ts";

/** How a graph is drawn with characters. */
export interface GraphTextOptions {
  /** `ascii`: with the slashes of `git log --graph`; `box`: with the characters of box drawing. Default: ascii. */
  readonly style?: "ascii" | "box";
}

/** What lines are made of. A lane is two columns wide: the line, and the gap to the next. */
interface Strokes {
  readonly commit: string;
  readonly line: string;
  /** Of a link: where it leaves the left lane; in a gap; over a line, over none; in the last gap; in the right lane. */
  readonly fork: Link;
  readonly join: Link;
}

interface Link {
  readonly left: string;
  readonly gap: string;
  readonly crossing: string;
  readonly empty: string;
  readonly lastGap: string;
  readonly right: string;
}

const STYLES: { readonly [S in "ascii" | "box"]: Strokes } = {
  ascii: {
    commit: "*",
    line: "|",
    fork: { left: "|", gap: "-", crossing: "|", empty: "-", lastGap: "\\", right: " " },
    join: { left: "|", gap: "_", crossing: "|", empty: "_", lastGap: "/", right: " " },
  },
  box: {
    commit: "●",
    line: "│",
    fork: { left: "├", gap: "─", crossing: "┼", empty: "─", lastGap: "─", right: "╮" },
    join: { left: "├", gap: "─", crossing: "┼", empty: "─", lastGap: "─", right: "╯" },
  },
};

/**
 * The commit graph as lines of text, newest first, as `git log --graph` shows it: each commit with its id, the names that
 * point to it and the first line of its message. Ends without a line break; equal graphs give equal text.
 *
 * Control characters, marks of direction and lone surrogates in names and messages are shown as U+FFFD; what is longer
 * than 72 characters is cut.
 *
 * @throws RangeError if the commits are no history: see {@link layoutGraph}
 */
export function graphText(graph: CommitGraph, options: GraphTextOptions = {}): string {
  const { style = "ascii" } = options;
  if (!Object.hasOwn(STYLES, style)) throw new TypeError("style is neither ascii nor box");
  const strokes = STYLES[style];
  const names = namesByCommit(graph);
  const lines: string[] = [];
  for (const row of layoutGraph(graph.commits).rows) {
    lines.push(`${commitLine(row, strokes)} ${label(row, names.get(row.commit.id) ?? [])}`);
    for (const link of row.links) lines.push(linkLine(link, strokes));
  }
  return lines.join("\n");
}

function label({ commit }: GraphRow, names: readonly GraphName[]): string {
  const parts = [String(commit.id)];
  if (names.length > 0) parts.push(`(${names.map(nameText).join(", ")})`);
  if (commit.message !== undefined) parts.push(shown(commit.message));
  return parts.join(" ").trimEnd();
}

function commitLine({ lane, passing }: GraphRow, strokes: Strokes): string {
  const columns = standing(passing, strokes);
  columns[2 * lane] = strokes.commit;
  return joined(columns);
}

function linkLine({ kind, left, right, occupied }: GraphLink, strokes: Strokes): string {
  const columns = standing(occupied, strokes);
  const link = strokes[kind];
  columns[2 * left] = link.left;
  for (let lane = left + 1; lane < right; lane++) {
    columns[2 * lane - 1] = link.gap;
    columns[2 * lane] = occupied.includes(lane) ? link.crossing : link.empty;
  }
  columns[2 * right - 1] = link.lastGap;
  columns[2 * right] = link.right;
  return joined(columns);
}

/** A column for each line; gaps are left out. */
function standing(occupied: readonly number[], strokes: Strokes): string[] {
  const columns: string[] = [];
  for (const lane of occupied) columns[2 * lane] = strokes.line;
  return columns;
}

function joined(columns: readonly string[]): string {
  return Array.from(columns, (column: string | undefined) => column ?? " ")
    .join("")
    .trimEnd();
}
