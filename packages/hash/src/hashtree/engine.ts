import { checkBytes } from "../bytes.ts";
import type { HashEngine, Hasher } from "../hasher.ts";
import { checkPack } from "../pack.ts";
import { preferredEngine } from "../wasm/engine.ts";

/** The part of `@chainsafe/hashtree` that is called, by shape: nothing here needs the package to be installed. */
export interface Hashtree {
  /**
   * Hashes each 64 bytes of `input` into 32 bytes of `output` with SHA-256.
   *
   * @param output - half as long as `input`
   */
  hashInto(input: Uint8Array, output: Uint8Array): void;
}

/** What {@link hashtreeEngine} takes beside the addon. */
export interface HashtreeEngineOptions {
  /** Computes everything that the addon does not. Default: the preferred engine. */
  readonly base?: HashEngine;
}

/** Bytes in the only message that the addon hashes. */
const PAIR_SIZE = 64;

/**
 * An engine whose unprefixed SHA-256 of packs of 64-byte messages comes from the native addon `@chainsafe/hashtree`, which the
 * caller hands over. All else comes from another engine. Its name is `"hashtree/"` and the name of that one.
 *
 * @param hashtree - the package, version 1: `import * as hashtree from "@chainsafe/hashtree"`
 * @throws TypeError if the argument has no function `hashInto`
 * @example
 * sha256({ engine: hashtreeEngine(hashtree) });
 */
export function hashtreeEngine(
  hashtree: Hashtree,
  options: HashtreeEngineOptions = {},
): HashEngine {
  if (typeof hashtree.hashInto !== "function") {
    throw new TypeError("hashtree has no function hashInto");
  }
  const { base = preferredEngine } = options;
  return {
    get name() {
      return `hashtree/${base.name}`;
    },
    createHasher: (algorithm, prefix) => {
      const hasher = base.createHasher(algorithm, prefix);
      const isPlain = algorithm === "sha-256" && prefix.length === 0;
      return isPlain ? new HashtreeHasher(hashtree, hasher) : hasher;
    },
  };
}

class HashtreeHasher implements Hasher {
  readonly name: string;
  readonly outputSize: number;
  readonly #hashtree: Hashtree;
  readonly #base: Hasher;

  constructor(hashtree: Hashtree, base: Hasher) {
    this.name = base.name;
    this.outputSize = base.outputSize;
    this.#hashtree = hashtree;
    this.#base = base;
  }

  hash(message: Uint8Array): Uint8Array<ArrayBuffer> {
    checkBytes(message, "message");
    if (message.length !== PAIR_SIZE) return this.#base.hash(message);
    const digest = new Uint8Array(this.outputSize);
    this.#hashtree.hashInto(message, digest);
    return digest;
  }

  hashMany(
    messages: Uint8Array,
    messageSize: number,
    count: number,
    output: Uint8Array,
    outputOffset = 0,
  ): void {
    if (messageSize !== PAIR_SIZE) {
      this.#base.hashMany(messages, messageSize, count, output, outputOffset);
      return;
    }
    checkPack(messages, messageSize, count, output, outputOffset, this.outputSize);
    // The addon is not asked to hash nothing.
    if (count === 0) return;
    this.#hashtree.hashInto(
      messages.subarray(0, PAIR_SIZE * count),
      output.subarray(outputOffset, outputOffset + this.outputSize * count),
    );
  }
}
