import { type Snapshot } from "@x/btree";
import { type StopSignal } from "@x/store";

import { type MapInternals } from "../map/map-internals.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { decodeDifference, type MapDifference } from "../reads/map-difference.ts";
import { type MapKeyRange, treeKeyRange } from "../reads/typed-range.ts";
import { type BranchRef, type BranchState } from "../repository/branch-table.ts";
import { type BranchEvent } from "../repository/repository.ts";

/** See {@link watch}. */
export interface WatchOptions<K> extends MapKeyRange<K> {
  /** What is watched: the working state, or what is committed. Default: working. */
  readonly state?: "working" | "head";
  /** Ends the watch at the next change. An `AbortSignal` is one; `return` ends it at once. Default: never. */
  readonly signal?: StopSignal;
}

/** What has happened since the notice before. */
export interface Notice<K, V> {
  /** What changed, in the order of keys; never none. */
  readonly changes: readonly MapDifference<K, V>[];
  /** The branch's head; 0: it has none. */
  readonly head: number;
}

/**
 * Watches a branch from now on: a notice for every change of keys in the range, with what changed. Who reads slowly gets
 * several changes as one; the two states in between which it stands are pinned. What was changed and changed back is no
 * notice. Ends with the map, or when it is ended; if the branch is deleted, with VERMAP_BRANCH_NOT_FOUND.
 *
 * @throws VerMapError VERMAP_BRANCH_NOT_FOUND
 */
export function watch<K, V>(
  map: VerMap<K, V>,
  branch: BranchRef,
  options: WatchOptions<K> = {},
): AsyncIterableIterator<Notice<K, V>, undefined> {
  return new Watch(internalsOf(map), branch, options);
}

class Watch<K, V> implements AsyncIterableIterator<Notice<K, V>, undefined> {
  readonly #internals: MapInternals<K, V>;
  readonly #options: WatchOptions<K>;
  readonly #id: number;
  readonly #unsubscribe: () => void;
  readonly #notices: AsyncGenerator<Notice<K, V>, undefined, undefined>;
  /** What was told of last, and what there is now where that is something else. */
  #told: Snapshot;
  #now: { readonly snapshot: Snapshot; readonly head: number } | undefined;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(internals: MapInternals<K, V>, branch: BranchRef, options: WatchOptions<K>) {
    const { repository } = internals;
    repository.assertOpen();
    const { state } = options;
    if (state !== undefined && state !== "working" && state !== "head")
      throw new TypeError(`state is ${String(state)}, neither working nor head`);
    this.#internals = internals;
    this.#options = options;
    const now = repository.branches.get(branch);
    this.#id = now.id;
    this.#told = repository.pool.snapshot(this.#rootOf(now));
    this.#unsubscribe = repository.onWrite((events) => this.#see(events));
    this.#notices = this.#run();
  }

  next(): Promise<IteratorResult<Notice<K, V>, undefined>> {
    return this.#notices.next();
  }

  async return(): Promise<IteratorResult<Notice<K, V>, undefined>> {
    this.#end();
    return this.#notices.return(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #rootOf({ root, headRoot }: BranchState): number {
    return this.#options.state === "head" ? headRoot : root;
  }

  /** Pins at once what a change left, so that it can be read when somebody asks. */
  #see(events: readonly BranchEvent[]): void {
    const { repository } = this.#internals;
    for (const { id, after } of events) {
      if (id !== this.#id || after === undefined) continue;
      const root = this.#rootOf(after);
      if (root === (this.#now?.snapshot ?? this.#told).root) continue;
      this.#now?.snapshot.release();
      this.#now = { snapshot: repository.pool.snapshot(root), head: after.head };
    }
    if (repository.isClosed) this.#end();
    this.#wake();
  }

  async *#run(): AsyncGenerator<Notice<K, V>, undefined, undefined> {
    const { repository } = this.#internals;
    try {
      while (!this.#isOver && this.#options.signal?.aborted !== true) {
        const now = this.#now;
        if (now === undefined) {
          repository.branches.get(this.#id);
          await this.#change();
          continue;
        }
        this.#now = undefined;
        const changes = await this.#changesTo(now.snapshot);
        if (changes.length > 0) yield { changes, head: now.head };
      }
      return undefined;
    } finally {
      this.#end();
    }
  }

  /** Resolves when something has happened. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #changesTo(snapshot: Snapshot): Promise<MapDifference<K, V>[]> {
    const { codecs } = this.#internals;
    const before = this.#told;
    this.#told = snapshot;
    const changes: MapDifference<K, V>[] = [];
    try {
      for await (const one of before.diff(snapshot.root, treeKeyRange(codecs.key, this.#options)))
        changes.push(decodeDifference(codecs, one));
    } finally {
      before.release();
    }
    return changes;
  }

  #end(): void {
    this.#isOver = true;
    this.#unsubscribe();
    this.#told.release();
    this.#now?.snapshot.release();
    this.#now = undefined;
    this.#wake();
  }
}
