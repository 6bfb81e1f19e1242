import { type Store } from "@x/store";

import { type Codec } from "../codec/codec.ts";
import { commitDistance, isAncestor } from "../graph/ancestry.ts";
import { type LogOptions } from "../graph/log-walk.ts";
import { aheadBehind, type AheadBehind, forkPoint, mergeBases } from "../graph/merge-bases.ts";
import {
  mergeBranches,
  type MergeOptions,
  type MergePreview,
  type MergeResult,
  previewMerge,
} from "../merge/merge.ts";
import { type Commit } from "../records/commit-record.ts";
import { type MapDifference } from "../reads/map-difference.ts";
import { type MapDiffRange } from "../reads/typed-range.ts";
import { type BranchRef } from "../repository/branch-table.ts";
import { Repository, type RepositoryOptions } from "../repository/repository.ts";
import { type Branch, branchOf } from "./branch.ts";
import {
  type BranchInfo,
  type BranchSource,
  createBranch,
  type CreateBranchOptions,
  deleteBranch,
  renameBranch,
  setMainBranch,
} from "./branches.ts";
import { repairMap, type MapRepairReport } from "../check/repair.ts";
import {
  type MapVerifyOptions,
  type MapVerifyReport,
  verifyMap,
  verifyStored,
} from "../check/verify.ts";
import { isDirty, systemClock, type WriteOptions } from "./committing.ts";
import { compactHead, type CompactReport } from "./compact.ts";
import { differences } from "./differences.ts";
import { logOf } from "./history.ts";
import { type MapInternals } from "./map-internals.ts";
import { MapSnapshot } from "./map-snapshot.ts";
import { type MapStats, statsOf } from "./stats.ts";
import { openVersion, type Version } from "./version.ts";
import { flushWorking } from "./working.ts";

/** See `VerMap.open`. */
export interface VerMapOptions<K, V> extends RepositoryOptions {
  /** How keys become bytes, in whose order the map is. Opening again takes one of the same name. */
  readonly key: Codec<K>;
  /** How values become bytes. */
  readonly value: Codec<V>;
  /** Microseconds since 1970, for commits. Default: the platform's clock. */
  readonly clock?: () => number;
  /** Make a commit's time greater than that of its parents, whatever the clock says. Default: false. */
  readonly monotoneTime?: boolean;
}

/** What a map is made of, for the calls of this package that are no methods of it. */
export let internalsOf: <K, V>(map: VerMap<K, V>) => MapInternals<K, V>;

/**
 * A versioned ordered map: branches with a working state each, commits, and merges, in one store. There is no current
 * branch: every call names one, or belongs to the handle of one.
 *
 * Every call that writes is one batch of the store: it has happened or it has not, also across a crash. Writes happen one
 * after another, in the order of the calls. There is one writer: if two handles write to one map, the later finds out
 * (VERMAP_CONFLICT) and has changed nothing.
 */
export class VerMap<K, V> {
  readonly #internals: MapInternals<K, V>;
  #closing: Promise<void> | undefined;

  static {
    internalsOf = (map) => map.#internals;
  }

  private constructor(internals: MapInternals<K, V>) {
    this.#internals = internals;
  }

  /**
   * Opens the map in a store, or makes one, with an empty main branch. Reads a few keys, and two for each branch.
   *
   * @param store - stays the caller's; it must not be closed while the map is used
   * @throws VerMapError VERMAP_FORMAT if the map was made with other codecs
   * @throws VerMapError VERMAP_CORRUPT, VERMAP_MISSING, VERMAP_CONFLICT; BTreeError; TypeError, RangeError
   */
  static async open<K, V>(store: Store, options: VerMapOptions<K, V>): Promise<VerMap<K, V>> {
    const { key, value, clock = systemClock, monotoneTime = false } = options;
    for (const codec of [key, value])
      if (typeof codec?.name !== "string") throw new TypeError("key and value must be codecs");
    if (typeof clock !== "function") throw new TypeError("clock is not a function");
    const names = { key: key.name, value: value.name };
    const repository = await Repository.open(store, names, options);
    return new VerMap({ repository, codecs: { key, value }, clock, isMonotone: monotoneTime });
  }

  /** The branch that cannot be deleted. */
  get main(): Branch<K, V> {
    return branchOf(this.#internals, this.#repository.mainId);
  }

  /**
   * A handle of a branch, by its name or id.
   *
   * @throws VerMapError VERMAP_BRANCH_NOT_FOUND
   */
  branch(ref: BranchRef): Branch<K, V> {
    return branchOf(this.#internals, this.#repository.branches.get(ref).id);
  }

  /** All branches, by ascending id. */
  branches(): BranchInfo[] {
    const { branches, mainId } = this.#repository;
    return branches.list().map((branch) => ({
      id: branch.id,
      name: branch.name,
      head: branch.head === 0 ? undefined : branch.head,
      isMain: branch.id === mainId,
      hasUncommitted: isDirty(branch),
    }));
  }

  /** The id of the branch of a name. */
  branchId(name: string): number | undefined {
    return this.#repository.branches.find(name)?.id;
  }

  /** The name of the branch of an id. */
  branchName(id: number): string | undefined {
    return this.#repository.branches.find(id)?.name;
  }

  /**
   * Makes a branch. One that begins at another branch has its working state too, uncommitted work included. O(1): nothing is copied.
   *
   * @throws VerMapError VERMAP_BRANCH_EXISTS; VERMAP_BRANCH_NOT_FOUND, VERMAP_COMMIT_NOT_FOUND of the source
   */
  async createBranch(
    name: string,
    source: BranchSource,
    options: CreateBranchOptions = {},
  ): Promise<Branch<K, V>> {
    const id = await createBranch(this.#repository, name, source, options);
    return branchOf(this.#internals, id);
  }

  /**
   * Deletes a branch, its uncommitted work, and at once every commit that nothing else leads to.
   *
   * @throws VerMapError VERMAP_MAIN_BRANCH, VERMAP_BRANCH_NOT_FOUND
   */
  deleteBranch(ref: BranchRef, options: WriteOptions = {}): Promise<void> {
    return deleteBranch(this.#repository, ref, options);
  }

  /**
   * Gives a branch another name; its id stays.
   *
   * @throws VerMapError VERMAP_BRANCH_NOT_FOUND, VERMAP_BRANCH_EXISTS
   */
  async renameBranch(ref: BranchRef, name: string, options: WriteOptions = {}): Promise<void> {
    return renameBranch(this.#repository, ref, name, options);
  }

  /**
   * Makes a branch the one that cannot be deleted.
   *
   * @throws VerMapError VERMAP_BRANCH_NOT_FOUND
   */
  setMain(ref: BranchRef, options: WriteOptions = {}): Promise<void> {
    return setMainBranch(this.#repository, ref, options);
  }

  /**
   * Merges a branch into another: brings into the target what the source has and their common ancestors have not. Costs
   * what differs, not the map. Where both changed a key, the source wins unless `strategy` says otherwise.
   *
   * @throws VerMapError VERMAP_SELF_MERGE, VERMAP_BRANCH_NOT_FOUND, VERMAP_UNCOMMITTED, VERMAP_NO_COMMITS, in this order
   * @throws VerMapError VERMAP_HEAD_MOVED, VERMAP_NOT_FAST_FORWARD, VERMAP_MERGE_CONFLICT, as options ask for
   */
  async merge(
    source: BranchRef,
    target: BranchRef,
    options: MergeOptions<K, V> = {},
  ): Promise<MergeResult<K, V>> {
    return mergeBranches(this.#internals, source, target, options);
  }

  /** What {@link merge} would do; nothing is written. Where it would refuse for conflicts, it lists them. */
  async previewMerge(
    source: BranchRef,
    target: BranchRef,
    options: MergeOptions<K, V> = {},
  ): Promise<MergePreview<K, V>> {
    return previewMerge(this.#internals, source, target, options);
  }

  /**
   * Pins a state of the map for reading.
   *
   * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, VERMAP_BRANCH_NOT_FOUND
   */
  async at(version: Version): Promise<MapSnapshot<K, V>> {
    const { snapshot, commit } = await openVersion(this.#repository, version);
    return new MapSnapshot(this.#internals.codecs, snapshot, commit, () =>
      this.#repository.assertOpen(),
    );
  }

  /**
   * What changes on the way from one version to another, related or not, in the order of keys. Costs what differs.
   *
   * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, VERMAP_BRANCH_NOT_FOUND, when the first is asked for
   */
  diff(
    from: Version,
    to: Version,
    range?: MapDiffRange<K>,
  ): AsyncIterableIterator<MapDifference<K, V>, undefined> {
    this.#repository.assertOpen();
    return differences(this.#internals, from, to, range);
  }

  /** A commit's record; nothing where there is none. */
  async commit(id: number): Promise<Commit | undefined> {
    return this.#repository.run(this.#repository.commits.find(id));
  }

  /**
   * How often a commit is mentioned by heads, parents, tags and the like: what keeps it. Nothing where there is no such commit.
   */
  async mentionCount(id: number): Promise<number | undefined> {
    const { commits } = this.#repository;
    if ((await this.commit(id)) === undefined) return undefined;
    return this.#repository.run(commits.mentions(id));
  }

  /**
   * The history of a commit, newest first.
   *
   * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, when the first is asked for; VERMAP_MISSING, if one is collected meanwhile
   */
  log(commit: number, options: LogOptions = {}): AsyncIterableIterator<Commit, undefined> {
    this.#repository.assertOpen();
    return logOf(this.#repository, commit, options);
  }

  /** The best common ancestors of two commits, greatest id first. Errors: VerMapError VERMAP_COMMIT_NOT_FOUND. */
  async mergeBases(a: number, b: number): Promise<number[]> {
    await this.#assertCommits(a, b);
    return this.#repository.run(mergeBases(this.#repository.commits, a, b));
  }

  /** The one of them with the greatest id; nothing where there is none, or one of the commits is unknown. */
  async forkPoint(a: number, b: number): Promise<number | undefined> {
    return this.#repository.run(forkPoint(this.#repository.commits, a, b));
  }

  /** Steps along first parents, 0 to itself; nothing off that line, or where one of the commits is unknown. */
  async commitDistance(from: number, ancestor: number): Promise<number | undefined> {
    return this.#repository.run(commitDistance(this.#repository.commits, from, ancestor));
  }

  /** Whether a commit is in the history of another one, which it is in its own. Errors: VerMapError VERMAP_COMMIT_NOT_FOUND. */
  async isAncestor(ancestor: number, descendant: number): Promise<boolean> {
    await this.#assertCommits(ancestor, descendant);
    return this.#repository.run(isAncestor(this.#repository.commits, ancestor, descendant));
  }

  /** How many commits only one of the two has in its history. Errors: VerMapError VERMAP_COMMIT_NOT_FOUND. */
  async aheadBehind(a: number, b: number): Promise<AheadBehind> {
    await this.#assertCommits(a, b);
    return this.#repository.run(aheadBehind(this.#repository.commits, a, b));
  }

  /** How large the map is, and what is in memory. Reads nothing. */
  stats(): MapStats {
    return statsOf(this.#repository);
  }

  /**
   * Reads everything that is stored and checks all that must hold: records, checksums, counts, orphans, the tree. Reports, and
   * changes nothing. Writes wait. O(everything) time and memory.
   *
   * @throws VerMapError VERMAP_CONFLICT if another writer has changed the map, VERMAP_POISONED if a write that failed has
   */
  verify(options: MapVerifyOptions = {}): Promise<MapVerifyReport> {
    return this.#repository.exclusive(async () => {
      await this.#repository.assertNotOvertaken();
      return verifyMap(this.#repository, options);
    });
  }

  /** As {@link verify}, of a map that is not open, and that may be too damaged to be opened. Nobody writes to it meanwhile. */
  static verify(
    store: Store,
    options: MapVerifyOptions & { readonly prefix?: Uint8Array } = {},
  ): Promise<MapVerifyReport> {
    return verifyStored(store, options.prefix ?? new Uint8Array(), options);
  }

  /**
   * Makes counts what they should be, and deletes what nothing leads to. Never needed after a crash; for a store that lost or
   * gained records in another way. May be interrupted and begun again; a second time it changes nothing.
   *
   * @throws VerMapError VERMAP_CORRUPT, VERMAP_MISSING; BTreeError: what is damaged itself cannot be mended
   */
  repair(): Promise<MapRepairReport> {
    return this.#repository.exclusive(() => repairMap(this.#repository));
  }

  /**
   * Builds the tree of a branch's head anew, with full nodes, under the same commit: for trees from which much was deleted, once
   * older commits that share their nodes are gone. O(its entries); memory does not grow with them.
   *
   * @throws VerMapError VERMAP_BRANCH_NOT_FOUND, VERMAP_UNCOMMITTED
   */
  compact(ref: BranchRef, options: WriteOptions = {}): Promise<CompactReport> {
    return compactHead(this.#repository, ref, options);
  }

  /** Writes uncommitted work that is in memory only. */
  flush(options: WriteOptions = {}): Promise<void> {
    return flushWorking(this.#repository, options);
  }

  /** Flushes, and ends the use of the map; the store stays open. Later calls fail with VERMAP_CLOSED. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#repository.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #repository(): Repository {
    return this.#internals.repository;
  }

  async #assertCommits(a: number, b: number): Promise<void> {
    const { commits } = this.#repository;
    for (const id of [a, b]) await this.#repository.run(commits.get(id));
  }
}
