import { checkBytes, checkCount, EMPTY } from "./bytes.ts";
import { type SealedCommit, type SealedRewrite } from "./call-queue.ts";
import { copyBytes, type CopyWatch, writePieces } from "./copy-bytes.ts";
import { type LayeredFile } from "./group-file.ts";
import { META_BYTES_MAX } from "./journal-header.ts";
import { type BlobContent } from "./layout.ts";
import { type Allocate } from "./medium.ts";

/** The unit that a crash keeps or loses as a whole. */
export interface Commit {
  /** The owner's identity of the state, at most 1024 bytes; copied. */
  readonly meta: Uint8Array;
  /** Per blob: `undefined` when unchanged, else what changed since the commit before. `delta` is not empty; copied. */
  readonly blobs: readonly (
    | undefined
    | { readonly delta: Uint8Array; readonly content: BlobContent }
  )[];
  /** Whether the promise waits for the medium. Default: true. */
  readonly sync?: boolean;
}

/** Replaces the content of files: see {@link FileGroup.rewrite}. */
export interface RewritePlan {
  /**
   * Per append file: `undefined` leaves it; `keep` copies ascending, disjoint byte ranges of it; `content` replaces it by these
   * pieces (each is used before the next is asked for, and not kept). Both are asked once, when the rewrite has its turn.
   */
  readonly files: readonly (
    | undefined
    | { readonly keep: Iterable<readonly [begin: number, end: number]> }
    | { readonly content: Iterable<Uint8Array> }
  )[];
  /** Per blob: its content from now on, `undefined` when unchanged. */
  readonly blobs: readonly (undefined | BlobContent)[];
  /** As in {@link Commit}. */
  readonly meta: Uint8Array;
  /** Looked at after every 256 KiB. */
  readonly signal?: StopSignal;
  /** Called after every 256 KiB with the bytes written so far. An exception stops the rewrite, as the signal does. */
  readonly onProgress?: (progress: { readonly bytesDone: number }) => void;
}

/** The part of an `AbortSignal` that is read here. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/**
 * Takes what the files hold, and what the commit says, out of their owner's reach.
 *
 * @throws TypeError, RangeError before anything changed
 */
export function sealCommit(
  commit: Commit,
  files: readonly LayeredFile[],
  blobCount: number,
): SealedCommit {
  checkMeta(commit.meta);
  if (commit.blobs.length !== blobCount) {
    throw new RangeError(`commit has ${commit.blobs.length} blobs, the group has ${blobCount}`);
  }
  for (const blob of commit.blobs) {
    if (blob === undefined) continue;
    checkBytes("delta", blob.delta);
    if (blob.delta.length === 0) throw new RangeError("a delta must not be empty");
  }
  return {
    meta: commit.meta.slice(),
    deltas: commit.blobs.map((blob) => blob?.delta.slice() ?? EMPTY),
    contents: commit.blobs.map((blob) => blob?.content),
    sync: commit.sync ?? true,
    rewinds: files.some((file) => file.rewound),
    layers: files.map((file) => file.seal()),
  };
}

/**
 * The same for a rewrite.
 *
 * @throws TypeError, RangeError
 */
export function sealRewrite(
  plan: RewritePlan,
  files: readonly LayeredFile[],
  blobCount: number,
  allocate: Allocate,
): SealedRewrite {
  checkMeta(plan.meta);
  if (files.some((file) => file.pending)) {
    throw new TypeError("a rewrite needs all changes committed or discarded");
  }
  if (plan.files.length !== files.length || plan.blobs.length !== blobCount) {
    throw new RangeError("a rewrite names every file and blob of the group");
  }
  const watch = watchOf(plan, allocate);
  return {
    meta: plan.meta.slice(),
    contents: plan.blobs,
    files: files.map((file, i) => {
      const next = plan.files[i];
      if (next === undefined) return undefined;
      return {
        kind: "replaced",
        write: async (side) =>
          "keep" in next
            ? copyBytes(file.file, file.applied, side, ascending(next.keep, file.applied), watch)
            : writePieces(side, next.content, watch),
      };
    }),
  };
}

function checkMeta(meta: Uint8Array): void {
  checkBytes("meta", meta);
  if (meta.length > META_BYTES_MAX) {
    throw new RangeError(`meta must be at most ${META_BYTES_MAX} bytes, got ${meta.length}`);
  }
}

function watchOf({ signal, onProgress }: RewritePlan, allocate: Allocate): CopyWatch {
  let bytesDone = 0;
  return {
    allocate,
    onBytes: (count) => {
      bytesDone += count;
      onProgress?.({ bytesDone });
      if (signal?.aborted === true) throw signal.reason ?? new Error("the rewrite was stopped");
    },
  };
}

/**
 * Passes ranges on, each checked.
 *
 * @yields the ranges as they are
 */
function* ascending(
  ranges: Iterable<readonly [begin: number, end: number]>,
  size: number,
): Generator<readonly [begin: number, end: number], void> {
  let from = 0;
  for (const range of ranges) {
    const [begin, end] = range;
    checkCount("a kept range's begin", begin);
    checkCount("a kept range's end", end);
    if (begin < from || end < begin || end > size) {
      throw new RangeError(
        `kept range [${begin}, ${end}) is not within [${from}, ${size}) or runs backwards`,
      );
    }
    yield range;
    from = end;
  }
}
