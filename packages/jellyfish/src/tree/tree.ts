import { type Bytes, type Range, type Store } from "@x/store";
import { copyBytes } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import { dumpSource, parseDump } from "../import/dump.ts";
import { type ImportOptions, importTree, type NodeSource } from "../import/import.ts";
import { makePatch, type Patch } from "../patch.ts";
import { collectGarbage, type CollectOptions, type CollectReport } from "../retention/collect.ts";
import { collectableTree } from "../retention/tree-collect.ts";
import { verifyStore, type VerifyOptions, type VerifyReport } from "../retention/verify-tree.ts";
import { overlaid } from "../retention/overlaid.ts";
import { type ChunkSource, restoreChunks, type RestoreOptions } from "../restore/restore.ts";
import { update } from "../update.ts";
import {
  type Commit,
  commitChanges,
  commitPatch,
  type RetainedRoot,
  type UpdateTreeOptions,
} from "./commit.ts";
import { Core, internalsOf } from "./core.ts";
import { type DifferentEntry, differentEntries } from "./difference-entries.ts";
import { lookupIn, type TreeDraft } from "./draft-nodes.ts";
import { openState, TreeHandle } from "./handle.ts";
import { type Version } from "./layout.ts";
import { loadChunks, type LoadOptions, type LoadReport } from "./load.ts";
import { MapReads, type ReadPoint } from "./map-reads.ts";
import { type JellyfishTreeOptions, resolveCodecs, resolveOptions } from "./options.ts";
import { TreeView } from "./view.ts";
import { type TreeOperation } from "./update-set.ts";

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
  readonly #core: Core<K, V, S>;

  private constructor(core: Core<K, V, S>) {
    super(internalsOf(core));
    this.#core = core;
  }

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
    return new Uint8Array(this.#core.handle.current.root);
  }

  /** Leaves now. */
  get size(): number {
    return this.#core.handle.current.leafCount;
  }

  /** Reads under way, open views and iterators: what keeps roots readable now, beside history and `retain`. */
  get pinCount(): number {
    return this.#core.handle.pins.count;
  }

  /** The root of the empty tree. 32 fresh bytes. */
  get emptyRoot(): Bytes {
    return new Uint8Array(this.context.scheme.placeholder);
  }

  /** Sets one value. As {@link batch}. */
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
    this.#core.handle.assertOpen();
    const known = lookupIn(drafts);
    const changes = this.#core.changesOf(operations);
    const point = this.pin();
    try {
      const reading = update({ ...this.context, cache: undefined }, root, changes);
      const result = await this.#core.handle.read(overlaid(reading, known));
      return { root: result.root, nodes: result.nodes };
    } finally {
      point.release();
    }
  }

  /**
   * Makes of the present root what a patch made it elsewhere.
   *
   * @throws JellyfishError JELLYFISH_PATCH if it begins elsewhere, does not lead to its root, or has a wrong key; nothing is written
   */
  async applyPatch(patch: Patch, options: Pick<UpdateTreeOptions, "sync"> = {}): Promise<Commit> {
    return this.#inTurn((handle) => commitPatch(handle, patch, options));
  }

  /**
   * The patch between two retained roots. Costs, and holds in memory, the size of the difference.
   *
   * @throws JellyfishError JELLYFISH_ROOT_UNKNOWN if one of them is not retained
   */
  async patch(before: Uint8Array, after: Uint8Array): Promise<Patch> {
    const views = this.#viewsOf(before, after);
    try {
      return await this.#core.handle.read(makePatch(this.context, { before, after }));
    } finally {
      for (const view of views) view.close();
    }
  }

  /**
   * The keys at which two retained roots differ, by path; equal subtrees are skipped. Both stay readable until the end or
   * `return()`.
   *
   * @yields keys with both values
   * @throws JellyfishError JELLYFISH_ROOT_UNKNOWN; JELLYFISH_KEY_UNKNOWN as {@link entries}
   */
  async *difference(
    before: Uint8Array,
    after: Uint8Array,
    range?: Range,
  ): AsyncGenerator<DifferentEntry<K, V>, void, undefined> {
    const views = this.#viewsOf(before, after);
    try {
      yield* differentEntries(this.#core, { before, after }, range);
    } finally {
      for (const view of views) view.close();
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
    return this.#inTurn((handle) => loadChunks(handle, this.#core.putsOf(entries), options));
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
    return this.#inTurn((handle) => restoreChunks(handle, target, source, options));
  }

  /**
   * Makes a tree out of nodes that nobody has to trust, such as those of another program's store; it then is the present one. Every
   * node's hash and every leaf's place is checked. Other writes wait.
   *
   * @param root - of a tree of the same hash scheme
   * @throws JellyfishError JELLYFISH_NODE_HASH, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED, JELLYFISH_MISSING_NODE:
   *   nothing is imported then
   */
  async importNodes(
    root: Uint8Array,
    source: NodeSource,
    options: ImportOptions = {},
  ): Promise<void> {
    const target = copyBytes(root);
    return this.#inTurn((handle) => importTree(handle, target, source, options));
  }

  /**
   * Makes the tree of Rooch's state dump the present one. The dump is held in memory, checked as {@link importNodes} does, and every
   * node of it must be needed.
   *
   * @param lines - without their ends, see {@link MapReads.dump}
   * @throws JellyfishError JELLYFISH_DUMP, and as {@link importNodes}
   */
  async importDump(
    lines: AsyncIterable<string> | Iterable<string>,
    options: Omit<ImportOptions, "format"> = {},
  ): Promise<void> {
    const { root, source, ...checks } = dumpSource(await parseDump(lines), options);
    return this.importNodes(root, source, { ...options, ...checks });
  }

  /**
   * A view of a retained root, which stays readable until the view is closed, whatever is released meanwhile.
   *
   * @throws JellyfishError JELLYFISH_ROOT_UNKNOWN if it is not retained
   */
  at(root: Uint8Array = this.#core.handle.current.root): TreeView<K, V, S> {
    this.#core.handle.assertOpen();
    return new TreeView(internalsOf(this.#core), this.#versionOf(root));
  }

  /** The roots that can be read, oldest first; the last is the present one. */
  roots(): RetainedRoot[] {
    return this.#core.handle.state.versions
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
    const { handle } = this.#core;
    return handle.inTurn(async () => {
      const version = this.#versionOf(wanted);
      const rewritten = [{ ...version, holdCount: version.holdCount + 1 }];
      await handle.write({ arrival: undefined, departures: [], rewritten });
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
    const { handle } = this.#core;
    return handle.inTurn(async () => {
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
    const { handle } = this.#core;
    return handle.inTurn(async () => {
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
    return collectGarbage(collectableTree(this.#core.handle), options);
  }

  /** Looks at every record of the store and names the first that is wrong; writes wait. See also `verifyTree`. */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#inTurn((handle) => verifyStore(handle.store, handle.options, options));
  }

  /** Reads what other writers of the store have done. */
  async refresh(): Promise<void> {
    return this.#inTurn((handle) => handle.reload());
  }

  /** Waits for the writes called before; later calls are JELLYFISH_CLOSED. The store stays open. */
  async close(): Promise<void> {
    return this.#core.handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override pin(owner?: object): ReadPoint {
    const { handle } = this.#core;
    handle.assertOpen();
    const { root, sequence } = handle.current;
    const pin = handle.pins.pin(sequence, owner);
    return { root, release: () => pin.release() };
  }

  /** Does what writes, or needs that nobody does. */
  #inTurn<T>(work: (handle: TreeHandle) => Promise<T>): Promise<T> {
    const { handle } = this.#core;
    return handle.inTurn(() => work(handle));
  }

  /** Views of all of these roots, or of none. */
  #viewsOf(...roots: readonly Uint8Array[]): TreeView<K, V, S>[] {
    this.#core.handle.assertOpen();
    const versions = roots.map((root) => this.#versionOf(root));
    return versions.map((version) => new TreeView(internalsOf(this.#core), version));
  }

  #versionOf(root: Uint8Array): Version {
    const version = this.#core.handle.versionAt(root);
    if (version === undefined)
      throw new JellyfishError("JELLYFISH_ROOT_UNKNOWN", "the root is not retained");
    return version;
  }

  async #update(
    method: "set" | "delete" | "batch",
    operations: Iterable<TreeOperation<K, V>>,
    options: UpdateTreeOptions = {},
  ): Promise<Commit> {
    const { handle } = this.#core;
    handle.assertOpen();
    const changes = this.#core.changesOf(operations);
    const { metrics } = handle.options;
    const begin = metrics?.now() ?? 0;
    const commit = await handle.inTurn(() => commitChanges(handle, changes, options));
    if (metrics !== undefined)
      this.#core.observeUpdate(method, metrics.now() - begin, commit.writtenByteCount);
    return commit;
  }
}
