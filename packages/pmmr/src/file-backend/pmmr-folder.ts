import type { FileGroup, FileSystem, GroupFile, GroupStats } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { PmmrError } from "../errors.ts";
import { Pmmr } from "../pmmr.ts";
import { type PmmrStats, ReadonlyPmmr } from "../view.ts";
import type { PmmrFileBackend } from "./backend.ts";
import type { CompactOptions } from "./commits.ts";
import type { FolderShape, FolderView } from "./folder.ts";
import { wrongLeaf } from "./judge.ts";
import { DATA_FILE, HASH_FILE, LEAF_FILE, PRUNE_FILE, snapshotName } from "./names.ts";
import { listSnapshots, readSnapshot, removeSnapshot, writeSnapshot } from "./snapshot.ts";
import { decodeStateMeta } from "./state-meta.ts";
import { verifyFolder, type VerifyOptions, type VerifyReport } from "./verify.ts";

/** Counts of a folder; sizes are in bytes. */
export interface PmmrFolderStats extends PmmrStats {
  /** Hashes stored: the nodes less what compaction removed. */
  readonly hashCount: number;
  /** Records stored. */
  readonly recordCount: number;
  /** Roots of compacted subtrees. */
  readonly prunedRootCount: number;
  readonly hashSize: number;
  readonly dataSize: number;
  /** Of the leaf set as it would be written now. */
  readonly leafSetSize: number;
  /** What was read, written and synced since opening. */
  readonly files: GroupStats;
}

/** One file of a copy of a folder. */
export interface ArchiveEntry {
  readonly name: string;
  /** Bytes in all chunks together. */
  readonly size: number;
  /** The content, piece by piece, fresh; can be read more than once. */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** A copy of a folder as one commit left it, to be read while the range goes on changing. */
export interface PmmrArchive {
  readonly entries: readonly ArchiveEntry[];
  /** Frees what is kept for this copy. A copy that nobody refers to any more is freed as well, later. */
  close(): void;
}

let createFolder: <E, S>(
  fs: FileSystem,
  group: FileGroup,
  backend: PmmrFileBackend<E, S>,
  shape: FolderShape,
) => PmmrFolder<E, S>;

/**
 * The range over an open group, which belongs to it from now on. Apart from the class, whose users come by {@link openPmmr} and
 * need not see what it is made of.
 */
export function newPmmrFolder<E, S>(
  fs: FileSystem,
  group: FileGroup,
  backend: PmmrFileBackend<E, S>,
  shape: FolderShape,
): PmmrFolder<E, S> {
  return createFolder(fs, group, backend, shape);
}

/**
 * A mountain range in a folder.
 *
 * {@link PmmrFolder.pmmr} reads and writes; what it wrote lives in memory until {@link PmmrFolder.commit} makes it one atomic state.
 * After any crash the folder holds exactly one committed state, never older than the last that was durable. One process writes
 * at a time.
 *
 * Calls may overlap and take effect in call order. After a failed sync the folder is poisoned: it only reads, and opening it
 * again recovers. Errors of the files carry codes of `@x/append-only-file` (`AOF_…`).
 */
export class PmmrFolder<E, S = E> {
  /** The range itself. Its size follows what is written, discarded and rewound. */
  readonly pmmr: Pmmr<E, S>;
  readonly #fs: FileSystem;
  readonly #group: FileGroup;
  readonly #backend: PmmrFileBackend<E, S>;
  readonly #shape: FolderShape;
  /** Settles, without failing, after the changes of snapshots called so far: they happen one after the other. */
  #snapshotsChanged: Promise<void> = Promise.resolve();

  static {
    createFolder = (fs, group, backend, shape) => new PmmrFolder(fs, group, backend, shape);
  }

  private constructor(
    fs: FileSystem,
    group: FileGroup,
    backend: PmmrFileBackend<E, S>,
    shape: FolderShape,
  ) {
    this.#fs = fs;
    this.#group = group;
    this.#backend = backend;
    this.#shape = shape;
    this.pmmr = new Pmmr(backend, { hashing: shape.hashing });
  }

  /** `poisoned` after a failure that leaves open what is on the medium: close and open again. */
  get state(): "open" | "poisoned" | "closed" {
    return this.#group.state;
  }

  /** Whether this opening created the range. */
  get created(): boolean {
    return this.#group.created;
  }

  /** Whether anything was written since the last commit. */
  get isDirty(): boolean {
    return this.#backend.isDirty;
  }

  /** Number of the last commit, queued ones included. For `expect.sequence`. */
  get sequence(): number {
    return this.#group.sequence;
  }

  /** Number of the last commit that is known to be durable. */
  get durableSequence(): number {
    return this.#group.durableSequence;
  }

  /**
   * A view of the first `size` nodes, which goes stale when the range is rewound, discarded or compacted.
   *
   * @param size - a valid size; default: the present one
   */
  view(size?: number): ReadonlyPmmr<E, S> {
    return new ReadonlyPmmr(this.#backend, { hashing: this.#shape.hashing, size });
  }

  /**
   * Makes everything written since the last commit one atomic state. Without changes, waits for the commit before it, is rejected
   * if that one is, and syncs.
   *
   * @param options - `sync`: wait until the state is durable. Without it the state survives the end of the process, and perhaps
   *   not a power loss. Default: true
   * @throws AofError; if the folder is not poisoned, what was written is still there and can be committed again
   */
  async commit(options: { readonly sync?: boolean } = {}): Promise<void> {
    return this.#backend.commit(options.sync ?? true);
  }

  /** Makes every commit called before durable. */
  async sync(): Promise<void> {
    return this.#group.sync();
  }

  /** Forgets what was written since the last commit: appends, spends, rewinds and pruned subtrees. */
  discard(): void {
    this.#backend.discard();
  }

  /**
   * Removes what spent leaves no longer need, for good; see {@link CompactOptions}. One durable commit, linear in the files, flat
   * in memory. Reads go on meanwhile; writes are refused with PMMR_BUSY.
   *
   * A later rewind must not end inside what was compacted, nor bring back a leaf that was: pass the size of the oldest state
   * that may be rewound to as `horizon`, and what was spent since as `restorable`.
   *
   * @throws TypeError if something was written since the last commit
   * @throws PmmrError PMMR_NOT_PRUNABLE, PMMR_BUSY, PMMR_ABORTED; nothing has changed then
   */
  async compact(options: CompactOptions = {}): Promise<void> {
    return this.#backend.compact(options);
  }

  /** Brings the files to the last commit, so that they alone show it and other programs may read them. */
  async checkpoint(): Promise<void> {
    return this.#group.checkpoint();
  }

  /**
   * Recomputes every stored hash from what it was made of and checks lengths, size entries and bitmaps against each other. Only
   * reads; memory does not grow with the size. Names the damaged record: see {@link PmmrProblem}.
   *
   * @throws PmmrError PMMR_ABORTED, PMMR_STALE_VIEW when the range was rewound, discarded or compacted meanwhile
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const epoch = this.#backend.epoch;
    const { onProgress } = options;
    const committed = decodeStateMeta(this.#group.meta);
    // What a poisoned folder shows may be ahead of the last commit that is known to be there.
    const isCommitted = this.state !== "poisoned" && !this.isDirty;
    const root = isCommitted ? committed.root : undefined;
    const shape = { ...this.#shape, codec: this.#backend.codec };
    return verifyFolder(openView(this.#group.files, this.#backend), shape, root, {
      ...options,
      onProgress: async (progress) => {
        await onProgress?.(progress);
        if (this.#backend.epoch !== epoch) throw stale();
      },
    });
  }

  /** Counts of the range and of its files. */
  stats(): PmmrFolderStats {
    const [hashes, data] = this.#group.files;
    return {
      ...this.pmmr.stats(),
      hashCount: this.#backend.stored.hashCount,
      recordCount: this.#backend.stored.recordCount,
      prunedRootCount: this.#backend.stored.prune.count,
      hashSize: hashes?.size ?? 0,
      dataSize: data?.size ?? 0,
      leafSetSize: this.#shape.prunable ? this.#backend.unspentSet().serializedSize() : 0,
      files: this.#group.stats,
    };
  }

  /**
   * Keeps a copy of the leaf set as it is now, uncommitted changes included, until it is removed.
   *
   * @param id - 12 lower-case hex digits; Grin uses the first of a block's hash. An existing snapshot is replaced
   */
  async writeSnapshot(id: string): Promise<void> {
    this.#requireWritable();
    const unspent = this.#backend.unspentSet();
    return this.#afterSnapshots(() => writeSnapshot(this.#fs, id, unspent));
  }

  /** Ids of all snapshots, in the order of the alphabet. */
  snapshots(): string[] {
    return listSnapshots(this.#fs);
  }

  /** Positions of unspent leaves in a snapshot, ascending, counted from 0. */
  readSnapshot(id: string): IterableIterator<number> {
    return countedFromZero(readSnapshot(this.#fs, id));
  }

  /**
   * Replaces the leaf set by a snapshot. A write like others: it takes a commit to last, and `discard` undoes it.
   *
   * @throws PmmrError PMMR_DAMAGED if the snapshot is no bitmap, or names what is no unpruned leaf of the range
   */
  useSnapshot(id: string): void {
    this.#requireWritable();
    const unspent = readSnapshot(this.#fs, id);
    const wrong = wrongLeaf({
      size: this.#backend.size,
      prune: this.#backend.pruneList(),
      unspent,
    });
    if (wrong !== undefined) {
      const { pos1: position1, message } = wrong;
      const problem = { kind: "leaf-entry" as const, file: snapshotName(id), position1, message };
      throw new PmmrError("PMMR_DAMAGED", message, { problems: [problem] });
    }
    this.#backend.replaceUnspent(unspent);
  }

  /** Removes a snapshot. Nothing else ever does. */
  async removeSnapshot(id: string): Promise<void> {
    this.#requireWritable();
    return this.#afterSnapshots(() => removeSnapshot(this.#fs, id));
  }

  /**
   * The files that make up a copy of the last commit, as Grin puts them into a state archive: data and hashes, and for a prunable
   * range the pruned roots and a snapshot of the leaf set. The zip around them is the caller's. Costs nothing until it is read;
   * a rewind or compaction meanwhile saves the bytes that the copy still needs in a temporary file.
   *
   * @param options - `snapshot`: id of the snapshot to include; without it the copy has no leaf set
   * @throws TypeError if something was written since the last commit
   * @throws AofError `AOF_MISSING` without such a snapshot, `AOF_TOO_MANY`
   */
  async archive(options: { readonly snapshot?: string } = {}): Promise<PmmrArchive> {
    while (this.#backend.hasCommitInFlight) await this.#group.sync();
    if (this.isDirty) throw new TypeError("commit or discard before copying");
    const extra = this.#shape.prunable ? this.#bitmapEntries(options.snapshot) : [];
    const copy = this.#group.copy();
    const entries = [DATA_FILE, HASH_FILE].map((name): ArchiveEntry => {
      const index = this.#group.files.findIndex((file) => file.name === name);
      return { name, size: copy.sizes[index] ?? 0, chunks: () => copy.bytes(index) };
    });
    return { entries: [...entries, ...extra], close: () => copy.close() };
  }

  /**
   * Waits for running calls, those of snapshots too, brings the files to the last commit and frees files and lock. Changes that were not committed are
   * dropped. Further calls do the same as the first.
   *
   * @param options - `handOver`: also remove the journal, so that the folder holds Grin's files and nothing else
   */
  async close(options: { readonly handOver?: boolean } = {}): Promise<void> {
    return this.#group.close({ ...options, until: this.#snapshotsChanged });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #afterSnapshots(change: () => Promise<void>): Promise<void> {
    const changed = this.#snapshotsChanged.then(change);
    this.#snapshotsChanged = changed.catch(() => undefined);
    return changed;
  }

  #requireWritable(): void {
    this.#backend.requireWritable();
    if (!this.#shape.prunable) {
      throw new PmmrError("PMMR_NOT_PRUNABLE", "the range has no leaf set");
    }
  }

  #bitmapEntries(snapshot: string | undefined): ArchiveEntry[] {
    const roots = Bitmap.from(this.#backend.pruneList().roots1());
    const entries = [bytesEntry(PRUNE_FILE, roots.serialize())];
    if (snapshot === undefined) return entries;
    const unspent = readSnapshot(this.#fs, snapshot);
    return [...entries, bytesEntry(snapshotName(snapshot), unspent.serialize())];
  }
}

function bytesEntry(name: string, bytes: Uint8Array<ArrayBuffer>): ArchiveEntry {
  return {
    name,
    size: bytes.length,
    async *chunks() {
      yield bytes.slice();
    },
  };
}

function* countedFromZero(unspent: Bitmap): Generator<number, void, undefined> {
  for (const pos1 of unspent) yield pos1 - 1;
}

function stale(): PmmrError {
  return new PmmrError(
    "PMMR_STALE_VIEW",
    "the range was rewound, discarded or compacted meanwhile",
  );
}

/** What an open range holds, seen as a folder: journal and uncommitted changes are applied. */
export function openView<E, S>(
  files: readonly GroupFile[],
  backend: PmmrFileBackend<E, S>,
): FolderView {
  const byName = new Map(files.map((file) => [file.name, file]));
  const blobs = new Map([
    [PRUNE_FILE, Bitmap.from(backend.pruneList().roots1()).serialize()],
    ...(backend.prunable ? ([[LEAF_FILE, backend.unspentSet().serialize()]] as const) : []),
  ]);
  return {
    names: () => [...byName.keys(), ...blobs.keys()],
    size: (name) => byName.get(name)?.size ?? blobs.get(name)?.length,
    read: (name, at, length) => {
      const file = byName.get(name);
      if (file !== undefined) return file.read(at, Math.max(0, Math.min(length, file.size - at)));
      return (blobs.get(name) ?? new Uint8Array(0)).slice(at, at + length);
    },
  };
}
