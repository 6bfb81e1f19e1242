/** The values of one container, apart from the table they belong to. */
import { Kind } from "./kind.ts";

const NO_WORDS = new Uint32Array(0);

/** Where one container's body is, and what it is. A value of its own: it stays as it was read. */
export interface Body {
  readonly kind: Kind;
  readonly cardinality: number;
  /** Units in use: one for each value of an array, three for each run, 4,352 for a bitset. */
  readonly length: number;
  /** The values of an array, or the triples of runs, from `start` on. */
  readonly units: Uint16Array;
  readonly start: number;
  /** The whole body of a bitset; empty for the other kinds. */
  readonly words: Uint32Array;
}

/** A body of runs that belongs to no table. */
export function bodyOfRuns(units: Uint16Array, length: number, cardinality: number): Body {
  return { kind: Kind.run, cardinality, length, units, start: 0, words: NO_WORDS };
}

/** A body that has been written to the arena and belongs to no container yet. */
export interface Placed {
  readonly kind: Kind;
  readonly cardinality: number;
  /** Units in use and allocated. */
  readonly length: number;
  readonly address: number;
}
