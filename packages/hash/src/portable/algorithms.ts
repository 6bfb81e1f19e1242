import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256, sha3_256 } from "@noble/hashes/sha3.js";
import type { Hasher } from "../hasher.ts";
import { PortableHasher } from "./hasher.ts";

// One function per algorithm, so that a bundle holds only the algorithms it names.

/** BLAKE2b (RFC 7693) with a 32-byte digest, unkeyed. */
export function portableBlake2b256(prefix: Uint8Array): Hasher {
  return new PortableHasher("blake2b-256", blake2b.create({ dkLen: 32 }), prefix);
}

/** SHA-256 (FIPS 180-4). */
export function portableSha256(prefix: Uint8Array): Hasher {
  return new PortableHasher("sha-256", sha256.create(), prefix);
}

/** SHA3-256 (FIPS 202). */
export function portableSha3_256(prefix: Uint8Array): Hasher {
  return new PortableHasher("sha3-256", sha3_256.create(), prefix);
}

/** Keccak-256 as Ethereum uses it: the sponge of SHA3-256 with the padding of the original submission. */
export function portableKeccak256(prefix: Uint8Array): Hasher {
  return new PortableHasher("keccak-256", keccak_256.create(), prefix);
}
