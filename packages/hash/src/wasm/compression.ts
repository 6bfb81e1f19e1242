import type { FunctionBuilder, Local } from "./module.ts";
import type { Words } from "./words.ts";

/** What a generator of kernels has to know of a hash function, for words of type `W`. */
export interface Compression<W extends Words = Words> {
  /** Bytes in a block. */
  readonly blockSize: number;
  /** Words in the chaining state. */
  readonly stateCount: number;
  /**
   * Adds the instructions that take the block at MESSAGE into the state at STATE.
   *
   * @param block - index of the block in the plan, from 0
   * @param isLast - 1 for the last block of a message, otherwise 0
   */
  compress(f: FunctionBuilder, words: W, block: Local, isLast: Local): void;
}

/** Calls `body` for each of `count` words with its offset. */
export function forEachWord(
  words: Words,
  count: number,
  body: (index: number, offset: number) => void,
): void {
  for (let i = 0; i < count; i++) body(i, i * words.lanes * words.wordSize);
}
