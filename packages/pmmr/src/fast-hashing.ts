import { blake2b256, type Hasher } from "@x/hash";
import { preferredEngine } from "@x/hash/wasm";
import { grinHashing as portableGrinHashing, type MmrHashing } from "./hashing.ts";

/**
 * Grin's rule, as {@link portableGrinHashing} of `@x/pmmr/verify`, with the fastest BLAKE2b-256 that this runtime allows as its
 * default: what builds, stores and checks whole ranges hashes enough to be worth the bytes of the engine, a verifier does not.
 *
 * @param hasher - any hash function of 32 bytes; default: BLAKE2b-256, Grin's, by `preferredEngine` of `@x/hash/wasm`
 * @throws RangeError if the hasher's output is not 32 bytes
 */
export function grinHashing(hasher: Hasher = blake2b256({ engine: preferredEngine })): MmrHashing {
  return portableGrinHashing(hasher);
}
