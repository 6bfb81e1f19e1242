import { type DiffRange } from "@x/btree";
import { keyText } from "@x/store/adapter";

import { type MapInternals } from "../map/map-internals.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { openVersion, type Version } from "../map/version.ts";
import { type MapRange, treeRange } from "../reads/typed-range.ts";
import { type Commit } from "../records/commit-record.ts";
import { type Repository } from "../repository/repository.ts";
import { changesOf, CommitFrontier, type HistoryParents, parentsOf } from "./key-walk.ts";

/** See {@link blame}. */
export interface BlameOptions<K> extends Omit<MapRange<K>, "reverse"> {
  /** Along first parents, as the branch went, or through everything that was merged. Default: all. */
  readonly parents?: HistoryParents;
}

/** An entry, and where it is from. */
export interface BlamedEntry<K, V> {
  readonly key: K;
  readonly value: V;
  /** The commit that gave the key this value; `undefined`: it is uncommitted. */
  readonly commit: Commit | undefined;
}

/** Keys that nobody has answered for yet, by their text. */
type OpenKeys = Map<string, Uint8Array>;

/**
 * The entries of a version in a range, in the order of keys, each with the commit that gave it its value. Costs the entries of
 * the range, held in memory, and what the commits changed within it, until each has answered; so give it a range or a limit.
 *
 * What a merge took over from a parent is that parent's. Where a history was cut, the commit at the cut answers for all before.
 *
 * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, VERMAP_BRANCH_NOT_FOUND; VERMAP_MISSING or the former if a
 * commit is collected meanwhile
 */
export async function blame<K, V>(
  map: VerMap<K, V>,
  version: Version,
  options: BlameOptions<K> = {},
): Promise<BlamedEntry<K, V>[]> {
  const internals = internalsOf(map);
  const { repository, codecs } = internals;
  const { parents = "all" } = options;
  const { entries, head } = await startOf(internals, version, options);
  const answers = new Map<string, Commit>();
  const open: OpenKeys = new Map();
  for (const { key, isCommitted } of entries) if (isCommitted) open.set(keyText(key), key);
  if (head !== 0 && open.size > 0) await answer(repository, head, open, parents, answers);
  return entries.map(({ key, value }) => ({
    key: codecs.key.decode(key),
    value: codecs.value.decode(value),
    commit: answers.get(keyText(key)),
  }));
}

interface StartEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly isCommitted: boolean;
}

/** The entries to explain, and the commit to begin at; 0 where there is none. */
async function startOf<K, V>(
  { repository, codecs }: MapInternals<K, V>,
  version: Version,
  options: BlameOptions<K>,
): Promise<{ readonly entries: readonly StartEntry[]; readonly head: number }> {
  const range = treeRange(codecs.key, options);
  const { snapshot, commit } = await openVersion(repository, version);
  try {
    const isWorking = typeof version === "object" && "branch" in version;
    const head = isWorking ? repository.branches.get(version.branch).head : (commit ?? 0);
    const uncommitted = new Set<string>();
    const entries: { key: Uint8Array; value: Uint8Array }[] = [];
    for await (const [key, value] of snapshot.entries(range)) entries.push({ key, value });
    const last = entries.at(-1);
    if (isWorking && last !== undefined) {
      // A limit counts entries, not differences: up to the last entry all of them are wanted.
      const { limit: _, reverse: __, ...bounds } = range;
      for await (const { key } of snapshot.diff(await rootOf(repository, head), bounds))
        uncommitted.add(keyText(key));
    }
    return {
      entries: entries.map(({ key, value }) => ({
        key,
        value,
        isCommitted: !uncommitted.has(keyText(key)),
      })),
      head,
    };
  } finally {
    snapshot.release();
  }
}

async function rootOf(repository: Repository, commit: number): Promise<number> {
  if (commit === 0) return 0;
  return (await repository.run(repository.commits.get(commit))).root;
}

/** Goes from commit to commit, each with the keys that have in it the value that is to be explained. */
async function answer(
  repository: Repository,
  head: number,
  open: OpenKeys,
  which: HistoryParents,
  answers: Map<string, Commit>,
): Promise<void> {
  const frontier = new CommitFrontier<OpenKeys>();
  frontier.add(head, open, together);
  for (let taken = frontier.take(); taken !== undefined; taken = frontier.take()) {
    const commit = await repository.run(repository.commits.step(taken.id));
    let left = taken.carried;
    for (const parent of parentsOf(commit, which)) {
      if (left.size === 0) break;
      const changed = await changedKeys(repository, commit.id, parent, left);
      for (const text of changed.keys()) left.delete(text);
      if (left.size > 0) frontier.add(parent, left, together);
      left = changed;
    }
    for (const text of left.keys()) answers.set(text, commit);
  }
}

/** Those of some keys that differ between a commit and a parent. */
async function changedKeys(
  repository: Repository,
  commit: number,
  parent: number,
  keys: OpenKeys,
): Promise<OpenKeys> {
  const changed: OpenKeys = new Map();
  for await (const { key } of changesOf(repository, commit, parent, spanOf(keys))) {
    const text = keyText(key);
    if (keys.has(text)) changed.set(text, key);
  }
  return changed;
}

/** The range that the keys lie in. The text of keys is in the order of their bytes. */
function spanOf(keys: OpenKeys): DiffRange {
  let [least, greatest]: (string | undefined)[] = [];
  for (const text of keys.keys()) {
    if (least === undefined || text < least) least = text;
    if (greatest === undefined || text > greatest) greatest = text;
  }
  const [gte, lte] = [keys.get(least ?? ""), keys.get(greatest ?? "")];
  return gte === undefined || lte === undefined ? {} : { gte, lte };
}

/** The larger of the two takes the other in. */
function together(known: OpenKeys, more: OpenKeys): OpenKeys {
  const [large, small] = known.size < more.size ? [more, known] : [known, more];
  for (const [text, key] of small) large.set(text, key);
  return large;
}
