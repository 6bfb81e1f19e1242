import { type WriteOptions } from "../map/committing.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { syncOf } from "../map/working.ts";
import { AnchorKind, decodeAnchor } from "../records/anchor-record.ts";
import { type Commit } from "../records/commit-record.ts";
import { type Repository } from "../repository/repository.ts";

/** What {@link retain} keeps. A commit's parents stay if it satisfies any of the conditions that are given. */
export interface RetentionOptions extends WriteOptions {
  /** So many commits from each head down, 1 or more, through any parents. */
  readonly commitCount?: number;
  /**
   * Everything as it was since this time, in microseconds since 1970: all younger commits, and of each line the one before,
   * which is what it was at that time.
   */
  readonly since?: number;
}

/** What {@link retain} or {@link cutHistory} gave back. */
export interface ReclaimReport {
  /** Commits whose parents were cut off, ascending. */
  readonly cutCommits: readonly number[];
  /** Commits that were collected, ascending. */
  readonly collectedCommits: readonly number[];
  /** Nodes of trees that were deleted with them. */
  readonly nodesDeleted: number;
}

/**
 * Cuts the history of all branches, so that what is older is collected, in one batch. Tagged commits stay, without what is
 * older than the conditions keep; so does what the reflog keeps. Reads the commits that stay.
 *
 * @throws TypeError if no condition is given; RangeError if one is malformed
 */
export function retain<K, V>(map: VerMap<K, V>, options: RetentionOptions): Promise<ReclaimReport> {
  const { repository } = internalsOf(map);
  const keepsParents = condition(options);
  return repository.exclusive(async () => {
    const heads = repository.branches.list().map(({ head }) => head);
    const tagged = await taggedCommits(repository);
    const cut = await boundary(repository, [...heads, ...tagged], keepsParents);
    return cutOff(repository, cut, options);
  });
}

/**
 * Cuts the history below a commit: it loses its parents, and what nothing else keeps of them is collected.
 *
 * @throws VerMapError VERMAP_COMMIT_NOT_FOUND
 */
export function cutHistory<K, V>(
  map: VerMap<K, V>,
  commit: number,
  options: WriteOptions = {},
): Promise<ReclaimReport> {
  const { repository } = internalsOf(map);
  return repository.exclusive(async () => {
    const found = await repository.run(repository.commits.get(commit));
    return cutOff(repository, found.parents.length === 0 ? [] : [found], options);
  });
}

/** Whether the parents of a commit stay, which is so many commits below a head. */
type Condition = (commit: Commit, depth: number) => boolean;

function condition({ commitCount, since }: RetentionOptions): Condition {
  if (commitCount === undefined && since === undefined)
    throw new TypeError("retention wants commitCount or since");
  if (commitCount !== undefined && !(Number.isSafeInteger(commitCount) && commitCount > 0))
    throw new RangeError(`commitCount is ${commitCount}, not 1 or more`);
  if (since !== undefined && !Number.isSafeInteger(since))
    throw new RangeError(`since is ${since}, not microseconds since 1970`);
  return ({ time }, depth) =>
    (commitCount !== undefined && depth + 1 < commitCount) || (since !== undefined && time > since);
}

/**
 * The commits to cut: reached from the heads, and without parents that stay. Commits are visited once, at their least depth:
 * by rounds, since a child may reach a commit by a longer way first.
 */
async function boundary(
  repository: Repository,
  heads: readonly number[],
  keepsParents: Condition,
): Promise<Commit[]> {
  const seen = new Set<number>(heads);
  const cut: Commit[] = [];
  seen.delete(0);
  let round = [...seen];
  for (let depth = 0; round.length > 0; depth++) {
    const next = new Set<number>();
    for (const commit of await commitsOf(repository, round)) {
      if (commit.parents.length === 0) continue;
      if (!keepsParents(commit, depth)) cut.push(commit);
      else for (const parent of commit.parents) if (!seen.has(parent)) next.add(parent);
    }
    for (const id of next) seen.add(id);
    round = [...next];
  }
  return cut;
}

/** A single line of history is read some commits at a time, a wide round in one. */
async function commitsOf(repository: Repository, ids: readonly number[]): Promise<Commit[]> {
  const { commits } = repository;
  const found = ids.length === 1 ? [] : await repository.run(commits.read(ids));
  const complete: Commit[] = [];
  // What is mentioned and not there is damage, and said to be.
  for (const [index, id] of ids.entries())
    complete.push(found[index] ?? (await repository.run(commits.step(id))));
  return complete;
}

async function cutOff(
  repository: Repository,
  commits: readonly Commit[],
  options: WriteOptions,
): Promise<ReclaimReport> {
  if (commits.length === 0) return { cutCommits: [], collectedCommits: [], nodesDeleted: 0 };
  const replaced = commits.map(cutCommit);
  const report = await repository.write({ replaced, ...syncOf(options) });
  return {
    cutCommits: ascending(commits.map(({ id }) => id)),
    collectedCommits: ascending(report.collectedCommits),
    nodesDeleted: report.nodesDeleted,
  };
}

function cutCommit(commit: Commit): Commit {
  return { ...commit, parents: [], isCut: true };
}

async function taggedCommits({ store, keys }: Repository): Promise<number[]> {
  const tagged: number[] = [];
  for await (const [, value] of store.iterator(keys.anchors(AnchorKind.tag)))
    for (const id of decodeAnchor(value).commits) tagged.push(id);
  return tagged;
}

function ascending(ids: readonly number[]): number[] {
  return ids.toSorted((a, b) => a - b);
}
