import { type Change, NodePool, type PoolOptions, type Snapshot } from "@x/btree";
import {
  hasSyncReads,
  type Reading,
  runAsync,
  runSync,
  type StopSignal,
  type Store,
  type SyncReads,
} from "@x/store";

import { VerMapError } from "../errors.ts";
import { type CommitTable } from "../graph/commit-table.ts";
import {
  encodeState,
  type FormatRecord,
  sequenceOf,
  type StateRecord,
} from "../records/map-record.ts";
import { RecordKeys } from "../records/record-keys.ts";
import { type BranchState, type BranchTable } from "./branch-table.ts";
import { conflict, mayBeOvertaken, translated } from "./failure.ts";
import { openRecords } from "./opening.ts";
import { type BranchChange, type WritePlan, type WriteReport } from "./write-plan.ts";
import { type StagedPlan, WriteStage } from "./write-stage.ts";

/** See `VerMap.open`. */
export interface RepositoryOptions {
  /** Put before every key of the map in the store, so that it can share the store with other records. Default: none. */
  readonly prefix?: Uint8Array;
  /** Name of the first branch of a new map. Default: main. */
  readonly mainBranch?: string;
  /**
   * Where uncommitted work lives. `stored`: every call writes it, so that it survives a restart. `memory`: in memory until it
   * is committed or flushed, but for what outgrows the tree's budget of unsaved bytes. Default: stored.
   */
  readonly working?: "stored" | "memory";
  /** Acknowledge only what survives a power cut. Default: true. */
  readonly sync?: boolean;
  /** How the tree of entries keeps its nodes. */
  readonly tree?: Omit<PoolOptions, "prefix">;
}

/** How a branch changed. */
export interface BranchEvent {
  readonly id: number;
  /** As it was; `undefined`: it is new. Its root may be gone from the store unless somebody has pinned it. */
  readonly before: BranchState | undefined;
  /** As it is; `undefined`: it was deleted. */
  readonly after: BranchState | undefined;
}

/** Called after a change, at once; it must not throw. */
export type BranchListener = (events: readonly BranchEvent[]) => void;

/** Adds to a plan what else belongs to the same batch. What it throws ends the write, and nothing is changed. */
export type Amendment = (plan: WritePlan) => Promise<WritePlan>;

/**
 * A map in bytes: branches, commits and the pool of nodes in one store, with one writer.
 *
 * Invariants
 * 1. Every change of the store is one batch of {@link write}, which expects the state record as it was read or written last.
 *    So what is in memory holds as long as writes succeed; a second writer makes the first one fail, and changes nothing.
 * 2. In memory nothing changes before the batch is acknowledged.
 * 3. The root of a branch is pinned exactly where it differs from the stored one.
 * 4. Whoever writes has the turn ({@link exclusive}).
 */
export class Repository {
  readonly keys: RecordKeys;
  readonly commits: CommitTable;
  readonly branches: BranchTable;
  readonly pool: NodePool;
  readonly isInMemory: boolean;
  readonly store: Store;
  readonly #syncStore: SyncReads | undefined;
  readonly #sync: boolean;
  readonly #readers = new Map<number, Snapshot>();
  readonly #listeners = new Set<BranchListener>();
  readonly #amendments = new Set<Amendment>();
  #state: StateRecord;
  #stateBytes: Uint8Array;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(
    store: Store,
    pool: NodePool,
    opened: Awaited<ReturnType<typeof openRecords>>,
    options: RepositoryOptions,
  ) {
    this.store = store;
    this.pool = pool;
    this.keys = opened.keys;
    this.commits = opened.commits;
    this.branches = opened.branches;
    this.#state = opened.state;
    this.#stateBytes = opened.stateBytes;
    this.#syncStore = hasSyncReads(store) ? store : undefined;
    this.#sync = options.sync ?? true;
    this.isInMemory = options.working === "memory";
  }

  /**
   * Opens the map behind a prefix of a store, or makes it, with one branch. Reads a few keys, and two for each branch.
   *
   * @throws VerMapError VERMAP_FORMAT, VERMAP_CORRUPT, VERMAP_MISSING, VERMAP_CONFLICT
   * @throws BTreeError BTREE_FORMAT, BTREE_CORRUPT
   */
  static async open(
    store: Store,
    format: FormatRecord,
    options: RepositoryOptions,
  ): Promise<Repository> {
    checkOptions(options);
    const keys = new RecordKeys(options.prefix ?? new Uint8Array());
    const opened = await openRecords(store, keys, {
      format,
      mainBranch: options.mainBranch ?? "main",
      sync: options.sync ?? true,
    });
    const pool = await NodePool.open(store, { ...options.tree, prefix: keys.nodes() });
    return new Repository(store, pool, opened, options);
  }

  /** The id the next commit gets. Only who has the turn may rely on it. */
  get nextCommitId(): number {
    return this.#state.nextCommit;
  }

  /** The id the next branch gets. */
  get nextBranchId(): number {
    return this.#state.nextBranch;
  }

  /** The branch that cannot be deleted. */
  get mainId(): number {
    return this.#state.main;
  }

  /** Batches written so far, by whomever. */
  get sequence(): number {
    return this.#state.sequence;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws VerMapError VERMAP_CLOSED */
  assertOpen(): void {
    if (this.#isClosed) throw new VerMapError("VERMAP_CLOSED", "the map is closed");
  }

  run<T>(reading: Reading<T>, signal?: StopSignal): Promise<T> {
    this.assertOpen();
    return runAsync(reading, this.store, signal === undefined ? {} : { signal });
  }

  /** @throws TypeError if the store only reads asynchronously */
  runSync<T>(reading: Reading<T>): T {
    this.assertOpen();
    if (this.#syncStore === undefined)
      throw new TypeError("the store does not declare synchronous reads");
    return runSync(reading, this.#syncStore);
  }

  /** Runs a call when those before have ended; none begins until it has. It must not wait for another turn. */
  exclusive<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      this.assertOpen();
      try {
        return await call();
      } catch (error) {
        throw mayBeOvertaken(error) ? await this.#explained(error) : error;
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Makes sure that what is in memory is of what is in the store. A state record that is damaged is nobody's.
   *
   * @param cause - what gave the doubt
   * @throws VerMapError VERMAP_CONFLICT if somebody else has written to the map; VERMAP_POISONED if that was a write of ours
   */
  async assertNotOvertaken(cause?: unknown): Promise<void> {
    const bytes = await this.store.get(this.keys.state());
    const sequence = bytes === undefined ? undefined : sequenceOf(bytes);
    if (sequence === undefined || sequence === this.#state.sequence) return;
    // It may have been a write of ours that failed and yet was written: the pool knows, and says so.
    if (this.pool.status === "poisoned") await translated(() => this.pool.write({}));
    throw conflict(cause);
  }

  /** Reads the working state of a branch; good until the branch changes. */
  reader(branch: BranchState): Snapshot {
    this.assertOpen();
    const known = this.#readers.get(branch.id);
    if (known !== undefined) return known;
    const reader = this.pool.snapshot(branch.root);
    this.#readers.set(branch.id, reader);
    return reader;
  }

  /** Calls back after every change of branches, until the function it returns is called. */
  onWrite(listener: BranchListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets every plan pass through a function before it is staged, until the function it returns is called. */
  amend(amendment: Amendment): () => void {
    this.#amendments.add(amendment);
    return () => this.#amendments.delete(amendment);
  }

  /**
   * One batch. The caller has the turn. Whatever it fails with, nothing has changed in memory.
   *
   * @throws VerMapError VERMAP_CONFLICT if somebody else has written to the map; nothing is written
   * @throws VerMapError VERMAP_POISONED if an earlier write failed so that its outcome is unknown; nothing is written
   * @throws VerMapError VERMAP_MISSING, VERMAP_CORRUPT; BTreeError; whatever the store throws
   */
  async write(given: WritePlan): Promise<WriteReport> {
    let plan = given;
    for (const amendment of this.#amendments) plan = await amendment(plan);
    // What only a reader of ours has pinned would stay until the next write.
    for (const { id } of plan.branches ?? []) this.#forgetReader(id);
    const stage = new WriteStage({
      keys: this.keys,
      commits: this.commits,
      storedBranch: (id) => this.branches.find(id)?.stored,
    });
    const staged = await this.run(stage.run(plan));
    const state = this.#nextState(plan);
    const stateBytes = encodeState(state);
    const key = this.keys.state();
    const statistics = await translated(() =>
      this.pool.write({
        hold: staged.hold,
        drop: staged.drop,
        operations: [...staged.operations, { type: "put", key, value: stateBytes }],
        expect: [{ key, value: this.#stateBytes }],
        sync: plan.sync ?? this.#sync,
      }),
    );
    this.#state = state;
    this.#stateBytes = stateBytes;
    this.#accept(plan, staged);
    const { nodesWritten, nodesDeleted, bytesWritten } = statistics;
    return { collectedCommits: staged.collected, nodesWritten, nodesDeleted, bytesWritten };
  }

  /**
   * Changes the working state of a branch in memory, in place as far as nobody else reads it. The caller has the turn.
   *
   * @throws BTreeError; whatever the store throws
   */
  async editWorking(branch: BranchState, changes: Iterable<Change>): Promise<void> {
    this.#forgetReader(branch.id);
    const isPinned = branch.root !== branch.stored.root;
    const root = await this.pool.edit(branch.root, changes, { consume: isPinned });
    if (!isPinned && root === branch.root) this.pool.unpin(root);
    else this.#moveWorking(branch, root);
  }

  /** Another working state of a branch, in memory only. The caller has the turn, and its pin on the root goes over to the branch. */
  setWorking(branch: BranchState, root: number): void {
    if (root === branch.root) this.pool.unpin(root);
    else {
      if (branch.root !== branch.stored.root) this.pool.unpin(branch.root);
      this.#moveWorking(branch, root);
    }
  }

  /** The branch has one pin on the root, and none on the one before. */
  #moveWorking(branch: BranchState, root: number): void {
    this.#forgetReader(branch.id);
    if (root === branch.stored.root) this.pool.unpin(root);
    this.#setBranches([{ id: branch.id, before: branch, after: { ...branch, root } }]);
  }

  /** Lets an edit of the working state have its root for itself. */
  #forgetReader(id: number): void {
    this.#readers.get(id)?.release();
    this.#readers.delete(id);
  }

  /** Closes the pool; the store stays open. Unsaved work is forgotten: the caller has flushed it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#last;
    for (const reader of this.#readers.values()) reader.release();
    this.#readers.clear();
    // Who listens sees that the map is closed, and gives up what it has pinned.
    for (const listener of this.#listeners) listener([]);
    this.#listeners.clear();
    await this.pool.close();
  }

  /** What is not there, or not as it should be, another writer may have taken away. */
  async #explained(error: unknown): Promise<unknown> {
    return this.assertNotOvertaken(error).then(
      () => error,
      (found: unknown) => (found instanceof VerMapError ? found : error),
    );
  }

  #nextState(plan: WritePlan): StateRecord {
    const { sequence, nextCommit, nextBranch, main } = this.#state;
    const lastCommit = plan.commits?.at(-1)?.id ?? 0;
    let lastBranch = 0;
    for (const { id } of plan.branches ?? []) lastBranch = Math.max(lastBranch, id);
    return {
      sequence: sequence + 1,
      nextCommit: Math.max(nextCommit, lastCommit + 1),
      nextBranch: Math.max(nextBranch, lastBranch + 1),
      main: plan.main ?? main,
    };
  }

  #accept(plan: WritePlan, staged: StagedPlan): void {
    for (const commit of plan.commits ?? []) this.commits.set(commit);
    for (const commit of plan.replaced ?? []) this.commits.set(commit);
    for (const id of staged.collected) this.commits.delete(id);
    const events = (plan.branches ?? []).map((change) => this.#eventOf(change, staged));
    for (const { before } of events) {
      if (before === undefined) continue;
      this.#forgetReader(before.id);
      if (before.root !== before.stored.root) this.pool.unpin(before.root);
    }
    this.#setBranches(events);
  }

  #eventOf({ id, to }: BranchChange, staged: StagedPlan): BranchEvent {
    const before = this.branches.find(id);
    if (to === undefined) return { id, before, after: undefined };
    return {
      id,
      before,
      after: { ...to, id, headRoot: staged.headRoots.get(id) ?? 0, stored: to },
    };
  }

  #setBranches(events: readonly BranchEvent[]): void {
    for (const { id, after } of events)
      if (after === undefined) this.branches.delete(id);
      else this.branches.set(after);
    for (const listener of this.#listeners) listener(events);
  }
}

function checkOptions({ working, sync, mainBranch, prefix }: RepositoryOptions): void {
  if (prefix !== undefined && !(prefix instanceof Uint8Array))
    throw new TypeError("prefix is not a Uint8Array");
  if (working !== undefined && working !== "stored" && working !== "memory")
    throw new TypeError(`working is ${String(working)}, neither stored nor memory`);
  if (sync !== undefined && typeof sync !== "boolean")
    throw new TypeError(`sync is a ${typeof sync}, not a boolean`);
  if (mainBranch !== undefined && typeof mainBranch !== "string")
    throw new TypeError(`mainBranch is a ${typeof mainBranch}, not a string`);
}
