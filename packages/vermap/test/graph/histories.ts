import { MemoryStore } from "@x/store-memory";
import { type Random } from "@x/testing";

import { CommitTable } from "../../src/graph/commit-table.ts";
import { type Commit, encodeCommit } from "../../src/records/commit-record.ts";
import { RecordKeys } from "../../src/records/record-keys.ts";

/** Parents of each commit, by id; commit 1 is at index 0. */
export type Shape = readonly (readonly number[])[];

/** A random history: chains, forks, merges, and now and then a beginning without parents. */
export function randomShape(random: Random, count: number): number[][] {
  const shape: number[][] = [];
  for (let id = 1; id <= count; id++) {
    const parents: number[] = [];
    if (id > 1 && !random.chance(0.05)) {
      parents.push(random.between(Math.max(1, id - 6), id - 1));
      const other = random.between(Math.max(1, id - 9), id - 1);
      if (random.chance(0.3) && !parents.includes(other)) parents.push(other);
    }
    shape.push(parents);
  }
  return shape;
}

/** A store that holds commits of a shape, and the table over it. */
export async function tableOf(
  shape: Shape,
  times: (id: number) => number = (id) => id,
): Promise<{ store: MemoryStore; commits: CommitTable }> {
  const keys = new RecordKeys(new Uint8Array());
  const store = new MemoryStore();
  await store.batch(
    shape.map((parents, index) => {
      const id = index + 1;
      const commit: Commit = { id, root: 0, parents, time: times(id), isCut: false };
      return { type: "put", key: keys.commit(id), value: encodeCommit(commit) };
    }),
  );
  return { store, commits: new CommitTable(keys) };
}

/** A commit and all that it comes from. */
export function ancestorsOf(shape: Shape, id: number): Set<number> {
  const found = new Set([id]);
  for (const one of found) for (const parent of shape[one - 1] ?? []) found.add(parent);
  return found;
}
