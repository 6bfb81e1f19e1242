import type { Algorithm, HashEngine, Hasher } from "../hasher.ts";
import {
  portableBlake2b256,
  portableKeccak256,
  portableSha256,
  portableSha3_256,
} from "./algorithms.ts";

/**
 * The engine that runs everywhere: plain JavaScript from @noble/hashes, nothing loaded, nothing compiled. It is what
 * hashers use when no engine is given, and what other engines are compared with.
 */
export const portableEngine: HashEngine = {
  name: "portable",
  createHasher(algorithm: Algorithm, prefix: Uint8Array): Hasher {
    switch (algorithm) {
      case "blake2b-256":
        return portableBlake2b256(prefix);
      case "sha-256":
        return portableSha256(prefix);
      case "sha3-256":
        return portableSha3_256(prefix);
      case "keccak-256":
        return portableKeccak256(prefix);
    }
  },
};
