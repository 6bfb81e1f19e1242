import { type Reading } from "@x/store";

import { type Commit } from "../records/commit-record.ts";
import { type CommitTable } from "./commit-table.ts";
import { IdHeap } from "./id-heap.ts";

/** A commit of a walk, and the marks it was reached with. */
export interface Marked {
  readonly commit: Commit;
  readonly marks: number;
}

/**
 * Goes from some commits to their ancestors, greatest id first, and carries marks along. A commit comes after all its
 * children, since its id is below theirs; so its marks are complete when it is taken.
 */
export class MarkedWalk {
  readonly #commits: CommitTable;
  readonly #isLive: (marks: number) => boolean;
  readonly #heap = new IdHeap();
  readonly #marks = new Map<number, number>();
  #liveCount = 0;

  /** @param isLive - whether a commit with these marks may still lead to something; more marks never bring it back */
  constructor(commits: CommitTable, isLive: (marks: number) => boolean) {
    this.#commits = commits;
    this.#isLive = isLive;
  }

  /** Whether any commit that waits is live. */
  get hasLive(): boolean {
    return this.#liveCount > 0;
  }

  /** Adds marks to a commit that was not taken yet. */
  mark(id: number, marks: number): void {
    const before = this.#marks.get(id);
    const after = (before ?? 0) | marks;
    if (before === after) return;
    this.#marks.set(id, after);
    if (before === undefined) {
      this.#heap.push(id);
      if (this.#isLive(after)) this.#liveCount++;
    } else if (this.#isLive(before) && !this.#isLive(after)) this.#liveCount--;
  }

  /**
   * Takes the commit with the greatest id; its parents are the caller's to mark. `undefined` at the end.
   *
   * @yields keys of commits
   * @throws VerMapError VERMAP_MISSING, VERMAP_CORRUPT
   */
  *take(): Reading<Marked | undefined> {
    const id = this.#heap.pop();
    if (id === undefined) return undefined;
    const marks = this.#marks.get(id) ?? 0;
    this.#marks.delete(id);
    if (this.#isLive(marks)) this.#liveCount--;
    return { commit: yield* this.#commits.step(id), marks };
  }
}
