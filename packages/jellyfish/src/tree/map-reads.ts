import { type Bytes, type Reading, type Store, type SyncReads } from "@x/store";

import { type TreeContext } from "../context.ts";
import { type LeafNode } from "../node.ts";
import { getLeaf, getLeaves, hasLeaf } from "../read.ts";
import { type Core } from "./core.ts";
import { type MetricName } from "./metrics.ts";

/** A root, for as long as nobody has released it. */
export interface ReadPoint {
  readonly root: Uint8Array;
  readonly leafCount: number;
  release(): void;
}

/** A store that reads synchronously. */
export type SyncStore = Store & SyncReads;

/**
 * Reading a map of keys and values by one root: what a tree and a view of it have in common. Every call reads one root, the one
 * of the moment of the call.
 */
export abstract class MapReads<K, V, S extends Store> {
  protected readonly core: Core<K, V, S>;

  constructor(core: Core<K, V, S>) {
    this.core = core;
  }

  /** The store of the tree. */
  get store(): S {
    return this.core.store;
  }

  /** How nodes are hashed, encoded and cached: what functions beside this class take. */
  get context(): TreeContext {
    return this.core.handle.options.context;
  }

  /** The path of a key: where its leaf is. 32 fresh bytes. */
  pathOf(key: K): Bytes {
    return this.core.pathOf(key);
  }

  /** The value of a key; `undefined` if there is none. One read per level that is not cached. */
  async get(key: K): Promise<V | undefined> {
    const path = this.core.pathOf(key);
    return this.#timed("get", "smt_get_latency_seconds", async () => {
      const leaf = await this.read((context, { root }) => getLeaf(context, root, path));
      this.#observeLeaf("get", leaf);
      return this.core.valueOf(leaf);
    });
  }

  /** As {@link get}, without waiting. */
  getSync(this: MapReads<K, V, SyncStore>, key: K): V | undefined {
    const path = this.core.pathOf(key);
    return this.#timedSync("getSync", "smt_get_latency_seconds", () => {
      const leaf = this.readSync((context, { root }) => getLeaf(context, root, path));
      this.#observeLeaf("getSync", leaf);
      return this.core.valueOf(leaf);
    });
  }

  /** Whether a key has a value. */
  async has(key: K): Promise<boolean> {
    const path = this.core.pathOf(key);
    return this.#timed("has", "smt_get_latency_seconds", () =>
      this.read((context, { root }) => hasLeaf(context, root, path)),
    );
  }

  /** As {@link has}, without waiting. */
  hasSync(this: MapReads<K, V, SyncStore>, key: K): boolean {
    const path = this.core.pathOf(key);
    return this.#timedSync("hasSync", "smt_get_latency_seconds", () =>
      this.readSync((context, { root }) => hasLeaf(context, root, path)),
    );
  }

  /** Values of many keys, in their order: one read per level for all of them. */
  async getMany(keys: readonly K[]): Promise<(V | undefined)[]> {
    const paths = keys.map((key) => this.core.pathOf(key));
    const leaves = await this.read((context, { root }) => getLeaves(context, root, paths));
    return leaves.map((leaf) => this.core.valueOf(leaf));
  }

  /** As {@link getMany}, without waiting. */
  getManySync(this: MapReads<K, V, SyncStore>, keys: readonly K[]): (V | undefined)[] {
    const paths = keys.map((key) => this.core.pathOf(key));
    const leaves = this.readSync((context, { root }) => getLeaves(context, root, paths));
    return leaves.map((leaf) => this.core.valueOf(leaf));
  }

  /** Pins the root to read; errors if there is none any more. `owner`: who forgets it without releasing releases it. */
  protected abstract pin(owner?: object): ReadPoint;

  protected async read<T>(
    make: (context: TreeContext, point: ReadPoint) => Reading<T>,
  ): Promise<T> {
    const point = this.pin();
    try {
      return await this.core.handle.read(make(this.context, point));
    } finally {
      point.release();
    }
  }

  protected readSync<T>(make: (context: TreeContext, point: ReadPoint) => Reading<T>): T {
    const point = this.pin();
    try {
      return this.core.handle.readSync(make(this.context, point));
    } finally {
      point.release();
    }
  }

  async #timed<T>(method: string, name: MetricName, run: () => Promise<T>): Promise<T> {
    const { metrics } = this.core.handle.options;
    if (metrics === undefined) return run();
    const begin = metrics.now();
    const result = await run();
    metrics.observe(name, metrics.now() - begin, { fn_name: method });
    return result;
  }

  #timedSync<T>(method: string, name: MetricName, run: () => T): T {
    const { metrics } = this.core.handle.options;
    if (metrics === undefined) return run();
    const begin = metrics.now();
    const result = run();
    metrics.observe(name, metrics.now() - begin, { fn_name: method });
    return result;
  }

  #observeLeaf(method: string, leaf: LeafNode | undefined): void {
    this.core.observe("smt_get_bytes", leaf?.value.length ?? 0, method);
  }
}
