import { type BranchRef } from "../repository/branch-table.ts";
import { type WriteOptions } from "./committing.ts";
import { internalsOf, type VerMap } from "./ver-map.ts";
import { updateWorking } from "./working.ts";

/**
 * Sets a key of a branch's working state to what a function makes of its value, in one step: nobody writes between.
 *
 * @param change - is given the value, `undefined` where there is none; `undefined` from it removes the key
 * @returns the value now
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND; whatever the function throws, and then nothing is changed
 */
export function upsert<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  key: K,
  change: (value: V | undefined) => V | undefined | Promise<V | undefined>,
  options: WriteOptions = {},
): Promise<V | undefined> {
  return updateWorking<K, V, V | undefined>(
    internalsOf(map),
    branch,
    async (transaction) => {
      const before = await transaction.get(key);
      const value = await change(before);
      if (value !== undefined) transaction.set(key, value);
      else if (before !== undefined) transaction.delete(key);
      return value;
    },
    options,
  );
}
