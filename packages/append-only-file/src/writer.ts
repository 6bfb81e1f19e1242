import { EMPTY } from "./bytes.ts";
import { install, publish, SwitchError, type Target } from "./checkpoint.ts";
import { AofError } from "./errors.ts";
import { type Layer, type LayeredFile } from "./group-file.ts";
import { Journal } from "./journal.ts";
import { type JournalHeader } from "./journal-header.ts";
import { type BlobContent, type GroupLayout } from "./layout.ts";
import { type Medium, syncAll } from "./medium.ts";
import { type OpenedBlob } from "./open-folder.ts";
import { type GroupMetrics } from "./options.ts";
import { journalName } from "./own-names.ts";

/** What one commit call sealed. */
export interface SealedCommit {
  readonly meta: Uint8Array;
  /** Per append file; `undefined` when it did not change. */
  readonly layers: readonly (Layer | undefined)[];
  /** Per blob; empty when it did not change. */
  readonly deltas: readonly Uint8Array[];
  readonly contents: readonly (BlobContent | undefined)[];
  readonly sync: boolean;
  /** Whether some file goes back below what the commit before left. */
  readonly rewinds: boolean;
}

/** What one rewrite call asked for. */
export interface SealedRewrite {
  readonly meta: Uint8Array;
  /** Per append file: what writes its next content, `undefined` when it stays. */
  readonly files: readonly (Extract<Target["files"][number], { kind: "replaced" }> | undefined)[];
  readonly contents: readonly (BlobContent | undefined)[];
}

/** When a journal is long enough for a checkpoint, and a commit long enough to bypass it. */
export interface WriterLimits {
  readonly bulkBytesMin: number;
  readonly journalBytesMax: number;
  readonly journalRecordsMax: number;
}

/** Who wants to know what happens to the files. */
export interface WriterWatch {
  /** Bytes of these files from these offsets on are about to change. An exception undoes the commit. */
  readonly protect: (changes: readonly { readonly index: number; readonly from: number }[]) => void;
  readonly metrics: GroupMetrics;
}

type Call =
  | { readonly kind: "commit"; readonly commit: SealedCommit }
  | { readonly kind: "rewrite"; readonly rewrite: SealedRewrite }
  | { readonly kind: "checkpoint"; readonly clean: boolean }
  | { readonly kind: "sync" };

type Task = Call & {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

interface Blob {
  content: BlobContent;
  inHeader: OpenedBlob["inHeader"];
  changed: boolean;
}

/**
 * The one writer of a group: takes calls in order and carries out the commit protocol.
 *
 * Invariants
 * 1. A commit's effect below the committed length of a file (a rewind) happens after its record is durable.
 * 2. Bytes beyond the committed length may be written at any time: without a record they do not exist.
 * 3. A commit is acknowledged in order, and a synced one after a sync that began when its record was written.
 * 4. A failure before anything of a commit is in the journal undoes it in memory, with all commits queued behind it, and nothing
 *    new is taken until its caller knows. Any later failure, and any failed sync, ends writing for good.
 *
 * Every crash point: FORMAT.md, "What a crash leaves".
 */
export class Writer {
  readonly #medium: Medium;
  readonly #layout: GroupLayout;
  readonly #limits: WriterLimits;
  readonly #watch: WriterWatch;
  readonly #files: readonly LayeredFile[];
  readonly #blobs: readonly Blob[];
  #journal: Journal;
  #meta: Uint8Array;
  #queue: Task[] = [];
  /** Taken from the queue, not yet settled. */
  #acting: Task[] = [];
  #running: Promise<void> | undefined;
  #poison: { readonly error: unknown } | undefined;
  /** The failure of a commit that was undone, until its caller shows to know about it. */
  #refusal: { readonly error: unknown } | undefined;
  #commits = 0;
  #checkpoints = 0;

  constructor(
    medium: Medium,
    layout: GroupLayout,
    limits: WriterLimits,
    watch: WriterWatch,
    files: readonly LayeredFile[],
    opened: {
      readonly header: JournalHeader;
      readonly meta: Uint8Array;
      readonly blobs: readonly OpenedBlob[];
    },
  ) {
    this.#medium = medium;
    this.#layout = layout;
    this.#limits = limits;
    this.#watch = watch;
    this.#files = files;
    this.#blobs = opened.blobs.map((blob) => ({ ...blob }));
    this.#meta = opened.meta;
    this.#journal = this.#openJournal(opened.header);
  }

  /** The first failure that ended writing. */
  get poison(): { readonly error: unknown } | undefined {
    return this.#poison;
  }

  /**
   * The failure of a commit that was undone. Until {@link Writer.accept}, nothing more is taken: a call made before its maker
   * heard of the failure builds on a state that does not exist.
   */
  get refusal(): { readonly error: unknown } | undefined {
    return this.#refusal;
  }

  accept(): void {
    this.#refusal = undefined;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** `meta` of the last commit called and not rejected. */
  get meta(): Uint8Array {
    const last = this.#unwritten().at(-1);
    return last?.kind === "commit" ? last.commit.meta : (last?.rewrite.meta ?? this.#meta);
  }

  /** Number of the last commit called and not rejected. */
  get sequence(): number {
    return this.#journal.sequence + this.#unwritten().length;
  }

  /** Whether a rewrite was called and is not done. */
  get rewriting(): boolean {
    return this.#unwritten().some((task) => task.kind === "rewrite");
  }

  get commits(): number {
    return this.#commits;
  }

  get checkpoints(): number {
    return this.#checkpoints;
  }

  commit(commit: SealedCommit): Promise<void> {
    return this.#enqueue({ kind: "commit", commit });
  }

  rewrite(rewrite: SealedRewrite): Promise<void> {
    return this.#enqueue({ kind: "rewrite", rewrite });
  }

  sync(): Promise<void> {
    return this.#enqueue({ kind: "sync" });
  }

  /** @param clean - marks the journal as closed: no commit follows */
  checkpoint(clean: boolean): Promise<void> {
    return this.#enqueue({ kind: "checkpoint", clean });
  }

  /** Waits until everything called so far is settled. Never rejects. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  close(): void {
    this.#journal.close();
  }

  #enqueue(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...call, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Calls of the same turn share what they can.
    await Promise.resolve();
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      try {
        await this.#perform(task);
      } catch (error) {
        this.#poisonBy(error instanceof SwitchError ? error.cause : error);
      }
    }
    this.#running = undefined;
  }

  async #perform(task: Task): Promise<void> {
    switch (task.kind) {
      case "commit":
        return this.#performCommits(task.commit);
      case "rewrite":
        return this.#performRewrite(task.rewrite);
      case "checkpoint":
        return this.#performCheckpoint(task.clean);
      case "sync":
        this.#take();
        if (this.#journal.durable < this.#journal.sequence) await this.#journal.sync();
        this.#acknowledge();
    }
  }

  async #performCommits(first: SealedCommit): Promise<void> {
    if (this.#journal.header.clean || this.#due()) {
      try {
        await this.#checkpoint(false);
      } catch (error) {
        if (error instanceof SwitchError) {
          this.#take();
          throw error;
        }
        this.#rejectWaiting(error);
        return;
      }
    }
    if (first.rewinds) await this.#performRewind(first);
    else await this.#performAppends();
    if (!this.#due()) return;
    try {
      await this.#checkpoint(false);
    } catch (error) {
      // Tried again, and reported, before the next commit.
      if (error instanceof SwitchError) throw error;
    }
  }

  /** Writes all commits at the head of the queue that only append, then syncs once for all of them. */
  async #performAppends(): Promise<void> {
    let sync = false;
    for (let task = this.#queue[0]; task?.kind === "commit"; task = this.#queue[0]) {
      const { commit } = task;
      if (commit.rewinds || (this.#acting.length > 0 && this.#due())) break;
      let record: Uint8Array;
      try {
        record = await this.#prepareAppend(commit);
      } catch (error) {
        const final = this.#undo(commit, error);
        if (final !== undefined) {
          this.#take();
          throw final;
        }
        this.#rejectWaiting(error);
        break;
      }
      this.#take();
      this.#record(commit, record);
      this.#settle(commit);
      sync ||= commit.sync;
    }
    if (sync) await this.#journal.sync();
    this.#acknowledge();
  }

  /** Puts a commit's bytes where they will be and encodes its record. Without the record they do not exist. */
  async #prepareAppend(commit: SealedCommit): Promise<Uint8Array> {
    const changed = this.#files.filter((_, i) => commit.layers[i] !== undefined);
    let total = 0;
    for (const [i, file] of this.#files.entries()) {
      const layer = commit.layers[i];
      if (layer === undefined) continue;
      file.write(layer);
      total += layer.bytes.length;
    }
    const direct = total >= this.#limits.bulkBytesMin;
    if (direct) await syncAll(changed.map(({ file }) => file));
    return this.#encode(commit, direct);
  }

  /** Removes what a failed commit put into the files. Returns the error that ends writing where that is not enough. */
  #undo(commit: SealedCommit, error: unknown): unknown {
    if (error instanceof AofError && error.code === "AOF_DURABILITY_UNKNOWN") return error;
    try {
      for (const [i, file] of this.#files.entries()) {
        if (commit.layers[i] !== undefined) file.cutBack();
      }
      return undefined;
    } catch (cause) {
      return new AofError("AOF_IO", "a failed commit could not be undone", {
        cause: new AggregateError([error, cause]),
      });
    }
  }

  /** A commit that overwrites or cuts bytes an older durable state needs: first its record, synced, then its effect. */
  async #performRewind(commit: SealedCommit): Promise<void> {
    let record: Uint8Array;
    try {
      this.#watch.protect(
        this.#files.flatMap((file, index) => {
          const from = commit.layers[index]?.base;
          return from !== undefined && from < file.applied ? [{ index, from }] : [];
        }),
      );
      record = this.#encode(commit, false);
    } catch (error) {
      this.#rejectWaiting(error);
      return;
    }
    this.#take();
    this.#record(commit, record);
    await this.#journal.sync();
    this.#acknowledge();
    for (const [i, file] of this.#files.entries()) {
      const layer = commit.layers[i];
      if (layer !== undefined) file.write(layer);
    }
    this.#settle(commit);
  }

  #encode(commit: SealedCommit, direct: boolean): Uint8Array {
    const files = this.#files.map((file, i) => {
      const { base, bytes } = commit.layers[i] ?? { base: file.applied, bytes: EMPTY };
      return { base, length: bytes.length, bytes: direct && bytes.length > 0 ? undefined : bytes };
    });
    return this.#journal.encode({ files, deltas: commit.deltas, meta: commit.meta });
  }

  #record(commit: SealedCommit, record: Uint8Array): void {
    this.#journal.append(record);
    this.#meta = commit.meta;
    this.#commits++;
    const { sequence } = this.#journal;
    notify(() => this.#watch.metrics.commit?.({ sequence, journalBytes: record.length }));
    for (const [i, blob] of this.#blobs.entries()) {
      const content = commit.contents[i];
      if (content === undefined) continue;
      blob.content = content;
      blob.changed = true;
    }
  }

  #settle(commit: SealedCommit): void {
    for (const [i, file] of this.#files.entries()) {
      const layer = commit.layers[i];
      if (layer !== undefined) file.settle(layer);
    }
  }

  async #performRewrite(rewrite: SealedRewrite): Promise<void> {
    this.#take();
    try {
      this.#watch.protect(
        rewrite.files.flatMap((next, index) => (next === undefined ? [] : [{ index, from: 0 }])),
      );
      await this.#switch({
        clean: false,
        sequence: this.#journal.sequence + 1,
        meta: rewrite.meta,
        files: this.#files.map(
          (file, i) => rewrite.files[i] ?? { kind: "kept", length: file.applied },
        ),
        contents: rewrite.contents,
      });
    } catch (error) {
      if (error instanceof SwitchError) throw error;
      this.#queue.unshift(...this.#acting.splice(0));
      this.#rejectWaiting(error);
      return;
    }
    this.#commits++;
    this.#acknowledge();
  }

  async #performCheckpoint(clean: boolean): Promise<void> {
    this.#take();
    try {
      const { header, records } = this.#journal;
      if (records > 0 || (clean && !header.clean)) await this.#checkpoint(clean);
    } catch (error) {
      if (error instanceof SwitchError) throw error;
      for (const task of this.#acting.splice(0)) task.reject(error);
      return;
    }
    this.#acknowledge();
  }

  #checkpoint(clean: boolean): Promise<void> {
    return this.#switch({
      clean,
      sequence: this.#journal.sequence,
      meta: this.#meta,
      files: this.#files.map((file) => ({ kind: "kept", length: file.applied })),
      contents: this.#blobs.map(() => undefined),
    });
  }

  /** Installs a journal for the state that results, publishes what it prepared and goes on with it. */
  async #switch(next: {
    readonly clean: boolean;
    readonly sequence: number;
    readonly meta: Uint8Array;
    readonly files: Target["files"];
    readonly contents: readonly (BlobContent | undefined)[];
  }): Promise<void> {
    const { clean, sequence, meta, files } = next;
    const header = await install(
      this.#medium,
      this.#layout,
      {
        generation: this.#journal.header.generation + 1,
        clean,
        sequence,
        meta,
        files,
        blobs: this.#blobs.map((blob, i) => {
          const content = next.contents[i] ?? (blob.changed ? blob.content : undefined);
          return content === undefined
            ? { kind: "kept", content: blob.inHeader }
            : { kind: "replaced", write: content };
        }),
        sync: this.#files.map(({ file }) => file),
      },
      () => this.#journal.close(),
    );
    try {
      this.#publish(header);
      this.#journal = this.#openJournal(header);
    } catch (cause) {
      throw new SwitchError("the files were being switched", { cause });
    }
    for (const [i, blob] of this.#blobs.entries()) {
      blob.content = next.contents[i] ?? blob.content;
      blob.inHeader = header.blobs[i]?.content;
      blob.changed = false;
    }
    this.#meta = meta;
    this.#checkpoints++;
    const { generation } = header;
    notify(() => this.#watch.metrics.checkpoint?.({ sequence, generation }));
  }

  /** Gives prepared contents their names; nothing may be read in between, and nothing is. */
  #publish(header: JournalHeader): void {
    for (const [i, file] of this.#files.entries()) {
      if (header.files[i]?.pending === true) file.file.close();
    }
    publish(this.#medium, this.#layout, header);
    for (const [i, file] of this.#files.entries()) {
      const described = header.files[i];
      if (described?.pending !== true) continue;
      file.replace(this.#medium.open(file.name, "existing"), described.length);
    }
  }

  #openJournal(header: JournalHeader): Journal {
    const file = this.#medium.open(journalName(this.#layout.prefix), "existing");
    return new Journal(this.#medium, file, header);
  }

  #due(): boolean {
    const { journalBytesMax, journalRecordsMax } = this.#limits;
    return this.#journal.size > journalBytesMax || this.#journal.records > journalRecordsMax;
  }

  /** Calls that will get a number and have none yet. */
  #unwritten(): Extract<Task, { readonly kind: "commit" | "rewrite" }>[] {
    const rewrites = this.#acting.filter((task) => task.kind === "rewrite");
    const waiting = this.#queue.filter((task) => task.kind === "commit" || task.kind === "rewrite");
    return [...rewrites, ...waiting];
  }

  /** Moves the head of the queue to the tasks being acted on. */
  #take(): void {
    const task = this.#queue.shift();
    if (task !== undefined) this.#acting.push(task);
  }

  #acknowledge(): void {
    for (const task of this.#acting.splice(0)) task.resolve();
  }

  /** Undoes the commit at the head of the queue and everything that builds on it. */
  #rejectWaiting(error: unknown): void {
    const undone = this.#queue.filter((task) => task.kind === "commit" || task.kind === "rewrite");
    this.#queue = this.#queue.filter((task) => task.kind === "checkpoint" || task.kind === "sync");
    const written = this.#acting;
    this.#acting = [...written, ...undone];
    for (const [i, file] of this.#files.entries()) {
      const layers = undone.flatMap((task) =>
        task.kind === "commit" ? (task.commit.layers[i] ?? []) : [],
      );
      if (layers.length > 0) file.unseal(layers);
    }
    this.#acting = written;
    this.#refusal = { error };
    for (const task of undone) task.reject(error);
  }

  #poisonBy(error: unknown): void {
    this.#poison ??= { error };
    notify(() => this.#watch.metrics.poisoned?.({ error }));
    for (const task of this.#acting.splice(0)) task.reject(error);
    for (const task of this.#queue.splice(0)) task.reject(poisoned(error));
  }
}

/** Tells a hook; what it throws is its own affair. */
function notify(hook: () => void): void {
  try {
    hook();
  } catch {
    // A hook only looks on.
  }
}

/** What every call gets after writing ended. */
export function poisoned(cause: unknown): AofError {
  return new AofError("AOF_POISONED", "an earlier write failed; close and open again", { cause });
}
