import { type Difference, type DiffRange } from "@x/btree";

import { openVersion } from "../map/version.ts";
import { type Commit } from "../records/commit-record.ts";
import { type Repository } from "../repository/repository.ts";
import { IdHeap } from "../graph/id-heap.ts";

/** How a history that was merged is gone through. `first`: along first parents only. `all`: everything that was merged. */
export type HistoryParents = "first" | "all";

/** The parents of a commit that a walk goes on to. */
export function parentsOf({ parents }: Commit, which: HistoryParents): readonly number[] {
  return which === "first" ? parents.slice(0, 1) : parents;
}

/**
 * What a commit changed in a range of keys, against a parent, or against the empty map where that is `undefined`. Costs what
 * differs within the range. Both trees are pinned as long as it is read.
 *
 * @yields differences, in the order of keys
 * @throws VerMapError VERMAP_COMMIT_NOT_FOUND if one of them was collected meanwhile
 */
export async function* changesOf(
  repository: Repository,
  commit: number,
  parent: number | undefined,
  range: DiffRange,
): AsyncGenerator<Difference, undefined, undefined> {
  const before =
    parent === undefined
      ? repository.pool.snapshot(0)
      : (await openVersion(repository, parent)).snapshot;
  try {
    const after = (await openVersion(repository, commit)).snapshot;
    try {
      yield* before.diff(after.root, range);
    } finally {
      after.release();
    }
  } finally {
    before.release();
  }
  return undefined;
}

/** Commits still to be looked at, each with what was carried to it by its children; the greatest id comes first. */
export class CommitFrontier<T> {
  readonly #heap = new IdHeap();
  readonly #carried = new Map<number, T>();

  /** @param merge - brings together what two children carry to one parent */
  add(id: number, carried: T, merge: (known: T, more: T) => T): void {
    const known = this.#carried.get(id);
    if (known === undefined) this.#heap.push(id);
    this.#carried.set(id, known === undefined ? carried : merge(known, carried));
  }

  /** Takes the greatest id. All its children have been looked at: ids of children are greater. */
  take(): { readonly id: number; readonly carried: T } | undefined {
    const id = this.#heap.pop();
    if (id === undefined) return undefined;
    const carried = this.#carried.get(id) as T;
    this.#carried.delete(id);
    return { id, carried };
  }
}
