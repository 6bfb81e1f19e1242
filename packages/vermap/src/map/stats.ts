import { type PoolStatistics } from "@x/btree";

import { type Repository } from "../repository/repository.ts";
import { isDirty } from "./committing.ts";

/** See `VerMap.stats`. */
export interface MapStats {
  readonly branchCount: number;
  /** Branches with uncommitted work. */
  readonly dirtyBranchCount: number;
  /** Branches with uncommitted work that is in memory only. */
  readonly unsavedBranchCount: number;
  /** Ids of commits given out so far: no fewer than there are commits. */
  readonly commitIdMax: number;
  /** Batches written so far, by whomever. */
  readonly batchCount: number;
  /** Of the tree of entries. */
  readonly tree: PoolStatistics;
}

export function statsOf(repository: Repository): MapStats {
  repository.assertOpen();
  const branches = repository.branches.list();
  return {
    branchCount: branches.length,
    dirtyBranchCount: branches.filter(isDirty).length,
    unsavedBranchCount: branches.filter(({ root, stored }) => root !== stored.root).length,
    commitIdMax: repository.nextCommitId - 1,
    batchCount: repository.sequence,
    tree: repository.pool.statistics(),
  };
}
