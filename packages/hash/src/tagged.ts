import { utf8ToBytes } from "@noble/hashes/utils.js";
import { sha256 } from "./algorithms.ts";
import { checkBytes, concatBytes } from "./bytes.ts";
import type { Hasher, HasherOptions } from "./hasher.ts";

/**
 * SHA-256 under a tag, as in BIP-340: the digest of `SHA256(tag) || SHA256(tag) || message`, where the two tag digests
 * fill exactly one block and are absorbed once per hasher. Different tags give unrelated functions.
 *
 * @param tag - any bytes, or text that is taken as UTF-8; public, part of the format
 * @param options - engine; a prefix goes between the tag block and every message
 * @throws TypeError if the tag is neither text nor bytes, or the prefix is not bytes
 * @throws RangeError if the tag is text with a lone surrogate, which has no UTF-8 form
 * @see FORMAT.md, "Tagged SHA-256"
 * @example
 * taggedSha256("SMTNode").hash(message);
 */
export function taggedSha256(tag: string | Uint8Array, options: HasherOptions = {}): Hasher {
  const { prefix, ...rest } = options;
  const digest = sha256(rest).hash(tagBytes(tag));
  const block: Uint8Array[] = [digest, digest];
  if (prefix !== undefined) {
    checkBytes(prefix, "prefix");
    block.push(prefix);
  }
  return sha256({ ...rest, prefix: concatBytes(block) });
}

function tagBytes(tag: string | Uint8Array): Uint8Array {
  if (tag instanceof Uint8Array) return tag;
  if (typeof tag !== "string") throw new TypeError("tag must be a string or a Uint8Array");
  // An encoder would replace a lone surrogate, and two tags would become one.
  if (/\p{Surrogate}/u.test(tag)) throw new RangeError("tag must not hold a lone surrogate");
  return utf8ToBytes(tag);
}
