import { changeOf, type Difference } from "@x/btree";
import { sameBytes } from "@x/store/adapter";

import { VerMapError } from "../errors.ts";
import { assertHead, type WriteOptions } from "../map/committing.ts";
import { adopt } from "../map/working.ts";
import { type BranchRef } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { encodeChanges, oldValueOf, type Patch } from "./patch.ts";

/** How {@link applyPatch} goes about it. */
export interface ApplyPatchOptions extends WriteOptions {
  /** Whether to apply it where keys do not hold what the patch says they held. Default: false. */
  readonly force?: boolean;
  /** The head that the branch must have, 0 for none; otherwise VERMAP_HEAD_MOVED. Default: any. */
  readonly expectedHead?: number;
}

/** Keys looked up at a time. */
const CHUNK_COUNT = 512;

/**
 * Applies a patch to the working state of a branch: all of it, or, where a key does not hold what the patch says it held,
 * nothing. One batch, and one read for each level of the tree and 512 keys.
 *
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND, VERMAP_HEAD_MOVED
 * @throws VerMapError VERMAP_PATCH_MISMATCH, with how many keys hold something else as `conflictCount`
 * @throws TypeError, RangeError if the patch is malformed
 */
export function applyPatch<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  patch: Patch<K, V>,
  options: ApplyPatchOptions = {},
): Promise<void> {
  const { repository, codecs } = internalsOf(map);
  const changes = encodeChanges(codecs, patch);
  return repository.exclusive(async () => {
    const state = repository.branches.get(branch);
    assertHead(state, options.expectedHead);
    if (options.force !== true) await assertMatches(repository, state.root, changes);
    const root = await repository.pool.edit(state.root, changes.map(changeOf));
    await adopt(repository, state, root, options);
  });
}

async function assertMatches(
  { pool }: Repository,
  root: number,
  changes: readonly Difference[],
): Promise<void> {
  let conflictCount = 0;
  const snapshot = pool.snapshot(root);
  try {
    for (let start = 0; start < changes.length; start += CHUNK_COUNT) {
      const chunk = changes.slice(start, start + CHUNK_COUNT);
      const values = await snapshot.getMany(chunk.map(({ key }) => key));
      for (const [index, change] of chunk.entries())
        if (!sameBytes(values[index], oldValueOf(change))) conflictCount++;
    }
  } finally {
    snapshot.release();
  }
  if (conflictCount === 0) return;
  throw new VerMapError(
    "VERMAP_PATCH_MISMATCH",
    `${conflictCount} of ${changes.length} keys do not hold what the patch says they held`,
    { conflictCount },
  );
}
