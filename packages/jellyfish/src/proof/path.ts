import { copyBytes, sameBytes } from "@x/store/adapter";
import { type Bytes, type Reading } from "@x/store";
import { type TreeContext } from "../context.ts";
import { JellyfishError } from "../errors.ts";
import { bitAt, checkArgument } from "../path.ts";
import { type PathProof } from "../verify/proof.ts";
import { hashedLeaf, namedLeaf } from "./named-leaf.ts";
import { halvesOf, hashOf, leafOf, rootPlace } from "./place.ts";

/** What a tree has under a path, with its proof. */
export interface GetWithProof {
  /** The stored bytes, fresh; `undefined` if there is none. */
  readonly value: Bytes | undefined;
  /** Of presence or of absence, as the case is. */
  readonly proof: PathProof;
}

/**
 * The value of a path with the proof that it is so, or that it has none. One read per level of nodes that is not cached, up to 15
 * hashes for each that is not.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 * @throws TypeError, RangeError if root or path are not 32 bytes
 */
export function* getWithProof(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<GetWithProof> {
  checkArgument(path, "path");
  const siblings: Uint8Array[] = [];
  let place = yield* rootPlace(context, root);
  while (place.kind === "inner") {
    const [left, right] = yield* halvesOf(context, place);
    const isRight = bitAt(path, place.depth) === 1;
    siblings.push(copyBytes(hashOf(isRight ? left : right)));
    place = isRight ? right : left;
  }
  siblings.reverse();
  if (place.kind === "empty") return { value: undefined, proof: { leaf: undefined, siblings } };
  const leaf = yield* leafOf(context, place);
  if (!sameBytes(leaf.path, path)) {
    return { value: undefined, proof: { leaf: namedLeaf(context, leaf), siblings } };
  }
  return { value: copyBytes(leaf.value), proof: { leaf: hashedLeaf(context, leaf), siblings } };
}

/**
 * The proof that a path has a value. Cost as {@link getWithProof}.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_KEY_ABSENT if it has none, and as {@link getWithProof}
 */
export function* proveInclusion(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<PathProof> {
  const { value, proof } = yield* getWithProof(context, root, path);
  if (value === undefined) {
    throw new JellyfishError("JELLYFISH_KEY_ABSENT", "what has no value cannot be proven present");
  }
  return proof;
}

/**
 * The proof that a path has no value. Cost as {@link getWithProof}.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_KEY_PRESENT if it has one, and as {@link getWithProof}
 */
export function* proveExclusion(
  context: TreeContext,
  root: Uint8Array,
  path: Uint8Array,
): Reading<PathProof> {
  const { value, proof } = yield* getWithProof(context, root, path);
  if (value !== undefined) throw presentKey();
  return proof;
}

/** @returns the error of a path that has a value and is to be proven absent */
export function presentKey(): JellyfishError {
  return new JellyfishError("JELLYFISH_KEY_PRESENT", "what has a value cannot be proven absent");
}
