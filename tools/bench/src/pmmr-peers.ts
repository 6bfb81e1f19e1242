import { createRequire } from "node:module";

// The peers have no types that fit a strict ES module; what is used of them is declared here.

interface Accumulator {
  append(value: string): Promise<{ elementIndex: number }>;
  getProof(elementIndex: number): Promise<unknown>;
  verifyProof(proof: unknown, value: string): Promise<boolean>;
  bagThePeaks(): Promise<string>;
}

/** What is used of hypercore 10. */
export interface Hypercore {
  ready(): Promise<void>;
  append(blocks: readonly Uint8Array[] | Uint8Array): Promise<unknown>;
  get(index: number): Promise<Uint8Array>;
  treeHash(): Promise<Uint8Array>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);

/** `@accumulators/merkle-mountain-range` over its in-memory store, with Keccak, its own default. */
export function newAccumulator(): Accumulator {
  const { default: Mmr } = require("@accumulators/merkle-mountain-range") as {
    default: new (store: unknown, hasher: unknown) => Accumulator;
  };
  const { default: MemoryStore } = require("@accumulators/memory") as {
    default: new () => unknown;
  };
  const { KeccakHasher } = require("@accumulators/hashers") as { KeccakHasher: new () => unknown };
  return new Mmr(new MemoryStore(), new KeccakHasher());
}

/** hypercore 10 over random-access-memory: it signs each append and hashes with BLAKE2b in native code. */
export async function newHypercore(): Promise<Hypercore> {
  const Hypercore = require("hypercore") as new (storage: () => unknown) => Hypercore;
  const Memory = require("random-access-memory") as new () => unknown;
  const core = new Hypercore(() => new Memory());
  await core.ready();
  return core;
}

/** Elements as the peer that takes strings wants them. */
export function toHexText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
