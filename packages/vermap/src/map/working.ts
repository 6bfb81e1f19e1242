import { type Change } from "@x/btree";

import { VerMapError } from "../errors.ts";
import { isAncestor } from "../graph/ancestry.ts";
import { type BranchRef, type BranchState } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";
import {
  assertClean,
  assertHead,
  type CommitOptions,
  isDirty,
  newCommit,
  type WriteOptions,
} from "./committing.ts";
import { type MapInternals } from "./map-internals.ts";
import { Transaction } from "./transaction.ts";

/** Changes some keys of a branch's working state. */
export function changeWorking(
  repository: Repository,
  ref: BranchRef,
  changes: readonly Change[],
  options: WriteOptions,
): Promise<void> {
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    if (repository.isInMemory) await repository.editWorking(branch, changes);
    else await adopt(repository, branch, await repository.pool.edit(branch.root, changes), options);
  });
}

/** Runs a transaction on a branch's working state. */
export function updateWorking<K, V, T>(
  { repository, codecs }: MapInternals<K, V>,
  ref: BranchRef,
  call: (transaction: Transaction<K, V>) => T | Promise<T>,
  options: WriteOptions,
): Promise<T> {
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    const transaction = new Transaction(repository.pool, codecs, branch.root);
    let result: T;
    let root: number;
    try {
      result = await call(transaction);
      root = await transaction.finish();
    } catch (error) {
      await transaction.abandon();
      throw error;
    }
    await adopt(repository, branch, root, options);
    return result;
  });
}

/** The working state becomes that of the head. */
export function discardWorking(
  repository: Repository,
  ref: BranchRef,
  options: WriteOptions,
): Promise<void> {
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    repository.pool.pin(branch.headRoot);
    await adopt(repository, branch, branch.headRoot, options);
  });
}

/** Writes the working states of all branches that are in memory only. */
export function flushWorking(repository: Repository, options: WriteOptions): Promise<void> {
  return repository.exclusive(async () => {
    const unsaved = repository.branches.list().filter(({ root, stored }) => root !== stored.root);
    if (unsaved.length === 0) return;
    const branches = unsaved.map(({ id, name, head, root }) => ({ id, to: { name, head, root } }));
    await repository.write({ branches, ...options });
  });
}

/** Makes a commit of the working state. */
export function commitWorking<K, V>(
  internals: MapInternals<K, V>,
  ref: BranchRef,
  options: CommitOptions,
): Promise<number> {
  const { repository } = internals;
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    assertHead(branch, options.expectedHead);
    if (options.skipEmpty === true && !isDirty(branch)) return branch.head;
    const { id, name, head, root } = branch;
    const commit = await newCommit(internals, { root, parents: head === 0 ? [] : [head] }, options);
    await repository.write({
      commits: [commit],
      branches: [{ id, to: { name, head: commit.id, root } }],
      ...syncOf(options),
    });
    return commit.id;
  });
}

/** Moves a branch back to a commit in its history. */
export function rollbackBranch(
  repository: Repository,
  ref: BranchRef,
  commitId: number,
  options: WriteOptions,
): Promise<void> {
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    const target = await repository.run(repository.commits.get(commitId));
    const notAncestor = new VerMapError(
      "VERMAP_NOT_ANCESTOR",
      `commit ${commitId} is not in the history of branch ${branch.id}`,
      { branchId: branch.id, commitId },
    );
    if (branch.head === 0) throw notAncestor;
    assertClean(branch);
    if (branch.head === target.id) return;
    if (!(await repository.run(isAncestor(repository.commits, target.id, branch.head))))
      throw notAncestor;
    const to = { name: branch.name, head: target.id, root: target.root };
    await repository.write({ branches: [{ id: branch.id, to }], ...syncOf(options) });
  });
}

/** A root becomes a branch's working state. The caller has the turn; its pin on the root is used up, whatever happens. */
export async function adopt(
  repository: Repository,
  branch: BranchState,
  root: number,
  options: WriteOptions,
): Promise<void> {
  if (repository.isInMemory || root === branch.root) {
    repository.setWorking(branch, root);
    return;
  }
  try {
    const { id, name, head } = branch;
    await repository.write({ branches: [{ id, to: { name, head, root } }], ...syncOf(options) });
  } finally {
    repository.pool.unpin(root);
  }
}

export function syncOf({ sync }: WriteOptions): WriteOptions {
  return sync === undefined ? {} : { sync };
}
