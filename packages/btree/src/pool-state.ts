import { type Counts } from "./counts.ts";
import { BTreeError } from "./errors.ts";
import { type NodeSource } from "./node-source.ts";
import { type Workspace } from "./workspace.ts";

/** What the parts of a pool share. */
export interface PoolState {
  readonly source: NodeSource;
  readonly workspace: Workspace;
  readonly counts: Counts;
  readonly ids: IdAllocator;
  /** Saved nodes that only memory still refers to; each is counted once in the store on the pool's own account. */
  limbo: ReadonlySet<number>;
  /** The pool's record as stored; `undefined` before the first write. */
  record: Uint8Array | undefined;
}

/** Gives out ids one by one, none twice. */
export class IdAllocator {
  #next: number;

  constructor(next: number) {
    this.#next = next;
  }

  /** The id that is next. */
  get next(): number {
    return this.#next;
  }

  /** @throws BTreeError BTREE_FULL after 2^53 − 2 */
  take(): number {
    if (this.#next >= Number.MAX_SAFE_INTEGER)
      throw new BTreeError("BTREE_FULL", `all ids below ${this.#next} have been used`);
    return this.#next++;
  }
}
