export { blake2b256, keccak256, sha256, sha3_256 } from "./algorithms.ts";
export { compareBytes, concatBytes, equalBytes } from "./bytes.ts";
export { HashError, type HashErrorCode } from "./errors.ts";
export type { Algorithm, HashEngine, Hasher, HasherOptions } from "./hasher.ts";
export { fromHex, toHex } from "./hex.ts";
export { portableEngine } from "./portable/engine.ts";
export { taggedSha256 } from "./tagged.ts";
