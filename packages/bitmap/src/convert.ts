/** From one kind of container to another. */
import type { Arena, Chunk } from "./arena.ts";
import { arrayCountRuns } from "./container-array.ts";
import {
  BITSET_UNITS,
  BITSET_WORDS,
  bitsetAddArray,
  bitsetCountRuns,
  bitsetNext,
  bitsetSetRange,
  bitsetToArray,
} from "./container-bitset.ts";
import { RUN_UNITS, runCountValues } from "./container-run.ts";
import { Kind } from "./kind.ts";
import type { Body, Placed } from "./table.ts";

/** How many runs the values make, counted no further than past `limit`. */
export function countRuns(body: Body, limit: number): number {
  const { chunk, start } = body;
  switch (body.kind) {
    case Kind.array:
      return arrayCountRuns(chunk.units, start, body.cardinality, limit);
    case Kind.bitset:
      return bitsetCountRuns(chunk.words, start / 2, limit);
    case Kind.run:
      return body.length / RUN_UNITS;
  }
}

/** Writes the values to a new body of another kind in `arena`. */
export function place(body: Body, kind: Kind, arena: Arena): Placed {
  const length = bodyLength(body, kind);
  const address = arena.allocate(length);
  const chunk = arena.chunkAt(address);
  const start = address & 0xffff;
  switch (kind) {
    case Kind.array:
      writeArray(body, chunk.units, start);
      break;
    case Kind.bitset:
      writeBits(body, chunk.words, start / 2);
      break;
    case Kind.run:
      writeRuns(body, chunk.units, start);
      break;
  }
  return { kind, cardinality: body.cardinality, length, address };
}

/** Units that the values take as a body of the given kind. */
function bodyLength(body: Body, kind: Kind): number {
  switch (kind) {
    case Kind.array:
      return body.cardinality;
    case Kind.bitset:
      return BITSET_UNITS;
    case Kind.run:
      return RUN_UNITS * countRuns(body, 0x10000);
  }
}

/** Writes the values one by one, ascending. */
export function writeArray(body: Body, out: Uint16Array, outStart: number): void {
  const { chunk, start, length } = body;
  switch (body.kind) {
    case Kind.array:
      out.set(chunk.units.subarray(start, start + length), outStart);
      return;
    case Kind.bitset:
      bitsetToArray(chunk.words, start / 2, out, outStart);
      return;
    case Kind.run: {
      let at = outStart;
      for (let i = start; i < start + length; i += RUN_UNITS) {
        const last = chunk.units[i + 1] as number;
        for (let value = chunk.units[i] as number; value <= last; value++) out[at++] = value;
      }
      return;
    }
  }
}

/** Writes all 2,048 words of the bitset. */
export function writeBits(body: Body, out: Uint32Array, outStart: number): void {
  const { chunk, start, length } = body;
  if (body.kind === Kind.bitset) {
    out.set(chunk.words.subarray(start / 2, start / 2 + BITSET_WORDS), outStart);
    return;
  }
  out.fill(0, outStart, outStart + BITSET_WORDS);
  if (body.kind === Kind.array) {
    bitsetAddArray(out, outStart, chunk.units, start, length);
    return;
  }
  for (let i = start; i < start + length; i += RUN_UNITS) {
    bitsetSetRange(out, outStart, chunk.units[i] as number, chunk.units[i + 1] as number);
  }
}

/** Writes the runs that the values make, as triples. */
export function writeRuns(body: Body, out: Uint16Array, outStart: number): void {
  const { chunk, start, length } = body;
  if (body.kind === Kind.run) {
    out.set(chunk.units.subarray(start, start + length), outStart);
    return;
  }
  const runCount =
    body.kind === Kind.array
      ? writeRunsOfArray(body, out, outStart)
      : writeRunsOfBits(chunk, start, out, outStart);
  runCountValues(out, outStart, runCount);
}

function writeRunsOfArray(body: Body, out: Uint16Array, outStart: number): number {
  const { chunk, start, length } = body;
  let at = outStart - RUN_UNITS;
  let expected = -1;
  for (let i = start; i < start + length; i++) {
    const value = chunk.units[i] as number;
    if (value !== expected) {
      at += RUN_UNITS;
      out[at] = value;
    }
    out[at + 1] = value;
    expected = value + 1;
  }
  return (at - outStart) / RUN_UNITS + 1;
}

function writeRunsOfBits(chunk: Chunk, start: number, out: Uint16Array, outStart: number): number {
  const { words } = chunk;
  const wordStart = start / 2;
  let at = outStart;
  let first = bitsetNext(words, wordStart, 0);
  while (first >= 0) {
    const clear = nextClear(words, wordStart, first);
    out[at] = first;
    out[at + 1] = clear - 1;
    at += RUN_UNITS;
    first = clear < 0x10000 ? bitsetNext(words, wordStart, clear) : -1;
  }
  return (at - outStart) / RUN_UNITS;
}

/** The lowest clear bit that is `low` or more; 65,536 if there is none. */
function nextClear(words: Uint32Array, start: number, low: number): number {
  let i = low >>> 5;
  let word = ~(words[start + i] as number) & (-1 << (low & 31));
  while (word === 0) {
    if (++i === BITSET_WORDS) return 0x10000;
    word = ~(words[start + i] as number);
  }
  return i * 32 + 31 - Math.clz32(word & -word);
}
