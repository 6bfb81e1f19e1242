import { type SimulatedDisk } from "../disk/disk.ts";

/**
 * A store whose promises are tested by crashing it everywhere.
 *
 * States are compared by digest: a string that two states share only when nobody can tell them apart. Putting the
 * number of the commit into it makes the test sharper, since then a state is found only where it belongs.
 */
export interface CrashSubject {
  /** Digest of what a folder without files opens to. */
  readonly initial: string;
  /**
   * One history on an empty disk, from opening on. Announces every commit to the log. Under an injected fault it may
   * reject with the store's error at any point, or go on with whatever the store still allows.
   */
  run(disk: SimulatedDisk, log: CommitLog): Promise<void>;
  /** Opens what is on the disk, recovering it, and digests all of it. The opened store is abandoned afterwards. */
  reopen(disk: SimulatedDisk): Promise<Reopened>;
  /** Whether this is an error that the store documents; default: an `Error` with a `code`. */
  isTyped?(error: unknown): boolean;
}

/** A store after {@link CrashSubject.reopen}. */
export interface Reopened {
  readonly digest: string;
  /** Throws when anything but the content is wrong: file lengths, leftover files, what `verify` finds. */
  check?(): Promise<void> | void;
  /** Makes one more commit, waits until it is durable, and returns the digest of the state after it. */
  extend(): Promise<string>;
}

/**
 * What a history did so far: the states it may be found in after a crash.
 *
 * State 0 is the initial one. States below {@link durable} must not be found any more after a power cut, those below
 * {@link acknowledged} not after a kill.
 */
export class CommitLog {
  readonly #digests: string[];
  readonly #withdrawn = new Set<number>();
  #acknowledged = 0;
  #durable = 0;

  constructor(initial: string) {
    this.#digests = [initial];
  }

  /** A commit is about to be called. Returns its number. */
  started(digest: string): number {
    return this.#digests.push(digest) - 1;
  }

  /** The commit's promise resolved. */
  acknowledged(state: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, state);
  }

  /** The commit's promise resolved and it promised durability, or a later sync of everything did. */
  durable(state: number): void {
    this.acknowledged(state);
    this.#durable = Math.max(this.#durable, state);
  }

  /** The commit was rejected, and the store said that it goes on without it: this state must never be seen again. */
  withdrawn(state: number): void {
    this.#withdrawn.add(state);
  }

  /** What may be found from now on, whatever the history does later. */
  mark(): Mark {
    return {
      digests: this.#digests,
      started: this.#digests.length,
      acknowledged: this.#acknowledged,
      durable: this.#durable,
      withdrawn: this.#withdrawn.size === 0 ? NONE : new Set(this.#withdrawn),
    };
  }
}

const NONE: ReadonlySet<number> = new Set();

/** States of a history at one moment. */
export interface Mark {
  /** May grow; only the first {@link started} count. */
  readonly digests: readonly string[];
  readonly started: number;
  readonly acknowledged: number;
  readonly durable: number;
  readonly withdrawn: ReadonlySet<number>;
}

/** Why a digest must not be found, or `undefined` when it may: it is one of the states from `floor` on. */
export function refusal(mark: Mark, floor: number, digest: string): string | undefined {
  const found: number[] = [];
  for (let state = 0; state < mark.started; state++) {
    if (mark.digests[state] !== digest) continue;
    if (state >= floor && !mark.withdrawn.has(state)) return undefined;
    found.push(state);
  }
  if (found.length === 0) return `found a state that no commit left: ${digest}`;
  return `found state ${found.join(" or ")}, promised at least ${floor} of ${mark.started - 1}`;
}
