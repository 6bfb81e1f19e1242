/** Values of a table in order, written to a buffer a piece at a time. */
import { arrayLowerBound } from "./container-array.ts";
import { BITSET_WORDS } from "./container-bitset.ts";
import { RUN_UNITS, runFind } from "./container-run.ts";
import { CONTAINER_SPAN, Kind } from "./kind.ts";
import type { Body } from "./body.ts";
import type { ContainerTable } from "./table.ts";
import { highestBit, lowestBit } from "./word.ts";

/**
 * Writes the values that are `from` or more, ascending, until `out` is full.
 *
 * @returns how many were written
 */
export function decodeUp(table: ContainerTable, from: number, out: Uint32Array): number {
  const found = table.find(from >>> 16);
  let i = found < 0 ? -1 - found : found;
  let low = found < 0 ? 0 : from & 0xffff;
  let at = 0;
  while (i < table.count && at < out.length) {
    const base = (table.keys[i] as number) * CONTAINER_SPAN;
    at = bodyUp(table.body(i), base, low, out, at);
    low = 0;
    i++;
  }
  return at;
}

/**
 * Writes the values that are `from` or less, descending, until `out` is full.
 *
 * @returns how many were written
 */
export function decodeDown(table: ContainerTable, from: number, out: Uint32Array): number {
  const found = table.find(from >>> 16);
  let i = found < 0 ? -2 - found : found;
  let low = found < 0 ? CONTAINER_SPAN - 1 : from & 0xffff;
  let at = 0;
  while (i >= 0 && at < out.length) {
    const base = (table.keys[i] as number) * CONTAINER_SPAN;
    at = bodyDown(table.body(i), base, low, out, at);
    low = CONTAINER_SPAN - 1;
    i--;
  }
  return at;
}

function bodyUp(body: Body, base: number, low: number, out: Uint32Array, outAt: number): number {
  const { units, words, start, length } = body;
  const end = out.length;
  let at = outAt;
  switch (body.kind) {
    case Kind.array: {
      const stop = start + length;
      let i = start + (low === 0 ? 0 : arrayLowerBound(units, start, length, low));
      while (i < stop && at < end) out[at++] = base + (units[i++] as number);
      return at;
    }
    case Kind.bitset: {
      let word = (words[low >>> 5] as number) & (-1 << (low & 31));
      for (let i = low >>> 5; at < end;) {
        for (; word !== 0 && at < end; word &= word - 1) {
          out[at++] = base + i * 32 + lowestBit(word);
        }
        if (++i === BITSET_WORDS) break;
        word = words[i] as number;
      }
      return at;
    }
    case Kind.run: {
      const first = Math.max(0, runFind(units, start, length / RUN_UNITS, low));
      for (let i = start + first * RUN_UNITS; i < start + length && at < end; i += RUN_UNITS) {
        const last = units[i + 1] as number;
        let value = Math.max(low, units[i] as number);
        while (value <= last && at < end) out[at++] = base + value++;
      }
      return at;
    }
  }
}

function bodyDown(body: Body, base: number, low: number, out: Uint32Array, outAt: number): number {
  const { units, words, start, length } = body;
  const end = out.length;
  let at = outAt;
  switch (body.kind) {
    case Kind.array: {
      let i = start + arrayLowerBound(units, start, length, low);
      if (i === start + length || units[i] !== low) i--;
      while (i >= start && at < end) out[at++] = base + (units[i--] as number);
      return at;
    }
    case Kind.bitset: {
      let word = (words[low >>> 5] as number) & (-1 >>> (31 - (low & 31)));
      for (let i = low >>> 5; at < end;) {
        while (word !== 0 && at < end) {
          const bit = highestBit(word);
          out[at++] = base + i * 32 + bit;
          word ^= 1 << bit;
        }
        if (--i < 0) break;
        word = words[i] as number;
      }
      return at;
    }
    case Kind.run: {
      const index = runFind(units, start, length / RUN_UNITS, low);
      for (let i = start + index * RUN_UNITS; i >= start && at < end; i -= RUN_UNITS) {
        const first = units[i] as number;
        let value = Math.min(low, units[i + 1] as number);
        while (value >= first && at < end) out[at++] = base + value--;
      }
      return at;
    }
  }
}
