import { VerMapError } from "../errors.ts";
import { isAncestor } from "../graph/ancestry.ts";
import {
  assertClean,
  assertHead,
  type CommitOptions,
  newCommit,
  type WriteOptions,
} from "../map/committing.ts";
import { syncOf } from "../map/working.ts";
import { type BranchRef, type BranchState } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";

/** See {@link reset}. */
export interface ResetOptions extends WriteOptions {
  /**
   * What becomes of uncommitted work. `refuse`: with VERMAP_UNCOMMITTED. `discard`: it is dropped. `keep`: the working state
   * stays what it is, so that what is between it and the new head is uncommitted. Default: refuse.
   */
  readonly working?: "refuse" | "discard" | "keep";
  /** The head that the branch must have, 0 for none; otherwise VERMAP_HEAD_MOVED. Default: any. */
  readonly expectedHead?: number;
}

/**
 * Moves a branch to any commit that exists, in its history or not. What only the old head kept is collected, unless the
 * reflog keeps it.
 *
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND, VERMAP_COMMIT_NOT_FOUND, VERMAP_HEAD_MOVED, VERMAP_UNCOMMITTED
 */
export function reset<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  commit: number,
  options: ResetOptions = {},
): Promise<void> {
  const { repository } = internalsOf(map);
  const { working = "refuse" } = options;
  return repository.exclusive(async () => {
    const state = repository.branches.get(branch);
    const target = await repository.run(repository.commits.get(commit));
    assertHead(state, options.expectedHead);
    if (working === "refuse") assertClean(state);
    const root = working === "keep" ? state.root : target.root;
    await moveTo(repository, state, { head: target.id, root }, options);
  });
}

/**
 * Replaces the commits of a branch after one in its history by a single commit with the content of the head. Uncommitted
 * work stays. What nothing else keeps is collected, unless the reflog keeps it.
 *
 * @param after - the commit to keep, which becomes the parent; 0 replaces all
 * @returns the branch's head now: the new commit, or the old head where it is `after` itself
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND, VERMAP_COMMIT_NOT_FOUND, VERMAP_HEAD_MOVED
 * @throws VerMapError VERMAP_NO_COMMITS if the branch has none
 * @throws VerMapError VERMAP_NOT_ANCESTOR if `after` is not in its history
 */
export function squash<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  after: number,
  options: Omit<CommitOptions, "skipEmpty"> = {},
): Promise<number> {
  const internals = internalsOf(map);
  const { repository } = internals;
  return repository.exclusive(async () => {
    const state = repository.branches.get(branch);
    assertHead(state, options.expectedHead);
    if (state.head === 0)
      throw new VerMapError("VERMAP_NO_COMMITS", `branch ${state.id} has no commits`, {
        branchId: state.id,
      });
    if (after !== 0) await assertInHistory(repository, state, after);
    if (after === state.head) return state.head;
    const parents = after === 0 ? [] : [after];
    const commit = await newCommit(internals, { root: state.headRoot, parents }, options);
    await repository.write({
      commits: [commit],
      branches: [{ id: state.id, to: { name: state.name, head: commit.id, root: state.root } }],
      ...syncOf(options),
    });
    return commit.id;
  });
}

async function assertInHistory(
  repository: Repository,
  { id, head }: BranchState,
  commitId: number,
): Promise<void> {
  await repository.run(repository.commits.get(commitId));
  if (await repository.run(isAncestor(repository.commits, commitId, head))) return;
  throw new VerMapError(
    "VERMAP_NOT_ANCESTOR",
    `commit ${commitId} is not in the history of branch ${id}`,
    { branchId: id, commitId },
  );
}

async function moveTo(
  repository: Repository,
  { id, name, head, root }: BranchState,
  to: { readonly head: number; readonly root: number },
  options: WriteOptions,
): Promise<void> {
  if (head === to.head && root === to.root) return;
  await repository.write({ branches: [{ id, to: { name, ...to } }], ...syncOf(options) });
}
