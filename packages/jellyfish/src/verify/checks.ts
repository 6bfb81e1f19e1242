import { concatBytes, equalBytes } from "@x/hash";
import { JellyfishError, type JellyfishErrorCode } from "../errors.ts";
import { checkArgument, PATH_SIZE } from "../path.ts";
import type { HashScheme, ProofRules } from "../scheme/scheme.ts";
import type { ProofLeaf } from "./proof.ts";

/** What every claim says, whatever it states. */
export interface Claim {
  /** How the tree hashes. */
  readonly scheme: HashScheme;
  /** Root of the tree, from a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  /** What is insisted on under a scheme whose leaves and inner nodes hash alike. Default: everything. */
  readonly rules?: ProofRules;
}

/** The hardened rules as they apply to one claim: all false under a separated scheme. */
export type Rules = Required<ProofRules>;

/** @throws TypeError, RangeError if the root is not 32 bytes */
export function rulesOf({ scheme, root, rules = {} }: Claim): Rules {
  checkArgument(root, "root");
  // Whatever does not say that its domains are separated is treated as the weaker.
  const shared = scheme.domains !== "separated";
  return {
    refuse64ByteValues: shared && rules.refuse64ByteValues !== false,
    absenceCarriesValue: shared && rules.absenceCarriesValue !== false,
    refusePlaceholderPath: shared && rules.refusePlaceholderPath !== false,
  };
}

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT if what a proof holds as a path or hash is not 32 bytes */
export function checkHash(bytes: unknown, what: string): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== PATH_SIZE) {
    throw failure("FORMAT", `${what} is not ${PATH_SIZE} bytes`);
  }
}

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT if what stands for a hidden part is no hash, or the placeholder */
export function checkHidden({ placeholder }: HashScheme, hash: Uint8Array): void {
  checkHash(hash, "hash");
  if (equalBytes(hash, placeholder)) throw failure("FORMAT", "has the placeholder as a hash");
}

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT if what a proof names as a leaf is none */
export function checkLeaf(leaf: ProofLeaf): void {
  checkObject(leaf);
  checkHash(leaf.path, "path of a leaf");
  if (!("value" in leaf)) checkHash(leaf.valueHash, "value hash of a leaf");
  else if (!(leaf.value instanceof Uint8Array)) throw failure("FORMAT", "has no value");
}

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT if a proof, or a leaf of one, has no fields */
export function checkObject(value: unknown): void {
  if (typeof value !== "object" || value === null) throw failure("FORMAT", "is not an object");
}

/** @throws JellyfishError JELLYFISH_PROOF_ROOT */
export function checkRoot(found: Uint8Array, root: Uint8Array): void {
  if (!equalBytes(found, root)) throw failure("ROOT", "does not lead to the root");
}

/** @throws JellyfishError JELLYFISH_PROOF_UNSAFE if the hardened rules refuse such a path */
export function checkPath({ scheme }: Claim, rules: Rules, path: Uint8Array): void {
  if (rules.refusePlaceholderPath && equalBytes(path, scheme.placeholder)) {
    throw failure("UNSAFE", "takes the placeholder as a path");
  }
}

/**
 * Hash of a value that is claimed to be stored.
 *
 * @throws TypeError if it is no Uint8Array
 * @throws JellyfishError JELLYFISH_PROOF_UNSAFE if the hardened rules refuse such a value
 */
export function hashStoredValue({ scheme }: Claim, rules: Rules, value: Uint8Array): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError("value must be a Uint8Array");
  if (rules.refuse64ByteValues && value.length === 64) {
    throw failure("UNSAFE", "shows a value of 64 bytes");
  }
  return scheme.hashValue(value);
}

/** Hash of the value of a leaf that a proof names. Errors as {@link hashNamedLeaf}. */
export function valueHashOf(claim: Claim, rules: Rules, leaf: ProofLeaf): Uint8Array {
  checkLeaf(leaf);
  checkPath(claim, rules, leaf.path);
  return "value" in leaf ? hashStoredValue(claim, rules, leaf.value) : leaf.valueHash;
}

/**
 * Hash of a leaf that is there by the word of the proof alone.
 *
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, and as {@link checkForm}
 */
export function hashNamedLeaf(claim: Claim, rules: Rules, leaf: ProofLeaf): Uint8Array {
  const valueHash = valueHashOf(claim, rules, leaf);
  checkForm(claim, rules, leaf);
  return hashLeaf(claim.scheme, leaf.path, valueHash);
}

/**
 * A leaf that a proof names has one form: with its value where the hardened rules are on, with its value hash where domains are
 * separated.
 *
 * @throws JellyfishError JELLYFISH_PROOF_UNSAFE, JELLYFISH_PROOF_SURPLUS
 */
export function checkForm({ scheme }: Claim, rules: Rules, leaf: ProofLeaf): void {
  const isRevealed = "value" in leaf;
  if (rules.absenceCarriesValue && !isRevealed) {
    throw failure("UNSAFE", "hides a value");
  }
  if (scheme.domains === "separated" && isRevealed) throw surplusValue();
}

/** @returns the error of a leaf that shows its value where nothing asks for it */
export function surplusValue(): JellyfishError {
  return failure("SURPLUS", "shows a value");
}

/** `leaf(path, valueHash)`, 32 fresh bytes. */
export function hashLeaf(
  scheme: HashScheme,
  path: Uint8Array,
  valueHash: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(PATH_SIZE);
  scheme.hashLeaves(concatBytes([path, valueHash]), 1, output);
  return output;
}

/** `inner(left, right)`, 32 fresh bytes. */
export function hashInner(
  scheme: HashScheme,
  left: Uint8Array,
  right: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(PATH_SIZE);
  scheme.hashInners(concatBytes([left, right]), 1, output);
  return output;
}

/** Codes of a proof that does not show what is claimed, without their common beginning. */
type Refusal<Code> = Code extends `JELLYFISH_PROOF_${infer Rest}` ? Rest : never;

/** @returns the error, to be thrown */
export function failure(code: Refusal<JellyfishErrorCode>, what: string): JellyfishError {
  return new JellyfishError(`JELLYFISH_PROOF_${code}`, `proof ${what}`);
}
