import { type Operation, type Reading, type Store } from "@x/store";

import { changeList, type ChangeList, singleChange } from "./change-list.ts";
import { Counts } from "./counts.ts";
import { type Cutting } from "./draft.ts";
import { loadTree, type LoadEntry, type LoadOptions } from "./bulk-load.ts";
import { Editor } from "./editor.ts";
import { BTreeError } from "./errors.ts";
import { type NodeFormat } from "./node-codec.ts";
import { NodeKeys } from "./node-keys.ts";
import { NodeSource } from "./node-source.ts";
import { EMPTY_ROOT } from "./node.ts";
import { resolveOptions, type ResolvedPoolOptions } from "./pool-options.ts";
import { decodePoolRecord, type PoolRecord } from "./pool-record.ts";
import { IdAllocator, type PoolState } from "./pool-state.ts";
import { PoolWriter } from "./pool-writer.ts";
import { Reader } from "./reader.ts";
import { Registration } from "./registration.ts";
import { repairPool, type RepairReport } from "./repair.ts";
import { Snapshot } from "./snapshot.ts";
import { type TreeContext } from "./tree-reads.ts";
import {
  type Change,
  type EditOptions,
  type PoolOptions,
  type PoolStatistics,
  type StagedWrite,
  type StopSignal,
  type WriteOptions,
  type WriteRequest,
  type WriteStatistics,
} from "./types.ts";
import { type PoolOnStore, verifyPool, type VerifyOptions, type VerifyReport } from "./verify.ts";
import { Workspace } from "./workspace.ts";

let friend: (pool: NodePool) => TreeContext;

/** What readers of a pool's trees share; for this package alone. */
export function contextOf(pool: NodePool): TreeContext {
  return friend(pool);
}

/**
 * The nodes of many trees in one store, shared between them. A root is a number and a whole tree; 0 is the empty one.
 *
 * Invariants
 * 1. A node is written once. Its id is given out once.
 * 2. Edits make unsaved nodes, in memory. They exist as long as a pin leads to them.
 * 3. Only {@link write} and {@link spill} change the store, each in one batch that holds for itself: every node in the store
 *    is mentioned, by a stored node, a held root or limbo, as often as its count says.
 * 4. One writer: every batch expects the pool's record as it was read or written last.
 */
export class NodePool {
  readonly #store: Store;
  readonly #state: PoolState;
  readonly #options: ResolvedPoolOptions;
  readonly #cutting: Cutting;
  readonly #registration: Registration;
  readonly #writer: PoolWriter;
  readonly #reader: Reader;
  readonly #pins = new Map<number, number>();
  readonly #context: TreeContext;

  static {
    friend = (pool) => pool.#context;
  }

  private constructor(store: Store, options: ResolvedPoolOptions, record: StoredRecord) {
    this.#store = store;
    const keys = new NodeKeys(options.prefix);
    const workspace = new Workspace();
    this.#options = options;
    this.#state = {
      workspace,
      source: new NodeSource(keys, workspace, {
        format: record.format,
        cacheByteCountMax: options.cacheByteCountMax,
      }),
      counts: new Counts(keys),
      ids: new IdAllocator(record.nextId),
      limbo: new Set(record.limbo),
      record: record.bytes,
    };
    this.#reader = new Reader(store);
    this.#writer = new PoolWriter(store, this.#reader, this.#state);
    const isCompatible = options.compatible;
    this.#cutting = {
      newId: isCompatible ? () => this.#state.ids.take() : () => undefined,
      shortBounds: !isCompatible,
    };
    const inlineMax = record.format === 1 ? Infinity : options.inlineByteCountMax;
    this.#registration = new Registration(this.#state, inlineMax);
    this.#context = {
      source: this.#state.source,
      reader: this.#reader,
      pin: (root) => this.pin(root),
      unpin: (root) => this.unpin(root),
      abandoned: new FinalizationRegistry((release) => release()),
    };
  }

  /**
   * Opens the pool behind a prefix of a store, or a new one that is written with the first batch. Reads one key.
   *
   * @param store - stays the caller's; it must not be closed while the pool is used
   * @throws BTreeError BTREE_FORMAT if the pool was made with another format than asked for, or by a later version
   * @throws BTreeError BTREE_CORRUPT
   * @throws TypeError, RangeError if an option is malformed
   */
  static async open(store: Store, options: PoolOptions = {}): Promise<NodePool> {
    const resolved = resolveOptions(options);
    const bytes = await store.get(new NodeKeys(resolved.prefix).pool());
    const record: PoolRecord =
      bytes === undefined
        ? { format: resolved.format ?? 2, nextId: 1, limbo: [] }
        : decodePoolRecord(bytes);
    if (resolved.format !== undefined && resolved.format !== record.format)
      throw new BTreeError(
        "BTREE_FORMAT",
        `the pool is of format ${record.format}, not ${resolved.format}`,
      );
    return new NodePool(store, resolved, { ...record, bytes });
  }

  /**
   * A root with changes: each node that a change belongs to is read and made once. `put` of the value that is there and
   * `del` of a key that is not change nothing; where nothing changes the same root comes back.
   *
   * The result is pinned once for the caller. Nothing is written, unless unsaved nodes outgrow their budget and are spilled.
   * What fails has changed nothing. Edits that consume one root must not overlap.
   *
   * @throws TypeError if a change is malformed, or an unpinned root is to be consumed
   * @throws BTreeError BTREE_CORRUPT, BTREE_MISSING, BTREE_FULL, BTREE_CLOSED
   */
  async edit(root: number, changes: Iterable<Change>, options: EditOptions = {}): Promise<number> {
    const isConsumed = this.#checkEdit(root, options);
    const list = changeList(changes);
    if (!isConsumed) this.pin(root);
    let result: number;
    try {
      result = await this.#reader.run(this.#editing(root, list, isConsumed));
    } finally {
      if (!isConsumed) this.unpin(root);
    }
    // The edit itself has succeeded: nodes that could not be spilled stay in memory, and the next write says why.
    if (this.#state.workspace.unsavedByteCount > this.#options.unsavedByteCountMax)
      await this.spill().catch(() => undefined);
    return result;
  }

  /** As {@link edit}, without waiting; it never spills. */
  editSync(root: number, changes: Iterable<Change>, options: EditOptions = {}): number {
    const isConsumed = this.#checkEdit(root, options);
    return this.#reader.runSync(this.#editing(root, changeList(changes), isConsumed));
  }

  /**
   * A new tree of entries whose keys ascend; of equal neighbours the last holds. Its nodes are full. Memory holds a path of
   * nodes and about a thousand more; those are spilled as they come.
   *
   * @returns its root, pinned once for the caller
   * @throws BTreeError BTREE_UNSORTED if a key is below the one before; what was spilled is released
   * @throws TypeError if an entry is malformed
   */
  async load(
    entries: Iterable<LoadEntry> | AsyncIterable<LoadEntry>,
    options: LoadOptions = {},
  ): Promise<number> {
    this.#writer.assertWritable();
    return loadTree(entries, options, {
      ...this.#cutting,
      isCompatible: this.#options.compatible,
      format: this.format,
      registration: this.#registration,
      pin: (root) => this.pin(root),
      unpin: (root) => this.unpin(root),
      unsavedNodeCount: () => this.#state.workspace.unsavedNodeCount,
      spill: () => this.spill(),
    });
  }

  /** Keeps a tree as it is for this process, whatever is dropped; once more for every call. */
  pin(root: number): void {
    checkRoot(root);
    if (root === EMPTY_ROOT) return;
    this.#pins.set(root, (this.#pins.get(root) ?? 0) + 1);
    this.#state.workspace.refer(root);
  }

  /**
   * Takes back one pin. An unsaved tree without any is gone; a saved one that no record holds goes with the next write.
   *
   * @throws TypeError if the root is not pinned
   */
  unpin(root: number): void {
    if (root === EMPTY_ROOT) return;
    this.#forgetPin(root);
    this.#state.workspace.unrefer(root);
  }

  /** A reader of one tree, pinned until it is released. */
  snapshot(root: number): Snapshot {
    checkRoot(root);
    this.#reader.assertOpen();
    return new Snapshot(this.#context, root);
  }

  /**
   * One batch: the unsaved nodes under the roots that are held, the counts, the deletion of what the dropped roots alone
   * kept, and the caller's own changes. Writes are made one after another, in the order of the calls.
   *
   * @throws BTreeError BTREE_CONFLICT if another writer has written to the pool; nothing is written, the pool must be
   * opened again
   * @throws BTreeError BTREE_POISONED if an earlier write failed so that its outcome is unknown
   * @throws BTreeError BTREE_MISSING, BTREE_CORRUPT, BTREE_CLOSED; whatever the store throws. Where that is STORE_CONFLICT
   * (an expectation of the caller), STORE_FULL or a TypeError, nothing is written and the pool goes on
   */
  write(options: WriteOptions): Promise<WriteStatistics> {
    return this.#writer.write(() => options);
  }

  /**
   * As {@link write}, worked out but left to the caller to write, with its own changes, in one batch that keeps `expect`.
   *
   * @throws TypeError if another one is not decided yet
   */
  stage(request: WriteRequest, signal?: StopSignal): Promise<StagedWrite> {
    return this.#writer.stage(request, signal);
  }

  /** Writes every unsaved node, with nobody holding it: memory is free for others, and after a crash it is released. */
  spill(): Promise<WriteStatistics> {
    return this.#writer.write(() => ({
      adopt: [...this.#pins.keys()].filter(
        (root) => this.#state.workspace.unsaved(root) !== undefined,
      ),
    }));
  }

  /**
   * Reads everything that the roots and limbo lead to, and every record of the pool, and checks all that must hold: bytes, order,
   * bounds, fill, levels, counts of entries and of mentions, orphans. Reports, and changes nothing. O(all nodes) time and memory.
   */
  verify(options: VerifyOptions): Promise<VerifyReport> {
    return this.#writer.alone(() => verifyPool(this.#onStore(), options));
  }

  /**
   * Makes the counts what they should be and deletes what nothing leads to. Never needed after a crash; for a store that lost or
   * gained records in another way. It may be interrupted and begun again; a second time it changes nothing.
   *
   * @throws BTreeError BTREE_MISSING, BTREE_CORRUPT where a tree itself is damaged; nothing is changed
   * @throws BTreeError BTREE_CONFLICT if another writer has written to the pool meanwhile
   */
  repair(options: VerifyOptions): Promise<RepairReport> {
    return this.#writer.alone(async () => {
      this.#writer.assertWritable();
      const mend = (operations: readonly Operation[]): Promise<void> =>
        this.#writer.mend(operations);
      return repairPool({ ...this.#onStore(), mend }, options);
    });
  }

  /** How nodes are written. */
  get format(): NodeFormat {
    return this.#state.source.format;
  }

  /** `poisoned`: a write failed with an unknown outcome, or another writer came between; reads go on. */
  get status(): "open" | "poisoned" | "closed" {
    if (this.#reader.isClosed) return "closed";
    return this.#writer.isPoisoned ? "poisoned" : "open";
  }

  statistics(): PoolStatistics {
    const { source, workspace, ids, limbo } = this.#state;
    return {
      format: source.format,
      nextId: ids.next,
      cachedNodeCount: source.cache.nodeCount,
      cachedByteCount: source.cache.byteCount,
      unsavedNodeCount: workspace.unsavedNodeCount,
      unsavedByteCount: workspace.unsavedByteCount,
      pinnedRootCount: this.#pins.size,
      limboCount: limbo.size,
    };
  }

  /** Waits for the writes called before; later calls fail. Unsaved nodes are forgotten. The store stays open. */
  async close(): Promise<void> {
    await this.#writer.idle();
    this.#reader.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onStore(): PoolOnStore {
    return { store: this.#store, reader: this.#reader, state: this.#state };
  }

  #checkEdit(root: number, { consume = false }: EditOptions): boolean {
    checkRoot(root);
    this.#reader.assertOpen();
    if (consume && root !== EMPTY_ROOT && !this.#pins.has(root))
      throw new TypeError(`root ${root} is not pinned, and so not the caller's to consume`);
    return consume;
  }

  *#editing(root: number, changes: ChangeList, isConsumed: boolean): Reading<number> {
    if (!this.#options.compatible) return yield* this.#editOnce(root, changes, isConsumed);
    let result = root;
    try {
      for (const [i] of changes.keys.entries())
        result = yield* this.#editOnce(result, singleChange(changes, i), i > 0);
    } catch (error) {
      if (result !== root) this.unpin(result);
      throw error;
    }
    if (changes.keys.length === 0) this.pin(root);
    if (isConsumed) this.unpin(root);
    return result;
  }

  *#editOnce(root: number, changes: ChangeList, isConsumed: boolean): Reading<number> {
    const options = { ...this.#cutting, isCompatible: this.#options.compatible };
    const top = yield* new Editor(this.#state.source, changes, options).run(root);
    const result = this.#registration.register(top, root, isConsumed);
    if (isConsumed && root !== EMPTY_ROOT) this.#forgetPin(root);
    if (result !== EMPTY_ROOT) this.#pins.set(result, (this.#pins.get(result) ?? 0) + 1);
    return result;
  }

  #forgetPin(root: number): void {
    const left = (this.#pins.get(root) ?? 0) - 1;
    if (left < 0) throw new TypeError(`root ${root} is not pinned`);
    if (left === 0) this.#pins.delete(root);
    else this.#pins.set(root, left);
  }
}

/** The pool's record, and its bytes where it is stored. */
interface StoredRecord extends PoolRecord {
  readonly bytes: Uint8Array | undefined;
}

function checkRoot(root: number): void {
  if (!Number.isSafeInteger(root) || root < 0) throw new RangeError(`${root} is not a root`);
}
