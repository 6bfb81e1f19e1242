import { type StopSignal } from "@x/store";

import { type Change } from "../change.ts";
import { type TreeHandle } from "./handle.ts";
import { StagedTree } from "./staged.ts";

/** How much is loaded at once. */
export interface LoadOptions {
  /** Changes of one batch. Default: 10,000. */
  readonly chunkCountMax?: number;
  readonly signal?: StopSignal;
  readonly onProgress?: (progress: { readonly entryCount: number }) => void;
}

/** What a load did. */
export interface LoadReport {
  readonly root: Uint8Array<ArrayBuffer>;
  readonly leafCount: number;
  readonly entryCount: number;
}

/**
 * Puts any number of entries, in chunks of bounded size, as one update: the tree is as before until the last chunk is written, and then has
 * them all. Memory is that of one chunk. Entries in the order of their paths touch the fewest nodes.
 *
 * Only inside the queue.
 *
 * @throws what `changes` throws, and the signal's reason, between chunks: nothing is loaded then
 */
export async function loadChunks(
  handle: TreeHandle,
  changes: AsyncIterable<Change> | Iterable<Change>,
  options: LoadOptions,
): Promise<LoadReport> {
  const { chunkCountMax = 10_000, signal, onProgress } = options;
  if (!Number.isSafeInteger(chunkCountMax) || chunkCountMax < 1)
    throw new RangeError(`chunkCountMax is ${chunkCountMax}, not a count of 1 or more`);
  const staged = new StagedTree(handle, "load", handle.current);
  let chunk: Change[] = [];
  let entryCount = 0;
  for await (const change of changes) {
    if (chunk.length === chunkCountMax) {
      if (signal?.aborted === true) throw signal.reason;
      await staged.add(chunk, { isLast: false });
      entryCount += chunk.length;
      onProgress?.({ entryCount });
      chunk = [];
    }
    chunk.push(change);
  }
  if (signal?.aborted === true) throw signal.reason;
  // Nothing at all is no update.
  if (entryCount + chunk.length > 0) await staged.add(chunk, { isLast: true });
  entryCount += chunk.length;
  return { root: new Uint8Array(staged.root), leafCount: staged.leafCount, entryCount };
}
