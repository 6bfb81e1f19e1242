import { type Snapshot } from "@x/btree";

import { readTag } from "../tag/tag-record.ts";
import { type BranchRef } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";
import { commitNotFound } from "../graph/commit-table.ts";

/** A state of a map: a commit by its id or its tag, the working state of a branch, or the head of one. */
export type Version =
  | number
  | { readonly commit: number }
  | { readonly branch: BranchRef }
  | { readonly head: BranchRef }
  | { readonly tag: string };

/** A version that was found, and what reads it. */
export interface OpenedVersion {
  readonly snapshot: Snapshot;
  /** `undefined`: a working state, or the head of a branch without commits. */
  readonly commit: number | undefined;
}

/**
 * Pins a version. The snapshot is the caller's to release.
 *
 * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, VERMAP_BRANCH_NOT_FOUND, VERMAP_TAG_NOT_FOUND
 */
export async function openVersion(
  repository: Repository,
  version: Version,
): Promise<OpenedVersion> {
  repository.assertOpen();
  if (typeof version === "object" && "branch" in version) {
    const { root } = repository.branches.get(version.branch);
    return { snapshot: repository.pool.snapshot(root), commit: undefined };
  }
  if (typeof version === "object" && "head" in version) {
    const { head, headRoot } = repository.branches.get(version.head);
    return { snapshot: repository.pool.snapshot(headRoot), commit: head === 0 ? undefined : head };
  }
  const id = await commitIdOf(repository, version);
  const { root } = await repository.run(repository.commits.get(id));
  const snapshot = repository.pool.snapshot(root);
  // The commit may have been collected while its record was read, and its tree with it.
  if ((await repository.run(repository.commits.find(id))) !== undefined)
    return { snapshot, commit: id };
  snapshot.release();
  throw commitNotFound(id);
}

async function commitIdOf(
  repository: Repository,
  version: Exclude<Version, { readonly branch: BranchRef } | { readonly head: BranchRef }>,
): Promise<number> {
  if (typeof version === "object" && "tag" in version)
    return (await readTag(repository, version.tag)).commit;
  const id = typeof version === "object" ? version.commit : version;
  if (typeof id !== "number")
    throw new TypeError("a version is a commit's id, or a commit, branch, head or tag");
  if (!Number.isSafeInteger(id) || id < 1) throw commitNotFound(id);
  return id;
}
