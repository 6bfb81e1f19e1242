import { type Reading } from "@x/store";

import { type Commit } from "../records/commit-record.ts";
import { type CommitTable } from "./commit-table.ts";
import { IdHeap } from "./id-heap.ts";
import { MarkedWalk } from "./marked-walk.ts";

/** Which commits a log gives, and in which order. */
export interface LogOptions {
  /** `first`: along first parents, as a branch went. `all`: everything that was merged, too. Default: first. */
  readonly parents?: "first" | "all";
  /**
   * Of all parents: `topological` is newest id first, so that every commit comes before its parents; `time` is newest time
   * first, as far as that rule allows, and reads the whole history before it begins. Default: topological.
   */
  readonly order?: "topological" | "time";
  /** Most commits to give. Default: all. */
  readonly limit?: number;
  /** Only commits after this one in the log: the last one of the page before. Default: from the beginning. */
  readonly after?: number;
}

/** Commits given at a time. */
const PAGE_COUNT = 64;

/** Goes over the history of a commit, newest first, a page at a time. */
export class LogWalk {
  readonly #source: LogSource;
  #after: number | undefined;
  #left: number;

  /**
   * @param head - a commit that exists; 0 is no history
   * @throws TypeError, RangeError if an option is malformed
   */
  constructor(commits: CommitTable, head: number, options: LogOptions = {}) {
    const { parents = "first", order = "topological", limit = Infinity, after } = options;
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0))
      throw new RangeError(`limit is ${limit}, not a count`);
    if (parents !== "first" && parents !== "all")
      throw new TypeError(`parents is ${String(parents)}, neither first nor all`);
    if (order !== "topological" && order !== "time")
      throw new TypeError(`order is ${String(order)}, neither topological nor time`);
    if (parents === "first") this.#source = new FirstParents(commits, head);
    else if (order === "topological") this.#source = new AllParents(commits, head);
    else this.#source = new ByTime(commits, head);
    this.#left = limit;
    this.#after = after;
  }

  /**
   * The next commits; none at the end.
   *
   * @yields keys of commits
   * @throws VerMapError VERMAP_MISSING, VERMAP_CORRUPT
   */
  *read(): Reading<Commit[]> {
    const page: Commit[] = [];
    while (page.length < Math.min(PAGE_COUNT, this.#left)) {
      const commit = yield* this.#source.next();
      if (commit === undefined) break;
      if (this.#after === undefined) page.push(commit);
      else if (commit.id === this.#after) this.#after = undefined;
    }
    this.#left -= page.length;
    return page;
  }
}

/** One commit after another. */
interface LogSource {
  next(): Reading<Commit | undefined>;
}

class FirstParents implements LogSource {
  readonly #commits: CommitTable;
  #next: number;

  constructor(commits: CommitTable, head: number) {
    this.#commits = commits;
    this.#next = head;
  }

  *next(): Reading<Commit | undefined> {
    if (this.#next === 0) return undefined;
    const commit = yield* this.#commits.step(this.#next);
    this.#next = commit.parents[0] ?? 0;
    return commit;
  }
}

class AllParents implements LogSource {
  readonly #walk: MarkedWalk;

  constructor(commits: CommitTable, head: number) {
    this.#walk = new MarkedWalk(commits, () => true);
    if (head !== 0) this.#walk.mark(head, 1);
  }

  *next(): Reading<Commit | undefined> {
    const commit = (yield* this.#walk.take())?.commit;
    for (const parent of commit?.parents ?? []) this.#walk.mark(parent, 1);
    return commit;
  }
}

/** A commit waits until all its children were given; of those that do not wait the one with the greatest time is next. */
class ByTime implements LogSource {
  readonly #commits: CommitTable;
  readonly #head: number;
  #ready: IdHeap | undefined;
  /** Commits by their place in the order of time. */
  #byPlace: Commit[] = [];
  readonly #places = new Map<number, number>();
  readonly #childCounts = new Map<number, number>();

  constructor(commits: CommitTable, head: number) {
    this.#commits = commits;
    this.#head = head;
  }

  *next(): Reading<Commit | undefined> {
    this.#ready ??= yield* this.#survey();
    const commit = this.#byPlace[this.#ready.pop() ?? -1];
    for (const parent of commit?.parents ?? []) {
      const left = (this.#childCounts.get(parent) ?? 0) - 1;
      this.#childCounts.set(parent, left);
      if (left === 0) this.#ready.push(this.#places.get(parent) ?? 0);
    }
    return commit;
  }

  *#survey(): Reading<IdHeap> {
    const source = new AllParents(this.#commits, this.#head);
    for (;;) {
      const commit = yield* source.next();
      if (commit === undefined) break;
      this.#byPlace.push(commit);
      for (const parent of commit.parents)
        this.#childCounts.set(parent, (this.#childCounts.get(parent) ?? 0) + 1);
    }
    this.#byPlace = this.#byPlace.toSorted((a, b) => a.time - b.time || a.id - b.id);
    for (const [place, { id }] of this.#byPlace.entries()) this.#places.set(id, place);
    const ready = new IdHeap();
    const head = this.#places.get(this.#head);
    if (head !== undefined) ready.push(head);
    return ready;
  }
}
