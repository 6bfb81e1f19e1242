import { type NodePool } from "@x/btree";

import { type BranchRef } from "../repository/branch-table.ts";
import { translated } from "../repository/failure.ts";
import { type Repository } from "../repository/repository.ts";
import { assertClean, isDirty, type WriteOptions } from "./committing.ts";
import { syncOf } from "./working.ts";

/** What `VerMap.compact` did. */
export interface CompactReport {
  readonly nodesWritten: number;
  /** Nodes that nothing else used; fewer than were written, where older commits share them. */
  readonly nodesDeleted: number;
}

/** Builds the tree of a branch's head anew, with full nodes, in place of the one it has. */
export function compactHead(
  repository: Repository,
  ref: BranchRef,
  options: WriteOptions,
): Promise<CompactReport> {
  return repository.exclusive(async () => {
    const branch = repository.branches.get(ref);
    assertClean(branch);
    if (branch.root === 0) return { nodesWritten: 0, nodesDeleted: 0 };
    const head = await repository.run(repository.commits.get(branch.head));
    const before = repository.pool.statistics().nextId;
    const root = await rebuilt(repository.pool, branch.root);
    try {
      const followers = repository.branches.list().filter((one) => one.head === branch.head);
      const { nodesDeleted } = await repository.write({
        replaced: [{ ...head, root }],
        // Uncommitted work stays as it is, and is told from another tree.
        branches: followers.map((one) => ({
          id: one.id,
          to: { name: one.name, head: one.head, root: isDirty(one) ? one.root : root },
        })),
        ...syncOf(options),
      });
      // Every node of the new tree has an id of its own, whether it was spilled before or not.
      return { nodesWritten: repository.pool.statistics().nextId - before, nodesDeleted };
    } finally {
      repository.pool.unpin(root);
    }
  });
}

/** The same entries in a new tree, pinned for the caller. */
async function rebuilt(pool: NodePool, root: number): Promise<number> {
  const snapshot = pool.snapshot(root);
  try {
    return await translated(() => pool.load(snapshot.entries()));
  } finally {
    snapshot.release();
  }
}
