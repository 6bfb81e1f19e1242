/** Names of the hash functions this package offers. All of them give 32 bytes. */
export type Algorithm = "blake2b-256" | "sha-256" | "sha3-256" | "keccak-256";

/**
 * A hash function as a value: an algorithm, an optional constant prefix, and the engine that computes it.
 *
 * Hashers hold no state between calls, and two hashers of one algorithm and prefix give the same bytes whichever
 * engine computes them.
 */
export interface Hasher {
  /** Stable name, for example `"blake2b-256"`; a prefix does not change it. */
  readonly name: string;
  /** Bytes in a digest. */
  readonly outputSize: number;

  /**
   * Hashes one message.
   *
   * @param message - read, not kept
   * @returns fresh `outputSize` bytes
   */
  hash(message: Uint8Array): Uint8Array<ArrayBuffer>;

  /**
   * Hashes `count` messages of `messageSize` bytes that lie side by side, from byte 0 of `messages`.
   * Digest i is written to `output` at `outputOffset + i * outputSize`.
   *
   * @param messages - at least `messageSize * count` bytes; read, not kept; must not overlap `output`
   * @throws RangeError if a buffer is too short or a number is not a non-negative safe integer
   */
  hashMany(
    messages: Uint8Array,
    messageSize: number,
    count: number,
    output: Uint8Array,
    outputOffset?: number,
  ): void;
}

/** Computes hashes. Engines give identical bytes and are passed by argument, never set globally. */
export interface HashEngine {
  /** Stable name, for example `"portable"`. */
  readonly name: string;
  /**
   * Makes a hasher of `algorithm` whose every message is preceded by `prefix`. The prefix is copied; where the
   * algorithm allows it is absorbed once and costs nothing per message.
   */
  createHasher(algorithm: Algorithm, prefix: Uint8Array): Hasher;
}

/** What the constructors of hashers take. */
export interface HasherOptions {
  /** Constant bytes before every message. Default: none. */
  readonly prefix?: Uint8Array;
  /** Default: the portable engine. */
  readonly engine?: HashEngine;
}
