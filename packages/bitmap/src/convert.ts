/** From one kind of container to another. */
import type { Arena } from "./arena.ts";
import { arrayCountRuns } from "./container-array.ts";
import {
  BITSET_BODY_WORDS,
  BITSET_UNITS,
  BITSET_WORDS,
  bitsetAddArray,
  bitsetCountRuns,
  bitsetNext,
  bitsetNextClear,
  bitsetSetRange,
  bitsetToArray,
} from "./container-bitset.ts";
import { RUN_UNITS, runCountValues } from "./container-run.ts";
import { CONTAINER_SPAN, Kind } from "./kind.ts";
import type { Body, Placed } from "./body.ts";

/** How many runs the values make, counted no further than past `limit`. */
export function countRuns(body: Body, limit: number): number {
  switch (body.kind) {
    case Kind.array:
      return arrayCountRuns(body.units, body.start, body.length, limit);
    case Kind.bitset:
      return bitsetCountRuns(body.words, limit);
    case Kind.run:
      return body.length / RUN_UNITS;
  }
}

/** Writes the values to a new body of another kind in `arena`. */
export function place(body: Body, kind: Kind, arena: Arena): Placed {
  const length = bodyLength(body, kind);
  const address = arena.allocate(length);
  const { units } = arena.chunkAt(address);
  const start = address & 0xffff;
  switch (kind) {
    case Kind.array:
      writeArray(body, units, start);
      break;
    case Kind.bitset:
      writeBits(body, arena.words(address, BITSET_BODY_WORDS));
      break;
    case Kind.run:
      writeRuns(body, units, start);
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
      return RUN_UNITS * countRuns(body, CONTAINER_SPAN);
  }
}

/** Writes the values one by one, ascending. */
export function writeArray(body: Body, out: Uint16Array, outStart: number): void {
  const { units, start, length } = body;
  switch (body.kind) {
    case Kind.array:
      out.set(units.subarray(start, start + length), outStart);
      return;
    case Kind.bitset:
      bitsetToArray(body.words, out, outStart);
      return;
    case Kind.run: {
      let at = outStart;
      for (let i = start; i < start + length; i += RUN_UNITS) {
        const last = units[i + 1] as number;
        for (let value = units[i] as number; value <= last; value++) out[at++] = value;
      }
      return;
    }
  }
}

/** Writes all 2,048 words of the bitset. */
export function writeBits(body: Body, out: Uint32Array): void {
  const { units, start, length } = body;
  if (body.kind === Kind.bitset) {
    out.set(body.words.subarray(0, BITSET_WORDS));
    return;
  }
  out.fill(0, 0, BITSET_WORDS);
  if (body.kind === Kind.array) {
    bitsetAddArray(out, units, start, length);
    return;
  }
  for (let i = start; i < start + length; i += RUN_UNITS) {
    bitsetSetRange(out, units[i] as number, units[i + 1] as number);
  }
}

/** Writes the runs that the values make, as triples. */
export function writeRuns(body: Body, out: Uint16Array, outStart: number): void {
  const { units, start, length } = body;
  if (body.kind === Kind.run) {
    out.set(units.subarray(start, start + length), outStart);
    return;
  }
  const runCount =
    body.kind === Kind.array
      ? writeRunsOfArray(body, out, outStart)
      : writeRunsOfBits(body.words, out, outStart);
  runCountValues(out, outStart, runCount);
}

function writeRunsOfArray(body: Body, out: Uint16Array, outStart: number): number {
  const { units, start, length } = body;
  let at = outStart - RUN_UNITS;
  let expected = -1;
  for (let i = start; i < start + length; i++) {
    const value = units[i] as number;
    if (value !== expected) {
      at += RUN_UNITS;
      out[at] = value;
    }
    out[at + 1] = value;
    expected = value + 1;
  }
  return (at - outStart) / RUN_UNITS + 1;
}

function writeRunsOfBits(words: Uint32Array, out: Uint16Array, outStart: number): number {
  let at = outStart;
  let first = bitsetNext(words, 0);
  while (first >= 0) {
    const clear = bitsetNextClear(words, first);
    out[at] = first;
    out[at + 1] = clear - 1;
    at += RUN_UNITS;
    first = clear < CONTAINER_SPAN ? bitsetNext(words, clear) : -1;
  }
  return (at - outStart) / RUN_UNITS;
}
