import { type Store } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { type Random } from "@x/testing";
import { utf8 } from "../../src/codec/index.ts";
import { VerMapError, type VerMapErrorCode } from "../../src/errors.ts";
import { VerMap, type VerMapOptions } from "../../src/map/ver-map.ts";

export type TextMap = VerMap<string, string>;

/** A map of texts whose clock goes on by 1,000 with every commit. */
export async function openTextMap(
  store: Store = new MemoryStore(),
  options: Partial<VerMapOptions<string, string>> = {},
): Promise<TextMap> {
  let time = 0;
  const clock = (): number => (time += 1000);
  return VerMap.open(store, { key: utf8, value: utf8, clock, ...options });
}

/** Sets and deletes keys of a branch, and commits. */
export async function commitOf(
  map: TextMap,
  branch: string,
  changes: Readonly<Record<string, string | undefined>>,
  message?: string,
): Promise<number> {
  await map.branch(branch).update((transaction) => {
    for (const [key, value] of Object.entries(changes)) {
      if (value === undefined) transaction.delete(key);
      else transaction.set(key, value);
    }
  });
  return map.branch(branch).commit(message === undefined ? {} : { message });
}

/** All that an iterator gives. */
export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** The entries of a version. */
export async function entriesOf(
  map: TextMap,
  version: Parameters<TextMap["at"]>[0],
): Promise<Record<string, string>> {
  using snapshot = await map.at(version);
  return Object.fromEntries(await listOf(snapshot.entries()));
}

/** The code a promise is rejected with; what is no error of this package goes on. */
export async function codeOf(promise: Promise<unknown>): Promise<VerMapErrorCode | "none"> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof VerMapError) return error.code;
    throw error;
  }
  return "none";
}

/** A commit as the model remembers it. */
export interface ModelCommit {
  readonly id: number;
  readonly parents: readonly number[];
  readonly entries: ReadonlyMap<string, string>;
}

/** A history that was made at random, and what a plain map for every commit remembers of it. */
export interface RandomHistory {
  readonly map: TextMap;
  readonly branches: readonly string[];
  readonly commits: ReadonlyMap<number, ModelCommit>;
}

const KEYS = ["a", "aa", "ab", "b", "c", "ca"];
const VALUES = ["1", "2", "3"];

/** Edits, commits, branches and merges at random. Every commit is kept by a branch or the history of one. */
export async function randomHistory(random: Random, steps: number): Promise<RandomHistory> {
  const map = await openTextMap();
  const branches = ["main"];
  const commits = new Map<number, ModelCommit>();
  const remember = async (id: number): Promise<void> => {
    const { parents } = (await map.commit(id)) ?? { parents: [] };
    const entries = new Map(Object.entries(await entriesOf(map, id)));
    commits.set(id, { id, parents, entries });
  };
  await remember(await commitOf(map, "main", { a: "1" }));
  for (let step = 0; step < steps; step++) {
    const branch = random.pick(branches);
    const other = random.pick(branches);
    if (random.chance(0.1) && branches.length < 4) {
      const name = `branch-${step}`;
      await map.createBranch(name, branch);
      branches.push(name);
    } else if (random.chance(0.25) && other !== branch) {
      await remember((await map.merge(other, branch)).commit);
    } else {
      const changes: Record<string, string | undefined> = {};
      for (let left = random.between(0, 3); left > 0; left--)
        changes[random.pick(KEYS)] = random.chance(0.3) ? undefined : random.pick(VALUES);
      await remember(await commitOf(map, branch, changes));
    }
  }
  return { map, branches, commits };
}
