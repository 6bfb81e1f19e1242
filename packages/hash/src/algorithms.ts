import { checkBytes } from "./bytes.ts";
import type { Algorithm, Hasher, HasherOptions } from "./hasher.ts";
import {
  portableBlake2b256,
  portableKeccak256,
  portableSha256,
  portableSha3_256,
} from "./portable/algorithms.ts";

const NO_PREFIX: Uint8Array = new Uint8Array(0);

/**
 * BLAKE2b with a 32-byte digest (RFC 7693), unkeyed. The digest length is a parameter of BLAKE2b, so this is not a
 * truncated BLAKE2b-512.
 *
 * @param options - engine and prefix
 * @throws TypeError if the prefix is not a Uint8Array
 * @example
 * blake2b256().hash(message);
 */
export function blake2b256(options: HasherOptions = {}): Hasher {
  return createHasher("blake2b-256", portableBlake2b256, options);
}

/**
 * SHA-256 (FIPS 180-4).
 *
 * @param options - engine and prefix
 * @throws TypeError if the prefix is not a Uint8Array
 */
export function sha256(options: HasherOptions = {}): Hasher {
  return createHasher("sha-256", portableSha256, options);
}

/**
 * SHA3-256 (FIPS 202). Not what Ethereum calls by that name: see {@link keccak256}.
 *
 * @param options - engine and prefix
 * @throws TypeError if the prefix is not a Uint8Array
 */
export function sha3_256(options: HasherOptions = {}): Hasher {
  return createHasher("sha3-256", portableSha3_256, options);
}

/**
 * Keccak-256 as Ethereum uses it: differs from SHA3-256 in the padding alone.
 *
 * @param options - engine and prefix
 * @throws TypeError if the prefix is not a Uint8Array
 */
export function keccak256(options: HasherOptions = {}): Hasher {
  return createHasher("keccak-256", portableKeccak256, options);
}

/** Names the portable function directly, so that an unused algorithm drops out of a bundle. */
function createHasher(
  algorithm: Algorithm,
  createPortable: (prefix: Uint8Array) => Hasher,
  options: HasherOptions,
): Hasher {
  const { prefix = NO_PREFIX, engine } = options;
  checkBytes(prefix, "prefix");
  return engine === undefined ? createPortable(prefix) : engine.createHasher(algorithm, prefix);
}
