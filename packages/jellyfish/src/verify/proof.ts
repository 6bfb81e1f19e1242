import { PATH_BITS } from "../path.ts";
import { checkHash, failure } from "./checks.ts";

/**
 * A leaf that a proof names: with the hash of its value, or with the value itself where the hardened rules or the statement
 * need it.
 */
export type ProofLeaf = HashedLeaf | RevealedLeaf;

/** A leaf by path and value hash. */
export interface HashedLeaf {
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** 32 bytes. */
  readonly valueHash: Uint8Array;
}

/** A leaf with its value. */
export interface RevealedLeaf {
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** The stored bytes. May be empty. */
  readonly value: Uint8Array;
}

/**
 * What is at the end of one path: an inclusion proof if `leaf` has that path; a proof of absence if it has another, or if
 * there is none. Plain data; nothing in it is trusted by a verifier.
 *
 * Bytes: FORMAT.md, "Path proof".
 */
export interface PathProof {
  /** The leaf found, or `undefined` where the place is empty. */
  readonly leaf: ProofLeaf | undefined;
  /** The other half at every level, 32 bytes each, from the leaf up to the root; placeholders included. At most 256. */
  readonly siblings: readonly Uint8Array[];
}

/** A value under a path. */
export interface ProvenEntry {
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** The stored bytes. May be empty. */
  readonly value: Uint8Array;
}

/** That a path has no value, and why. */
export type Absence =
  | { readonly kind: "absent"; readonly because: "empty-place" }
  | {
      readonly kind: "absent";
      readonly because: "other-leaf";
      /** The one path that has a value in the place where the asked one would be. 32 fresh bytes. */
      readonly other: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "absent";
      readonly because: "neighbours";
      /** The next smaller path with a value; `undefined` if there is none. 32 fresh bytes. */
      readonly before: Uint8Array<ArrayBuffer> | undefined;
      /** The next larger path with a value; `undefined` if there is none. 32 fresh bytes. */
      readonly after: Uint8Array<ArrayBuffer> | undefined;
    };

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if it is no list of at most 256 hashes */
export function checkSiblings(siblings: readonly Uint8Array[]): void {
  if (!Array.isArray(siblings)) throw failure("FORMAT", "has no siblings");
  checkSiblingCount(siblings.length);
  // Not `forEach`, which passes over places that hold nothing.
  for (const sibling of siblings) checkHash(sibling, "sibling");
}

/** @throws JellyfishError JELLYFISH_PROOF_TOO_LARGE above 256 */
export function checkSiblingCount(count: number): void {
  if (PATH_BITS < count) throw failure("TOO_LARGE", `has ${count} siblings`);
}
