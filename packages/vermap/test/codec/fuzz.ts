import { printCounts, Random, scaled } from "@x/testing";
import { expect } from "vitest";
import { VerMapError } from "../../src/errors.ts";
import { hexOf } from "./support.ts";

/** What is fuzzed: a decoder with the encoder that it must agree with. */
export interface FuzzTarget {
  readonly name: string;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** Numbers at which counts and lengths go wrong, as LEB128. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0x80n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 64n - 1n,
  2n ** 64n,
  2n ** 128n - 1n,
];

/** Inputs of one target in a default run. */
const INPUTS = 20_000;

/**
 * Runs a target over mutated and random inputs: each is refused with this package's error, or decodes to what encodes to
 * the input. Every valid input is accepted.
 *
 * @returns how many were accepted
 */
export function fuzz(target: FuzzTarget, valid: readonly Uint8Array[], seed: number): number {
  const random = new Random(seed);
  for (const input of valid) expect(hexOf(target.encode(target.decode(input)))).toBe(hexOf(input));
  const inputs = scaled(INPUTS);
  let accepted = 0;
  for (let index = 0; index < inputs; index++) {
    const input = fuzzInput(random, valid);
    if (accepts(target, input, seed)) accepted++;
  }
  printCounts(`T-FUZZ ${target.name}`, { inputs, accepted, refused: inputs - accepted });
  return accepted;
}

function accepts(target: FuzzTarget, input: Uint8Array, seed: number): boolean {
  let output: Uint8Array;
  try {
    output = target.encode(target.decode(input));
  } catch (error) {
    if (error instanceof VerMapError) return false;
    throw new Error(`${target.name} broke on ${hexOf(input)}, seed ${seed}`, { cause: error });
  }
  if (hexOf(output) === hexOf(input)) return true;
  throw new Error(`${target.name} encodes ${hexOf(input)} as ${hexOf(output)}, seed ${seed}`);
}

/** Random bytes, or a valid input with one to four changes. */
export function fuzzInput(random: Random, valid: readonly Uint8Array[]): Uint8Array {
  if (valid.length === 0 || random.chance(0.1)) return random.bytes(random.below(64));
  let input: Uint8Array = new Uint8Array(random.pick(valid));
  for (let changes = random.between(1, 4); changes > 0; changes--) {
    input = mutated(random, input, valid);
  }
  return input;
}

function mutated(random: Random, input: Uint8Array, valid: readonly Uint8Array[]): Uint8Array {
  const at = random.below(input.length + 1);
  const end = Math.min(input.length, at + random.between(1, 20));
  const copy = new Uint8Array(input);
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
      return joined(copy.subarray(0, at), random.bytes(random.between(1, 20)), copy.subarray(at));
    case 4:
      return joined(copy.subarray(0, at), copy.subarray(end));
    case 5:
      return joined(copy.subarray(0, end), copy.subarray(at));
    case 6: {
      const other = random.pick(valid);
      return joined(copy.subarray(0, at), other.subarray(random.below(other.length + 1)));
    }
    default:
      return joined(copy.subarray(0, at), leb128(random.pick(EDGES)), copy.subarray(at + 1));
  }
}

function leb128(value: bigint): Uint8Array {
  const encoded: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) encoded.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...encoded, Number(rest)]);
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
