import { type HasherOptions, sha3_256, taggedSha256 } from "@x/hash";
import { asciiBytes } from "./ascii.ts";
import { type HashScheme } from "./scheme.ts";

/**
 * The scheme of Rooch's state tree: one tagged SHA-256 for values, leaves and inner nodes. With
 * `TH(x) = SHA-256(T || T || x)` and `T = SHA-256("SMTNode")`:
 *
 *     path  = SHA3-256(key), as Rooch's field keys       leaf  = TH(path || valueHash)
 *     value = TH(value)                                  inner = TH(left || right)
 *     empty = "SPARSE_MERKLE_PLACEHOLDER_HASH" and two zero bytes
 *
 * A leaf and an inner node are the same function of 64 bytes, so a proof can lie unless the hardened rules are on.
 *
 * @see FORMAT.md, "rooch"
 */
export function rooch(options: Pick<HasherOptions, "engine"> = {}): HashScheme {
  const path = sha3_256(options);
  const tagged = taggedSha256("SMTNode", options);
  return {
    name: "rooch",
    placeholder: asciiBytes("SPARSE_MERKLE_PLACEHOLDER_HASH\0\0"),
    domains: "shared",
    hashKey: (key) => path.hash(key),
    hashValue: (value) => tagged.hash(value),
    hashLeaves: (pairs, count, output, offset) => tagged.hashMany(pairs, 64, count, output, offset),
    hashInners: (pairs, count, output, offset) => tagged.hashMany(pairs, 64, count, output, offset),
  };
}
