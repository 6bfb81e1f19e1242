import { type CommitGraph, type GraphCommit, type GraphName } from "./graph.ts";

/** Characters of a message that are shown, and of a name. */
const TEXT_COUNT_MAX = 72;
/**
 * What a terminal or a reader could be misled by: controls, marks of direction, separators of lines, and halves of
 * characters.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Surrogate}\u2028\u2029]/gu;

/** The first line of a text, without anything that is no character to be seen, and cut where it is long. */
export function shown(text: string): string {
  const [line = ""] = text.split(/\r\n|[\n\r\u2028\u2029]/, 1);
  const characters = Array.from(line.replaceAll(UNSAFE, "\ufffd"));
  if (characters.length <= TEXT_COUNT_MAX) return characters.join("");
  return `${characters.slice(0, TEXT_COUNT_MAX - 1).join("")}…`;
}

/** Names by commit: branches before tags, each in the order of their code units. */
export function namesByCommit({ names = [] }: CommitGraph): ReadonlyMap<number, GraphName[]> {
  const byCommit = new Map<number, GraphName[]>();
  for (const name of names.toSorted(compareNames)) {
    const known = byCommit.get(name.commit);
    if (known === undefined) byCommit.set(name.commit, [name]);
    else known.push(name);
  }
  return byCommit;
}

/** A name as it is shown. */
export function nameText({ kind, name }: GraphName): string {
  return kind === "tag" ? `tag: ${shown(name)}` : shown(name);
}

/** When a commit was made, as ISO 8601 in UTC to the second; nothing where that is not known or has no such form. */
export function timeText({ time }: GraphCommit): string | undefined {
  if (time === undefined) return undefined;
  const date = new Date(Math.floor(time / 1000));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace(/\.\d+Z$/, "Z");
}

function compareNames(a: GraphName, b: GraphName): number {
  if (a.kind !== b.kind) return a.kind === "branch" ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
