import { type TreeReads } from "@x/btree";

import { type LogOptions } from "../graph/log-walk.ts";
import { type Commit } from "../records/commit-record.ts";
import { decodeDifference, type MapDifference } from "../reads/map-difference.ts";
import { MapReads } from "../reads/map-reads.ts";
import { MappedIterator } from "../reads/mapped-iterator.ts";
import { type MapDiffRange, treeDiffRange } from "../reads/typed-range.ts";
import { type BranchState } from "../repository/branch-table.ts";
import { type CommitOptions, isDirty, type WriteOptions } from "./committing.ts";
import { logOf } from "./history.ts";
import { type MapInternals } from "./map-internals.ts";
import { type Transaction } from "./transaction.ts";
import {
  changeWorking,
  commitWorking,
  discardWorking,
  rollbackBranch,
  updateWorking,
} from "./working.ts";

/** The handle of a branch, whether there is one or not. */
export let branchOf: <K, V>(internals: MapInternals<K, V>, id: number) => Branch<K, V>;

/**
 * One branch: reads and writes of its working state, and its history. Handles are free and as good as the branch: once it is
 * deleted, every call fails with VERMAP_BRANCH_NOT_FOUND.
 *
 * Errors of all that write, besides those named: VerMapError VERMAP_CONFLICT, VERMAP_POISONED, VERMAP_CLOSED; BTreeError;
 * whatever the store throws. What fails has changed nothing.
 */
export class Branch<K, V> extends MapReads<K, V> {
  readonly id: number;
  readonly #internals: MapInternals<K, V>;

  static {
    branchOf = (internals, id) => new Branch(internals, id);
  }

  private constructor(internals: MapInternals<K, V>, id: number) {
    super(internals.codecs);
    this.id = id;
    this.#internals = internals;
  }

  get name(): string {
    return this.#state().name;
  }

  /** Its last commit; `undefined` where it has none. */
  get head(): number | undefined {
    const { head } = this.#state();
    return head === 0 ? undefined : head;
  }

  /** Whether it is the branch that cannot be deleted. */
  get isMain(): boolean {
    return this.#state().id === this.#internals.repository.mainId;
  }

  /**
   * Whether the working state is another tree than the head's. Contents may be equal all the same, if a change was taken
   * back; see {@link isChanged}.
   */
  get hasUncommitted(): boolean {
    return isDirty(this.#state());
  }

  /** Whether anything differs between the head and the working state. */
  async isChanged(): Promise<boolean> {
    if (!this.hasUncommitted) return false;
    for await (const _ of this.diffUncommitted({ limit: 1 })) return true;
    return false;
  }

  /** Sets a key to a value. The value that is there already changes nothing. */
  async set(key: K, value: V, options: WriteOptions = {}): Promise<void> {
    const { key: keyCodec, value: valueCodec } = this.codecs;
    const put = { key: keyCodec.encode(key), value: valueCodec.encode(value) };
    await changeWorking(this.#internals.repository, this, [{ type: "put", ...put }], options);
  }

  /** Removes a key; one that is not there changes nothing. */
  async delete(key: K, options: WriteOptions = {}): Promise<void> {
    const change = { type: "del", key: this.codecs.key.encode(key) } as const;
    await changeWorking(this.#internals.repository, this, [change], options);
  }

  /**
   * Many writes in one batch, all or none: if `call` throws, none. Other writes to the map wait until it has ended; so it must
   * not wait for one.
   *
   * @returns what `call` returns
   */
  update<T>(
    call: (transaction: Transaction<K, V>) => T | Promise<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    return updateWorking(this.#internals, this, call, options);
  }

  /**
   * Makes a commit of the working state; also where nothing has changed, unless `skipEmpty`.
   *
   * @returns the head afterwards; 0 if there is none, which only `skipEmpty` leaves so
   * @throws VerMapError VERMAP_HEAD_MOVED
   */
  commit(options: CommitOptions = {}): Promise<number> {
    return commitWorking(this.#internals, this, options);
  }

  /** Makes the working state that of the head again; empty where there is none. */
  discard(options: WriteOptions = {}): Promise<void> {
    return discardWorking(this.#internals.repository, this, options);
  }

  /**
   * Moves the head back to a commit in its history, through any parents. What only the old head led to is collected.
   *
   * @throws VerMapError VERMAP_COMMIT_NOT_FOUND, VERMAP_NOT_ANCESTOR, VERMAP_UNCOMMITTED
   */
  rollbackTo(commit: number, options: WriteOptions = {}): Promise<void> {
    return rollbackBranch(this.#internals.repository, this, commit, options);
  }

  /** The record of the head. */
  async headCommit(): Promise<Commit | undefined> {
    const { repository } = this.#internals;
    return repository.run(repository.commits.find(this.#state().head));
  }

  /** Its commits, newest first. */
  log(options: LogOptions = {}): AsyncIterableIterator<Commit, undefined> {
    return logOf(this.#internals.repository, this.#state().head, options);
  }

  /** What changes on the way from the head to the working state, as they are now, in the order of keys. */
  diffUncommitted(range?: MapDiffRange<K>): AsyncIterableIterator<MapDifference<K, V>, undefined> {
    const { headRoot, root } = this.#state();
    const head = this.#internals.repository.pool.snapshot(headRoot);
    try {
      const source = head.diff(root, treeDiffRange(this.codecs.key, range));
      return new MappedIterator(source, (one) => decodeDifference(this.codecs, one));
    } finally {
      head.release();
    }
  }

  protected override tree(): TreeReads {
    return this.#internals.repository.reader(this.#state());
  }

  #state(): BranchState {
    this.#internals.repository.assertOpen();
    return this.#internals.repository.branches.get(this.id);
  }
}
