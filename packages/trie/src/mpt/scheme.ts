import { type HashEngine, keccak256 } from "@x/hash";
import { preferredEngine } from "@x/hash/wasm";
import type { Reading } from "@x/store";
import { TrieError } from "../errors.ts";
import { HASH_SIZE } from "../link.ts";
import { load } from "../load.ts";
import { toNibbles } from "../nibbles.ts";
import type { TrieScheme } from "../scheme.ts";
import { checkNodeHash } from "../stored-node.ts";
import { type MptProof, verifyMpt } from "../verify/mpt-proof.ts";
import { deleteMpt, setMpt } from "./edit.ts";
import type { MptFormat } from "./format.ts";
import { childrenOf, hashMpt } from "./hash.ts";
import { decodeMptNode, encodeMptNode } from "./node-codec.ts";
import { type MptLink, type MptNode, stepMpt, valueAtMpt } from "./node.ts";

/** Longest key of an entry by default, in bytes. */
export const KEY_SIZE_MAX = 1024;

/** How a Patricia trie is kept. */
export interface MptOptions {
  /** Longest key of an entry, in bytes. Default: 1024. Asking, removing and proving take any length. */
  readonly keySizeMax?: number;
  /** What hashes. Default: the fastest that the runtime has. */
  readonly engine?: HashEngine;
}

const FORMAT: MptFormat = {
  inlines: false,
  encode: encodeMptNode,
  decode(bytes) {
    const node = decodeMptNode(bytes, { code: "TRIE_NODE_FORMAT" });
    if (node === undefined) throw new TrieError("TRIE_NODE_FORMAT", "a stored node is null");
    return node;
  },
};

/** The Patricia trie of this package. @throws RangeError if the longest key is no count */
export function mptScheme(options: MptOptions = {}): TrieScheme<MptNode, MptProof> {
  const { keySizeMax = KEY_SIZE_MAX, engine = preferredEngine } = options;
  if (keySizeMax !== Infinity && (!Number.isSafeInteger(keySizeMax) || keySizeMax < 0))
    throw new RangeError(`keySizeMax must be a non-negative safe integer, got ${keySizeMax}`);
  const hasher = keccak256({ engine });
  const scheme: TrieScheme<MptNode, MptProof> = {
    name: "mpt",
    emptyRoot: new Uint8Array(HASH_SIZE),
    pathsOf: (keys) => keys.map(toNibbles),
    checkKey({ length }) {
      if (length > keySizeMax)
        throw new TrieError(
          "TRIE_KEY_TOO_LONG",
          `key has ${length} bytes, want at most ${keySizeMax}`,
        );
    },
    decode(ref, bytes = ref) {
      checkNodeHash(ref, hasher.hash(bytes));
      return FORMAT.decode(bytes);
    },
    step: stepMpt,
    valueAt: valueAtMpt,
    set: (root, path, value) => setMpt(scheme, root, path, value),
    delete: (root, path) => deleteMpt(scheme, root, path),
    hash: (root, emit) => hashMpt(FORMAT, hasher, root, emit),
    *prove(root, key, path) {
      const { nodes, value } = yield* walkMpt(scheme, FORMAT, root, path);
      return {
        key: new Uint8Array(key),
        value: value && new Uint8Array(value),
        nodes: root === undefined ? [Uint8Array.of(0)] : nodes,
      };
    },
    childRefs: (node) => childrenOf(node).map(({ ref }) => ref as Uint8Array),
    verify: (root, key, proof) => verifyMpt({ root, key, proof }),
  };
  return scheme;
}

/**
 * The bytes of every node that is stored by itself along a path, and the value there, a view. Everything is hashed.
 *
 * @yields the hashes of nodes to read
 */
export function* walkMpt(
  decoder: Pick<TrieScheme<MptNode, never>, "decode">,
  format: MptFormat,
  root: MptLink | undefined,
  path: Uint8Array,
): Reading<{ nodes: Uint8Array[]; value: Uint8Array | undefined }> {
  const nodes: Uint8Array[] = [];
  let link = root;
  let at = 0;
  while (link !== undefined) {
    const node = yield* load(decoder, link);
    if (link === root || (link.ref as Uint8Array).length === HASH_SIZE)
      nodes.push(format.encode(node));
    const step = stepMpt(node, path, at);
    if (step === undefined) return { nodes, value: valueAtMpt(node, path, at) };
    ({ link, at } = step);
  }
  return { nodes, value: undefined };
}
