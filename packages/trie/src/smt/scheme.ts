import { type HashEngine, keccak256 } from "@x/hash";
import { preferredEngine } from "@x/hash/wasm";
import type { Reading } from "@x/store";
import { digestMany } from "../digest.ts";
import { HASH_SIZE } from "../link.ts";
import { load } from "../load.ts";
import type { TrieScheme } from "../scheme.ts";
import { checkNodeHash } from "../stored-node.ts";
import { type SmtProof, type SmtProofLeaf, verifySmt } from "../verify/smt-proof.ts";
import { deleteSmt, setSmt } from "./edit.ts";
import { hashFrom, hashSmt, type SmtHashers } from "./hash.ts";
import { decodeSmtNode } from "./node-codec.ts";
import { checkPlace } from "./place.ts";
import { otherSide, sharedBits, type SmtLink, type SmtNode, stepSmt, valueAtSmt } from "./node.ts";

/** How a sparse trie is kept. */
export interface SmtOptions {
  /** What hashes. Default: the fastest that the runtime has. */
  readonly engine?: HashEngine;
}

/** The sparse trie of this package. */
export function smtScheme({ engine = preferredEngine }: SmtOptions = {}): TrieScheme<
  SmtNode,
  SmtProof
> {
  const plain = keccak256({ engine });
  const hashers: SmtHashers = { plain, pair: keccak256({ engine, prefix: Uint8Array.of(0) }) };
  const scheme: TrieScheme<SmtNode, SmtProof> = {
    name: "smt",
    emptyRoot: new Uint8Array(HASH_SIZE),
    pathsOf: (keys) => digestMany(plain, keys),
    checkKey: () => undefined,
    decode(ref, bytes = ref) {
      const node = decodeSmtNode(bytes);
      const hash =
        node.kind === "leaf" ? plain.hash(bytes) : hashFrom(hashers.pair, node, node.start);
      checkNodeHash(ref, hash);
      return node;
    },
    step: (node, path, at) => {
      checkPlace(node, path, at);
      return stepSmt(node, path);
    },
    valueAt: valueAtSmt,
    set: (root, path, value) => setSmt(scheme, root, path, value),
    delete: (root, path) => deleteSmt(scheme, root, path),
    hash: (root, emit) => hashSmt(hashers, root, emit),
    prove: (root, _key, path) => proveSmt(scheme, hashers, root, path),
    childRefs: (node) =>
      node.kind === "leaf" ? [] : [node.left.ref as Uint8Array, node.right.ref as Uint8Array],
    verify: (root, key, proof) => verifySmt({ root, key, proof }),
  };
  return scheme;
}

/**
 * Walks to the end of a path and gathers the other sides, level by level. Everything is hashed.
 *
 * @yields the hashes of nodes to read
 */
function* proveSmt(
  scheme: TrieScheme<SmtNode, SmtProof>,
  { pair }: SmtHashers,
  root: SmtLink | undefined,
  path: Uint8Array,
): Reading<SmtProof> {
  const siblings: Uint8Array[] = [];
  let leaf: SmtProofLeaf | undefined;
  let link = root;
  while (link !== undefined) {
    const node = yield* load(scheme, link);
    checkPlace(node, path, siblings.length);
    if (node.kind === "leaf") {
      leaf = { keyHash: new Uint8Array(node.keyHash), value: new Uint8Array(node.value) };
      break;
    }
    const shared = sharedBits(node, path);
    while (siblings.length < shared) siblings.push(new Uint8Array(HASH_SIZE));
    if (shared < node.split) {
      siblings.push(hashFrom(pair, node, shared + 1));
      break;
    }
    siblings.push(new Uint8Array(otherSide(node, path).ref as Uint8Array));
    link = stepSmt(node, path)?.link;
  }
  return { keyHash: new Uint8Array(path), leaf, siblings };
}
