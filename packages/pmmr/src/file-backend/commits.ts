import type { BlobContent, Commit, FileGroup } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { PmmrError } from "../errors.ts";
import type { MmrHashing } from "../hashing.ts";
import { type LongOptions, throwIfAborted } from "../progress.ts";
import { rootsAfterCompaction } from "./compaction.ts";
import { encodeSetDelta, type SetDelta } from "./delta.ts";
import type { PruneList } from "./prune-list.ts";
import { type SealedState, SealedStates } from "./sealed-states.ts";
import { encodeStateMeta } from "./state-meta.ts";
import { Steps } from "./steps.ts";
import { checkPosition, type StoredRange } from "./stored-range.ts";

/** What a compaction takes. Progress counts bytes written. */
export interface CompactOptions extends LongOptions {
  /** Only leaves at positions below it are pruned. Default: all. */
  readonly horizon?: number;
  /** 0-based positions of leaves that a rewind may bring back: they stay. Default: none. */
  readonly restorable?: Iterable<number>;
}

/**
 * Makes what was written to a range one state after another, and goes back to them.
 *
 * Invariants
 * 1. What the files hold at a commit call and what the bitmaps hold then are sealed together: meta, both deltas, all files.
 * 2. Bitmaps and files are always of one state, also in the moments when the group has gone back or forward and nobody has
 *    heard of it yet.
 */
export class RangeCommits {
  readonly #group: FileGroup;
  readonly #range: StoredRange;
  readonly #isPrunable: boolean;
  readonly #hashing: MmrHashing;
  readonly #sealed: SealedStates;
  #lacksPruneFile: boolean;
  #epoch = 0;
  #isDirty = false;
  #isCompacting = false;
  /**
   * While a compaction runs: takes over its roots at the moment when the group goes on with the new files. The group tells by
   * their size, at once; its promise is heard of a little later, and reads in between must not mix old and new.
   */
  #afterSwitch: (() => void) | undefined;

  /**
   * @param lacksPruneFile - whether there is no file of pruned roots yet: the next commit makes one
   */
  constructor(
    group: FileGroup,
    range: StoredRange,
    shape: { readonly prunable: boolean; readonly hashing: MmrHashing },
    lacksPruneFile: boolean,
  ) {
    this.#group = group;
    this.#range = range;
    this.#isPrunable = shape.prunable;
    this.#hashing = shape.hashing;
    this.#lacksPruneFile = lacksPruneFile;
    const unspent = range.unspent.freeze();
    const prune = range.prune.clone();
    this.#sealed = new SealedStates({ sequence: group.sequence, unspent, prune });
  }

  /** Grows whenever nodes may have changed or gone. */
  get epoch(): number {
    this.follow();
    return this.#epoch;
  }

  /** Whether anything was written since the last commit. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** Whether a commit was called that has not settled yet. */
  get areInFlight(): boolean {
    return this.#sealed.areInFlight;
  }

  /** To be called before reading what a compaction may be replacing. */
  follow(): void {
    this.#afterSwitch?.();
  }

  /**
   * Something was written.
   *
   * @param hasLost - whether nodes may have changed or gone
   */
  noteWrite(hasLost = false): void {
    this.#isDirty = true;
    if (hasLost) this.#epoch++;
  }

  /** Throws what a write would throw now: compacting, closed, poisoned, or opened for reading. */
  requireWritable(): void {
    if (this.#isCompacting) throw new PmmrError("PMMR_BUSY", "a compaction is running");
    // Changes nothing, and throws what any other append would.
    this.#group.files[0]?.append(NOTHING);
  }

  /**
   * Seals what was written so far into one atomic commit. Calls may overlap; they take effect in call order, and what is
   * written after a call belongs to the next. Where nothing was written, the call stands for the commit before it: it is
   * rejected if that one is.
   *
   * @param sync - whether the promise waits for the medium. Without it, the state survives the end of the process but perhaps
   *   not a power loss
   * @throws AofError when the state could not be stored. Unless the group is poisoned, what was written is pending again, with
   *   what was written since
   */
  async commit(sync: boolean): Promise<void> {
    this.requireWritable();
    if (!this.#isDirty) {
      await Promise.all([this.#sealed.last.done, sync ? this.#group.sync() : undefined]);
      return;
    }
    const before = this.#group.sequence;
    const { commit, state } = this.#seal(sync);
    const done = this.#group.commit(commit);
    const { sequence } = this.#group;
    const isTaken = before < sequence;
    const sealed = { ...state, sequence: isTaken ? sequence : Number.POSITIVE_INFINITY, done };
    this.#sealed.add(sealed);
    this.#isDirty = false;
    try {
      await done;
    } catch (error) {
      if (this.#group.state === "open") this.#takeBack(sealed);
      throw error;
    }
    this.#lacksPruneFile = false;
    this.#sealed.settle(sequence);
  }

  /** Forgets what was written since the last commit: appends, spends, rewinds, pruned subtrees. */
  discard(): void {
    this.requireWritable();
    if (!this.#isDirty) return;
    this.#group.discard();
    this.#sealed.dropAfter(this.#group.sequence);
    const { unspent, prune } = this.#sealed.last;
    this.#range.restore(unspent, prune.clone());
    this.#isDirty = false;
    this.#epoch++;
  }

  /**
   * Removes from the files what spent leaves no longer need, and prunes them for good. One commit, durable when it resolves;
   * linear in the files, flat in memory. Reads go on meanwhile; writes are refused with `PMMR_BUSY`.
   *
   * @throws TypeError if something was written since the last commit
   * @throws PmmrError PMMR_NOT_PRUNABLE, PMMR_BUSY, PMMR_ABORTED; after these nothing has changed
   */
  async compact(options: CompactOptions = {}): Promise<void> {
    this.requireWritable();
    if (this.#isDirty) throw new TypeError("commit or discard before compacting");
    const { size } = this.#range;
    const horizon = options.horizon ?? size;
    checkPosition(horizon);
    const restorable = new Bitmap();
    for (const pos0 of options.restorable ?? []) {
      checkPosition(pos0);
      if (pos0 < size) restorable.add(pos0 + 1);
    }
    throwIfAborted(options.signal, 0, size);
    this.#isCompacting = true;
    try {
      await this.#rewrite(horizon, restorable, options);
    } finally {
      this.#isCompacting = false;
      this.#afterSwitch = undefined;
    }
  }

  async #rewrite(horizon: number, restorable: Bitmap, options: CompactOptions): Promise<void> {
    const range = this.#range;
    const unspent = range.unspent.freeze();
    const after = rootsAfterCompaction(range.prune, range.size, unspent, horizon, restorable);
    const { files, bytes } = range.rewriteTo(after);
    const { hashCount } = range;
    const switched = { is: false };
    this.#afterSwitch = () => {
      // Where no hash goes, no offset changes, and reads give the same with old and new roots.
      if (switched.is || range.hashCount === hashCount) return;
      switched.is = true;
      range.takeOver(after);
      this.#epoch++;
    };
    const steps = new Steps(options, bytes);
    try {
      await this.#group.rewrite({
        files,
        blobs: [() => unspent.serialize(), pruneContent(after)],
        meta: this.#group.meta,
        onProgress: ({ bytesDone }) => steps.step(bytesDone),
      });
    } catch (error) {
      // Where writing ended after the switch, the files are the new ones and can still be read.
      this.follow();
      // Else nothing has changed. If a commit before it was rejected, that one resumes the group.
      if (this.#group.state === "open" && !this.#isDirty) this.#group.resume();
      throw error;
    }
    if (!switched.is) this.#epoch++;
    switched.is = true;
    range.takeOver(after);
    this.#lacksPruneFile = false;
    this.#sealed.reset({ sequence: this.#group.sequence, unspent, prune: after.clone() });
    await steps.finish();
  }

  /** What is to be committed now, and the bitmaps to go back to. From now on, changes count from here. */
  #seal(sync: boolean): {
    readonly commit: Commit;
    readonly state: Pick<SealedState, "unspent" | "prune">;
  } {
    const { unspent: leaves, prune: roots } = this.#range;
    // First what reads files and may fail.
    const meta = encodeStateMeta({ size: this.#range.size, root: this.#range.root(this.#hashing) });
    const before = this.#sealed.last;
    const leafDelta = leaves.takeDelta();
    const rootDelta = roots.takeDelta(before.prune);
    const unspent = hasChanges(leafDelta) ? leaves.freeze() : before.unspent;
    const prune = hasChanges(rootDelta) ? roots.clone() : before.prune;
    const blobs = [
      blobOf(rootDelta, hasChanges(rootDelta) || this.#lacksPruneFile, pruneContent(prune)),
    ];
    if (this.#isPrunable) {
      blobs.unshift(blobOf(leafDelta, hasChanges(leafDelta), () => unspent.serialize()));
    }
    return { commit: { meta, blobs, sync }, state: { unspent, prune } };
  }

  /** A commit was rejected: what it held is pending again, below what was written since. */
  #takeBack(state: SealedState): void {
    if (!this.#sealed.has(state)) return;
    this.#sealed.dropAfter(this.#group.sequence);
    this.#range.unspent.rebase(this.#sealed.last.unspent);
    this.#range.prune.rebase();
    this.#isDirty = true;
    this.#group.resume();
  }
}

const NOTHING = new Uint8Array(0);

function blobOf(
  delta: SetDelta,
  isChanged: boolean,
  content: BlobContent,
): { readonly delta: Uint8Array; readonly content: BlobContent } | undefined {
  return isChanged ? { delta: encodeSetDelta(delta), content } : undefined;
}

function hasChanges(delta: SetDelta): boolean {
  return delta.added.length > 0 || delta.removed.length > 0;
}

function pruneContent(prune: PruneList): BlobContent {
  return () => Bitmap.from(prune.roots1()).serialize();
}
