import { type Expectation, type Operation } from "@x/store";

import { type NodeFormat } from "./node-codec.ts";

/** Bytes that belong to whoever got them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A key and its value. Fresh bytes. */
export type Entry = [key: Bytes, value: Bytes];

/** A walk. Its root stays pinned until the end, `return()` (which `break` calls too), or an error. Calls may overlap. */
export interface TreeIterator<T> extends AsyncIterableIterator<T, undefined> {
  return(): Promise<IteratorResult<T, undefined>>;
  [Symbol.asyncIterator](): TreeIterator<T>;
}

/** A walk without waiting. Otherwise as {@link TreeIterator}. */
export interface SyncTreeIterator<T> extends IterableIterator<T, undefined> {
  return(): IteratorResult<T, undefined>;
  [Symbol.iterator](): SyncTreeIterator<T>;
}

/** Which entries, and in which direction. At most one lower and one upper bound; `prefix` narrows them further. */
export interface TreeRange {
  readonly gte?: Uint8Array;
  /** Also the way to resume: the last key that was read. With `reverse` that is `lt`. */
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  /** Only keys that begin with these bytes. */
  readonly prefix?: Uint8Array;
  /** From the greatest key down. Default: false. */
  readonly reverse?: boolean;
  /** Most entries to give. Default: all. */
  readonly limit?: number;
}

/** A range without a direction and a limit. */
export type KeyRange = Omit<TreeRange, "reverse" | "limit">;

/** A change of one key, in the terms of a store: `put` sets it, `del` removes it. Of several on one key the last holds. */
export type Change = Operation;

/** How one key differs between two trees. `type` says what happened on the way from the first to the second. */
export type Difference =
  | { readonly type: "added"; readonly key: Bytes; readonly value: Bytes }
  | { readonly type: "removed"; readonly key: Bytes; readonly oldValue: Bytes }
  | {
      readonly type: "modified";
      readonly key: Bytes;
      readonly oldValue: Bytes;
      readonly value: Bytes;
    };

/** Which differences. Ascending only; `gt` the last key to resume. */
export type DiffRange = Omit<TreeRange, "reverse">;

/** What asks a long call to stop. An `AbortSignal` is one; it is read, never subscribed to. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** How a pool keeps its nodes. */
export interface PoolOptions {
  /** Put before every key of the pool in the store, so that it can share the store with other records. Default: none. */
  readonly prefix?: Uint8Array;
  /** How nodes are written; what the pool was made with holds on reopening. Default: 2 for a new pool. */
  readonly format?: NodeFormat;
  /**
   * Node ids, shapes and bytes exactly as the original gives them, one change at a time: leaves split in the middle,
   * separators are whole keys, every change makes new nodes. Slower and larger. Default: false.
   */
  readonly compatible?: boolean;
  /** Values of more bytes are kept outside their leaf, in format 2. Default: 2,048. */
  readonly inlineByteCountMax?: number;
  /** Budget of the cache of decoded nodes, in bytes as estimated. Default: 32 MiB. */
  readonly cacheByteCountMax?: number;
  /** Unsaved nodes of more bytes than this, as estimated, are spilled by the asynchronous edit that makes them. Default: 64 MiB. */
  readonly unsavedByteCountMax?: number;
}

/** See `NodePool.edit`. */
export interface EditOptions {
  /**
   * Whether the caller gives up its pin on the old root for one on the new root. Nodes that nothing else refers to and
   * that were never saved are then edited in place, and the root keeps its id. Default: false, which leaves the old
   * root pinned and whole.
   */
  readonly consume?: boolean;
}

/** See `NodePool.write`. */
export interface WriteRequest {
  /** Roots that the caller's records refer to from now on; one mention each. Unsaved nodes under them are written. Default: none. */
  readonly hold?: readonly number[];
  /** Roots that the caller's records no longer refer to; one mention each. What nothing refers to any more is deleted. Default: none. */
  readonly drop?: readonly number[];
}

/** What {@link WriteRequest} needs besides, to be one batch of a store. */
export interface WriteOptions extends WriteRequest {
  /** The caller's own changes, on keys outside the pool's, in the same batch. Default: none. */
  readonly operations?: readonly Operation[];
  /** Preconditions of the caller. Default: none. */
  readonly expect?: readonly Expectation[];
  /** Acknowledge only what survives a power cut. Default: true. */
  readonly sync?: boolean;
}

/** What a write did. */
export interface WriteStatistics {
  readonly nodesWritten: number;
  readonly nodesDeleted: number;
  readonly countPagesWritten: number;
  /** Of the nodes. */
  readonly bytesWritten: number;
}

/**
 * One batch, not yet written: a value. The caller writes `operations` with its own, together with `expect`, and then says
 * how it went. Until then no other can be made.
 */
export interface StagedWrite {
  readonly operations: readonly Operation[];
  readonly expect: readonly Expectation[];
  readonly statistics: WriteStatistics;
  /** The batch was written. */
  accept(): void;
  /** Nothing was written: everything is as before. */
  reject(): void;
}

/** See `NodePool.statistics`. */
export interface PoolStatistics {
  readonly format: NodeFormat;
  /** The id the next node gets. */
  readonly nextId: number;
  readonly cachedNodeCount: number;
  readonly cachedByteCount: number;
  readonly unsavedNodeCount: number;
  readonly unsavedByteCount: number;
  /** Roots pinned by callers, each counted once. */
  readonly pinnedRootCount: number;
  /** Roots that only this process still uses; the next opening releases them. */
  readonly limboCount: number;
}
