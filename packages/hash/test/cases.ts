import { createHash } from "node:crypto";
import {
  blake2b256,
  keccak256,
  portableEngine,
  sha256,
  sha3_256,
  type Algorithm,
  type HashEngine,
  type Hasher,
  type HasherOptions,
} from "../src/index.ts";
import { createWasmEngine } from "../src/wasm/index.ts";
import { naiveBlake2b } from "./naive-blake2b.ts";
import { naiveKeccak256 } from "./naive-keccak.ts";

/** One algorithm on one engine, with an implementation that shares no code with any engine. */
export interface Case {
  readonly algorithm: Algorithm;
  /** Name of the engine that `create` uses unless told otherwise. */
  readonly engine: string;
  readonly create: (options?: HasherOptions) => Hasher;
  readonly oracle: (message: Uint8Array) => Uint8Array;
}

/** Every engine of this package, each forced by the argument. */
export const engines: readonly HashEngine[] = [
  portableEngine,
  createWasmEngine({ simd: true }),
  createWasmEngine({ simd: false }),
];

const algorithms: readonly Omit<Case, "engine">[] = [
  {
    algorithm: "blake2b-256",
    create: blake2b256,
    oracle: (message) => naiveBlake2b(message, 32),
  },
  { algorithm: "sha-256", create: sha256, oracle: (message) => openSsl("sha256", message) },
  { algorithm: "sha3-256", create: sha3_256, oracle: (message) => openSsl("sha3-256", message) },
  {
    algorithm: "keccak-256",
    create: keccak256,
    oracle: (message) => naiveKeccak256(message, 0x01),
  },
];

/** Every algorithm on every engine. */
export const cases: readonly Case[] = engines.flatMap((engine) =>
  algorithms.map(({ algorithm, create, oracle }) => ({
    algorithm,
    engine: engine.name,
    create: (options?: HasherOptions) => create({ engine, ...options }),
    oracle,
  })),
);

export function openSsl(name: string, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(name).update(message).digest());
}

/** Multiplies the number of runs of the longer properties. */
export const scale = Number(process.env["TEST_SCALE"] ?? 1);

/** `size` bytes that differ from place to place and from seed to seed. */
export function bytes(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size);
  let state = (seed * 2654435761) >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[i] = state >>> 24;
  }
  return result;
}
