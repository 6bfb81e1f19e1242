import { type Change } from "@x/btree";

import { VerMapError } from "../errors.ts";
import { mergeBases } from "../graph/merge-bases.ts";
import { assertClean, assertHead, type CommitOptions, newCommit } from "../map/committing.ts";
import { type MapInternals } from "../map/map-internals.ts";
import { syncOf } from "../map/working.ts";
import { type BranchRef, type BranchState } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";
import { type Conflict, type MergeStrategy } from "./conflict.ts";
import { mergeContent, type MergedContent } from "./merge-content.ts";

/** How a merge goes. */
export interface MergeOptions<K, V> extends Omit<CommitOptions, "skipEmpty"> {
  /** What to do with conflicts. Default: source, as the original does. */
  readonly strategy?: MergeStrategy<K, V>;
  /**
   * Whether the target's head may just move to the source's where it has nothing of its own. `never`: there is always a merge
   * commit, even where nothing is new. `allow`: none where the head can move, nor where nothing is new. `only`: and
   * otherwise the merge is refused. Default: never.
   */
  readonly fastForward?: "never" | "allow" | "only";
  /** Most conflicts listed in the result. Default: 1,000. */
  readonly conflictListMax?: number;
}

/**
 * What a merge was. `merged`: a merge commit was made. `fast-forward`: the target's head moved to the source's. `up-to-date`: the
 * target has everything of the source already.
 */
export type MergeOutcome = "merged" | "fast-forward" | "up-to-date";

/** What a merge would do. */
export interface MergePreview<K, V> {
  readonly outcome: MergeOutcome;
  /** The best common ancestors, greatest id first; several where histories crossed, none where they are unrelated. */
  readonly bases: readonly number[];
  /** Keys in which the result differs from the target; `undefined` where the source's tree is taken over whole, uncounted. */
  readonly changed: number | undefined;
  /** Keys in conflict, however they were decided. */
  readonly conflictCount: number;
  /** The first of them, in the order of keys. */
  readonly conflicts: readonly Conflict<K, V>[];
}

/** What a merge did. */
export interface MergeResult<K, V> extends MergePreview<K, V> {
  /** The target's head now. */
  readonly commit: number;
}

/** Most conflicts listed unless the caller says otherwise. */
const CONFLICT_LIST_MAX = 1000;

/** Merges a branch into another one. */
export function mergeBranches<K, V>(
  internals: MapInternals<K, V>,
  source: BranchRef,
  target: BranchRef,
  options: MergeOptions<K, V>,
): Promise<MergeResult<K, V>> {
  checkOptions(options);
  const { repository } = internals;
  return repository.exclusive(async () => {
    const merge = await planMerge(repository, source, target, options);
    const content = new TargetContent(repository, merge.target.root);
    try {
      const preview = await compute(internals, merge, options, content);
      if (preview.unresolvedCount > 0) throw inConflict(merge, preview.unresolvedCount);
      const commit = await write(internals, merge, content.root, options);
      return { ...previewOf(merge, preview), commit };
    } finally {
      content.release();
    }
  });
}

/** What a merge would do; nothing is written. Resolvers are asked as they would be. */
export function previewMerge<K, V>(
  internals: MapInternals<K, V>,
  source: BranchRef,
  target: BranchRef,
  options: MergeOptions<K, V>,
): Promise<MergePreview<K, V>> {
  checkOptions(options);
  const { repository } = internals;
  return repository.exclusive(async () => {
    const merge = await planMerge(repository, source, target, options);
    return previewOf(merge, await compute(internals, merge, options, undefined));
  });
}

/** Two branches that may be merged, and how. */
interface PlannedMerge {
  readonly source: BranchState;
  readonly target: BranchState;
  readonly outcome: MergeOutcome;
  readonly bases: readonly number[];
}

/** What {@link MergedContent} is, where nothing may have been counted. */
type Computed<K, V> = Omit<MergedContent<K, V>, "changed"> & Pick<MergePreview<K, V>, "changed">;

const NOTHING: Computed<never, never> = {
  changed: 0,
  conflictCount: 0,
  unresolvedCount: 0,
  conflicts: [],
};

/** All checks, in their order, and what is to be done. */
async function planMerge<K, V>(
  repository: Repository,
  sourceRef: BranchRef,
  targetRef: BranchRef,
  { fastForward = "never", expectedHead }: MergeOptions<K, V>,
): Promise<PlannedMerge> {
  const { branches, commits } = repository;
  if (isSame(branches.idOf(sourceRef), branches.idOf(targetRef)) || sourceRef === targetRef)
    throw new VerMapError("VERMAP_SELF_MERGE", "a branch cannot be merged into itself");
  const source = branches.get(sourceRef);
  assertClean(source);
  const target = branches.get(targetRef);
  assertClean(target);
  assertHead(target, expectedHead);
  if (source.head === 0)
    throw new VerMapError("VERMAP_NO_COMMITS", `branch ${source.id} has no commits to merge`, {
      branchId: source.id,
    });
  const sides = { source, target };
  if (source.head === target.head) return { ...sides, outcome: "up-to-date", bases: [source.head] };
  if (target.head === 0) return { ...sides, outcome: "fast-forward", bases: [] };
  const bases = await repository.run(mergeBases(commits, source.head, target.head));
  if (fastForward === "never") return { ...sides, outcome: "merged", bases };
  if (bases[0] === target.head) return { ...sides, outcome: "fast-forward", bases };
  if (bases[0] === source.head) return { ...sides, outcome: "up-to-date", bases };
  if (fastForward === "allow") return { ...sides, outcome: "merged", bases };
  throw new VerMapError(
    "VERMAP_NOT_FAST_FORWARD",
    `branch ${target.id} has commits that branch ${source.id} has not`,
    { branchId: target.id },
  );
}

/** The target's tree as it is changed; pinned until it is released. */
class TargetContent {
  readonly #repository: Repository;
  root: number;

  constructor(repository: Repository, root: number) {
    this.#repository = repository;
    this.root = root;
    repository.pool.pin(root);
  }

  async apply(changes: readonly Change[]): Promise<void> {
    this.root = await this.#repository.pool.edit(this.root, changes, { consume: true });
  }

  /** Another tree instead. */
  replace(root: number): void {
    this.#repository.pool.pin(root);
    this.release();
    this.root = root;
  }

  release(): void {
    this.#repository.pool.unpin(this.root);
  }
}

/** Works out the content; `content`, where there is one, becomes it. */
async function compute<K, V>(
  { repository, codecs }: MapInternals<K, V>,
  { source, target, outcome, bases }: PlannedMerge,
  { strategy = "source", conflictListMax = CONFLICT_LIST_MAX }: MergeOptions<K, V>,
  content: TargetContent | undefined,
): Promise<Computed<K, V>> {
  if (outcome === "up-to-date") return NOTHING;
  const commits = await repository.run(repository.commits.read(bases));
  const roots = commits.map((commit) => commit?.root ?? 0);
  // Where only the source has changed, its tree is the result.
  if (outcome === "fast-forward" || (roots.length === 1 && roots[0] === target.root)) {
    content?.replace(source.root);
    return { ...NOTHING, changed: undefined };
  }
  return mergeContent(
    repository.pool,
    codecs,
    { bases: roots, source: source.root, target: target.root },
    { strategy, conflictListMax },
    async (changes) => content?.apply(changes),
  );
}

/** @returns the target's head afterwards */
async function write<K, V>(
  internals: MapInternals<K, V>,
  { source, target, outcome }: PlannedMerge,
  root: number,
  options: MergeOptions<K, V>,
): Promise<number> {
  const { repository } = internals;
  if (outcome === "up-to-date") return target.head;
  const { id, name } = target;
  if (outcome === "fast-forward") {
    const branches = [{ id, to: { name, head: source.head, root } }];
    await repository.write({ branches, ...syncOf(options) });
    return source.head;
  }
  const commit = await newCommit(internals, { root, parents: [target.head, source.head] }, options);
  await repository.write({
    commits: [commit],
    branches: [{ id, to: { name, head: commit.id, root } }],
    ...syncOf(options),
  });
  return commit.id;
}

function previewOf<K, V>(
  { outcome, bases }: PlannedMerge,
  { changed, conflictCount, conflicts }: Computed<K, V>,
): MergePreview<K, V> {
  return { outcome, bases, changed, conflictCount, conflicts };
}

function inConflict({ target }: PlannedMerge, conflictCount: number): VerMapError {
  return new VerMapError("VERMAP_MERGE_CONFLICT", `${conflictCount} keys are in conflict`, {
    branchId: target.id,
    conflictCount,
  });
}

function isSame(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && a === b;
}

function checkOptions<K, V>(options: MergeOptions<K, V>): void {
  const { strategy = "source", fastForward = "never", conflictListMax = 0 } = options;
  if (typeof strategy !== "function" && !["source", "target", "fail"].includes(strategy))
    throw new TypeError("strategy is none of source, target, fail and a function");
  if (!["never", "allow", "only"].includes(fastForward))
    throw new TypeError("fastForward is none of never, allow and only");
  if (!Number.isSafeInteger(conflictListMax) || conflictListMax < 0)
    throw new RangeError(`conflictListMax is ${conflictListMax}, not a count`);
}
