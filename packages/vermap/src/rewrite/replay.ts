import { VerMapError } from "../errors.ts";
import { assertClean, assertHead, type CommitOptions, newCommit } from "../map/committing.ts";
import { type MapInternals } from "../map/map-internals.ts";
import { syncOf } from "../map/working.ts";
import { type Conflict, type MergeStrategy } from "../merge/conflict.ts";
import { mergeContent } from "../merge/merge-content.ts";
import { type Commit } from "../records/commit-record.ts";
import { type BranchRef, type BranchState } from "../repository/branch-table.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";

/** How {@link revert} and {@link cherryPick} go about it. */
export interface ReplayOptions<K, V> extends CommitOptions {
  /** What to do with keys that the branch changed as well, and not alike. Default: fail. */
  readonly strategy?: MergeStrategy<K, V>;
  /** Of a merge: the parent, from 0, against which its changes are taken. Default: 0, the branch that was merged into. */
  readonly parent?: number;
  /** Most conflicts listed in the result. Default: 1,000. */
  readonly conflictListMax?: number;
}

/** What {@link revert} or {@link cherryPick} did. */
export interface ReplayResult<K, V> {
  /** The branch's head now; 0 where it has none, which is only with `skipEmpty`. */
  readonly commit: number;
  /** Keys in which it differs from the head before. */
  readonly changed: number;
  /** Keys in conflict, however they were decided. */
  readonly conflictCount: number;
  /** The first of them, in the order of keys. `source` is what the replayed change would have made of the key. */
  readonly conflicts: readonly Conflict<K, V>[];
}

const CONFLICT_LIST_MAX = 1000;

/**
 * Takes back what a commit changed, in a new commit on top of a branch. The commit need not be in its history. What was
 * changed again since is a conflict. Costs the changes, not the map.
 *
 * The message is `revert <id>` unless another one is given.
 *
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND, VERMAP_COMMIT_NOT_FOUND, VERMAP_UNCOMMITTED, VERMAP_HEAD_MOVED
 * @throws VerMapError VERMAP_MERGE_CONFLICT, with how many keys are in conflict; nothing is changed
 * @throws RangeError if the commit has no such parent
 */
export function revert<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  commit: number,
  options: ReplayOptions<K, V> = {},
): Promise<ReplayResult<K, V>> {
  return replay(internalsOf(map), branch, commit, options, (reverted, before) => ({
    base: reverted.root,
    source: before,
    options: { message: `revert ${reverted.id}`, ...options },
  }));
}

/**
 * Makes the changes of a commit once more, in a new commit on top of a branch, with the same message, author and fields
 * unless others are given. What the branch changed otherwise is a conflict. Costs the changes, not the map.
 *
 * Errors as {@link revert}.
 */
export function cherryPick<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  commit: number,
  options: ReplayOptions<K, V> = {},
): Promise<ReplayResult<K, V>> {
  return replay(internalsOf(map), branch, commit, options, (picked, before) => {
    const { message, author, fields } = picked;
    const own = {
      ...(message === undefined ? {} : { message }),
      ...(author === undefined ? {} : { author }),
      ...(fields === undefined ? {} : { fields }),
    };
    return { base: before, source: picked.root, options: { ...own, ...options } };
  });
}

/** The two trees whose difference is replayed, and what the commit says of itself. */
interface Replayed {
  readonly base: number;
  readonly source: number;
  readonly options: CommitOptions;
}

/** A replay is a merge whose base is not a common ancestor, but one end of the change. */
function replay<K, V>(
  internals: MapInternals<K, V>,
  ref: BranchRef,
  commitId: number,
  options: ReplayOptions<K, V>,
  choose: (commit: Commit, before: number) => Replayed,
): Promise<ReplayResult<K, V>> {
  const { repository, codecs } = internals;
  const { strategy = "fail", conflictListMax = CONFLICT_LIST_MAX } = options;
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    const commit = await repository.run(repository.commits.get(commitId));
    assertClean(branch);
    assertHead(branch, options.expectedHead);
    const replayed = choose(commit, await parentRoot(internals, commit, options.parent));
    let root = branch.root;
    repository.pool.pin(root);
    try {
      const content = await mergeContent(
        repository.pool,
        codecs,
        { bases: [replayed.base], source: replayed.source, target: branch.root },
        { strategy, conflictListMax },
        async (changes) => {
          root = await repository.pool.edit(root, changes, { consume: true });
        },
      );
      assertResolved(content.unresolvedCount, commitId);
      const { changed, conflictCount, conflicts } = content;
      const isSkipped = options.skipEmpty === true && root === branch.root;
      const head = isSkipped
        ? branch.head
        : await commitRoot(internals, branch, root, replayed.options);
      return { commit: head, changed, conflictCount, conflicts };
    } finally {
      repository.pool.unpin(root);
    }
  });
}

/** Root of the tree against which a commit's changes are taken. */
async function parentRoot<K, V>(
  { repository }: MapInternals<K, V>,
  { id, parents }: Commit,
  place = 0,
): Promise<number> {
  const parent = parents[place];
  if (parent !== undefined) return (await repository.run(repository.commits.step(parent))).root;
  if (place === 0) return 0;
  throw new RangeError(`commit ${id} has no parent ${place}`);
}

async function commitRoot<K, V>(
  internals: MapInternals<K, V>,
  { id, name, head }: BranchState,
  root: number,
  options: CommitOptions,
): Promise<number> {
  const { repository } = internals;
  const commit = await newCommit(internals, { root, parents: head === 0 ? [] : [head] }, options);
  await repository.write({
    commits: [commit],
    branches: [{ id, to: { name, head: commit.id, root } }],
    ...syncOf(options),
  });
  return commit.id;
}

function assertResolved(conflictCount: number, commitId: number): void {
  if (conflictCount === 0) return;
  throw new VerMapError(
    "VERMAP_MERGE_CONFLICT",
    `${conflictCount} keys of commit ${commitId} are in conflict`,
    { commitId, conflictCount },
  );
}
