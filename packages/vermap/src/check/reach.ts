import { type MapFault } from "./fault.ts";
import { type RecordSurvey } from "./record-survey.ts";

/** What heads and anchors lead to. */
export interface Reach {
  /** How often each commit that is reached is mentioned, by heads, anchors, and commits that are reached. */
  readonly mentions: ReadonlyMap<number, number>;
  /** Commits that something mentions, and that are not there. */
  readonly missing: readonly MapFault[];
}

/** Counts mentions from scratch. Parents have lower ids than their children, so one pass downwards sees them all. */
export function reachOf({ commits, branches, anchors }: RecordSurvey): Reach {
  const mentions = new Map<number, number>();
  const missing: MapFault[] = [];
  const mention = (id: number): void => {
    if (!commits.has(id) && !mentions.has(id)) missing.push({ kind: "missing", at: "commit", id });
    mentions.set(id, (mentions.get(id) ?? 0) + 1);
  };
  for (const { head } of branches.values()) if (head !== 0) mention(head);
  for (const anchor of anchors) for (const id of anchor.commits) mention(id);
  for (const id of [...commits.keys()].toSorted((a, b) => b - a))
    if (mentions.has(id)) for (const parent of commits.get(id)?.parents ?? []) mention(parent);
  return { mentions, missing };
}

/** Every mention of a root, by all records that are there. */
export function rootsOf({ commits, branches, anchors }: RecordSurvey): number[] {
  const roots: number[] = [];
  for (const { root } of commits.values()) roots.push(root);
  for (const { root } of branches.values()) roots.push(root);
  for (const anchor of anchors) for (const root of anchor.roots) roots.push(root);
  return roots.filter((root) => root !== 0);
}
