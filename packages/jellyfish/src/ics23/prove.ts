import { concatBytes } from "@x/hash";
import { copyBytes, sameBytes } from "@x/store/adapter";
import { type Reading, together } from "@x/store";
import { type TreeContext } from "../context.ts";
import { JellyfishError } from "../errors.ts";
import { type LeafNode } from "../node.ts";
import { bitAt } from "../path.ts";
import { getWithProof } from "../proof/path.ts";
import { neighbourOf } from "../proof/range.ts";
import { asciiBytes } from "../scheme/ascii.ts";
import {
  ICS23_SPEC,
  type Ics23Existence,
  type Ics23InnerOp,
  type Ics23NonExistence,
  type Ics23Proof,
} from "./proof.ts";

/** What stands before both children of an inner node under its hash. */
const INNER_PREFIX = asciiBytes("JMT::IntrnalNode");

/**
 * What a tree has under a key, as an ICS23 proof: that it has a value, or the entries on both sides of where it would be.
 * For trees of `jmtSha256` whose paths are `hashKey(key)`; a proof of absence also needs the keys of both neighbours, which the
 * node format must keep (`compactNodes({ keys: true })`).
 *
 * @yields the hashes of nodes to read
 * @param key - 1 byte or more
 * @throws JellyfishError JELLYFISH_KEY_UNKNOWN (the key of a neighbour is not kept), JELLYFISH_ICS23_UNPROVABLE (ICS23 has no
 *   proof: of the empty tree, of an empty key or value, of a path of more than 64 steps), JELLYFISH_MISSING_NODE,
 *   JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 * @throws TypeError if the tree is of another scheme, or `key` is no Uint8Array
 * @see FORMAT.md, "ICS23"
 */
export function* proveIcs23(
  context: TreeContext,
  root: Uint8Array,
  key: Uint8Array,
): Reading<Ics23Proof> {
  const { scheme } = context;
  if (scheme.name !== "jmt-sha256") {
    throw new TypeError(`scheme must be jmt-sha256, got ${scheme.name}`);
  }
  if (!(key instanceof Uint8Array)) throw new TypeError("key must be a Uint8Array");
  if (key.length === 0) throw unprovable("an empty key");
  const path = scheme.hashKey(key);
  const { value, proof } = yield* getWithProof(context, root, path);
  if (value !== undefined) {
    return { kind: "existence", existence: existenceOf(key, path, value, proof.siblings) };
  }
  return { kind: "nonexistence", nonexistence: yield* proveAbsence(context, root, key, path) };
}

function* proveAbsence(
  context: TreeContext,
  root: Uint8Array,
  key: Uint8Array,
  path: Uint8Array,
): Reading<Ics23NonExistence> {
  const neighbours = yield* together([
    neighbourOf(context, root, path, 0),
    neighbourOf(context, root, path, 1),
  ]);
  const [before, after] = neighbours;
  const [left, right] = yield* together([
    proveLeaf(context, root, before),
    proveLeaf(context, root, after),
  ]);
  if (left === undefined && right === undefined) throw unprovable("absence from an empty tree");
  return { key: copyBytes(key), left, right };
}

/**
 * The existence of a leaf whose key is kept.
 *
 * @yields the hashes of nodes to read
 */
function* proveLeaf(
  context: TreeContext,
  root: Uint8Array,
  leaf: LeafNode | undefined,
): Reading<Ics23Existence | undefined> {
  if (leaf === undefined) return undefined;
  const { path, key, value } = leaf;
  // A key is not under the hash of its leaf: a wrong one would make a proof that does not verify.
  if (key === undefined || !sameBytes(context.scheme.hashKey(key), path)) {
    throw new JellyfishError("JELLYFISH_KEY_UNKNOWN", "the key of a neighbouring leaf is not kept");
  }
  const { proof } = yield* getWithProof(context, root, path);
  return existenceOf(key, path, value, proof.siblings);
}

function existenceOf(
  key: Uint8Array,
  path: Uint8Array,
  value: Uint8Array,
  siblings: readonly Uint8Array[],
): Ics23Existence {
  if (value.length === 0) throw unprovable("an empty value");
  if (key.length === 0) throw unprovable("an empty key");
  const { maxDepth } = ICS23_SPEC;
  if (maxDepth < siblings.length) {
    throw unprovable(`a path of ${siblings.length} steps, above ${maxDepth}`);
  }
  const steps = siblings.map((sibling, i): Ics23InnerOp => {
    const isRight = bitAt(path, siblings.length - 1 - i) === 1;
    return isRight
      ? { prefix: concatBytes([INNER_PREFIX, sibling]), suffix: new Uint8Array(0) }
      : { prefix: copyBytes(INNER_PREFIX), suffix: sibling };
  });
  return { key: copyBytes(key), value: copyBytes(value), path: steps };
}

function unprovable(what: string): JellyfishError {
  return new JellyfishError("JELLYFISH_ICS23_UNPROVABLE", `ICS23 has no proof of ${what}`);
}
