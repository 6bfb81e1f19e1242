import { type Bytes, type Reading, type StopSignal } from "@x/store";
import { copyBytes, sameBytes } from "@x/store/adapter";

import { type TreeContext } from "../context.ts";
import { JellyfishError } from "../errors.ts";
import { isEmptyRoot } from "../load.ts";
import { PATH_SIZE } from "../path.ts";
import { proveRange } from "../proof/range.ts";
import { getLeaves } from "../read.ts";
import { type TreeHandle } from "../tree/handle.ts";
import { type Version } from "../tree/layout.ts";
import { mayKeepKey } from "../tree/leaf-key.ts";
import { StagedTree } from "../tree/staged.ts";
import { type RangeProof, verifyRange } from "../verify/range-proof.ts";
import { LeafWalk } from "../walk.ts";

/** An entry of a chunk. */
export interface ChunkEntry {
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** The stored bytes. */
  readonly value: Uint8Array;
  /** The key that was hashed to the path, where the tree keeps it. */
  readonly key: Uint8Array | undefined;
}

/** Some leaves of a tree that follow one another, with the proof that these are all between its ends. Plain data. */
export interface RestoreChunk {
  /** Ascending by path. Empty only for the empty tree. */
  readonly entries: readonly ChunkEntry[];
  /** The path it reaches: the last entry's; `undefined`: the end of the tree. */
  readonly to: Uint8Array | undefined;
  readonly proof: RangeProof;
}

/**
 * The chunk of a tree that begins at a path.
 *
 * @param from - the path after the last one of the chunk before; `undefined`: the first chunk
 * @yields the hashes of nodes to read
 */
export function* readChunk(
  context: TreeContext,
  root: Uint8Array,
  from: Uint8Array | undefined,
  entryCountMax: number,
): Reading<RestoreChunk> {
  const query = { limit: entryCountMax, ...(from === undefined ? {} : { from }) };
  const { entries, to, proof } = yield* proveRange(context, root, query);
  const paths = entries.map(({ path }) => path);
  const leaves = context.format.keys ? yield* getLeaves(context, root, paths) : [];
  return {
    entries: entries.map(({ path, value }, index) => {
      const key = leaves[index]?.key;
      return { path, value, key: key && copyBytes(key) };
    }),
    to,
    proof,
  };
}

/** The path after a path; `undefined` after the last. Fresh bytes. */
export function pathAfter(path: Uint8Array): Bytes | undefined {
  const after = copyBytes(path);
  for (let at = PATH_SIZE - 1; at >= 0; at--) {
    const byte = after[at] as number;
    after[at] = byte + 1;
    if (byte < 255) return after;
  }
  return undefined;
}

/** Where chunks come from: called once, with the path the first of them begins at (`undefined`: the beginning). */
export type ChunkSource = (
  from: Uint8Array<ArrayBuffer> | undefined,
) => AsyncIterable<RestoreChunk> | Iterable<RestoreChunk>;

/** How a restore is watched and stopped. */
export interface RestoreOptions {
  readonly signal?: StopSignal;
  readonly onProgress?: (progress: { readonly leafCount: number }) => void;
}

/**
 * Rebuilds the tree of a root from chunks that nobody has to trust: each is verified against the root before anything of it is
 * written. The chunks written so far are kept when it ends early, by an error, the signal or a crash, and the next call for the
 * same root goes on behind them; any other write of the tree drops them.
 *
 * Only inside the queue.
 *
 * @throws JellyfishError JELLYFISH_CHUNK if a chunk is malformed, its key is not that of its path, or the chunks end too early; JELLYFISH_PROOF_* as {@link verifyRange}
 */
export async function restoreChunks(
  handle: TreeHandle,
  target: Uint8Array<ArrayBuffer>,
  source: ChunkSource,
  { signal, onProgress }: RestoreOptions,
): Promise<void> {
  const begun = unfinishedRestore(handle, target);
  const staged = new StagedTree(handle, "restore", begun);
  const lastPath = begun === undefined ? undefined : await greatestPath(handle, begun);
  let from = lastPath && pathAfter(lastPath);
  for await (const chunk of source(from && copyBytes(from))) {
    if (signal?.aborted === true) throw signal.reason;
    checkChunk(handle, target, from, chunk);
    const next = chunk.to && pathAfter(chunk.to);
    const isDone = next === undefined;
    await staged.add(chunk.entries, {
      isLast: isDone,
      target,
      check: ({ root }) => {
        if (isDone && !sameBytes(root, target)) throw refused("does not complete the root");
      },
    });
    from = next;
    onProgress?.({ leafCount: staged.leafCount });
    // What comes behind the end is not asked for: the tree is there.
    if (isDone) return;
  }
  throw refused("is the last that came, but not the last of the tree");
}

/** What a restore of this root has written, if it is still there. */
export function unfinishedRestore(handle: TreeHandle, target: Uint8Array): Version | undefined {
  return handle.state.versions.findLast(
    (version) => version.kind === "restore" && sameBytes(version.target, target),
  );
}

function checkChunk(
  handle: TreeHandle,
  root: Uint8Array,
  from: Uint8Array | undefined,
  chunk: RestoreChunk,
): void {
  if (!isChunk(chunk)) throw refused("is malformed");
  const { entries, to, proof } = chunk;
  const { context, scheme, rules } = handle.options;
  const last = entries.at(-1);
  // The empty tree has nothing to prove, and a chunk of nothing ends no tree.
  if (to !== undefined && (last === undefined || !sameBytes(last.path, to)))
    throw refused("does not end with its last entry");
  if (!isEmptyRoot(context, root) || entries.length > 0)
    verifyRange({
      scheme,
      root,
      from,
      to,
      entries,
      proof,
      ...(rules === undefined ? {} : { rules }),
    });
  if (!entries.every((entry) => mayKeepKey(handle.options, entry)))
    throw refused("has a key that is not that of its path");
}

/** Whether what came has the parts of a chunk; those of the proof are seen to when it is verified. */
function isChunk(chunk: RestoreChunk): boolean {
  const { entries, to } = Object(chunk) as Partial<RestoreChunk>;
  return (
    Array.isArray(entries) &&
    entries.every((entry: unknown) => isEntry(Object(entry) as Partial<ChunkEntry>)) &&
    (to === undefined || isPath(to))
  );
}

function isEntry({ path, value, key }: Partial<ChunkEntry>): boolean {
  const isKey = key === undefined || key instanceof Uint8Array;
  return isPath(path) && value instanceof Uint8Array && isKey;
}

function isPath(path: unknown): boolean {
  return path instanceof Uint8Array && path.length === PATH_SIZE;
}

async function greatestPath(handle: TreeHandle, { root }: Version): Promise<Bytes | undefined> {
  const walk = new LeafWalk(handle.options.context, root, { reverse: true, limit: 1 });
  const [leaf] = await handle.read(walk.next());
  return leaf && copyBytes(leaf.path);
}

function refused(found: string): JellyfishError {
  return new JellyfishError("JELLYFISH_CHUNK", `a chunk ${found}`);
}
