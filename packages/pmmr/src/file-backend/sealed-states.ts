import type { Bitmap } from "@x/bitmap";
import type { PruneList } from "./prune-list.ts";
import { required } from "./stored-range.ts";

/** The bitmaps that a commit sealed. */
export interface SealedState {
  /** Number of its commit; `Infinity` for a call that was refused at once. */
  readonly sequence: number;
  readonly unspent: Bitmap;
  readonly prune: PruneList;
  /** Settles as its commit does; `undefined` for one that stood before. */
  readonly done?: Promise<void>;
}

/** The states that may have to be gone back to: the last one that is sure to stand, and those of commits after it. */
export class SealedStates {
  /** Oldest first; never empty. */
  #states: SealedState[];

  constructor(first: SealedState) {
    this.#states = [first];
  }

  /** Whether a commit was called that has not settled yet. */
  get areInFlight(): boolean {
    return this.#states.length > 1;
  }

  /** The state of the last commit that was called and, as far as was heard, not rejected. */
  get last(): SealedState {
    return required(this.#states.at(-1));
  }

  has(state: SealedState): boolean {
    return this.#states.includes(state);
  }

  add(state: SealedState): void {
    this.#states.push(state);
  }

  /** A commit stands, and so do all before it: nothing before it is gone back to any more. */
  settle(sequence: number): void {
    this.#states = this.#states.filter((state) => sequence <= state.sequence);
  }

  /** Forgets the states of commits that were rejected: those after the last that was not. */
  dropAfter(sequence: number): void {
    this.#states = this.#states.filter((state) => state.sequence <= sequence);
  }

  /** Everything before is settled or gone. */
  reset(state: SealedState): void {
    this.#states = [state];
  }
}
