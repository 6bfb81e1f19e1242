import { type Reading } from "@x/store";

import { BTreeError } from "./errors.ts";
import { find } from "./lookup.ts";
import { RangeWalk } from "./range-walk.ts";
import { checkedKey, checkedKeys, resolveRange } from "./range.ts";
import { entriesOf, page, valueOf, valuesOf } from "./readings.ts";
import { type ReadContext, type TreeContext, TreeReads } from "./tree-reads.ts";
import { type Bytes, type Entry, type TreeRange } from "./types.ts";

/** One root, pinned: it reads the same whatever is edited, written or dropped, until it is released. */
export class Snapshot extends TreeReads {
  readonly root: number;
  readonly #context: ReadContext;
  #isReleased = false;

  /** Made by `NodePool.snapshot`. */
  constructor(context: ReadContext, root: number) {
    super();
    this.root = root;
    this.#context = context;
    context.pin(root);
  }

  /** Gives up the pin. Walks that have begun go on; later calls fail with BTREE_RELEASED. Releasing again does nothing. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#context.unpin(this.root);
  }

  /** {@link get} as a reading: for callers that read several trees, or other records besides, in one step. */
  getReading(key: Uint8Array): Reading<Bytes | undefined> {
    const { source } = this.#treeContext();
    return valueOf(source, find(source, this.root, checkedKey(key)));
  }

  /** {@link getMany} as a reading. */
  getManyReading(keys: readonly Uint8Array[]): Reading<(Bytes | undefined)[]> {
    return valuesOf(this.#treeContext().source, this.root, checkedKeys(keys));
  }

  /** {@link entries} as readings: each call the next few entries, one or more; none at the end. One at a time. */
  entriesReading(range?: TreeRange): () => Reading<Entry[]> {
    const { source } = this.#treeContext();
    const walk = new RangeWalk(source, this.root, resolveRange(range));
    return () => page(source, walk, entriesOf);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  protected context(): ReadContext {
    if (this.#isReleased) throw new BTreeError("BTREE_RELEASED", "the snapshot was released");
    return this.#context;
  }

  /** Every context is one of these: only a pool makes them. */
  #treeContext(): TreeContext {
    return this.context() as TreeContext;
  }

  protected currentRoot(): number {
    return this.root;
  }
}
