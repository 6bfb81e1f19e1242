import { createHash } from "node:crypto";
import {
  blake2b256,
  keccak256,
  sha256,
  sha3_256,
  type Algorithm,
  type Hasher,
  type HasherOptions,
} from "../src/index.ts";
import { naiveBlake2b } from "./naive-blake2b.ts";
import { naiveKeccak256 } from "./naive-keccak.ts";

/** One algorithm with an implementation that shares no code with the engines. */
export interface Case {
  readonly algorithm: Algorithm;
  readonly create: (options?: HasherOptions) => Hasher;
  readonly oracle: (message: Uint8Array) => Uint8Array;
}

export const cases: readonly Case[] = [
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
