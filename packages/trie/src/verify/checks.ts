import { equalBytes, type Hasher, keccak256 } from "@x/hash";
import { TrieError, type TrieErrorCode } from "../errors.ts";
import { HASH_SIZE } from "../link.ts";

/** Verifiers hash portably: what a light client takes is small. */
export const keccak: Hasher = keccak256();

/** The root of an empty trie, and the hash of an empty side. Not to be changed. */
export const ZEROS: Uint8Array = new Uint8Array(HASH_SIZE);

/** Codes of a proof that does not show what is claimed, without their common beginning. */
type Refusal<Code> = Code extends `TRIE_PROOF_${infer Rest}` ? Rest : never;

/** @returns the error, to be thrown */
export function failure(code: Refusal<TrieErrorCode>, what: string): TrieError {
  return new TrieError(`TRIE_PROOF_${code}`, `proof ${what}`);
}

/** What a verifier is strict about. */
export type VerifyMode = "strict" | "compatible";

/** @throws TypeError, RangeError if what the caller gave as a root or path is not 32 bytes */
export function checkArgument(bytes: Uint8Array, name: string): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  if (bytes.length !== HASH_SIZE)
    throw new RangeError(`${name} must be ${HASH_SIZE} bytes, got ${bytes.length}`);
}

/** @throws TypeError if what the caller gave as a key is not bytes */
export function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) throw new TypeError("key must be a Uint8Array");
}

/** @throws TrieError TRIE_PROOF_FORMAT if what a proof holds is not bytes, or not as many as it must */
export function checkField(
  bytes: unknown,
  what: string,
  size?: number,
): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw failure("FORMAT", `has a ${what} that is not bytes`);
  if (size !== undefined && bytes.length !== size)
    throw failure("FORMAT", `has a ${what} of ${bytes.length} bytes`);
}

/** @throws TrieError TRIE_PROOF_FORMAT if what a proof holds is no list of bytes */
export function checkList(list: unknown, what: string, size?: number): void {
  if (!Array.isArray(list)) throw failure("FORMAT", `has no list of ${what}`);
  // By index: `forEach` would pass over places that hold nothing.
  for (let i = 0; i < list.length; i++) checkField(list[i], what, size);
}

/** Whether hashes are the same, all bytes of them. */
export function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

/** The verdict of a verifier that throws: false where the proof does not show it; an error where it is no proof. */
export function verdict(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (!(error instanceof TrieError)) throw error;
    if (error.code === "TRIE_PROOF_FORMAT" || error.code === "TRIE_PROOF_TOO_LARGE") throw error;
    return false;
  }
}
