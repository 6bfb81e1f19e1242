import { BTreeError } from "./errors.ts";
import { type ReadContext, TreeReads } from "./tree-reads.ts";

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

  [Symbol.dispose](): void {
    this.release();
  }

  protected context(): ReadContext {
    if (this.#isReleased) throw new BTreeError("BTREE_RELEASED", "the snapshot was released");
    return this.#context;
  }

  protected currentRoot(): number {
    return this.root;
  }
}
