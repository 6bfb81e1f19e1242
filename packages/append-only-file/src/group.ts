import { AppliedState } from "./applied-state.ts";
import { type Commit, type RewritePlan, sealCommit, sealRewrite } from "./commit.ts";
import { Copies, type Copy } from "./copies.ts";
import { AofError } from "./errors.ts";
import { type FileSystem, type Unlock } from "./file-system.ts";
import { type Gate, type GroupFile, LayeredFile } from "./group-file.ts";
import { checkLayout, type GroupLayout } from "./layout.ts";
import { closeAll, Medium } from "./medium.ts";
import { openFolder } from "./open-folder.ts";
import { type OpenedFolder } from "./opened-folder.ts";
import { checkGroupOptions, type GroupOptions } from "./options.ts";
import { journalName, lockName } from "./own-names.ts";
import { PageCache } from "./page-cache.ts";
import { poisoned, Writer } from "./writer.ts";

/** What was done since opening, the opening included. A plain snapshot. */
export interface GroupStats {
  readonly commits: number;
  readonly checkpoints: number;
  /** Pages of 4 KiB found in memory. */
  readonly cacheHits: number;
  /** Pages read from a file. */
  readonly cacheMisses: number;
  readonly reads: number;
  readonly bytesRead: number;
  readonly writes: number;
  readonly bytesWritten: number;
  readonly truncates: number;
  /** Syncs of files. */
  readonly syncs: number;
  readonly folderSyncs: number;
  readonly opens: number;
  readonly renames: number;
  readonly removes: number;
  /** Size of the journal now, its header included. */
  readonly journalBytes: number;
  readonly journalRecords: number;
}

/**
 * Several files that move together: after any crash they are at exactly one committed state, never before the last durable one.
 *
 * Append files are changed through {@link FileGroup.files}, in memory; {@link FileGroup.commit} makes what they hold one state.
 * Writes take effect in call order, reads see the state at the call, pending changes included.
 */
export class FileGroup {
  /** Whether this opening created the group. */
  readonly created: boolean;
  readonly files: readonly GroupFile[];
  readonly #medium: Medium;
  readonly #layout: GroupLayout;
  readonly #cache: PageCache;
  readonly #layered: readonly LayeredFile[];
  readonly #copies: Copies;
  readonly #opened: OpenedFolder;
  /** Absent when opened for reading only. */
  readonly #writer: Writer | undefined;
  readonly #unlock: Unlock;
  #closing: Promise<void> | undefined;

  private constructor(
    medium: Medium,
    layout: GroupLayout,
    options: Required<GroupOptions>,
    opened: OpenedFolder,
    unlock: Unlock,
  ) {
    this.#medium = medium;
    this.#layout = layout;
    this.#cache = new PageCache(options.cachePagesMax, medium.allocate);
    this.#opened = opened;
    this.#unlock = unlock;
    this.created = opened.created;
    const gate: Gate = {
      checkReadable: () => this.#checkReadable(),
      checkWritable: () => this.#checkChangeable(),
    };
    const context = { gate, cache: this.#cache, allocate: medium.allocate };
    this.#layered = opened.files.map(
      ({ file, size }, id) => new LayeredFile(context, id, file.name, file, size),
    );
    this.files = this.#layered;
    const copies = new Copies(medium, layout.prefix, this.#layered, options.copiesMax);
    this.#copies = copies;
    const { header, meta, blobs } = opened;
    this.#writer =
      options.readOnly || header === undefined
        ? undefined
        : new Writer(
            new AppliedState(medium, layout, this.#layered, { header, meta, blobs }),
            options,
            {
              protect: (changes) => copies.protect(changes),
              settled: () => copies.settled(),
              metrics: options.metrics,
            },
          );
  }

  /**
   * Opens the group, after bringing the folder to its last committed state; creates it where there is nothing.
   *
   * @throws AofError `AOF_LOCKED`, `AOF_DAMAGED`, `AOF_JOURNAL_DAMAGED`, `AOF_TRUNCATED`, `AOF_MISSING`, `AOF_NOT_A_FILE`,
   *   `AOF_FOREIGN_CHANGE`, `AOF_ROLLED_BACK`, `AOF_RECORD_SIZE`, `AOF_NO_SPACE`, `AOF_IO`, `AOF_DURABILITY_UNKNOWN`; the
   *   lock is free again afterwards, and opening once more is always safe
   */
  static async open(
    fs: FileSystem,
    layout: GroupLayout,
    options: GroupOptions = {},
  ): Promise<FileGroup> {
    checkLayout(layout);
    const chosen = checkGroupOptions(options);
    const medium = new Medium(fs, chosen.allocate);
    const unlock = chosen.readOnly ? (): void => undefined : medium.lock(lockName(layout.prefix));
    let opened: OpenedFolder | undefined;
    try {
      opened = await openFolder(medium, layout, {
        readOnly: chosen.readOnly,
        repair: chosen.repair,
        adopt: chosen.adopt,
        sequenceMin: chosen.expect.sequence,
        initialMeta: chosen.initialMeta.slice(),
      });
      return new FileGroup(medium, layout, chosen, opened, unlock);
    } catch (error) {
      closeAll((opened?.files ?? []).map(({ file }) => file));
      unlock();
      throw error;
    }
  }

  get state(): "open" | "poisoned" | "closed" {
    if (this.#closing !== undefined) return "closed";
    return this.#writer?.poison === undefined ? "open" : "poisoned";
  }

  /** Number of the last commit that was called and not rejected. The state a group is created in has number 0. */
  get sequence(): number {
    return this.#writer?.sequence ?? this.#opened.sequence;
  }

  /** Number of the last commit known to be on the medium. */
  get durableSequence(): number {
    return this.#writer?.journal.durable ?? this.#opened.sequence;
  }

  /** Fresh bytes: `meta` of the commit that {@link FileGroup.sequence} numbers. */
  get meta(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#writer?.meta ?? this.#opened.meta);
  }

  get stats(): GroupStats {
    return {
      commits: this.#writer?.commits ?? 0,
      checkpoints: this.#writer?.checkpoints ?? 0,
      cacheHits: this.#cache.hits,
      cacheMisses: this.#cache.misses,
      ...this.#medium.counts,
      journalBytes: this.#writer?.journal.size ?? 0,
      journalRecords: this.#writer?.journal.records ?? 0,
    };
  }

  /**
   * Seals what the files hold at the call into one atomic commit. Calls may overlap: they take effect in call order, and those
   * that wait together share one sync.
   *
   * A rejected commit is not part of any later state. If {@link FileGroup.state} is still `open`, nothing of it was written, and
   * what it sealed is pending again, below what was changed since. Until the owner calls {@link FileGroup.discard} or
   * {@link FileGroup.resume}, every later commit is rejected with the same error: it may have been called in the belief that this
   * one succeeded. After that the blobs' deltas start from the last commit that was not rejected.
   *
   * @throws AofError `AOF_NO_SPACE`, `AOF_IO`, `AOF_DURABILITY_UNKNOWN` (poisoned; nobody knows whether it will be there after
   *   reopening), `AOF_POISONED`, `AOF_READ_ONLY`, `AOF_CLOSED`
   */
  async commit(commit: Commit): Promise<void> {
    const writer = this.#checkWritable();
    if (writer.refusal !== undefined) throw writer.refusal.error;
    return writer.commit(sealCommit(commit, this.#layered, this.#layout.blobs.length));
  }

  /** Files back to what they held at the last commit call that was not rejected. */
  discard(): void {
    this.#checkChangeable();
    for (const file of this.#layered) file.discard();
    this.#writer?.accept();
  }

  /**
   * After a rejected commit or rewrite: goes on with what it sealed, pending again. The owner knows that none of the commits rejected happened,
   * and will say so in the deltas of the next one.
   */
  resume(): void {
    this.#checkWritable().accept();
  }

  /** Makes every commit called before durable. */
  async sync(): Promise<void> {
    return this.#checkWritable().sync();
  }

  /**
   * Empties the journal: afterwards the folder's files alone show the last commit, and all of it is durable. Does nothing when
   * they do already. Happens by itself when the journal is long enough.
   */
  async checkpoint(): Promise<void> {
    return this.#checkWritable().checkpoint(false);
  }

  /**
   * Replaces files' contents: a commit and a checkpoint in one, atomic like any commit. Linear in the bytes kept, with flat memory.
   * Until it is done the files cannot be changed; reads see the old content until then.
   *
   * A rejected rewrite leaves the group as it was, unless it is poisoned; as after a rejected commit, the next one needs
   * {@link FileGroup.discard} or {@link FileGroup.resume} first.
   *
   * @throws TypeError when something is pending; RangeError for ranges that do not ascend within the file; the signal's reason, or
   *   what a callback or an iterable threw; AofError as {@link FileGroup.commit}
   */
  async rewrite(plan: RewritePlan): Promise<void> {
    const writer = this.#checkWritable();
    this.#checkChangeable();
    if (writer.refusal !== undefined) throw writer.refusal.error;
    const { allocate } = this.#medium;
    return writer.rewrite(sealRewrite(plan, this.#layered, this.#layout.blobs.length, allocate));
  }

  /**
   * A copy of the files as they are committed, to be read while writing goes on: everything acknowledged is in it, and perhaps
   * commits that are written and wait for their sync. Costs nothing by itself; a rewind or rewrite that takes bytes away from it
   * saves them in a temporary file first, or at once where it runs already.
   *
   * @throws AofError `AOF_TOO_MANY`, `AOF_CLOSED`; while a rewind or rewrite runs also `AOF_NO_SPACE` and `AOF_IO`; `AOF_POISONED`
   *   when one of them ended half-way
   */
  copy(): Copy {
    this.#checkReadable();
    const poison = this.#writer?.poison;
    if (poison !== undefined && this.#copies.changing) throw poisoned(poison.error);
    return this.#copies.take();
  }

  /**
   * Waits for running calls, checkpoints, and frees files and lock. Changes that were not committed are dropped. Later calls get
   * the same promise; every other call is refused from now on. A poisoned group closes without writing.
   *
   * Everything is freed also when something fails. Where several things do, the error is the first of them and lists all in the
   * `AggregateError` that is its `cause`.
   *
   * @param options.handOver - also removes the journal, so that the folder holds the group's files and nothing else
   * @param options.until - what the owner still does in the folder with files of its own: the lock is kept until it has settled,
   *   either way
   */
  async close(
    options: { readonly handOver?: boolean; readonly until?: Promise<unknown> } = {},
  ): Promise<void> {
    this.#closing ??= this.#close(options.handOver ?? false, options.until);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(handOver: boolean, until: Promise<unknown> | undefined): Promise<void> {
    const failures: unknown[] = [];
    const [finished] = await Promise.allSettled([this.#finish(handOver), until]);
    if (finished.status === "rejected") failures.push(finished.reason);
    failures.push(...this.#release());
    if (failures.length > 0) throw together(failures);
  }

  async #finish(handOver: boolean): Promise<void> {
    const writer = this.#writer;
    await writer?.idle();
    if (writer === undefined) return;
    if (writer.poison === undefined) await writer.checkpoint(true);
    else if (handOver) throw poisoned(writer.poison.error);
    if (handOver) await this.#removeJournal(writer);
  }

  async #removeJournal(writer: Writer): Promise<void> {
    // The last renames must be durable before the journal that would repeat them goes.
    await this.#medium.syncFolder();
    writer.close();
    this.#medium.remove(journalName(this.#layout.prefix));
    await this.#medium.syncFolder();
  }

  /** Frees files and lock, and returns what failed. */
  #release(): unknown[] {
    this.#copies.close();
    const files = this.#layered.map(({ file }) => file);
    const failures = closeAll(this.#writer === undefined ? files : [...files, this.#writer]);
    this.#unlock();
    return failures;
  }

  #checkReadable(): void {
    if (this.#closing !== undefined) throw new AofError("AOF_CLOSED", "the group is closed");
  }

  #checkWritable(): Writer {
    this.#checkReadable();
    const writer = this.#writer;
    if (writer === undefined) {
      throw new AofError("AOF_READ_ONLY", "the group was opened for reading only");
    }
    if (writer.poison !== undefined) throw poisoned(writer.poison.error);
    return writer;
  }

  #checkChangeable(): void {
    if (this.#checkWritable().rewriting) {
      throw new TypeError("files cannot be changed while a rewrite runs");
    }
  }
}

/** Several failures as one: the first, which tells what to do, with all of them as its cause. */
function together(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (failures.length === 1 || !(first instanceof AofError)) return first;
  const message = `${first.message}, and so did ${failures.length - 1} more steps of closing`;
  return new AofError(first.code, message, { cause: new AggregateError(failures) });
}
