import { type Bytes } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { type Change } from "../change.ts";
import { JellyfishError } from "../errors.ts";
import { type Patch } from "../patch.ts";
import { type Arrival, type ChainPlan } from "../retention/chain.ts";
import { rememberUpdate, update, type UpdateResult } from "../update.ts";
import { lookupIn, type TreeDraft } from "./draft-nodes.ts";
import { type TreeHandle } from "./handle.ts";
import { type Version } from "./layout.ts";
import { mayKeepKey } from "./leaf-key.ts";

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

/** What a commit is made with. */
interface CommitOptions extends UpdateTreeOptions {
  /** The root it has to begin at, and the one it has to lead to. Default: any. */
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
}

/**
 * Applies changes to the present root and writes everything that follows from it as one batch; nothing, if nothing changes. Only
 * inside the queue.
 */
export async function commitChanges(
  handle: TreeHandle,
  changes: readonly Change[],
  { sync, drafts = [], from, to }: CommitOptions,
): Promise<Commit> {
  const base = handle.current;
  const { context } = handle.options;
  if (from !== undefined && !sameBytes(from, base.root))
    throw new JellyfishError("JELLYFISH_PATCH", "a patch begins at another root");
  const result = await handle.read(update(context, base.root, changes));
  if (to !== undefined && !sameBytes(to, result.root))
    throw new JellyfishError("JELLYFISH_PATCH", "a patch does not lead to its root");
  if (sameBytes(result.root, base.root)) return commitOf(base, undefined);
  const arrival = arrivalOf(handle, base, result, drafts);
  const departures = handle.departures(true);
  const plan = await handle.write({ arrival, departures, rewritten: [] }, sync);
  rememberUpdate(context, result);
  return commitOf(handle.current, plan);
}

/**
 * Applies a patch of somebody else's to the present root. As {@link commitChanges}.
 *
 * @throws JellyfishError JELLYFISH_PATCH if it begins elsewhere, does not lead to its root, or has a key that is not that of its path
 */
export async function commitPatch(
  handle: TreeHandle,
  { from, to, changes }: Patch,
  { sync }: Pick<UpdateTreeOptions, "sync">,
): Promise<Commit> {
  if (!changes.every((change) => mayKeepKey(handle.options, change)))
    throw new JellyfishError("JELLYFISH_PATCH", "a patch has a key that is not that of its path");
  return commitChanges(handle, changes, { ...(sync === undefined ? {} : { sync }), from, to });
}

function arrivalOf(
  handle: TreeHandle,
  base: Version,
  result: UpdateResult,
  drafts: readonly TreeDraft[],
): Arrival {
  const { newLeaves, staleLeaves } = result.counters;
  // The trees that leaves carry are not in the update's own lists.
  const isComplete = handle.options.nestedRoots === undefined;
  return {
    base,
    kind: "committed",
    root: result.root,
    leafCount: base.leafCount + newLeaves - staleLeaves,
    target: undefined,
    nodeBytes: lookupIn([...drafts, result]),
    difference: isComplete ? { gained: result.nodes, lost: result.stale } : undefined,
  };
}

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
