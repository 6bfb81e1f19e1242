import { type Bytes, type Reading } from "@x/store";
import { type Change, sortChanges } from "./change.ts";
import { type TreeContext } from "./context.ts";
import { type Parent, type Subtree } from "./draft.ts";
import { isEmptyRoot } from "./load.ts";
import { copyBlock } from "./inner-hash.ts";
import { type LoadedNode } from "./node-cache.ts";
import { PATH_SIZE } from "./path.ts";
import { UpdateBuild } from "./update-build.ts";
import { UpdatePlan } from "./update-plan.ts";

/** See {@link update}. */
export interface UpdateOptions {
  /**
   * An empty batch does not look whether its root is stored, as Rooch's tree does not. Default: false; a missing root is an
   * error whatever the batch.
   */
  readonly trustsRootOfEmptyBatch?: boolean;
}

/** What a batch does to a tree. Nothing is written: until the nodes are stored the new root is unreadable. */
export interface UpdateResult {
  /** 32 bytes; the placeholder if nothing is left. */
  readonly root: Bytes;
  /**
   * Nodes of the new tree that the old one has not: leaves first, then internal nodes from the deepest level up. Hashes and
   * bytes are views of buffers that hold several.
   */
  readonly nodes: readonly (readonly [hash: Bytes, bytes: Bytes])[];
  /**
   * Hashes of nodes of the old tree that the new one has not. That is not a list of what may be deleted: other roots may
   * need them.
   */
  readonly stale: readonly Bytes[];
  readonly counters: UpdateCounters;
  /** New internal nodes with their inner hashes, where the context has a cache: see {@link rememberUpdate}. */
  readonly loaded: readonly LoadedNode[];
}

/** What is in the two sets. */
export interface UpdateCounters {
  readonly newLeaves: number;
  readonly staleLeaves: number;
  readonly newInternals: number;
  readonly staleInternals: number;
  /** Sum of the lengths of new nodes, without their hashes. */
  readonly bytesWritten: number;
}

/**
 * Applies a batch to the tree of a root.
 *
 * Duplicates are merged, the last wins; a change that changes nothing is passed over. Touched nodes are read breadth first, one
 * read for a level; each is decoded once and hashed once, whole levels in packs.
 *
 * @yields the hashes of nodes to read
 * @param root - 32 bytes; the placeholder for the empty tree
 * @param changes - in any order; copied before the first read
 * @throws TypeError, RangeError if an argument is malformed
 * @throws JellyfishError JELLYFISH_REFUSED, JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 */
export function* update(
  context: TreeContext,
  root: Uint8Array,
  changes: readonly Change[],
  options: UpdateOptions = {},
): Reading<UpdateResult> {
  const isEmpty = isEmptyRoot(context, root);
  const sorted = sortChanges(context, changes);
  const before = new Uint8Array(root);
  const plan = new UpdatePlan(sorted);
  let after: Subtree | undefined;
  let isChanged = false;
  const top: Parent = {
    settle(_slot, subtree) {
      after = subtree;
      isChanged = true;
    },
  };
  if (isEmpty) plan.growAll(top);
  else if (sorted.length > 0 || options.trustsRootOfEmptyBatch !== true)
    yield* plan.read(context, before, top);
  const build = new UpdateBuild(context);
  build.addLeaves(plan.newLeaves);
  for (const level of plan.levels.toReversed()) build.addLevel(level);
  const { placeholder } = context.scheme;
  return {
    root: isChanged ? new Uint8Array(after?.hash ?? placeholder) : before,
    nodes: build.nodes,
    stale: copyHashes([...plan.staleLeaves, ...build.staleInternals]),
    counters: {
      newLeaves: plan.newLeaves.length,
      staleLeaves: plan.staleLeaves.length,
      newInternals: build.nodes.length - plan.newLeaves.length,
      staleInternals: build.staleInternals.length,
      bytesWritten: build.byteCount,
    },
    loaded: build.loaded,
  };
}

/** Copies, as views of one buffer. */
function copyHashes(hashes: readonly Uint8Array[]): Bytes[] {
  const bytes = new Uint8Array(hashes.length * PATH_SIZE);
  return hashes.map((hash, index) => {
    copyBlock(hash, 0, bytes, index * PATH_SIZE, PATH_SIZE);
    return bytes.subarray(index * PATH_SIZE, (index + 1) * PATH_SIZE);
  });
}

/**
 * Puts the internal nodes of an update into the context's cache. To be called once they are stored, and not otherwise: a cached
 * node that no store holds would hide that it is missing.
 */
export function rememberUpdate({ cache }: TreeContext, { loaded }: UpdateResult): void {
  if (cache !== undefined) for (const one of loaded) cache.set(one);
}
