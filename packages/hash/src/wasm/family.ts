import { fromHex } from "../hex.ts";
import type { Compression } from "./compression.ts";
import type { Padding } from "./plan.ts";
import type { Words } from "./words.ts";

/** Hash functions that share a compression, and so their kernels. */
export interface Family<W extends Words = Words> {
  readonly compression: Compression<W>;
  readonly scalar: W;
  readonly vector: W;
  /** Constants that the kernels read at TABLE. */
  readonly table: () => Uint8Array;
}

/** What makes one hash function of a family. */
export interface KernelAlgorithm {
  readonly family: Family;
  /** Chaining state before the first byte, as it lies in memory. */
  readonly initialState: () => Uint8Array;
  readonly padding: Padding;
}

/** Bytes of words as they lie in memory, least significant first, from words as they are printed. */
export function wordsFromHex(text: string, wordSize: 4 | 8): Uint8Array<ArrayBuffer> {
  const bytes = fromHex(text.replaceAll(/\s/g, ""));
  for (let i = 0; i < bytes.length; i += wordSize) bytes.subarray(i, i + wordSize).reverse();
  return bytes;
}
