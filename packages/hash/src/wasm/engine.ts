import { HashError } from "../errors.ts";
import type { Algorithm, HashEngine, Hasher } from "../hasher.ts";
import { portableEngine } from "../portable/engine.ts";
import { blake2b256Kernel } from "./blake2b.ts";
import type { Family, KernelAlgorithm } from "./family.ts";
import { KernelHasher } from "./hasher.ts";
import { keccak256Kernel, sha3_256Kernel } from "./keccak.ts";
import { Kernel } from "./kernel.ts";
import type { Start } from "./plan.ts";
import { sha256Kernel } from "./sha256.ts";
import { encodeModule } from "./module.ts";
import { createMemory, hasVectors, instantiate } from "./web-assembly.ts";

const ALGORITHMS: Readonly<Record<Algorithm, KernelAlgorithm>> = {
  "blake2b-256": blake2b256Kernel,
  "sha-256": sha256Kernel,
  "sha3-256": sha3_256Kernel,
  "keccak-256": keccak256Kernel,
};

/** What {@link createWasmEngine} takes. */
export interface WasmEngineOptions {
  /**
   * Whether packs go through vector kernels. `true` fails where the runtime knows no vectors, `false` uses none anywhere.
   * Default: where the runtime knows them.
   */
  readonly simd?: boolean;
}

/**
 * Makes an engine of kernels in WebAssembly, generated and compiled here. Each algorithm is compiled when its first hasher is
 * made, in a millisecond or two, and then owns 64 KiB of memory that never grow; they are freed with the engine and its hashers.
 *
 * Engines are meant to be shared: {@link preferredEngine} is one that is.
 *
 * @throws HashError HASH_WASM_UNAVAILABLE if this runtime has no WebAssembly, a policy forbids it, or `simd` asks for vectors
 *   that it does not know; the engine throws the same when it cannot compile an algorithm
 */
export function createWasmEngine(options: WasmEngineOptions = {}): HashEngine {
  // A policy that forbids compiling shows only when something is compiled.
  instantiate(encodeModule([], {}), createMemory(1));
  const { simd = hasVectors() } = options;
  if (simd && !hasVectors()) {
    throw new HashError("HASH_WASM_UNAVAILABLE", "this runtime has no vectors in WebAssembly");
  }
  return new WasmEngine(simd);
}

/** Made by the first use of {@link preferredEngine} and the same ever after: what a runtime can do does not change. */
let chosen: HashEngine | undefined;

/**
 * The fastest engine that this runtime allows: WebAssembly with vectors, without, or the portable engine. Nothing is compiled
 * before the first use. `name` says which it is: `"wasm-simd"`, `"wasm"` or `"portable"`. An algorithm that a runtime refuses to
 * compile nevertheless is hashed portably.
 */
export const preferredEngine: HashEngine = {
  get name() {
    return choose().name;
  },
  createHasher: (algorithm, prefix) =>
    attempt(() => choose().createHasher(algorithm, prefix)) ??
    portableEngine.createHasher(algorithm, prefix),
};

function choose(): HashEngine {
  chosen ??= attempt(() => createWasmEngine()) ?? portableEngine;
  return chosen;
}

/** What `make` gives, or `undefined` where WebAssembly is not to be had. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof HashError) return undefined;
    throw error;
  }
}

/** Compiles the kernels of a family when the first hasher needs them. */
class WasmEngine implements HashEngine {
  readonly name: string;
  readonly #simd: boolean;
  readonly #kernels = new Map<Family, Kernel>();
  readonly #starts = new Map<Algorithm, Start>();

  constructor(simd: boolean) {
    this.name = simd ? "wasm-simd" : "wasm";
    this.#simd = simd;
  }

  createHasher(algorithm: Algorithm, prefix: Uint8Array): Hasher {
    const { family, initialState, padding } = ALGORITHMS[algorithm];
    const kernel = remember(this.#kernels, family, () => new Kernel(family, this.#simd));
    const fresh = remember(this.#starts, algorithm, () => ({
      state: initialState(),
      byteCount: 0,
      leftover: new Uint8Array(0),
    }));
    return new KernelHasher(algorithm, kernel, padding, fresh, prefix);
  }
}

/** What `known` holds under `key`, made if it holds nothing yet. */
function remember<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}
