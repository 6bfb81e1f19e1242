import { type Store } from "@x/store";
import { MemoryStore } from "@x/store-memory";

import { utf8 } from "../src/codec/index.ts";
import { VerMap, type VerMapOptions } from "../src/index.ts";

export type TextMap = VerMap<string, string>;

/** A map of strings, in a new store in memory unless there is one. */
export function openText(
  store: Store = new MemoryStore(),
  options: Partial<VerMapOptions<string, string>> = {},
): Promise<TextMap> {
  return VerMap.open(store, { key: utf8, value: utf8, ...options });
}

/** Sets keys of a branch, deletes those that are `undefined`, and makes a commit. */
export async function commitOf(
  map: TextMap,
  branch: string,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const handle = map.branch(branch);
  await handle.update((transaction) => {
    for (const [key, value] of Object.entries(changes))
      if (value === undefined) transaction.delete(key);
      else transaction.set(key, value);
  });
  return handle.commit();
}
