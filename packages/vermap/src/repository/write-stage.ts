import { type Operation, type Reading } from "@x/store";

import { VerMapError } from "../errors.ts";
import { type CommitTable } from "../graph/commit-table.ts";
import { type Anchor, decodeAnchor, encodeAnchor } from "../records/anchor-record.ts";
import { type BranchRecord, encodeBranch } from "../records/branch-record.ts";
import { type Commit, encodeCommit } from "../records/commit-record.ts";
import { decodeMentions, encodeMentions } from "../records/mention-record.ts";
import { type RecordKeys } from "../records/record-keys.ts";
import { type AnchorChange, type WritePlan } from "./write-plan.ts";

/** What a plan comes to. */
export interface StagedPlan {
  readonly operations: readonly Operation[];
  /** Roots that records refer to from now on, and no longer; each mention once. */
  readonly hold: readonly number[];
  readonly drop: readonly number[];
  readonly collected: readonly number[];
  /** Roots of the heads of the branches that change; 0 of those without. */
  readonly headRoots: ReadonlyMap<number, number>;
}

/** Where the stage finds what is stored. */
export interface StageSource {
  readonly keys: RecordKeys;
  readonly commits: CommitTable;
  /** A branch's record as stored. */
  storedBranch(id: number): BranchRecord | undefined;
}

/** Counts read besides the one that is needed, while collecting. */
const AHEAD_COUNT = 31;

/**
 * Works out what a plan does to counts. Every mention that comes or goes is first a difference; only of commits whose
 * differences do not cancel out the count is read. What comes to zero is collected: its root is dropped, its parents lose a
 * mention, and so on, round by round.
 *
 * A count is the number of heads, parents and anchors that mention a commit; a count of one has no record.
 */
export class WriteStage {
  readonly #source: StageSource;
  readonly #operations: Operation[] = [];
  readonly #hold: number[] = [];
  readonly #drop: number[] = [];
  readonly #deltas = new Map<number, number>();
  readonly #added = new Set<number>();
  /** Commits as this plan leaves them, where they are not as stored. */
  readonly #written = new Map<number, Commit>();
  readonly #counts = new Map<number, number>();
  readonly #collected: number[] = [];
  readonly #headRoots = new Map<number, number>();

  constructor(source: StageSource) {
    this.#source = source;
  }

  /** @yields keys of anchors, commits and counts */
  *run(plan: WritePlan): Reading<StagedPlan> {
    const { commits = [], replaced = [], branches = [], anchors = [] } = plan;
    for (const commit of commits) this.#addCommit(commit);
    for (const commit of replaced) yield* this.#replaceCommit(commit);
    for (const { id, to } of branches) yield* this.#changeBranch(id, to);
    yield* this.#changeAnchors(anchors);
    yield* this.#settle();
    for (const one of plan.operations ?? []) this.#operations.push(one);
    return {
      operations: this.#operations,
      hold: this.#hold,
      drop: this.#drop,
      collected: this.#collected,
      headRoots: this.#headRoots,
    };
  }

  #addCommit(commit: Commit): void {
    this.#added.add(commit.id);
    this.#putCommit(commit);
    this.#mention(commit.parents, 1);
    this.#hold.push(commit.root);
  }

  *#replaceCommit(commit: Commit): Reading<void> {
    const before = yield* this.#source.commits.get(commit.id);
    this.#mention(commit.parents, 1);
    this.#mention(before.parents, -1);
    this.#hold.push(commit.root);
    this.#drop.push(before.root);
    this.#putCommit(commit);
  }

  #putCommit(commit: Commit): void {
    this.#written.set(commit.id, commit);
    const key = this.#source.keys.commit(commit.id);
    this.#operations.push({ type: "put", key, value: encodeCommit(commit) });
  }

  *#changeBranch(id: number, to: BranchRecord | undefined): Reading<void> {
    const before = this.#source.storedBranch(id);
    const key = this.#source.keys.branch(id);
    if (to === undefined) this.#operations.push({ type: "del", key });
    else {
      this.#operations.push({ type: "put", key, value: encodeBranch(id, to) });
      this.#mention(headOf(to), 1);
      this.#hold.push(to.root);
      this.#headRoots.set(id, yield* this.#rootOf(to.head));
    }
    if (before === undefined) return;
    this.#mention(headOf(before), -1);
    this.#drop.push(before.root);
  }

  *#rootOf(head: number): Reading<number> {
    if (head === 0) return 0;
    return (this.#written.get(head) ?? (yield* this.#source.commits.get(head))).root;
  }

  *#changeAnchors(changes: readonly AnchorChange[]): Reading<void> {
    if (changes.length === 0) return;
    const keys = changes.map(({ kind, name }) => this.#source.keys.anchor(kind, name));
    const values = yield keys;
    for (const [i, { to }] of changes.entries()) {
      const key = keys[i] as Uint8Array;
      const before = values[i];
      if (before !== undefined) this.#mentionAnchor(decodeAnchor(before), -1);
      if (to === undefined) this.#operations.push({ type: "del", key });
      else {
        this.#mentionAnchor(to, 1);
        this.#operations.push({ type: "put", key, value: encodeAnchor(to) });
      }
    }
  }

  #mentionAnchor({ commits, roots }: Anchor, difference: 1 | -1): void {
    this.#mention(commits, difference);
    const list = difference === 1 ? this.#hold : this.#drop;
    for (const root of roots) list.push(root);
  }

  #mention(ids: readonly number[], difference: number): void {
    for (const id of ids) this.#deltas.set(id, (this.#deltas.get(id) ?? 0) + difference);
  }

  /**
   * Turns differences into counts, and collects what has none left.
   *
   * @yields keys of counts and commits
   */
  *#settle(): Reading<void> {
    const before = new Map<number, number>();
    let pending = [...this.#deltas.keys()];
    for (let round = 0; pending.length > 0; round++) {
      const changed = pending.filter((id) => this.#deltas.get(id) !== 0 || this.#counts.has(id));
      yield* this.#readCounts(changed, before, round === 0 ? 0 : AHEAD_COUNT);
      const dying: number[] = [];
      for (const id of changed) {
        const count = (before.get(id) ?? 0) + (this.#deltas.get(id) ?? 0);
        if (count < 0) throw countedWrong(id);
        this.#counts.set(id, count);
        if (count === 0) dying.push(id);
      }
      // A count that went to zero and back again would have been collected meanwhile: no plan mentions what it collects.
      pending = yield* this.#collect(dying);
    }
    this.#writeCounts(before);
  }

  /**
   * Counts as stored; none of a new commit, one where there is no record.
   *
   * @param ahead - of how many lower ids each, too: collecting goes from a commit to its parents, which are near
   * @yields keys of counts
   */
  *#readCounts(ids: readonly number[], counts: Map<number, number>, ahead: number): Reading<void> {
    const unread = new Set<number>();
    for (const id of ids) {
      if (counts.has(id)) continue;
      for (let one = id; one > 0 && one >= id - ahead; one--) {
        if (this.#added.has(one)) counts.set(one, 0);
        else if (!counts.has(one)) unread.add(one);
      }
    }
    if (unread.size === 0) return;
    const asked = [...unread];
    const values = yield asked.map((id) => this.#source.keys.mentions(id));
    for (const [i, id] of asked.entries()) {
      const bytes = values[i];
      counts.set(id, bytes === undefined ? 1 : decodeMentions(id, bytes));
    }
  }

  /**
   * @yields keys of commits
   * @returns ids that lost a mention
   */
  *#collect(ids: readonly number[]): Reading<number[]> {
    const touched = new Set<number>();
    for (const id of ids) {
      const commit = this.#written.get(id) ?? (yield* this.#source.commits.step(id));
      this.#collected.push(id);
      this.#operations.push({ type: "del", key: this.#source.keys.commit(id) });
      this.#drop.push(commit.root);
      this.#mention(commit.parents, -1);
      for (const parent of commit.parents) touched.add(parent);
    }
    return [...touched];
  }

  #writeCounts(before: ReadonlyMap<number, number>): void {
    for (const [id, count] of this.#counts) {
      const key = this.#source.keys.mentions(id);
      if (count > 1) this.#operations.push({ type: "put", key, value: encodeMentions(id, count) });
      else if ((before.get(id) ?? 0) > 1) this.#operations.push({ type: "del", key });
    }
  }
}

function headOf({ head }: BranchRecord): number[] {
  return head === 0 ? [] : [head];
}

function countedWrong(id: number): VerMapError {
  return new VerMapError("VERMAP_CORRUPT", `commit ${id} is mentioned more often than counted`, {
    commitId: id,
  });
}
