import { LogWalk } from "../graph/log-walk.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { type Commit } from "../records/commit-record.ts";
import { type BranchRef } from "../repository/branch-table.ts";

/**
 * The commit that a branch was at, at a time: the newest one along first parents that is not younger. Read it with `at`.
 * Costs the commits since. Times are what commits say: where clocks went back, the first that fits from the head down counts;
 * `monotoneTime` keeps them ascending.
 *
 * @param time - microseconds since 1970
 * @returns nothing where the branch is younger, or its history was cut above
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND
 */
export async function asOf<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  time: number,
): Promise<Commit | undefined> {
  const { repository } = internalsOf(map);
  if (!Number.isSafeInteger(time)) throw new RangeError(`time is ${time}, not microseconds`);
  const walk = new LogWalk(repository.commits, repository.branches.get(branch).head);
  for (;;) {
    const page = await repository.run(walk.read());
    if (page.length === 0) return undefined;
    const found = page.find((commit) => commit.time <= time);
    if (found !== undefined) return found;
  }
}
