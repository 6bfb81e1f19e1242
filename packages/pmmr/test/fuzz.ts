import { type Random, printCounts } from "@x/testing";
import { expect } from "vitest";
import { PmmrError } from "../src/errors.ts";

/** What is fuzzed: a decoder with the encoder that it must agree with, or a verifier. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, from which mutated ones are made. */
  readonly valid: readonly Uint8Array[];
  /**
   * Decodes and encodes again; throws for what is refused. A verifier returns its input for what it accepts, after checking
   * that it was right to.
   */
  readonly run: (input: Uint8Array) => Uint8Array;
}

/** Longest that one input may take. */
const TIME_MS_MAX = 50;
/** Numbers at which counts, lengths and positions go wrong. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n ** 16n - 1n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n,
  2n ** 64n - 2n,
  2n ** 64n - 1n,
];

/** Random bytes, or a valid input with one to four changes. */
export function fuzzInput(random: Random, valid: readonly Uint8Array[]): Uint8Array {
  if (valid.length === 0 || random.chance(0.1)) return random.bytes(random.below(4097));
  let bytes: Uint8Array = new Uint8Array(random.pick(valid));
  for (let changes = random.between(1, 4); 0 < changes; changes--) {
    bytes = mutated(random, bytes, valid);
  }
  return bytes;
}

function mutated(random: Random, bytes: Uint8Array, valid: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.between(1, 40));
  const copy = new Uint8Array(bytes);
  switch (random.below(8)) {
    case 0:
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << random.below(8));
      return copy;
    case 1:
      if (at < copy.length) copy[at] = random.below(256);
      return copy;
    case 2:
      return copy.slice(0, at);
    case 3:
      return joined(copy.subarray(0, at), random.bytes(random.between(1, 40)), copy.subarray(at));
    case 4:
      return joined(copy.subarray(0, at), copy.subarray(end));
    case 5:
      return joined(copy.subarray(0, end), copy.subarray(at));
    case 6: {
      const other = random.pick(valid);
      return joined(copy.subarray(0, at), other.subarray(random.below(other.length + 1)));
    }
    default:
      return withEdge(random, copy);
  }
}

/** A 16-, 32- or 64-bit field set to an edge, or one more or less than it is. */
function withEdge(random: Random, copy: Uint8Array): Uint8Array {
  const size = random.pick([2, 4, 8]);
  if (copy.length < size) return copy;
  const offset = random.below(copy.length - size + 1);
  let value = 0n;
  for (let i = 0; i < size; i++) value = value * 256n + BigInt(copy[offset + i] as number);
  value = random.chance(0.5) ? random.pick(EDGES) : value + random.pick([1n, -1n]);
  for (let i = size - 1; 0 <= i; i--) {
    copy[offset + i] = Number(BigInt.asUintN(8, value));
    value >>= 8n;
  }
  return copy;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/**
 * Runs a target over so many inputs: each gives the package's error or a value that encodes to the input, in time. Every
 * valid input is accepted.
 */
export function fuzz(
  target: FuzzTarget,
  random: Random,
  runs: number,
): { readonly accepted: number; readonly refused: number } {
  for (const input of target.valid) expect(target.run(input)).toEqual(input);
  let accepted = 0;
  for (let i = 0; i < runs; i++) {
    const state = random.clone();
    const input = fuzzInput(random, target.valid);
    if (accepts(target, input)) accepted++;
    // A second and third look at slow ones: the machine may have been busy elsewhere.
    if (TIME_MS_MAX < timeOf(target, input) && TIME_MS_MAX < timeOf(target, input)) {
      throw new Error(`input ${i} of ${target.name} is slow; state ${JSON.stringify(state)}`);
    }
  }
  const refused = runs - accepted;
  printCounts(`T-FUZZ ${target.name}`, { inputs: runs, accepted, refused });
  return { accepted, refused };
}

let lastDuration = 0;

function accepts(target: FuzzTarget, input: Uint8Array): boolean {
  const begin = performance.now();
  try {
    const output = target.run(input);
    lastDuration = performance.now() - begin;
    if (output.length !== input.length || !output.every((byte, i) => byte === input[i])) {
      throw new Error(`${target.name} encodes ${hexOf(input)} as ${hexOf(output)}`);
    }
    return true;
  } catch (error) {
    lastDuration = performance.now() - begin;
    if (error instanceof PmmrError) return false;
    throw new Error(`${target.name} broke on ${hexOf(input)}`, { cause: error });
  }
}

/** Duration of the last run, or of another one if that was too long. */
function timeOf(target: FuzzTarget, input: Uint8Array): number {
  if (TIME_MS_MAX < lastDuration) accepts(target, input);
  return lastDuration;
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
