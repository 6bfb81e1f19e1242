import { type Reading } from "@x/store";

import { VerMapError } from "../errors.ts";
import { type Commit, decodeCommit } from "../records/commit-record.ts";
import { decodeMentions } from "../records/mention-record.ts";
import { type RecordKeys } from "../records/record-keys.ts";

/** Decoded commits kept in memory. */
const CACHE_COUNT_MAX = 8192;
/** Commits read besides the one that is asked for, in a walk: ids are given out one by one, so parents are near. */
const AHEAD_COUNT = 31;

/** The commits of a map, read when they are needed. A record never changes under its id but for a cut of its parents. */
export class CommitTable {
  readonly #keys: RecordKeys;
  readonly #cache = new Map<number, Commit>();
  /** How often something was taken out of the cache: what was read before must not get into it afterwards. */
  #epoch = 0;

  constructor(keys: RecordKeys) {
    this.#keys = keys;
  }

  /**
   * Commits by id, each in its place; `undefined` where there is none.
   *
   * @yields keys of commits
   * @throws VerMapError VERMAP_CORRUPT
   */
  *read(ids: readonly number[]): Reading<(Commit | undefined)[]> {
    return yield* this.#read(ids, 0);
  }

  /**
   * One commit, or nothing.
   *
   * @yields keys of commits
   */
  *find(id: number): Reading<Commit | undefined> {
    return (yield* this.#read([id], 0))[0];
  }

  /**
   * One commit that the caller names.
   *
   * @yields keys of commits
   * @throws VerMapError VERMAP_COMMIT_NOT_FOUND
   */
  *get(id: number): Reading<Commit> {
    const commit = yield* this.find(id);
    if (commit === undefined) throw commitNotFound(id);
    return commit;
  }

  /**
   * One commit that the caller names and whose ancestors come next: some lower ids are read along.
   *
   * @yields keys of commits
   * @throws VerMapError VERMAP_COMMIT_NOT_FOUND
   */
  *enter(id: number): Reading<Commit> {
    const [commit] = yield* this.#read([id], AHEAD_COUNT);
    if (commit === undefined) throw commitNotFound(id);
    return commit;
  }

  /**
   * One commit that another record mentions, in a walk towards lower ids: some more of those are read along.
   *
   * @yields keys of commits
   * @throws VerMapError VERMAP_MISSING
   */
  *step(id: number): Reading<Commit> {
    const [commit] = yield* this.#read([id], AHEAD_COUNT);
    if (commit === undefined)
      throw new VerMapError("VERMAP_MISSING", `commit ${id} is mentioned, but not there`, {
        commitId: id,
      });
    return commit;
  }

  /**
   * How often a commit that exists is mentioned by heads, parents and anchors.
   *
   * @yields the key of its count
   * @throws VerMapError VERMAP_CORRUPT
   */
  *mentions(id: number): Reading<number> {
    const [bytes] = yield [this.#keys.mentions(id)];
    return bytes === undefined ? 1 : decodeMentions(id, bytes);
  }

  /** A commit that was just written. */
  set(commit: Commit): void {
    this.#cache.delete(commit.id);
    this.#cache.set(commit.id, commit);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= CACHE_COUNT_MAX) return;
      this.#cache.delete(oldest);
    }
  }

  /** A commit that is no more. */
  delete(id: number): void {
    this.#epoch++;
    this.#cache.delete(id);
  }

  /** Nothing is known any more. */
  clear(): void {
    this.#epoch++;
    this.#cache.clear();
  }

  *#read(ids: readonly number[], ahead: number): Reading<(Commit | undefined)[]> {
    if (ids.every((id) => this.#cache.has(id))) return ids.map((id) => this.#touched(id));
    const wanted = new Set<number>();
    // No other number is an id, and one that is too great does not count down.
    for (const id of ids.filter((one) => Number.isSafeInteger(one)))
      for (let one = id; one > 0 && one >= id - ahead; one--)
        if (!this.#cache.has(one)) wanted.add(one);
    const asked = [...wanted];
    const epoch = this.#epoch;
    const values = yield asked.map((id) => this.#keys.commit(id));
    const found = new Map<number, Commit>();
    const isWanted = new Set(ids);
    for (const id of isWanted) {
      const commit = this.#cache.get(id);
      if (commit !== undefined) found.set(id, commit);
    }
    for (const [i, id] of asked.entries()) {
      const bytes = values[i];
      if (bytes === undefined) continue;
      const commit = isWanted.has(id) ? decodeCommit(id, bytes) : this.#decodedAhead(id, bytes);
      if (commit !== undefined) found.set(id, commit);
    }
    if (epoch === this.#epoch) for (const commit of found.values()) this.set(commit);
    return ids.map((id) => found.get(id));
  }

  /** A damaged record that nobody asked for is no error yet. */
  #decodedAhead(id: number, bytes: Uint8Array): Commit | undefined {
    try {
      return decodeCommit(id, bytes);
    } catch (error) {
      if (error instanceof VerMapError) return undefined;
      throw error;
    }
  }

  #touched(id: number): Commit | undefined {
    const commit = this.#cache.get(id);
    if (commit !== undefined) this.set(commit);
    return commit;
  }
}

export function commitNotFound(id: number): VerMapError {
  return new VerMapError("VERMAP_COMMIT_NOT_FOUND", `there is no commit ${id}`, { commitId: id });
}
