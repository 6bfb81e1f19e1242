import { type AppliedState } from "./applied-state.ts";
import { type Call, CallQueue, type SealedCommit, type SealedRewrite } from "./call-queue.ts";
import { SwitchError } from "./checkpoint.ts";
import { AofError } from "./errors.ts";
import { type Journal } from "./journal.ts";
import { syncAll } from "./medium.ts";
import { type GroupMetrics } from "./options.ts";

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
  /** They have changed, or will not. Not called when writing ends in between. */
  readonly settled: () => void;
  readonly metrics: GroupMetrics;
}

/**
 * The one writer of a group: takes calls in order and carries out the commit protocol.
 *
 * Invariants
 * 1. A commit's effect below the committed length of a file (a rewind) happens after its record is durable.
 * 2. Bytes beyond the committed length may be written at any time: without a record they do not exist.
 * 3. Commits are acknowledged in order, a synced one after a sync that began when its record was written.
 * 4. A failure before anything of a commit is in the journal undoes it in memory, with all commits queued behind it, and nothing
 *    new is taken until its caller knows. Any later failure, and any failed sync, ends writing for good.
 *
 * Every crash point: FORMAT.md, "What a crash leaves".
 */
export class Writer {
  readonly #state: AppliedState;
  readonly #limits: WriterLimits;
  readonly #watch: WriterWatch;
  readonly #queue = new CallQueue();
  #running: Promise<void> | undefined;
  #poison: { readonly error: unknown } | undefined;
  #refusal: { readonly error: unknown } | undefined;
  #commits = 0;
  #checkpoints = 0;

  constructor(state: AppliedState, limits: WriterLimits, watch: WriterWatch) {
    this.#state = state;
    this.#limits = limits;
    this.#watch = watch;
  }

  /** The first failure that ended writing. */
  get poison(): { readonly error: unknown } | undefined {
    return this.#poison;
  }

  /**
   * The failure of a commit that was undone. Until {@link Writer.accept} no further one may be called: its maker may not have heard
   * of the failure yet, and build on a state that does not exist.
   */
  get refusal(): { readonly error: unknown } | undefined {
    return this.#refusal;
  }

  accept(): void {
    this.#refusal = undefined;
  }

  get journal(): Journal {
    return this.#state.journal;
  }

  /** `meta` of the last commit called and not rejected. */
  get meta(): Uint8Array {
    const last = this.#queue.changes.at(-1);
    if (last === undefined) return this.#state.meta;
    return last.kind === "commit" ? last.commit.meta : last.rewrite.meta;
  }

  /** Number of the last commit called and not rejected. */
  get sequence(): number {
    return this.journal.sequence + this.#queue.changes.length;
  }

  /** Whether a rewrite was called and is not done. */
  get rewriting(): boolean {
    return this.#queue.hasRewrite;
  }

  get commits(): number {
    return this.#commits;
  }

  get checkpoints(): number {
    return this.#checkpoints;
  }

  commit(commit: SealedCommit): Promise<void> {
    return this.#call({ kind: "commit", commit });
  }

  rewrite(rewrite: SealedRewrite): Promise<void> {
    return this.#call({ kind: "rewrite", rewrite });
  }

  sync(): Promise<void> {
    return this.#call({ kind: "sync" });
  }

  /** @param clean - marks the journal as closed: no commit follows */
  checkpoint(clean: boolean): Promise<void> {
    return this.#call({ kind: "checkpoint", clean });
  }

  /** Waits until everything called so far is settled. Never rejects. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  close(): void {
    this.#state.close();
  }

  #call(call: Call): Promise<void> {
    const promise = this.#queue.add(call);
    this.#running ??= this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    // Calls of the same turn share what they can.
    await Promise.resolve();
    for (let call = this.#queue.head; call !== undefined; call = this.#queue.head) {
      try {
        await this.#perform(call);
      } catch (error) {
        this.#poisonBy(error instanceof SwitchError ? error.cause : error);
      }
    }
    this.#running = undefined;
  }

  async #perform(call: Call): Promise<void> {
    switch (call.kind) {
      case "commit":
        return this.#performCommits(call.commit);
      case "rewrite":
        return this.#performRewrite(call.rewrite);
      case "checkpoint":
        return this.#performCheckpoint(call.clean);
      case "sync":
        this.#queue.take();
        if (this.journal.durable < this.journal.sequence) await this.journal.sync();
        this.#queue.acknowledge();
    }
  }

  async #performCommits(first: SealedCommit): Promise<void> {
    if (this.journal.header.clean || this.#isDue()) {
      try {
        await this.#checkpoint(false);
      } catch (error) {
        if (!(error instanceof SwitchError)) return this.#refuse(error);
        this.#queue.take();
        throw error;
      }
    }
    if (first.rewinds) await this.#performRewind(first);
    else await this.#performAppends();
    if (!this.#isDue()) return;
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
    for (let call = this.#queue.head; call?.kind === "commit"; call = this.#queue.head) {
      const { commit } = call;
      if (commit.rewinds || (this.#queue.actingCount > 0 && this.#isDue())) break;
      let record: Uint8Array;
      try {
        record = await this.#prepareAppend(commit);
      } catch (error) {
        const final = this.#undo(commit, error);
        if (final === undefined) {
          this.#refuse(error);
          break;
        }
        this.#queue.take();
        throw final;
      }
      this.#queue.take();
      this.#record(commit, record);
      this.#state.settle(commit);
      sync ||= commit.sync;
    }
    if (sync) await this.journal.sync();
    this.#queue.acknowledge();
  }

  /** Puts a commit's bytes where they will be and encodes its record. Without the record they do not exist. */
  async #prepareAppend(commit: SealedCommit): Promise<Uint8Array> {
    this.#state.write(commit);
    const changed = this.#state.files.filter((_, i) => commit.layers[i] !== undefined);
    let total = 0;
    for (const layer of commit.layers) total += layer?.bytes.length ?? 0;
    const direct = total >= this.#limits.bulkBytesMin;
    if (direct) await syncAll(changed.map(({ file }) => file));
    return this.#state.encode(commit, direct);
  }

  /** Removes what a failed commit put into the files. Returns the error that ends writing where that is not enough. */
  #undo(commit: SealedCommit, error: unknown): unknown {
    if (error instanceof AofError && error.code === "AOF_DURABILITY_UNKNOWN") return error;
    try {
      this.#state.cutBack(commit);
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
        this.#state.files.flatMap((file, index) => {
          const from = commit.layers[index]?.base;
          return from !== undefined && from < file.applied ? [{ index, from }] : [];
        }),
      );
      record = this.#state.encode(commit, false);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#queue.take();
    this.#record(commit, record);
    await this.journal.sync();
    this.#queue.acknowledge();
    this.#state.write(commit);
    this.#state.settle(commit);
    this.#watch.settled();
  }

  #record(commit: SealedCommit, record: Uint8Array): void {
    this.#state.record(commit, record);
    this.#commits++;
    const { sequence } = this.journal;
    notify(() => this.#watch.metrics.commit?.({ sequence, journalBytes: record.length }));
  }

  async #performRewrite(rewrite: SealedRewrite): Promise<void> {
    const sequence = this.journal.sequence + 1;
    try {
      this.#watch.protect(
        rewrite.files.flatMap((next, index) => (next === undefined ? [] : [{ index, from: 0 }])),
      );
      const files = this.#state.files.map(
        (file, i) => rewrite.files[i] ?? { kind: "kept" as const, length: file.applied },
      );
      const { meta, contents } = rewrite;
      const next = { clean: false, sequence, meta, files, contents };
      await this.#state.switchTo(next, () => {
        this.#queue.take();
        this.#watch.settled();
      });
    } catch (error) {
      if (!(error instanceof SwitchError)) return this.#refuse(error);
      this.#queue.take();
      throw error;
    }
    this.#commits++;
    this.#noteCheckpoint();
    this.#queue.acknowledge();
  }

  async #performCheckpoint(clean: boolean): Promise<void> {
    this.#queue.take();
    try {
      const { header, records } = this.journal;
      if (records > 0 || (clean && !header.clean)) await this.#checkpoint(clean);
    } catch (error) {
      if (error instanceof SwitchError) throw error;
      this.#queue.refuse(error);
      return;
    }
    this.#queue.acknowledge();
  }

  async #checkpoint(clean: boolean): Promise<void> {
    await this.#state.checkpoint(clean);
    this.#noteCheckpoint();
  }

  #noteCheckpoint(): void {
    this.#checkpoints++;
    const { sequence, generation } = this.journal.header;
    notify(() => this.#watch.metrics.checkpoint?.({ sequence, generation }));
  }

  #isDue(): boolean {
    const { journalBytesMax, journalRecordsMax } = this.#limits;
    return this.journal.size > journalBytesMax || this.journal.records > journalRecordsMax;
  }

  /** Undoes the commit or rewrite at the head of the queue and everything that builds on it. */
  #refuse(error: unknown): void {
    this.#watch.settled();
    this.#queue.refuseChanges(error, (commits) => {
      for (const [i, file] of this.#state.files.entries()) {
        const layers = commits.flatMap((commit) => commit.layers[i] ?? []);
        if (layers.length > 0) file.unseal(layers);
      }
      this.#refusal = { error };
    });
  }

  #poisonBy(error: unknown): void {
    this.#poison ??= { error };
    notify(() => this.#watch.metrics.poisoned?.({ error }));
    this.#queue.refuseAll(error, poisoned(error));
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
