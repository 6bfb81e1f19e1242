import { type Difference } from "@x/btree";

import { type Codecs } from "../codec/codecs.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { openVersion, type Version } from "../map/version.ts";
import { decodeDifference, type MapDifference } from "../reads/map-difference.ts";
import { type Commit } from "../records/commit-record.ts";
import { type Repository } from "../repository/repository.ts";
import { changesOf, CommitFrontier, type HistoryParents, parentsOf } from "./key-walk.ts";

/** See {@link history}. */
export interface KeyHistoryOptions {
  /** Along first parents, as the branch went, or through everything that was merged. Default: all. */
  readonly parents?: HistoryParents;
  /** Most changes to give. Default: all. */
  readonly limit?: number;
}

/** A commit that changed a key. */
export interface KeyChange<K, V> {
  readonly commit: Commit;
  /** What it changed, against its first parent, or the empty map where it has none. */
  readonly difference: MapDifference<K, V>;
}

/**
 * The commits that changed a key, newest first, from the head of a branch or a commit on. Each commit costs the path to the
 * key where that differs from its parent's, and nothing where the two trees are one.
 *
 * A merge that took the key over from one of its parents did not change it: the history goes on through that parent alone.
 * Where a history was cut, the commit at the cut counts as the one that added the key.
 *
 * @yields changes of the key
 * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, VERMAP_BRANCH_NOT_FOUND, when the first is asked for;
 * VERMAP_MISSING or the former if a commit is collected meanwhile
 */
export async function* history<K, V>(
  map: VerMap<K, V>,
  from: Exclude<Version, { readonly branch: unknown }>,
  key: K,
  options: KeyHistoryOptions = {},
): AsyncGenerator<KeyChange<K, V>, undefined, undefined> {
  const { repository, codecs } = internalsOf(map);
  const { parents = "all", limit = Infinity } = options;
  const bytes = codecs.key.encode(key);
  const start = await openVersion(repository, from);
  start.snapshot.release();
  const frontier = new CommitFrontier<true>();
  if (start.commit !== undefined) frontier.add(start.commit, true, () => true);
  let given = 0;
  for (let taken = frontier.take(); taken !== undefined && given < limit; taken = frontier.take()) {
    const commit = await repository.run(repository.commits.step(taken.id));
    const followed = parentsOf(commit, parents);
    const step = await stepOf(repository, commit, followed, bytes);
    for (const parent of step.parents) frontier.add(parent, true, () => true);
    if (step.difference === undefined) continue;
    given++;
    yield typed(codecs, commit, step.difference);
  }
  return undefined;
}

/** What a commit did to a key, if anything, and where its history goes on. */
async function stepOf(
  repository: Repository,
  commit: Commit,
  parents: readonly number[],
  key: Uint8Array,
): Promise<{ readonly difference: Difference | undefined; readonly parents: readonly number[] }> {
  let first: Difference | undefined;
  for (const parent of parents.length === 0 ? [undefined] : parents) {
    const difference = await differenceAt(repository, commit.id, parent, key);
    if (difference === undefined && parent !== undefined)
      return { difference: undefined, parents: [parent] };
    first ??= difference;
  }
  return { difference: first, parents };
}

async function differenceAt(
  repository: Repository,
  commit: number,
  parent: number | undefined,
  key: Uint8Array,
): Promise<Difference | undefined> {
  for await (const one of changesOf(repository, commit, parent, { gte: key, lte: key })) return one;
  return undefined;
}

function typed<K, V>(
  codecs: Codecs<K, V>,
  commit: Commit,
  difference: Difference,
): KeyChange<K, V> {
  return { commit, difference: decodeDifference(codecs, difference) };
}
