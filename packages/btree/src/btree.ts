import { type Operation, type Store } from "@x/store";

import { type LoadEntry, type LoadOptions } from "./bulk-load.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, varintSize } from "./byte-writer.ts";
import { NodeKeys } from "./node-keys.ts";
import { contextOf, NodePool } from "./node-pool.ts";
import { EMPTY_ROOT } from "./node.ts";
import { changeOf } from "./patch.ts";
import { checkedKey } from "./range.ts";
import { type RepairReport } from "./repair.ts";
import { type Snapshot } from "./snapshot.ts";
import { type ReadContext, TreeReads } from "./tree-reads.ts";
import { type Bytes, type Change, type Difference, type PoolOptions } from "./types.ts";
import { type VerifyOptions, type VerifyReport } from "./verify.ts";

/** How a {@link BTree} is opened. */
export interface BTreeOptions extends PoolOptions {
  /** Which of the trees behind the prefix. Only one handle may write behind one prefix. Default: the empty name. */
  readonly name?: Uint8Array;
}

/** How a change of a {@link BTree} is written. */
export interface TreeWriteOptions {
  /** Acknowledge only what survives a power cut. Default: true. */
  readonly sync?: boolean;
}

/** Options of `BTree.verify` and `BTree.repair`. */
export type TreeCheckOptions = Omit<VerifyOptions, "roots">;

/**
 * An ordered map of byte strings in a store. Each call that changes it is one batch of the store, in the order of the calls; a call
 * that fails has changed nothing. Reads see what was acknowledged.
 */
export class BTree extends TreeReads {
  readonly #store: Store;
  readonly #pool: NodePool;
  readonly #keys: NodeKeys;
  readonly #name: Uint8Array;
  #root: number;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    store: Store,
    pool: NodePool,
    place: { keys: NodeKeys; name: Uint8Array },
    root: number,
  ) {
    super();
    this.#store = store;
    this.#pool = pool;
    this.#keys = place.keys;
    this.#name = place.name;
    this.#root = root;
  }

  /**
   * Opens a tree, or a new one that is written with its first change. Reads two keys.
   *
   * @param store - stays the caller's; it must not be closed while the tree is used
   * @throws BTreeError BTREE_FORMAT, BTREE_CORRUPT
   * @throws TypeError, RangeError if an option is malformed
   */
  static async open(store: Store, options: BTreeOptions = {}): Promise<BTree> {
    const { name = new Uint8Array(), ...poolOptions } = options;
    const own = checkedKey(name, "name");
    const pool = await NodePool.open(store, poolOptions);
    const keys = new NodeKeys(options.prefix ?? new Uint8Array());
    const bytes = await store.get(keys.name(own));
    const root = bytes === undefined ? EMPTY_ROOT : decodeRoot(bytes);
    return new BTree(store, pool, { keys, name: own }, root);
  }

  /** The root that reads begin with: the tree as a number. It changes whenever the content does. */
  get root(): number {
    return this.#root;
  }

  /** The nodes of this tree and of those beside it; for {@link TreeReads.diff} between them, and statistics. */
  get pool(): NodePool {
    return this.#pool;
  }

  /** Sets a key. One batch: about as many nodes as the tree is high. Errors of all changes as `NodePool.write`. */
  set(key: Uint8Array, value: Uint8Array, options?: TreeWriteOptions): Promise<void> {
    return this.batch([{ type: "put", key, value }], options);
  }

  /** Removes a key; one that is not there is no error. */
  delete(key: Uint8Array, options?: TreeWriteOptions): Promise<void> {
    return this.batch([{ type: "del", key }], options);
  }

  /** Makes many changes at once, each node they touch written once. Of several on one key the last holds. */
  async batch(changes: Iterable<Change>, options: TreeWriteOptions = {}): Promise<void> {
    // Copied before anything is waited for: the caller may go on using its buffers.
    const own = Array.from(changes, copied);
    return this.#replaced((root) => this.#pool.edit(root, own), options);
  }

  /** Makes the changes that differences describe, whatever the keys hold now. */
  patch(differences: Iterable<Difference>, options?: TreeWriteOptions): Promise<void> {
    return this.batch(Array.from(differences, changeOf), options);
  }

  /** Removes everything. */
  clear(options: TreeWriteOptions = {}): Promise<void> {
    return this.#replaced(async () => EMPTY_ROOT, options);
  }

  /**
   * Replaces everything by entries whose keys ascend, in memory of a constant size. Readers see the old content until the new one is
   * complete.
   *
   * @throws BTreeError BTREE_UNSORTED; the content is what it was
   */
  load(
    entries: Iterable<LoadEntry> | AsyncIterable<LoadEntry>,
    options: LoadOptions & TreeWriteOptions = {},
  ): Promise<void> {
    return this.#replaced(() => this.#pool.load(entries, options), options);
  }

  /** The tree as it is now, to be read for as long as it is not released. */
  snapshot(): Snapshot {
    return this.#pool.snapshot(this.#root);
  }

  /** Checks every record behind the prefix; see `NodePool.verify`. */
  async verify(options: TreeCheckOptions = {}): Promise<VerifyReport> {
    return this.#queue(async () => this.#pool.verify({ ...options, roots: await this.#roots() }));
  }

  /** See `NodePool.repair`. */
  async repair(options: TreeCheckOptions = {}): Promise<RepairReport> {
    return this.#queue(async () => this.#pool.repair({ ...options, roots: await this.#roots() }));
  }

  /** Waits for the changes called before. The store stays open. */
  async close(): Promise<void> {
    await this.#last;
    await this.#pool.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected context(): ReadContext {
    return contextOf(this.#pool);
  }

  protected currentRoot(): number {
    return this.#root;
  }

  /** One change after another, so each begins with what the one before left. */
  #replaced(
    make: (root: number) => Promise<number>,
    { sync = true }: TreeWriteOptions,
  ): Promise<void> {
    return this.#queue(async () => {
      const root = await make(this.#root);
      try {
        if (root === this.#root) return;
        const operations = [this.#pointer(root)];
        await this.#pool.write({ hold: [root], drop: [this.#root], operations, sync });
        this.#root = root;
      } finally {
        this.#pool.unpin(root);
      }
    });
  }

  #pointer(root: number): Operation {
    const key = this.#keys.name(this.#name);
    return root === EMPTY_ROOT
      ? { type: "del", key }
      : { type: "put", key, value: encodeRoot(root) };
  }

  async #roots(): Promise<number[]> {
    const roots: number[] = [];
    for await (const [, value] of this.#store.iterator(this.#keys.names()))
      roots.push(decodeRoot(value));
    return roots;
  }

  #queue<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function copied(change: Change): Change {
  if (change?.type === "put" && change.value instanceof Uint8Array)
    return { type: "put", key: checkedKey(change.key), value: new Uint8Array(change.value) };
  // Whatever else is wrong with it, the pool says.
  return { ...change };
}

function encodeRoot(root: number): Bytes {
  const writer = new ByteWriter(varintSize(root));
  writer.varint(root);
  return writer.bytes;
}

function decodeRoot(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  const root = reader.varint();
  if (root === EMPTY_ROOT) throw reader.damage("the empty root");
  reader.end();
  return root;
}
