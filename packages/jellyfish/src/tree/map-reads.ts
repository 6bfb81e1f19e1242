import { type Bytes, type Range, type Reading, type Store, type SyncReads } from "@x/store";

import { type TreeContext } from "../context.ts";
import { dumpLines } from "../import/dump.ts";
import { type LeafNode } from "../node.ts";
import { getWithProof } from "../proof/path.ts";
import { pathAfter, readChunk, type RestoreChunk } from "../restore/restore.ts";
import { countRange, leafAtIndex, rankOf } from "../rank.ts";
import { getLeaf, getLeaves, hasLeaf } from "../read.ts";
import { type PathProof } from "../verify/proof.ts";
import { LeafWalk, listLeaves } from "../walk.ts";
import { type Core, coreOf, type TreeInternals } from "./core.ts";
import {
  LeafIterator,
  type LeafSource,
  SyncLeafIterator,
  type SyncTreeIterator,
  type TreeIterator,
} from "./leaf-iterator.ts";
import { type MetricName } from "./metrics.ts";

/** A root, for as long as nobody has released it. */
export interface ReadPoint {
  readonly root: Uint8Array;
  release(): void;
}

/** See {@link MapReads.getWithProof}. */
export interface ProvenValue<V> {
  readonly value: V | undefined;
  readonly proof: PathProof;
}

/** See {@link MapReads.chunks}. */
export interface ChunksOptions {
  readonly from?: Uint8Array | undefined;
  readonly entryCountMax?: number;
}

/** See {@link MapReads.list}. */
export interface Page<K, V> {
  readonly entries: readonly (readonly [K, V])[];
  readonly cursor: Bytes | undefined;
}

/** A store that reads synchronously. */
export type SyncStore = Store & SyncReads;

/**
 * Reading a map of keys and values by one root: what a tree and a view of it have in common. Every call reads one root, the one
 * of the moment of the call.
 */
export abstract class MapReads<K, V, S extends Store> {
  readonly #core: Core<K, V, S>;

  constructor(internals: TreeInternals<K, V, S>) {
    this.#core = coreOf(internals);
  }

  /** The store of the tree. */
  get store(): S {
    return this.#core.store;
  }

  /** How nodes are hashed, encoded and cached: what functions beside this class take. */
  get context(): TreeContext {
    return this.#core.handle.options.context;
  }

  /** The path of a key: where its leaf is. 32 fresh bytes. */
  pathOf(key: K): Bytes {
    return this.#core.pathOf(key);
  }

  /** The value of a key; `undefined` if there is none. One read per level that is not cached. */
  async get(key: K): Promise<V | undefined> {
    const path = this.#core.pathOf(key);
    return this.#timed("get", "smt_get_latency_seconds", async () => {
      const leaf = await this.run((context, root) => getLeaf(context, root, path));
      this.#observeLeaf("get", leaf);
      return this.#core.valueOf(leaf);
    });
  }

  /** As {@link get}, without waiting. */
  getSync(this: MapReads<K, V, SyncStore>, key: K): V | undefined {
    const path = this.#core.pathOf(key);
    return this.#timedSync("getSync", "smt_get_latency_seconds", () => {
      const leaf = this.runSync((context, root) => getLeaf(context, root, path));
      this.#observeLeaf("getSync", leaf);
      return this.#core.valueOf(leaf);
    });
  }

  /** Whether a key has a value. */
  async has(key: K): Promise<boolean> {
    const path = this.#core.pathOf(key);
    return this.#timed("has", "smt_get_latency_seconds", () =>
      this.run((context, root) => hasLeaf(context, root, path)),
    );
  }

  /** As {@link has}, without waiting. */
  hasSync(this: MapReads<K, V, SyncStore>, key: K): boolean {
    const path = this.#core.pathOf(key);
    return this.#timedSync("hasSync", "smt_get_latency_seconds", () =>
      this.runSync((context, root) => hasLeaf(context, root, path)),
    );
  }

  /**
   * The value of a key with the proof of it, or that there is none: for `verifyInclusion` or `verifyExclusion` of
   * `@x/jellyfish/verify`, with {@link pathOf} the key and the value's stored bytes. One read per level.
   */
  async getWithProof(key: K): Promise<ProvenValue<V>> {
    const path = this.#core.pathOf(key);
    const name = "smt_get_with_proof_latency_seconds";
    return this.#timed("getWithProof", name, async () => {
      const { value, proof } = await this.run((context, root) => getWithProof(context, root, path));
      this.#core.observe("smt_get_with_proof_bytes", value?.length ?? 0, "getWithProof");
      const leaf = value && ({ kind: "leaf", path, value, key: undefined } as const);
      return { value: this.#core.valueOf(leaf), proof };
    });
  }

  /** Values of many keys, in their order: one read per level for all of them. */
  async getMany(keys: readonly K[]): Promise<(V | undefined)[]> {
    const paths = keys.map((key) => this.#core.pathOf(key));
    const leaves = await this.run((context, root) => getLeaves(context, root, paths));
    return leaves.map((leaf) => this.#core.valueOf(leaf));
  }

  /** As {@link getMany}, without waiting. */
  getManySync(this: MapReads<K, V, SyncStore>, keys: readonly K[]): (V | undefined)[] {
    const paths = keys.map((key) => this.#core.pathOf(key));
    const leaves = this.runSync((context, root) => getLeaves(context, root, paths));
    return leaves.map((leaf) => this.#core.valueOf(leaf));
  }

  /**
   * The entries of a range, by path: the order of keys where keys are paths, else no order one knows, but always the same.
   *
   * @param range - bounds are paths, see {@link pathOf}
   * @throws JellyfishError JELLYFISH_KEY_UNKNOWN, while walking, if keys were hashed and the node format does not keep them
   */
  entries(range?: Range): TreeIterator<[K, V]> {
    return this.#iterate("entries", range, (leaf) => this.#entryOf(leaf));
  }

  /** As {@link entries}, without waiting. */
  entriesSync(this: MapReads<K, V, SyncStore>, range?: Range): SyncTreeIterator<[K, V]> {
    return this.#iterateSync("entriesSync", range, (leaf) => this.#entryOf(leaf));
  }

  /** The keys of a range, as {@link entries}. */
  keys(range?: Range): TreeIterator<K> {
    return this.#iterate("keys", range, (leaf) => this.#core.keyOf(leaf));
  }

  /** As {@link keys}, without waiting. */
  keysSync(this: MapReads<K, V, SyncStore>, range?: Range): SyncTreeIterator<K> {
    return this.#iterateSync("keysSync", range, (leaf) => this.#core.keyOf(leaf));
  }

  /** The values of a range, as {@link entries}; needs no keys in leaves. */
  values(range?: Range): TreeIterator<V> {
    return this.#iterate("values", range, (leaf) => this.#core.valueOf(leaf));
  }

  /** As {@link values}, without waiting. */
  valuesSync(this: MapReads<K, V, SyncStore>, range?: Range): SyncTreeIterator<V> {
    return this.#iterateSync("valuesSync", range, (leaf) => this.#core.valueOf(leaf));
  }

  [Symbol.asyncIterator](): TreeIterator<[K, V]> {
    return this.entries();
  }

  /**
   * One page of entries; `cursor` is where the next one goes on, `undefined` at the end. A page after a key that is gone loses
   * nothing.
   *
   * @param limit - most entries; at least 1
   * @param cursor - of the page before. Default: the first page
   */
  async list(limit: number, cursor?: Uint8Array): Promise<Page<K, V>> {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new RangeError(`limit is ${limit}, not a count of 1 or more`);
    return this.#timed("list", "smt_list_latency_seconds", async () => {
      const leaves = await this.run((context, root) =>
        listLeaves(context, root, { limit, cursor }),
      );
      const size = leaves.reduce((sum, { value }) => sum + value.length, 0);
      this.#core.observe("smt_list_bytes", size, "list");
      const last = leaves.length < limit ? undefined : leaves.at(-1);
      return {
        entries: leaves.map((leaf) => this.#entryOf(leaf)),
        cursor: last === undefined ? undefined : new Uint8Array(last.path),
      };
    });
  }

  /** How many keys are before this one, by path. One read per level. JELLYFISH_NO_COUNTS if nodes do not count. */
  async rank(key: K): Promise<number> {
    const path = this.#core.pathOf(key);
    return this.run((context, root) => rankOf(context, root, path));
  }

  /** The entry with `index` entries before it; `undefined` if there are not so many. As {@link rank}. */
  async entryAt(index: number): Promise<[K, V] | undefined> {
    const leaf = await this.run((context, root) => leafAtIndex(context, root, index));
    return leaf === undefined ? undefined : this.#entryOf(leaf);
  }

  /** How many keys a range has. As {@link rank}, for both ends together. */
  async count(range?: Range): Promise<number> {
    return this.run((context, root) => countRange(context, root, range));
  }

  abstract get root(): Bytes;

  /**
   * This root's leaves in chunks, each with the proof that it is whole, for {@link JellyfishTree.restore} elsewhere. The root is
   * that of the first step, and stays readable until the last chunk or `return()`.
   *
   * @yields chunks, the last of which reaches the end
   * @param options - where the first chunk begins (default: at the beginning), and most entries of one (default: 1,000)
   */
  async *chunks(options: ChunksOptions = {}): AsyncGenerator<RestoreChunk, void, undefined> {
    const { entryCountMax = 1000 } = options;
    const held = this.#hold();
    try {
      for (let from = options.from; ;) {
        const reading = readChunk(this.context, held.point.root, from, entryCountMax);
        const chunk = await this.#core.handle.read(reading);
        yield chunk;
        from = chunk.to && pathAfter(chunk.to);
        if (from === undefined) return;
      }
    } finally {
      held.point.release();
    }
  }

  /** Pins the root to read; errors if there is none any more. `owner`: who forgets it without releasing releases it. */
  protected abstract pin(owner?: object): ReadPoint;

  /**
   * This root, with the trees its leaves carry, as the lines of Rooch's state dump. The root stays readable until the last line or
   * `return()`. Keys and counts in nodes are left out.
   *
   * @yields lines, without their ends
   */
  async *dump(): AsyncGenerator<string, void, undefined> {
    const held = this.#hold();
    try {
      yield* dumpLines(this.#core.handle, held.point.root);
    } finally {
      held.point.release();
    }
  }

  /**
   * Runs any reading of one root, such as those that make proofs: `tree.run((context, root) => proveBatch(context, root, paths))`. The
   * root stays readable until it ends.
   */
  async run<T>(make: (context: TreeContext, root: Uint8Array) => Reading<T>): Promise<T> {
    const point = this.pin();
    try {
      return await this.#core.handle.read(make(this.context, point.root));
    } finally {
      point.release();
    }
  }

  /** As {@link run}, without waiting. */
  runSync<T>(
    this: MapReads<K, V, SyncStore>,
    make: (context: TreeContext, root: Uint8Array) => Reading<T>,
  ): T {
    const point = this.pin();
    try {
      return this.#core.handle.readSync(make(this.context, point.root));
    } finally {
      point.release();
    }
  }

  /** A pin for a generator: one that is forgotten half-way never gets to its end, but is collected with what this returns. */
  #hold(): { readonly point: ReadPoint } {
    const owner = {};
    return Object.assign(owner, { point: this.pin(owner) });
  }

  #entryOf(leaf: LeafNode): [K, V] {
    return [this.#core.keyOf(leaf), this.#core.valueOf(leaf)];
  }

  #iterate<T>(
    method: string,
    range: Range | undefined,
    itemOf: (leaf: LeafNode) => T,
  ): TreeIterator<T> {
    return this.#timedSync(method, "smt_iter_latency_seconds", () => {
      const { handle } = this.#core;
      return new LeafIterator(this.#sourceOf(range), (reading) => handle.read(reading), itemOf);
    });
  }

  #iterateSync<T>(
    method: string,
    range: Range | undefined,
    itemOf: (leaf: LeafNode) => T,
  ): SyncTreeIterator<T> {
    return this.#timedSync(method, "smt_iter_latency_seconds", () => {
      const { handle } = this.#core;
      handle.assertSyncReads();
      const source = this.#sourceOf(range);
      return new SyncLeafIterator(source, (reading) => handle.readSync(reading), itemOf);
    });
  }

  /** The range is checked before anything is pinned. */
  #sourceOf(range: Range | undefined): LeafSource {
    const pages = new LeafWalk(this.context, this.root, range);
    return { pages, pin: (owner) => this.pin(owner) };
  }

  async #timed<T>(method: string, name: MetricName, run: () => Promise<T>): Promise<T> {
    const { metrics } = this.#core.handle.options;
    if (metrics === undefined) return run();
    const begin = metrics.now();
    const result = await run();
    metrics.observe(name, metrics.now() - begin, { fn_name: method });
    return result;
  }

  #timedSync<T>(method: string, name: MetricName, run: () => T): T {
    const { metrics } = this.#core.handle.options;
    if (metrics === undefined) return run();
    const begin = metrics.now();
    const result = run();
    metrics.observe(name, metrics.now() - begin, { fn_name: method });
    return result;
  }

  #observeLeaf(method: string, leaf: LeafNode | undefined): void {
    this.#core.observe("smt_get_bytes", leaf?.value.length ?? 0, method);
  }
}
