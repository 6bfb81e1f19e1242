import { type CommitGraph, type GraphCommit, type GraphName } from "./graph.ts";
import { namesByCommit, nameText, shown, timeText } from "./label.ts";
import { type GraphEdge, type GraphRow, layoutGraph } from "./layout.ts";

/** How a graph is drawn as SVG. */
export interface GraphSvgOptions {
  /** Said to readers who cannot see it. Default: "Commit graph". */
  readonly title?: string;
}

/** Pixels. */
const LANE_WIDTH = 18;
const ROW_HEIGHT = 26;
const MARGIN = 16;
const RADIUS = 5;
const FONT_SIZE = 13;
/** Of one character of the font, which is one where all have the same width. */
const CHARACTER_WIDTH = 7.8;
const NAME_PADDING = 6;

/** Colours that stand out by 4 to 1 or more from white and from black alike, so that the picture needs no background. */
export const LANE_COLOURS: readonly string[] = [
  "#0b7bd0",
  "#c2570c",
  "#0e8a4f",
  "#b0479f",
  "#8a6d00",
  "#6d6ae0",
  "#d23c3c",
  "#0d8390",
];
/** Stands out from both by 4.5 to 1. */
export const TEXT_COLOUR = "#757575";

/**
 * The commit graph as an SVG document: newest at the top, a lane for each line of history, names and the first lines of
 * messages beside the commits, and all that is known of a commit in its title. No script, no font or picture from
 * elsewhere; equal graphs give equal documents.
 *
 * @throws RangeError if the commits are no history: see {@link layoutGraph}
 */
export function graphSvg(graph: CommitGraph, options: GraphSvgOptions = {}): string {
  const { title = "Commit graph" } = options;
  const layout = layoutGraph(graph.commits);
  const names = namesByCommit(graph);
  const dots: string[] = [];
  const labels: string[] = [];
  let width = 2 * MARGIN;
  for (const [index, row] of layout.rows.entries()) {
    const own = names.get(row.commit.id) ?? [];
    dots.push(commitElement(row, index, own));
    const label = labelOf(row, { left: x(layout.laneCount), middle: y(index) }, own);
    labels.push(label.element);
    width = Math.max(width, label.end + MARGIN);
  }
  const size = {
    width: number(width),
    height: number(y(layout.rows.length) + MARGIN - ROW_HEIGHT),
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" ` +
      `viewBox="0 0 ${size.width} ${size.height}" role="img" ` +
      `font-family="ui-monospace, monospace" font-size="${FONT_SIZE}">`,
    `<title>${escaped(title)}</title>`,
    ...layout.edges.map((edge) => edgeElement(edge)),
    ...dots,
    ...labels,
    "</svg>",
    "",
  ].join("\n");
}

function edgeElement({ points, isWhole, child, parent }: GraphEdge): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let path = `M${x(first.lane)} ${y(first.row)}`;
  let [lane, row] = [first.lane, first.row];
  for (const point of rest) {
    if (point.lane === lane) path += `V${y(point.row)}`;
    else {
      // The lane is changed within the last of the rows between.
      if (point.row - row > 1) path += `V${y(point.row - 1)}`;
      const middle = number(y(point.row) - ROW_HEIGHT / 2);
      path += `C${x(lane)} ${middle} ${x(point.lane)} ${middle} ${x(point.lane)} ${y(point.row)}`;
    }
    [lane, row] = [point.lane, point.row];
  }
  const colour = colourOf(Math.max(...points.map((point) => point.lane)));
  const dashes = isWhole ? "" : ' stroke-dasharray="3 4"';
  return (
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}>` +
    `<title>${child} → ${parent}</title></path>`
  );
}

function commitElement(row: GraphRow, index: number, names: readonly GraphName[]): string {
  const { commit, lane } = row;
  const hollow = commit.parents.length > 1;
  const fill = hollow ? "#ffffff" : colourOf(lane);
  return (
    `<circle cx="${x(lane)}" cy="${y(index)}" r="${RADIUS}" fill="${fill}" ` +
    `stroke="${colourOf(lane)}" stroke-width="2"><title>${escaped(titleOf(commit, names))}</title></circle>`
  );
}

function titleOf(commit: GraphCommit, names: readonly GraphName[]): string {
  const parts = [`commit ${commit.id}`];
  if (names.length > 0) parts.push(names.map(nameText).join(", "));
  if (commit.message !== undefined) parts.push(shown(commit.message));
  if (commit.author !== undefined) parts.push(shown(commit.author));
  const time = timeText(commit);
  if (time !== undefined) parts.push(time);
  if (commit.parents.length > 0) parts.push(`parents ${commit.parents.join(", ")}`);
  return parts.join("\n");
}

/** The texts beside a commit, from `left` on, and where they end. */
function labelOf(
  { commit, lane }: GraphRow,
  { left, middle }: { readonly left: number; readonly middle: number },
  names: readonly GraphName[],
): { readonly element: string; readonly end: number } {
  const parts: string[] = [];
  const baseline = number(middle + FONT_SIZE * 0.35);
  const colour = colourOf(lane);
  let at = left;
  for (const name of names) {
    const text = nameText(name);
    const width = widthOf(text) + 2 * NAME_PADDING;
    const corner = name.kind === "branch" ? 9 : 2;
    parts.push(
      `<rect x="${number(at)}" y="${number(middle - 9)}" width="${number(width)}" height="18" rx="${corner}" ` +
        `fill="none" stroke="${colour}"/>` +
        `<text x="${number(at + NAME_PADDING)}" y="${baseline}" fill="${colour}">${escaped(text)}</text>`,
    );
    at += width + NAME_PADDING;
  }
  const message = commit.message === undefined ? "" : ` ${shown(commit.message)}`;
  const text = `${commit.id}${message}`;
  parts.push(
    `<text x="${number(at)}" y="${baseline}" fill="${TEXT_COLOUR}">${escaped(text)}</text>`,
  );
  return { element: parts.join(""), end: at + widthOf(text) };
}

function x(lane: number): number {
  return MARGIN + lane * LANE_WIDTH;
}

function y(row: number): number {
  return MARGIN + row * ROW_HEIGHT;
}

function colourOf(lane: number): string {
  return LANE_COLOURS[lane % LANE_COLOURS.length] as string;
}

function widthOf(text: string): number {
  return Array.from(text).length * CHARACTER_WIDTH;
}

/** Without the noise of binary fractions. */
function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** Text between tags or in an attribute; what XML has no place for is shown as U+FFFD. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES.get(character) ?? "");
}
