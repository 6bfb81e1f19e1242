import { VerMapError } from "../errors.ts";
import { type BranchRef } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";
import { type WriteOptions } from "./committing.ts";
import { syncOf } from "./working.ts";

/** Where a branch begins: at another branch, uncommitted work included, or at a commit. */
export type BranchSource = BranchRef | { readonly commit: number };

/** See `VerMap.createBranch`. */
export interface CreateBranchOptions extends WriteOptions {
  /** What to do where there is a branch of that name: refuse, or give that one, as it is. Default: fail. */
  readonly ifExists?: "fail" | "keep";
}

/** A branch in a list. */
export interface BranchInfo {
  readonly id: number;
  readonly name: string;
  /** Its last commit; `undefined` where it has none. */
  readonly head: number | undefined;
  readonly isMain: boolean;
  readonly hasUncommitted: boolean;
}

/** @returns its id */
export function createBranch(
  repository: Repository,
  name: string,
  source: BranchSource,
  options: CreateBranchOptions,
): Promise<number> {
  checkName(name);
  return repository.exclusive(async () => {
    const { branches } = repository;
    const existing = options.ifExists === "keep" ? branches.find(name) : undefined;
    if (existing !== undefined) return existing.id;
    assertFree(repository, name);
    const id = repository.nextBranchId;
    // A handle is an object with an id, and has a method of that name.
    if (typeof source === "object" && !("id" in source)) {
      const { id: head, root } = await repository.run(repository.commits.get(source.commit));
      await repository.write({ branches: [{ id, to: { name, head, root } }], ...syncOf(options) });
      return id;
    }
    const from = branches.get(source);
    const to = { name, head: from.head, root: from.root };
    const changes = [{ id, to }];
    // What is in memory only is saved with the branch that begins with it; then the source may as well refer to it.
    if (from.root !== from.stored.root)
      changes.push({ id: from.id, to: { ...to, name: from.name } });
    await repository.write({ branches: changes, ...syncOf(options) });
    return id;
  });
}

/** Deletes a branch, its uncommitted work, and the commits that nothing else leads to. */
export function deleteBranch(
  repository: Repository,
  ref: BranchRef,
  options: WriteOptions,
): Promise<void> {
  return repository.exclusive(async () => {
    if (repository.branches.idOf(ref) === repository.mainId)
      throw new VerMapError("VERMAP_MAIN_BRANCH", "the main branch cannot be deleted", {
        branchId: repository.mainId,
      });
    const { id } = repository.branches.get(ref);
    await repository.write({ branches: [{ id, to: undefined }], ...syncOf(options) });
  });
}

/** Gives a branch another name. The one it has is no error. */
export function renameBranch(
  repository: Repository,
  ref: BranchRef,
  name: string,
  options: WriteOptions,
): Promise<void> {
  checkName(name);
  return repository.exclusive(async () => {
    const { id, head, root, name: before } = repository.branches.get(ref);
    if (name === before) return;
    assertFree(repository, name);
    await repository.write({ branches: [{ id, to: { name, head, root } }], ...syncOf(options) });
  });
}

/** Makes a branch the one that cannot be deleted. */
export function setMainBranch(
  repository: Repository,
  ref: BranchRef,
  options: WriteOptions,
): Promise<void> {
  return repository.exclusive(async () => {
    const { id } = repository.branches.get(ref);
    if (id === repository.mainId) return;
    await repository.write({ main: id, ...syncOf(options) });
  });
}

function assertFree({ branches }: Repository, name: string): void {
  const owner = branches.find(name);
  if (owner !== undefined)
    throw new VerMapError("VERMAP_BRANCH_EXISTS", `branch ${owner.id} has that name`, {
      branchId: owner.id,
    });
}

function checkName(name: string): void {
  if (typeof name !== "string") throw new TypeError(`a name is a string, not a ${typeof name}`);
  if (/\p{Surrogate}/u.test(name)) throw new RangeError("a name with a lone surrogate");
}
