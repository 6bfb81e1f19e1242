import { type Reading } from "@x/store";

import { type CommitTable } from "./commit-table.ts";
import { MarkedWalk } from "./marked-walk.ts";

/**
 * Whether a commit is reached from another one through any parents. Both exist; a commit is an ancestor of itself.
 *
 * @yields keys of commits with ids from `descendant` down to `ancestor`
 */
export function* isAncestor(
  commits: CommitTable,
  ancestor: number,
  descendant: number,
): Reading<boolean> {
  const walk = new MarkedWalk(commits, () => true);
  if (ancestor <= descendant) walk.mark(descendant, 1);
  while (walk.hasLive) {
    const taken = yield* walk.take();
    if (taken === undefined) break;
    if (taken.commit.id === ancestor) return true;
    // What is below the one that is looked for cannot lead to it.
    for (const parent of taken.commit.parents) if (parent >= ancestor) walk.mark(parent, 1);
  }
  return false;
}

/**
 * Steps along first parents; nothing where the ancestor is not on that line, or one of the commits is unknown.
 *
 * @yields keys of commits on that line, and of some between
 */
export function* commitDistance(
  commits: CommitTable,
  from: number,
  ancestor: number,
): Reading<number | undefined> {
  const [first, last] = yield* commits.read([from, ancestor]);
  if (first === undefined || last === undefined) return undefined;
  let at = first;
  let distance = 0;
  while (at.id > ancestor) {
    const [parent] = at.parents;
    if (parent === undefined) return undefined;
    at = yield* commits.step(parent);
    distance++;
  }
  return at.id === ancestor ? distance : undefined;
}
