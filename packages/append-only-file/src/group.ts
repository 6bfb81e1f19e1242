import { type FileSystem } from "./file-system.ts";
import { type GroupFile } from "./group-file.ts";
import { type BlobContent, type GroupLayout } from "./layout.ts";

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

/** How {@link FileGroup.open} opens. */
export interface GroupOptions {
  /** Takes no lock and touches nothing: recovery is applied in memory. Default: false. */
  readonly readOnly?: boolean;
  /** Makes a damaged folder consistent, as far as its owner knows how. Default: false. */
  readonly repair?: boolean;
  /** Accepts, after validation, a folder that somebody else changed after it was closed. Default: false. */
  readonly adopt?: boolean;
  /** Refuses an older state than this with `AOF_ROLLED_BACK`. */
  readonly expect?: { readonly sequence: number };
  /** `meta` of a group that this opening creates. Default: empty. */
  readonly initialMeta?: Uint8Array;
  /** From this many bytes a commit's bytes go to the files only and are synced there. Default: 1 MiB. */
  readonly bulkBytesMin?: number;
  /** A journal longer than this is checkpointed. Default: 16 MiB. */
  readonly journalBytesMax?: number;
  /** A journal of more records than this is checkpointed. Default: 10,000. */
  readonly journalRecordsMax?: number;
  /** Pages of 4 KiB kept in memory, for all files together. Default: 1024. */
  readonly cachePagesMax?: number;
}

/** Replaces the content of files: see {@link FileGroup.rewrite}. */
export interface RewritePlan {
  /**
   * Per append file: `undefined` leaves it; `keep` copies ascending, disjoint byte ranges of it; `content` replaces it by these
   * pieces (not kept).
   */
  readonly files: readonly (
    | undefined
    | { readonly keep: Iterable<readonly [begin: number, end: number]> }
    | { readonly content: Iterable<Uint8Array> }
  )[];
  /** Per blob: its content from now on, `undefined` when unchanged. */
  readonly blobs: readonly (undefined | BlobContent)[];
  readonly meta: Uint8Array;
  readonly signal?: StopSignal;
  /** Called with bytes written so far. An exception stops the rewrite, as the signal does. */
  readonly onProgress?: (progress: { readonly bytesDone: number }) => void;
}

/** The part of an `AbortSignal` that is read here. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** What was done since opening. A plain snapshot. */
export interface GroupStats {
  readonly commits: number;
  readonly checkpoints: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly reads: number;
  readonly bytesRead: number;
  readonly writes: number;
  readonly bytesWritten: number;
  readonly truncates: number;
  readonly syncs: number;
  readonly folderSyncs: number;
  readonly opens: number;
  readonly renames: number;
  readonly removes: number;
  readonly journalBytes: number;
  readonly journalRecords: number;
}

/** Several files that move together: after any crash they are at exactly one committed state. */
export interface FileGroup {
  readonly state: "open" | "poisoned" | "closed";
  /** Whether this opening created the group. */
  readonly created: boolean;
  /** Number of the last commit, queued ones included. */
  readonly sequence: number;
  /** Number of the last commit known to be on the medium. */
  readonly durableSequence: number;
  /** Fresh bytes: `meta` of the last commit, queued ones included. */
  readonly meta: Uint8Array<ArrayBuffer>;
  readonly files: readonly GroupFile[];
  readonly stats: GroupStats;
  /** Seals what the files hold at the call into one atomic commit. Calls may overlap; they take effect in call order. */
  commit(commit: Commit): Promise<void>;
  /** Files back to the last commit call. */
  discard(): void;
  /** Makes every commit called before durable. */
  sync(): Promise<void>;
  checkpoint(): Promise<void>;
  /** Replaces files' contents: a commit and a checkpoint in one. Nothing may be pending. */
  rewrite(plan: RewritePlan): Promise<void>;
  close(options?: { readonly handOver?: boolean }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens groups. */
export interface FileGroupOpener {
  open(fs: FileSystem, layout: GroupLayout, options?: GroupOptions): Promise<FileGroup>;
}
