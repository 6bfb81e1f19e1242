import { type Reading, runAsync, type StopSignal } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { type Change } from "../change.ts";
import { type TreeContext } from "../context.ts";
import { JellyfishError } from "../errors.ts";
import { hexStart } from "../load.ts";
import { type NodeFormat } from "../node-format.ts";
import { type LeafNode, type Node } from "../node.ts";
import { hashOf } from "../retention/verify-walk.ts";
import { type TreeDraft } from "../tree/draft-nodes.ts";
import { type TreeHandle } from "../tree/handle.ts";
import { mayKeepKey } from "../tree/leaf-key.ts";
import { StagedTree } from "../tree/staged.ts";
import { update } from "../update.ts";
import { LeafWalk } from "../walk.ts";

/** Where foreign nodes come from. */
export interface NodeSource {
  /** The records of some nodes, `undefined` where there is none. */
  getMany(hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** How nodes are imported. */
export interface ImportOptions {
  /** How the foreign nodes are encoded. Default: as this tree's own. */
  readonly format?: NodeFormat;
  /** Leaves written by one batch. Default: 10,000. */
  readonly chunkCountMax?: number;
  readonly signal?: StopSignal;
  readonly onProgress?: (progress: { readonly leafCount: number }) => void;
  /** Called with the hash of each node that is reached, trees that leaves carry included; once for each place. */
  readonly onNode?: (hash: Uint8Array) => void;
  /** Called when everything was read and nothing is final yet; throws to refuse it. */
  readonly onWhole?: () => void;
}

/**
 * Makes the tree of a root out of nodes that nobody has to trust, and makes it the present one. Every node's hash is computed, every
 * leaf's path and kind are compared with its place, its key, if it keeps one, with its path, and the tree that is built of the leaves must have the root. Until the last
 * chunk is written the tree is as before.
 *
 * Only inside the queue.
 *
 * @throws JellyfishError JELLYFISH_NODE_HASH, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED, JELLYFISH_MISSING_NODE: nothing is
 *   imported then
 */
export async function importTree(
  handle: TreeHandle,
  root: Uint8Array,
  source: NodeSource,
  options: ImportOptions,
): Promise<void> {
  const { chunkCountMax = 10_000, signal, onProgress } = options;
  const { nestedRoots } = handle.options;
  const foreign = foreignNodes(handle.options.context, source, options);
  const staged = new StagedTree(handle, "load", undefined);
  let changes: Change[] = [];
  let drafts: TreeDraft[] = [];
  const check = (isLast: boolean) => (result: { readonly root: Uint8Array }) => {
    if (!isLast) return;
    assertRoot(result.root, root);
    options.onWhole?.();
  };
  for await (const leaf of foreignLeaves(foreign, root)) {
    if (signal?.aborted === true) throw signal.reason;
    if (changes.length === chunkCountMax) {
      await staged.add(changes, { isLast: false, drafts, check: check(false) });
      onProgress?.({ leafCount: staged.leafCount });
      changes = [];
      drafts = [];
    }
    changes.push(changeOf(handle, leaf));
    for (const nested of nestedRoots?.(leaf) ?? [])
      if (nested !== undefined) await addDrafts(handle, foreign, nested, drafts);
  }
  if (signal?.aborted === true) throw signal.reason;
  await staged.add(changes, { isLast: true, drafts, check: check(true) });
  onProgress?.({ leafCount: staged.leafCount });
}

/** Foreign nodes, each checked against its hash when it is read. */
interface ForeignNodes {
  readonly context: TreeContext;
  readonly reader: NodeSource;
}

function foreignNodes(
  context: TreeContext,
  source: NodeSource,
  { format = context.format, onNode }: ImportOptions,
): ForeignNodes {
  const own = { ...context, format, cache: undefined };
  return {
    context: own,
    reader: {
      async getMany(hashes) {
        const values = await source.getMany(hashes);
        for (const [index, hash] of hashes.entries()) {
          const bytes = values[index];
          if (bytes === undefined) continue;
          onNode?.(hash);
          assertHash(own, hash, format.decode(bytes));
        }
        return values;
      },
    },
  };
}

function assertHash(context: TreeContext, hash: Uint8Array, node: Node | null): void {
  if (node === null || !sameBytes(hashOf(context, node), hash))
    throw new JellyfishError("JELLYFISH_NODE_HASH", `node ${hexStart(hash)}… has another hash`);
}

async function* foreignLeaves(
  { context, reader }: ForeignNodes,
  root: Uint8Array,
): AsyncGenerator<LeafNode, void, undefined> {
  const walk = new LeafWalk(context, root);
  for (;;) {
    const page: readonly LeafNode[] = await runAsync(walk.next(), reader);
    if (page.length === 0) return;
    yield* page;
  }
}

/** The nodes of a tree that a leaf carries, and of those that its leaves carry. */
async function addDrafts(
  handle: TreeHandle,
  foreign: ForeignNodes,
  root: Uint8Array,
  drafts: TreeDraft[],
): Promise<void> {
  const { context, scheme, nestedRoots } = handle.options;
  if (drafts.some((draft) => sameBytes(draft.root, root))) return;
  const changes: Change[] = [];
  for await (const leaf of foreignLeaves(foreign, root)) {
    changes.push(changeOf(handle, leaf));
    for (const nested of nestedRoots?.(leaf) ?? [])
      if (nested !== undefined) await addDrafts(handle, foreign, nested, drafts);
  }
  const reading: Reading<TreeDraft> = update(
    { ...context, cache: undefined },
    scheme.placeholder,
    changes,
  );
  const draft = await handle.read(reading);
  assertRoot(draft.root, root);
  drafts.push(draft);
}

/** The hash of a leaf does not cover its key. */
function changeOf(handle: TreeHandle, leaf: LeafNode): Change {
  const { path, value, key } = leaf;
  if (!mayKeepKey(handle.options, leaf))
    throw new JellyfishError(
      "JELLYFISH_NODE_HASH",
      `the leaf of path ${hexStart(path)}… has the key of another path`,
    );
  return { path, value, key };
}

/** The hash of a node does not say everything of its bytes; the tree that the leaves make does. */
function assertRoot(found: Uint8Array, root: Uint8Array): void {
  if (!sameBytes(found, root))
    throw new JellyfishError(
      "JELLYFISH_NODE_HASH",
      `the leaves below ${hexStart(root)}… make another tree`,
    );
}
