import {
  hasSyncReads,
  type Operation,
  type Reading,
  runAsync,
  runSync,
  type StopSignal,
  type Store,
  type SyncReads,
} from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import {
  type Arrival,
  type ChainChange,
  type ChainPlan,
  type ChainState,
  planChange,
} from "../retention/chain.ts";
import { type RunSource } from "../retention/runs.ts";
import { PATH_SIZE } from "../path.ts";
import {
  decodeTreeRecord,
  decodeVersion,
  encodeTreeRecord,
  encodeVersion,
  RUNS_KEY_SIZE,
  TREE_KEY,
  type TreeRecord,
  type Version,
  VERSION_KEY_SIZE,
  VERSION_RANGE,
  versionKey,
} from "./layout.ts";
import { type ResolvedOptions } from "./options.ts";
import { Pins } from "./pins.ts";
import { WriteQueue } from "./write-queue.ts";

/**
 * An open tree's connection to its store: the chain of versions as it was last read or written, and the one way to
 * change it.
 *
 * Invariants
 * 1. `state` is what one batch wrote, as a whole. A batch expects the record it was planned on, so no two writers build on
 *    one state.
 * 2. The version that was current before a write stays in the chain until the write after it. So whoever began to read while a
 *    batch was on its way finds all nodes, without waiting.
 * 3. A pinned version that was committed does not leave. One that is leaving is not pinned.
 */
export class TreeHandle {
  readonly store: Store;
  readonly options: ResolvedOptions;
  readonly source: RunSource;
  readonly pins: Pins = new Pins();
  readonly queue: WriteQueue = new WriteQueue();
  readonly #syncStore: (Store & SyncReads) | undefined;
  readonly #leaving = new Set<number>();
  readonly #listeners = new Set<(hash: Uint8Array) => void>();
  #state: ChainState;
  #reloadCount = 0;
  #remembered: Remembered | undefined;
  #closed = false;

  constructor(store: Store, options: ResolvedOptions, state: ChainState) {
    this.store = store;
    this.options = options;
    this.source = { context: options.context, nestedRoots: options.nestedRoots };
    this.#syncStore = hasSyncReads(store) ? store : undefined;
    this.#state = state;
  }

  get state(): ChainState {
    return this.#state;
  }

  /** The tree's own version: the last that was committed. */
  get current(): Version {
    return this.#state.versions.findLast(({ kind }) => kind === "committed") as Version;
  }

  assertOpen(): void {
    if (this.#closed) throw new JellyfishError("JELLYFISH_CLOSED", "the tree is closed");
  }

  /** Runs a reading: at once where the store reads synchronously, else one `getMany` per step. */
  async read<T>(reading: Reading<T>): Promise<T> {
    return this.#syncStore === undefined
      ? runAsync(reading, this.store)
      : runSync(reading, this.#syncStore);
  }

  /** Runs a long reading so that others get their turn between its steps, and `signal` is heard. */
  readLong<T>(reading: Reading<T>, signal: StopSignal | undefined): Promise<T> {
    return runAsync(reading, this.store, signal === undefined ? {} : { signal });
  }

  /** @throws TypeError if the store does not read synchronously */
  readSync<T>(reading: Reading<T>): T {
    return runSync(reading, this.assertSyncReads());
  }

  /** @throws TypeError if the store does not read synchronously */
  assertSyncReads(): SyncReads {
    if (this.#syncStore === undefined)
      throw new TypeError("the store does not read synchronously: use the asynchronous form");
    return this.#syncStore;
  }

  /** The newest version with this root that can be read; `undefined`: none. */
  versionAt(root: Uint8Array): Version | undefined {
    return this.#state.versions.findLast(
      (version) =>
        version.kind === "committed" &&
        sameBytes(version.root, root) &&
        !this.#leaving.has(version.sequence),
    );
  }

  /** The newest version with this root that is held. */
  heldVersion(root: Uint8Array): Version | undefined {
    return this.#state.versions.findLast(
      (version) => version.holdCount > 0 && sameBytes(version.root, root),
    );
  }

  /** Whether a version would stay if nobody held it. */
  isKeptWithoutHold({ sequence }: Version): boolean {
    const committed = this.#state.versions.filter(({ kind }) => kind === "committed");
    const kept = committed.slice(-Math.min(this.options.history, committed.length));
    return kept.some((version) => version.sequence === sequence) || this.pins.countOf(sequence) > 0;
  }

  /**
   * Versions that nothing keeps: outside the history, neither held nor pinned; and what loads and restores left unfinished.
   *
   * @param arriving - a version is about to be committed, and takes a place in the history
   */
  departures(arriving: boolean): Version[] {
    const committed = this.#state.versions.filter(({ kind }) => kind === "committed");
    const { history } = this.options;
    const keptCount = arriving ? history - 1 : history;
    const kept = new Set(committed.slice(Math.max(0, committed.length - keptCount)));
    const { current } = this;
    return this.#state.versions.filter((version) => {
      if (version.kind !== "committed") return true;
      if (version === current || kept.has(version)) return false;
      return version.holdCount === 0 && this.pins.countOf(version.sequence) === 0;
    });
  }

  /**
   * Does a write in its turn, which comes even if the tree is closed meanwhile.
   *
   * @throws JellyfishError JELLYFISH_CLOSED if it is closed already; JELLYFISH_CONFLICT if nodes are missing because somebody else has
   *   written: the state is theirs then
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.assertOpen();
    return this.queue.run(async () => {
      try {
        return await work();
      } catch (error) {
        if (codeOf(error) === "JELLYFISH_MISSING_NODE") await this.assertCurrent(error);
        throw error;
      }
    });
  }

  /**
   * Call it inside the queue.
   *
   * @throws JellyfishError JELLYFISH_CONFLICT if somebody else wrote: the state is theirs then
   */
  async assertCurrent(cause: unknown): Promise<void> {
    const bytes = await this.store.get(TREE_KEY);
    if (!sameBytes(bytes, encodeTreeRecord(this.#state.record))) throw await this.#conflict(cause);
  }

  /**
   * Writes one change as one batch. Call it inside the queue, with a change of the state as it is then.
   *
   * @param sync - as the store's; default: as the options say
   * @throws JellyfishError JELLYFISH_CONFLICT if somebody else wrote: the state is theirs then, and nothing of this is written
   */
  async write(change: ChainChange, sync: boolean = this.options.sync): Promise<ChainPlan> {
    const before = this.#state;
    for (const { sequence } of change.departures) this.#leaving.add(sequence);
    try {
      const plan = await this.read(planChange(this.#chainContext(), before, change));
      await this.#batch(plan.operations, sync);
      this.#state = plan.state;
      this.#remembered = rememberedOf(change.arrival, plan);
      this.#forgetDeleted(plan.operations);
      if (this.#listeners.size > 0) this.#tellListeners(plan);
      return plan;
    } finally {
      for (const { sequence } of change.departures) this.#leaving.delete(sequence);
    }
  }

  /** Calls `listener` with the hash of every node whose record or count this handle writes or deletes. @returns what ends it */
  onNodeChanged(listener: (hash: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How often somebody else's writes were read. */
  get reloadCount(): number {
    return this.#reloadCount;
  }

  /** Writes what sets records right, with new counts, as one batch. Call it inside the queue. Errors as {@link write}. */
  async repair(
    operations: readonly Operation[],
    counts: Partial<Pick<TreeRecord, "nodeCount" | "runCountCount">>,
  ): Promise<void> {
    this.assertOpen();
    const { record, versions } = this.#state;
    const repaired = { ...record, ...counts, generation: record.generation + 1 };
    const put = { type: "put", key: TREE_KEY, value: encodeTreeRecord(repaired) } as const;
    await this.#batch([...operations, put], this.options.sync);
    this.#state = { record: repaired, versions };
    this.#forgetDeleted(operations);
  }

  /** Reads the chain as it is in the store now. */
  async reload(): Promise<void> {
    this.#reloadCount++;
    this.#state = await readState(this.store, this.options);
    this.#remembered = undefined;
  }

  /** Waits for the writes called before; every later call is refused. The store stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.queue.settled();
  }

  #chainContext(): Parameters<typeof planChange>[0] {
    return {
      source: this.source,
      placeholder: this.options.scheme.placeholder,
      remembered: (version, next) => {
        const known = this.#remembered;
        const isKnown = known?.version === version.sequence && known.next === next.sequence;
        return isKnown ? known.lost : undefined;
      },
    };
  }

  /** Writes on the present state, or not at all. */
  async #batch(operations: readonly Operation[], sync: boolean): Promise<void> {
    const expect = [{ key: TREE_KEY, value: encodeTreeRecord(this.#state.record) }];
    try {
      await this.store.batch(operations, { sync, expect });
    } catch (error) {
      throw codeOf(error) === "STORE_CONFLICT" ? await this.#conflict(error) : error;
    }
  }

  async #conflict(cause: unknown): Promise<JellyfishError> {
    await this.reload();
    const message = "another writer has changed the tree";
    return new JellyfishError("JELLYFISH_CONFLICT", message, { cause });
  }

  #forgetDeleted(operations: readonly Operation[]): void {
    const { cache } = this.options.context;
    if (cache === undefined) return;
    for (const { type, key } of operations)
      if (type === "del" && key.length === PATH_SIZE) cache.delete(key);
  }

  #tellListeners(plan: ChainPlan): void {
    for (const { key } of plan.operations)
      if (key.length === PATH_SIZE || key.length === RUNS_KEY_SIZE)
        for (const listener of this.#listeners) listener(key.subarray(0, PATH_SIZE));
  }
}

/** The nodes that the last version has not, of those before it had: spares a walk when that one leaves. */
interface Remembered {
  readonly version: number;
  readonly next: number;
  readonly lost: readonly Uint8Array[];
}

function rememberedOf(arrival: Arrival | undefined, plan: ChainPlan): Remembered | undefined {
  if (arrival?.difference === undefined) return undefined;
  const next = plan.state.versions.at(-1) as Version;
  return { version: arrival.base.sequence, next: next.sequence, lost: arrival.difference.lost };
}

/**
 * Reads the chain of a store; of one that has no tree, writes an empty one.
 *
 * @throws JellyfishError JELLYFISH_OPTIONS if the tree was made with other options; JELLYFISH_RECORD if a record is malformed
 */
export async function openState(store: Store, options: ResolvedOptions): Promise<ChainState> {
  if ((await store.get(TREE_KEY)) !== undefined) return readState(store, options);
  const { scheme, format, keys, nestedRoots } = options;
  const record: TreeRecord = {
    scheme: scheme.name,
    format: format.name,
    keys,
    nested: nestedRoots !== undefined,
    generation: 0,
    nodeCount: 0,
    runCountCount: 0,
  };
  const version: Version = {
    sequence: 0,
    kind: "committed",
    root: new Uint8Array(scheme.placeholder),
    leafCount: 0,
    holdCount: 0,
    target: undefined,
  };
  const operations = [
    { type: "put", key: versionKey(0), value: encodeVersion(version) },
    { type: "put", key: TREE_KEY, value: encodeTreeRecord(record) },
  ] as const;
  try {
    await store.batch(operations, {
      sync: options.sync,
      expect: [{ key: TREE_KEY, value: undefined }],
    });
  } catch (error) {
    // Somebody else has made it in the meantime.
    if (codeOf(error) !== "STORE_CONFLICT") throw error;
    return readState(store, options);
  }
  return { record, versions: [version] };
}

/** Reads the record and the versions of one state, and again if somebody wrote in between. */
async function readState(store: Store, options: ResolvedOptions): Promise<ChainState> {
  for (;;) {
    const bytes = await store.get(TREE_KEY);
    if (bytes === undefined)
      throw new JellyfishError("JELLYFISH_RECORD", "the tree's record is gone");
    const record = decodeTreeRecord(bytes);
    assertSameOptions(record, options);
    const versions: Version[] = [];
    for await (const [key, value] of store.iterator(VERSION_RANGE))
      if (key.length === VERSION_KEY_SIZE) versions.push(decodeVersion(key, value));
    if (!sameBytes(bytes, await store.get(TREE_KEY))) continue;
    if (!versions.some(({ kind }) => kind === "committed"))
      throw new JellyfishError("JELLYFISH_RECORD", "no version of the tree is stored");
    return { record, versions };
  }
}

/** @throws JellyfishError JELLYFISH_OPTIONS if a tree was made with other options */
export function assertSameOptions(record: TreeRecord, options: ResolvedOptions): void {
  const differences = [
    [record.scheme, options.scheme.name],
    [record.format, options.format.name],
    [`${record.keys} keys`, `${options.keys} keys`],
    [
      record.nested ? "nested trees" : "no nested trees",
      options.nestedRoots === undefined ? "no nested trees" : "nested trees",
    ],
  ].filter(([stored, asked]) => stored !== asked);
  if (differences.length === 0) return;
  const text = differences.map(([stored, asked]) => `${stored}, not ${asked}`).join("; ");
  throw new JellyfishError("JELLYFISH_OPTIONS", `the store holds a tree with ${text}`);
}

/** The code of an error, whichever copy of a package its class is from. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
