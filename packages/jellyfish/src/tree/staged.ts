import { sameBytes } from "@x/store/adapter";

import { type Change } from "../change.ts";
import { type Arrival, type ChainPlan } from "../retention/chain.ts";
import { rememberUpdate, update, type UpdateResult } from "../update.ts";
import { lookupIn, type TreeDraft } from "./draft-nodes.ts";
import { type TreeHandle } from "./handle.ts";
import { type Version } from "./layout.ts";

/** What a chunk brings besides its changes. */
export interface ChunkOptions {
  /** Whether the tree is whole with it, and becomes the present one. */
  readonly isLast: boolean;
  /** The root it has to have then. Default: whichever. */
  readonly target?: Uint8Array<ArrayBuffer> | undefined;
  readonly drafts?: readonly TreeDraft[];
  /** Looks at what the chunk makes before it is written; throws to refuse it. */
  readonly check?: (result: UpdateResult) => void;
}

/**
 * A tree that is written in several batches and becomes the present one with the last. Until then it stands at the end of the chain as
 * an unfinished version: nobody reads it, it counts for what may be deleted, and the next write of anything else takes it away
 * again, after a crash too. Every batch is synced, so that none can be lost before a later one.
 *
 * Only inside the queue.
 */
export class StagedTree {
  readonly #handle: TreeHandle;
  readonly #kind: "load" | "restore";
  /** What the next chunk's version joins the chain after. */
  #base: Version;
  #root: Uint8Array<ArrayBuffer>;
  #leafCount: number;

  /** @param from - the tree to build on: the present one, an unfinished one, or the empty one (`undefined`) */
  constructor(handle: TreeHandle, kind: "load" | "restore", from: Version | undefined) {
    this.#handle = handle;
    this.#kind = kind;
    this.#base = from ?? handle.current;
    this.#root = from?.root ?? new Uint8Array(handle.options.scheme.placeholder);
    this.#leafCount = from?.leafCount ?? 0;
  }

  get root(): Uint8Array<ArrayBuffer> {
    return this.#root;
  }

  get leafCount(): number {
    return this.#leafCount;
  }

  /** Applies and writes one chunk as one batch. */
  async add(changes: readonly Change[], chunk: ChunkOptions): Promise<ChainPlan> {
    const handle = this.#handle;
    const { context } = handle.options;
    const result = await handle.read(update(context, this.#root, changes));
    chunk.check?.(result);
    const arrival = this.#arrivalOf(result, chunk);
    const unfinished = handle.state.versions.filter(({ kind }) => kind !== "committed");
    const departures = chunk.isLast ? handle.departures(true) : unfinished;
    const plan = await handle.write({ arrival, departures, rewritten: [] }, true);
    rememberUpdate(context, result);
    this.#base = plan.state.versions.at(-1) as Version;
    this.#root = result.root;
    this.#leafCount = arrival.leafCount;
    return plan;
  }

  #arrivalOf(result: UpdateResult, { isLast, target, drafts = [] }: ChunkOptions): Arrival {
    const { nestedRoots } = this.#handle.options;
    const { newLeaves, staleLeaves } = result.counters;
    const isOnBase = sameBytes(this.#base.root, this.#root) && nestedRoots === undefined;
    return {
      base: this.#base,
      kind: isLast ? "committed" : this.#kind,
      root: result.root,
      leafCount: this.#leafCount + newLeaves - staleLeaves,
      target: isLast || this.#kind === "load" ? undefined : target,
      nodeBytes: lookupIn([...drafts, result]),
      difference: isOnBase ? { gained: result.nodes, lost: result.stale } : undefined,
    };
  }
}
