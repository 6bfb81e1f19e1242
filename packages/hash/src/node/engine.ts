import { hash as opensslHash } from "node:crypto";
import { checkBytes, concatBytes } from "../bytes.ts";
import type { Algorithm, HashEngine, Hasher } from "../hasher.ts";
import { checkPack } from "../pack.ts";
import { preferredEngine } from "../wasm/engine.ts";

/** A function that OpenSSL computes faster than a kernel from some message size on. */
interface LongHash {
  /** OpenSSL's name. */
  readonly name: string;
  /** Bytes from which a single message goes to OpenSSL, and from which the messages of a pack do. */
  readonly singleSizeMin: number;
  readonly packedSizeMin: number;
}

/**
 * The sizes lie where the two meet on a processor with instructions for SHA-256, measured by `npm run bench -- hash --full`; one
 * without them has not been measured. For packs of SHA3-256 vectors win as long as a message fits into a kernel's memory.
 * BLAKE2b-256 and Keccak-256 OpenSSL does not have.
 */
const LONG_HASHES: Partial<Readonly<Record<Algorithm, LongHash>>> = {
  "sha-256": { name: "sha256", singleSizeMin: 128, packedSizeMin: 512 },
  "sha3-256": { name: "sha3-256", singleSizeMin: 1024, packedSizeMin: 65_536 },
};

/**
 * The preferred engine, with long messages of SHA-256 and SHA3-256 left to OpenSSL, which hashes them up to five times as fast.
 * `name` is `"node/"` and the name of the preferred engine.
 */
export const nodeEngine: HashEngine = {
  get name() {
    return `node/${preferredEngine.name}`;
  },
  createHasher: (algorithm, prefix) => {
    const short = preferredEngine.createHasher(algorithm, prefix);
    const long = LONG_HASHES[algorithm];
    return long === undefined ? short : new NodeHasher(short, long, prefix.slice());
  },
};

class NodeHasher implements Hasher {
  readonly name: string;
  readonly outputSize: number;
  readonly #short: Hasher;
  readonly #long: LongHash;
  readonly #prefix: Uint8Array;

  constructor(short: Hasher, long: LongHash, prefix: Uint8Array) {
    this.name = short.name;
    this.outputSize = short.outputSize;
    this.#short = short;
    this.#long = long;
    this.#prefix = prefix;
  }

  hash(message: Uint8Array): Uint8Array<ArrayBuffer> {
    checkBytes(message, "message");
    if (message.length < this.#long.singleSizeMin) return this.#short.hash(message);
    const digest = new Uint8Array(this.outputSize);
    this.#hashInto(message, digest, 0);
    return digest;
  }

  hashMany(
    messages: Uint8Array,
    messageSize: number,
    count: number,
    output: Uint8Array,
    outputOffset = 0,
  ): void {
    if (!(this.#long.packedSizeMin <= messageSize)) {
      this.#short.hashMany(messages, messageSize, count, output, outputOffset);
      return;
    }
    checkPack(messages, messageSize, count, output, outputOffset, this.outputSize);
    for (let i = 0; i < count; i++) {
      const message = messages.subarray(i * messageSize, (i + 1) * messageSize);
      this.#hashInto(message, output, outputOffset + i * this.outputSize);
    }
  }

  /**
   * A digest as a string of one character per byte takes 80 ns to copy out; as a Buffer it takes 300 ns to make. The prefix is
   * hashed anew each time, which costs less than OpenSSL's objects with a state.
   */
  #hashInto(message: Uint8Array, output: Uint8Array, offset: number): void {
    const whole = this.#prefix.length === 0 ? message : concatBytes([this.#prefix, message]);
    const digest = opensslHash(this.#long.name, whole, "binary");
    for (let i = 0; i < digest.length; i++) output[offset + i] = digest.charCodeAt(i);
  }
}
