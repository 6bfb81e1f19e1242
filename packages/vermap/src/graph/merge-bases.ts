import { type Reading } from "@x/store";

import { type CommitTable } from "./commit-table.ts";
import { MarkedWalk } from "./marked-walk.ts";

const Mark = { fromA: 1, fromB: 2, stale: 4 } as const;
const BOTH = Mark.fromA | Mark.fromB;

/**
 * The best common ancestors of two commits that exist: common ancestors that are not ancestors of another one. Greatest id first;
 * none where the histories are unrelated, several where they crossed. A commit is an ancestor of itself.
 *
 * @yields keys of the commits above the bases, and of some between
 * @throws VerMapError VERMAP_MISSING, VERMAP_CORRUPT
 */
export function* mergeBases(commits: CommitTable, a: number, b: number): Reading<number[]> {
  const bases: number[] = [];
  const walk = new MarkedWalk(commits, (marks) => (marks & Mark.stale) === 0);
  walk.mark(a, Mark.fromA);
  walk.mark(b, Mark.fromB);
  while (walk.hasLive) {
    const taken = yield* walk.take();
    if (taken === undefined) break;
    let { marks } = taken;
    if ((marks & BOTH) === BOTH) {
      if ((marks & Mark.stale) === 0) bases.push(taken.commit.id);
      marks |= Mark.stale;
    }
    for (const parent of taken.commit.parents) walk.mark(parent, marks);
  }
  return bases;
}

/**
 * Of the best common ancestors the one with the greatest id; nothing where there is none, or one of the commits is unknown.
 *
 * @yields keys as {@link mergeBases}
 */
export function* forkPoint(
  commits: CommitTable,
  a: number,
  b: number,
): Reading<number | undefined> {
  const [first, second] = yield* commits.read([a, b]);
  if (first === undefined || second === undefined) return undefined;
  return (yield* mergeBases(commits, a, b))[0];
}

/** How far two commits are from each other. */
export interface AheadBehind {
  /** Commits that lead to the first and not to the second. */
  readonly ahead: number;
  /** Commits that lead to the second and not to the first. */
  readonly behind: number;
}

/**
 * Counts what only one of two commits that exist has in its history.
 *
 * @yields keys of the commits above their common ones, and of some between
 */
export function* aheadBehind(commits: CommitTable, a: number, b: number): Reading<AheadBehind> {
  let ahead = 0;
  let behind = 0;
  const walk = new MarkedWalk(commits, (marks) => marks !== BOTH);
  walk.mark(a, Mark.fromA);
  walk.mark(b, Mark.fromB);
  while (walk.hasLive) {
    const taken = yield* walk.take();
    if (taken === undefined) break;
    if (taken.marks === Mark.fromA) ahead++;
    if (taken.marks === Mark.fromB) behind++;
    for (const parent of taken.commit.parents) walk.mark(parent, taken.marks);
  }
  return { ahead, behind };
}
