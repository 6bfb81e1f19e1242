import { type Bytes, type Store } from "@x/store";
import { copyBytes } from "@x/store/adapter";

import { type Change } from "../change.ts";
import { JellyfishError } from "../errors.ts";
import { type Arrival, type ChainPlan } from "../retention/chain.ts";
import { collectGarbage, type CollectOptions, type CollectReport } from "../retention/collect.ts";
import { collectableTree } from "../retention/tree-collect.ts";
import { verifyStore, type VerifyOptions, type VerifyReport } from "../retention/verify-tree.ts";
import { overlaid } from "../retention/overlaid.ts";
import { type ChunkSource, restoreChunks, type RestoreOptions } from "../restore/restore.ts";
import { rememberUpdate, update, type UpdateResult } from "../update.ts";
import { Core } from "./core.ts";
import { lookupIn, type TreeDraft } from "./draft-nodes.ts";
import { openState, TreeHandle } from "./handle.ts";
import { type Version } from "./layout.ts";
import { loadChunks, type LoadOptions, type LoadReport } from "./load.ts";
import { MapReads, type ReadPoint } from "./map-reads.ts";
import { type JellyfishTreeOptions, resolveCodecs, resolveOptions } from "./options.ts";
import { TreeView } from "./view.ts";
import { type TreeOperation } from "./update-set.ts";

/** What an update did. */
export interface Commit {
  /** The tree's root now. */
  readonly root: Bytes;
  /** Whether anything changed; otherwise nothing was written. */
  readonly isChanged: boolean;
  /** Leaves now. */
  readonly leafCount: number;
  /** Nodes written, and bytes of their records without keys. */
  readonly writtenCount: number;
  readonly writtenByteCount: number;
  /** Nodes deleted: those that no retained root needs any more. */
  readonly deletedCount: number;
}

/** A retained root. */
export interface RetainedRoot {
  readonly root: Bytes;
  /** Ascending with time; never the same for two. */
  readonly sequence: number;
  readonly leafCount: number;
  /** How often it was retained and not released since. */
  readonly holdCount: number;
}

/** What an update may be told. */
export interface UpdateTreeOptions {
  /** Acknowledge only what is durable. Default: as the tree's. */
  readonly sync?: boolean;
  /** Trees that leaves of this update carry: their nodes are written with it. Default: none. */
  readonly drafts?: readonly TreeDraft[];
}

/**
 * A map whose content is named by one 32-byte root, kept in a store with as many of its former roots as one likes.
 *
 * Every update is one batch of the store: nodes, root, history, counters, and the removal of what no retained root needs. A
 * batch is planned on one state and written only on that state, so two writers of one store cannot overwrite each other.
 *
 * Keys are hashed unless the options say otherwise. Updates are done in the order of the calls; a read is of the root at
 * its call, whatever is written meanwhile.
 */
export class JellyfishTree<
  K = Uint8Array,
  V = Uint8Array,
  S extends Store = Store,
> extends MapReads<K, V, S> {
  /**
   * Opens the tree of a store, and makes an empty one where there is none. The tree owns neither the store nor other trees in it; two
   * trees in one store need two key spaces, see `prefixed` of `@x/store`.
   *
   * @throws JellyfishError JELLYFISH_OPTIONS if it was made with other options; JELLYFISH_RECORD if a record is malformed
   */
  static async open<K = Uint8Array, V = Uint8Array, S extends Store = Store>(
    store: S,
    options: JellyfishTreeOptions<K, V> = {},
  ): Promise<JellyfishTree<K, V, S>> {
    const resolved = resolveOptions(options);
    const state = await openState(store, resolved);
    const handle = new TreeHandle(store, resolved, state);
    return new JellyfishTree(new Core(store, handle, resolveCodecs(options)));
  }

  /** The root now. 32 fresh bytes. */
  override get root(): Bytes {
    return new Uint8Array(this.core.handle.current.root);
  }

  /** Leaves now. */
  get size(): number {
    return this.core.handle.current.leafCount;
  }

  /** The root of the empty tree. 32 fresh bytes. */
  get emptyRoot(): Bytes {
    return new Uint8Array(this.context.scheme.placeholder);
  }

  /** Sets one value. */
  async set(key: K, value: V, options?: UpdateTreeOptions): Promise<Commit> {
    return this.#update("set", [{ type: "put", key, value }], options);
  }

  /** Removes one key; one that is not there changes nothing. */
  async delete(key: K, options?: UpdateTreeOptions): Promise<Commit> {
    return this.#update("delete", [{ type: "del", key }], options);
  }

  /**
   * Makes many changes at once, an `UpdateSet` for example; of several for one key the last wins. What changes nothing, an empty
   * update included, writes nothing. Codecs are called before this returns.
   *
   * @throws JellyfishError JELLYFISH_CONFLICT if another writer has changed the tree; nothing is written, and reads go on at
   *   what the other wrote. JELLYFISH_REFUSED; and what reads throw
   */
  async batch(
    operations: Iterable<TreeOperation<K, V>>,
    options?: UpdateTreeOptions,
  ): Promise<Commit> {
    return this.#update("batch", operations, options);
  }

  /**
   * Changes a tree of its own and writes nothing: one that a leaf will carry. Its keys and values are those of this tree. Hand
   * the draft to the update that sets the leaf; from then on it lives and goes with that leaf.
   *
   * @param root - of a tree that a leaf carries now, of another draft, or the empty root
   * @param drafts - drafts that `root` or the changes build on
   */
  async draft(
    root: Uint8Array,
    operations: Iterable<TreeOperation<K, V>>,
    drafts: readonly TreeDraft[] = [],
  ): Promise<TreeDraft> {
    this.core.handle.assertOpen();
    const known = lookupIn(drafts);
    const changes = this.#changesOf(operations);
    const point = this.pin();
    try {
      const reading = update({ ...this.context, cache: undefined }, root, changes);
      const result = await this.core.handle.read(overlaid(reading, known));
      return { root: result.root, nodes: result.nodes };
    } finally {
      point.release();
    }
  }

  /**
   * Puts any number of entries as one update, in batches of bounded size: until the last one is written the tree is as before. Other
   * writes wait. Entries sorted by path touch the fewest nodes.
   *
   * @throws what `entries` throws, and the signal's reason: nothing is loaded then. As {@link batch}
   */
  async load(
    entries: AsyncIterable<readonly [K, V]> | Iterable<readonly [K, V]>,
    options: LoadOptions = {},
  ): Promise<LoadReport> {
    const { handle } = this.core;
    return handle.queue.run(async () => {
      handle.assertOpen();
      return loadChunks(handle, this.#putsOf(entries), options);
    });
  }

  /**
   * Rebuilds the tree of a root from chunks of somebody else's, see {@link MapReads.chunks}; it then is the present one. Nothing is
   * written before it is verified. A restore that ended early goes on where it stopped when it is called again for the same
   * root, unless something else was written meanwhile. Other writes wait.
   *
   * @param source - gives the chunks from a path on; it is called once
   * @throws JellyfishError JELLYFISH_CHUNK, JELLYFISH_PROOF_* for chunks that are not those of the root; JELLYFISH_CONFLICT
   */
  async restore(
    root: Uint8Array,
    source: ChunkSource,
    options: RestoreOptions = {},
  ): Promise<void> {
    const target = copyBytes(root);
    const { handle } = this.core;
    return handle.queue.run(async () => {
      handle.assertOpen();
      return restoreChunks(handle, target, source, options);
    });
  }

  /**
   * A view of a retained root, which stays readable until the view is closed, whatever is released meanwhile.
   *
   * @throws JellyfishError JELLYFISH_ROOT_UNKNOWN if it is not retained
   */
  at(root: Uint8Array = this.core.handle.current.root): TreeView<K, V, S> {
    this.core.handle.assertOpen();
    return new TreeView(this.core, this.#versionOf(root));
  }

  /** The roots that can be read, oldest first; the last is the present one. */
  roots(): RetainedRoot[] {
    return this.core.handle.state.versions
      .filter(({ kind }) => kind === "committed")
      .map(({ root, sequence, leafCount, holdCount }) => ({
        root: new Uint8Array(root),
        sequence,
        leafCount,
        holdCount,
      }));
  }

  /**
   * Keeps a root beyond the history, until it is released as often as it was retained.
   *
   * @throws JellyfishError JELLYFISH_ROOT_UNKNOWN if it is not there any more; JELLYFISH_CONFLICT
   */
  async retain(root: Uint8Array): Promise<void> {
    const wanted = new Uint8Array(root);
    return this.core.handle.queue.run(async () => {
      const version = this.#versionOf(wanted);
      const rewritten = [{ ...version, holdCount: version.holdCount + 1 }];
      await this.core.handle.write({ arrival: undefined, departures: [], rewritten });
    });
  }

  /**
   * Takes back one `retain`. A root that nothing keeps then goes, with every node that no other needs, in the same batch;
   * while it is being read it stays, until the next write. A batch is as large as what goes.
   *
   * @throws JellyfishError JELLYFISH_ROOT_UNKNOWN if it is not retained; JELLYFISH_CONFLICT
   */
  async release(root: Uint8Array): Promise<Pick<Commit, "deletedCount">> {
    const wanted = new Uint8Array(root);
    const { handle } = this.core;
    return handle.queue.run(async () => {
      const version = handle.heldVersion(wanted);
      if (version === undefined)
        throw new JellyfishError("JELLYFISH_ROOT_UNKNOWN", "no such root is retained");
      const released = { ...version, holdCount: version.holdCount - 1 };
      const isKept = released.holdCount > 0 || handle.isKeptWithoutHold(version);
      const plan = await handle.write({
        arrival: undefined,
        departures: isKept ? [] : [version],
        rewritten: isKept ? [released] : [],
      });
      return { deletedCount: plan.entries.deletedCount };
    });
  }

  /** Lets go of every root that nothing keeps, without waiting for the next update. Nothing to do: nothing is written. */
  async prune(): Promise<Pick<Commit, "deletedCount">> {
    const { handle } = this.core;
    return handle.queue.run(async () => {
      handle.assertOpen();
      const departures = handle.departures(false);
      if (departures.length === 0) return { deletedCount: 0 };
      const plan = await handle.write({ arrival: undefined, departures, rewritten: [] });
      return { deletedCount: plan.entries.deletedCount };
    });
  }

  /**
   * Exact mark and sweep: deletes what no retained root needs, and sets counts right. In normal life there is nothing to do; it is for
   * stores that something else has written to. Updates go on meanwhile. Errors and order: see {@link collectGarbage}.
   *
   * @throws JellyfishError JELLYFISH_CONFLICT if another writer has changed the tree; JELLYFISH_MISSING_NODE if a root is damaged
   */
  async collect(options: CollectOptions = {}): Promise<CollectReport> {
    return collectGarbage(collectableTree(this.core.handle), options);
  }

  /**
   * Looks at every record of the store; names the first that is wrong. For a store whose tree does not open, see {@link verifyTree}.
   * Updates wait until it has ended.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const { handle } = this.core;
    return handle.queue.run(async () => {
      handle.assertOpen();
      return verifyStore(handle.store, handle.options, options);
    });
  }

  /** Reads what other writers of the store have done. */
  async refresh(): Promise<void> {
    return this.core.handle.queue.run(async () => {
      this.core.handle.assertOpen();
      await this.core.handle.reload();
    });
  }

  /** Waits for the writes called before; later calls are JELLYFISH_CLOSED. The store stays open. */
  async close(): Promise<void> {
    return this.core.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override pin(owner?: object): ReadPoint {
    const { handle } = this.core;
    handle.assertOpen();
    const { root, leafCount, sequence } = handle.current;
    const pin = handle.pins.pin(sequence, owner);
    return { root, leafCount, release: () => pin.release() };
  }

  #versionOf(root: Uint8Array): Version {
    this.core.handle.assertOpen();
    const version = this.core.handle.versionAt(root);
    if (version === undefined)
      throw new JellyfishError("JELLYFISH_ROOT_UNKNOWN", "the root is not retained");
    return version;
  }

  async *#putsOf(
    entries: AsyncIterable<readonly [K, V]> | Iterable<readonly [K, V]>,
  ): AsyncGenerator<Change, void, undefined> {
    for await (const [key, value] of entries)
      yield { ...this.core.placeOf(key), value: this.core.encodeValue(value) };
  }

  #changesOf(operations: Iterable<TreeOperation<K, V>>): Change[] {
    const changes: Change[] = [];
    for (const operation of operations) {
      const { path, key } = this.core.placeOf(operation.key);
      if (operation.type === "del") changes.push({ path, value: undefined });
      else changes.push({ path, key, value: this.core.encodeValue(operation.value) });
    }
    return changes;
  }

  async #update(
    method: "set" | "delete" | "batch",
    operations: Iterable<TreeOperation<K, V>>,
    options: UpdateTreeOptions = {},
  ): Promise<Commit> {
    this.core.handle.assertOpen();
    const changes = this.#changesOf(operations);
    const { metrics } = this.core.handle.options;
    const begin = metrics?.now() ?? 0;
    const commit = await this.core.handle.queue.run(() => this.#commit(changes, options));
    if (metrics !== undefined) {
      const seconds = metrics.now() - begin;
      for (const what of method === "batch" ? (["puts"] as const) : METRICS_OF[method]) {
        this.core.observe(`smt_${what}_latency_seconds`, seconds, method);
        this.core.observe(`smt_${what}_bytes`, commit.writtenByteCount, method);
      }
    }
    return commit;
  }

  async #commit(
    changes: readonly Change[],
    { sync, drafts = [] }: UpdateTreeOptions,
  ): Promise<Commit> {
    const { handle } = this.core;
    handle.assertOpen();
    const base = handle.current;
    const result = await handle.read(update(this.context, base.root, changes));
    const isChanged = result.nodes.length + result.stale.length > 0;
    if (!isChanged) return commitOf(base, undefined);
    const arrival = this.#arrivalOf(base, result, drafts);
    const plan = await handle.write(
      { arrival, departures: handle.departures(true), rewritten: [] },
      sync,
    );
    rememberUpdate(this.context, result);
    return commitOf(handle.current, plan);
  }

  #arrivalOf(base: Version, result: UpdateResult, drafts: readonly TreeDraft[]): Arrival {
    const { newLeaves, staleLeaves } = result.counters;
    return {
      base,
      kind: "committed",
      root: result.root,
      leafCount: base.leafCount + newLeaves - staleLeaves,
      target: undefined,
      nodeBytes: lookupIn([...drafts, result]),
      // The trees that leaves carry are not in the update's own lists.
      difference:
        this.core.handle.options.nestedRoots === undefined
          ? { gained: result.nodes, lost: result.stale }
          : undefined,
    };
  }
}

/**
 * {@link JellyfishTree.verify} without opening, which damaged records may forbid. Nobody may write meanwhile.
 *
 * @param options - those the tree is opened with
 */
export async function verifyTree<K, V>(
  store: Store,
  options: JellyfishTreeOptions<K, V> & VerifyOptions = {},
): Promise<VerifyReport> {
  return verifyStore(store, resolveOptions(options), options);
}

const METRICS_OF = { set: ["put", "puts"], delete: ["remove", "puts"] } as const;

function commitOf({ root, leafCount }: Version, plan: ChainPlan | undefined): Commit {
  return {
    root: new Uint8Array(root),
    isChanged: plan !== undefined,
    leafCount,
    writtenCount: plan?.entries.writtenCount ?? 0,
    writtenByteCount: plan?.entries.writtenByteCount ?? 0,
    deletedCount: plan?.entries.deletedCount ?? 0,
  };
}
