import { type HasherOptions, sha256 } from "@x/hash";
import { asciiBytes } from "./ascii.ts";
import { type HashScheme } from "./scheme.ts";

/**
 * The scheme of Penumbra's `jmt` crate over SHA-256, with a prefix of its own for leaves and for inner nodes. It has a
 * published ICS23 proof specification.
 *
 *     path  = SHA-256(key)                       leaf  = SHA-256("JMT::LeafNode" || path || valueHash)
 *     value = SHA-256(value)                     inner = SHA-256("JMT::IntrnalNode" || left || right)
 *     empty = "SPARSE_MERKLE_PLACEHOLDER_HASH__"
 *
 * @see FORMAT.md, "jmtSha256"
 */
export function jmtSha256(options: Pick<HasherOptions, "engine"> = {}): HashScheme {
  const plain = sha256(options);
  const leaf = sha256({ ...options, prefix: asciiBytes("JMT::LeafNode") });
  const inner = sha256({ ...options, prefix: asciiBytes("JMT::IntrnalNode") });
  return {
    name: "jmt-sha256",
    placeholder: asciiBytes("SPARSE_MERKLE_PLACEHOLDER_HASH__"),
    domains: "separated",
    hashKey: (key) => plain.hash(key),
    hashValue: (value) => plain.hash(value),
    hashLeaves: (pairs, count, output, offset) => leaf.hashMany(pairs, 64, count, output, offset),
    hashInners: (pairs, count, output, offset) => inner.hashMany(pairs, 64, count, output, offset),
  };
}
